#include "lamina/backtests/index_row.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "lamina/backtests/python_json.h"

namespace lamina::backtests {
namespace {

using bundle::Kind;
using bundle::Value;

constexpr double kFrameworkRiskFreeRate = 0.027;

/// Text as it is, nil as absent, anything else as JSON.
std::optional<std::string> TextOf(const std::optional<Value>& value) {
  if (!value || value->is_nil()) return std::nullopt;
  if (value->is_string()) return std::string(value->AsString());
  return PythonJson(*value);
}

/// JSON of a value that is not empty in Python's sense.
std::optional<std::string> JsonUnlessEmpty(const std::optional<Value>& value) {
  if (!value || value->is_nil()) return std::nullopt;
  const bool sized = value->is_map() || value->is_array() || value->is_string();
  if (sized && value->size() == 0) return std::nullopt;
  return PythonJson(*value);
}

/// Absent when `value` is not a number that the field's column can hold.
std::optional<Number> NumberOf(Value value, bool integer_column) {
  switch (value.kind()) {
    case Kind::kNil:
      return Number();
    case Kind::kInt:
      return Number(value.AsInt());
    case Kind::kUint:
      if (integer_column) return std::nullopt;
      return Number(value.AsDouble());
    case Kind::kFloat32:
    case Kind::kFloat64: {
      const double number = value.AsDouble();
      const bool whole = std::abs(number) < 9.0e15 && number == std::trunc(number);
      if (integer_column && !std::isnan(number) && !whole) return std::nullopt;
      return Number(number);
    }
    default:
      return std::nullopt;
  }
}

void FillSummary(Value summary, IndexRow& row) {
  if (!summary.is_map()) return;
  row.has_summary = true;
  std::string extras;
  JsonWriter extras_json(extras, JsonStyle::Python());
  extras_json.BeginObject();
  bool has_extras = false;
  std::size_t expected = 0;  // the keys come in file order as a rule
  for (const auto entry : summary.entries()) {
    const ByteView key = entry.key.is_string() ? entry.key.AsString() : ByteView();
    std::optional<std::size_t> field;
    if (expected < kSummaryFieldCount && kSummaryFields[kSummaryFileOrder[expected]].name == key) {
      field = kSummaryFileOrder[expected];
    } else {
      field = FindSummaryField(key);
    }
    ++expected;
    if (field) {
      if (auto number = NumberOf(entry.value, kSummaryFields[*field].integer)) {
        row.summary[*field] = *number;
        continue;
      }
      row.summary[*field] = Number();
    }
    extras_json.Key(MemberName(entry.key));
    WriteValue(extras_json, entry.value);
    has_extras = true;
  }
  extras_json.EndObject();
  if (has_extras) row.summary_extras_json = std::move(extras);
}

Number RiskFreeRate(const std::optional<Value>& value, std::uint32_t version) {
  std::optional<Number> number;
  if (value) number = NumberOf(*value, /*integer_column=*/false);
  if (number && !std::holds_alternative<std::monostate>(*number)) return *number;
  return version >= 3 ? Number(kFrameworkRiskFreeRate) : Number();
}

bool SameNumber(const Number& left, const Number& right) {
  const auto* x = std::get_if<double>(&left);
  const auto* y = std::get_if<double>(&right);
  if (x != nullptr && y != nullptr && std::isnan(*x) && std::isnan(*y)) return true;
  return left == right;
}

/// A universe named "" would be taken for the pooled row, which comes before it.
template <class Part>
bool HasRow(const std::vector<IndexRow>& rows, const Part& part) {
  return std::any_of(rows.begin(), rows.end(), [&](const IndexRow& row) {
    return row.engine == part.engine && row.study == part.study && row.universe == part.universe;
  });
}

std::string_view UniverseOfRun(Value run) {
  const auto metadata = run.Find("metadata");
  const auto key = metadata ? metadata->Find("universe_key") : std::nullopt;
  return key && key->is_string() ? key->AsString() : std::string_view();
}

std::optional<Micros> TimeOf(std::string_view text) {
  if (text.empty()) return std::nullopt;
  const auto time = ParseTime(text);
  return time.ok() ? std::optional<Micros>(*time) : std::nullopt;
}

/// Take the window of a run into the row it belongs to.
void WidenDates(std::string_view start_text, std::string_view end_text, IndexRow& row) {
  const auto start = TimeOf(start_text);
  const auto end = TimeOf(end_text);
  if (start && (!row.start || *start < *row.start)) row.start = start;
  if (end && (!row.end || *end > *row.end)) row.end = end;
}

void FillDates(const bundle::Layout& layout, IndexRow& row) {
  const auto text_of = [](Value run, std::string_view key) {
    const auto text = run.Find(key);
    return text && text->is_string() ? text->AsString() : std::string_view();
  };
  for (const bundle::RunPart& part : layout.runs) {
    if (!BelongsTo(part, row)) continue;
    WidenDates(text_of(part.run, "backtest_start_date"), text_of(part.run, "backtest_end_date"),
               row);
  }
}

void FillDates(const bundle::BundleScan& scan, IndexRow& row) {
  for (const bundle::ScannedRun& run : scan.runs) {
    if (run.engine != row.engine || run.study != row.study) continue;
    if (!row.universe.empty() && run.universe != row.universe) continue;
    WidenDates(run.start, run.end, row);
  }
}

}  // namespace

std::optional<std::size_t> FindSummaryField(std::string_view name) {
  for (std::size_t i = 0; i < kSummaryFieldCount; ++i) {
    if (kSummaryFields[i].name == name) return i;
  }
  return std::nullopt;
}

bool BelongsTo(const bundle::RunPart& run, const IndexRow& row) {
  return run.engine == row.engine && run.study == row.study &&
         (row.universe.empty() || UniverseOfRun(run.run) == row.universe);
}

bool SameRow(const IndexRow& left, const IndexRow& right) {
  for (std::size_t i = 0; i < kSummaryFieldCount; ++i) {
    if (!SameNumber(left.summary[i], right.summary[i])) return false;
  }
  return left.bundle_path == right.bundle_path && left.algorithm_id == right.algorithm_id &&
         left.anchor_algorithm_id == right.anchor_algorithm_id && left.tag == right.tag &&
         left.framework_version == right.framework_version && left.engine == right.engine &&
         left.universe == right.universe && left.study == right.study &&
         left.study_description == right.study_description &&
         SameNumber(left.risk_free_rate, right.risk_free_rate) &&
         left.number_of_runs == right.number_of_runs &&
         left.parameters_json == right.parameters_json &&
         left.strategy_ids_json == right.strategy_ids_json &&
         left.extras_json == right.extras_json &&
         left.summary_extras_json == right.summary_extras_json &&
         left.bundle_mtime_ns == right.bundle_mtime_ns && left.bundle_size == right.bundle_size &&
         left.has_summary == right.has_summary && left.start == right.start &&
         left.end == right.end;
}

std::int64_t NanMask(const IndexRow& row) {
  std::int64_t mask = 0;
  for (std::size_t i = 0; i < kSummaryFieldCount; ++i) {
    const auto* number = std::get_if<double>(&row.summary[i]);
    if (number != nullptr && std::isnan(*number)) mask |= std::int64_t{1} << i;
  }
  return mask;
}

std::vector<IndexRow> IndexRowsOf(const bundle::Layout& layout, std::string_view bundle_path) {
  IndexRow identity;
  identity.bundle_path = bundle_path;
  identity.algorithm_id = TextOf(layout.algorithm_id);
  identity.anchor_algorithm_id = TextOf(layout.anchor_algorithm_id);
  identity.tag = TextOf(layout.tag);
  identity.parameters_json = JsonUnlessEmpty(layout.parameters);
  identity.strategy_ids_json = JsonUnlessEmpty(layout.strategy_ids);
  identity.extras_json = JsonUnlessEmpty(layout.metadata);
  std::vector<IndexRow> rows;
  for (const bundle::SummaryPart& part : layout.summaries) {
    if (HasRow(rows, part)) continue;
    IndexRow& row = rows.emplace_back(identity);
    row.engine = part.engine;
    row.study = part.study;
    row.universe = part.universe;
    row.number_of_runs = part.run_count;
    row.risk_free_rate = RiskFreeRate(part.risk_free_rate, layout.version);
    if (part.study_map) row.study_description = TextOf(part.study_map->Find("description"));
    if (part.summary) FillSummary(*part.summary, row);
    FillDates(layout, row);
  }
  if (rows.empty()) rows.push_back(std::move(identity));
  return rows;
}

Result<std::vector<IndexRow>> IndexRowsOf(const bundle::BundleScan& scan,
                                          std::string_view bundle_path) {
  std::vector<bundle::Document> documents;  // own what the Values below point into
  documents.reserve(6);
  const auto parse = [&](const std::string& bytes) -> Result<std::optional<Value>> {
    if (bytes.empty()) return std::optional<Value>();
    LAMINA_ASSIGN(auto document, bundle::Document::Parse(bytes));
    documents.push_back(std::move(document));
    return std::optional<Value>(documents.back().root());
  };
  IndexRow identity;
  identity.bundle_path = bundle_path;
  LAMINA_ASSIGN(const auto algorithm_id, parse(scan.algorithm_id));
  identity.algorithm_id = TextOf(algorithm_id);
  LAMINA_ASSIGN(const auto anchor, parse(scan.anchor_algorithm_id));
  identity.anchor_algorithm_id = TextOf(anchor);
  LAMINA_ASSIGN(const auto tag, parse(scan.tag));
  identity.tag = TextOf(tag);
  LAMINA_ASSIGN(const auto parameters, parse(scan.parameters));
  identity.parameters_json = JsonUnlessEmpty(parameters);
  LAMINA_ASSIGN(const auto strategy_ids, parse(scan.strategy_ids));
  identity.strategy_ids_json = JsonUnlessEmpty(strategy_ids);
  LAMINA_ASSIGN(const auto metadata, parse(scan.metadata));
  identity.extras_json = JsonUnlessEmpty(metadata);
  std::vector<IndexRow> rows;
  for (const bundle::ScannedSummary& part : scan.summaries) {
    if (HasRow(rows, part)) continue;
    documents.clear();
    LAMINA_ASSIGN(const auto summary, parse(part.summary));
    LAMINA_ASSIGN(const auto rate, parse(part.risk_free_rate));
    IndexRow& row = rows.emplace_back(identity);
    row.engine = part.engine;
    row.study = part.study;
    row.universe = part.universe;
    row.number_of_runs = part.run_count;
    row.risk_free_rate = RiskFreeRate(rate, scan.version);
    if (!part.study_description.empty()) row.study_description = part.study_description;
    if (summary) FillSummary(*summary, row);
    FillDates(scan, row);
  }
  if (rows.empty()) rows.push_back(std::move(identity));
  return rows;
}

namespace {

void WriteMember(JsonWriter& json, std::string_view name, const std::optional<std::string>& text) {
  json.Key(name);
  if (text) {
    json.String(*text);
  } else {
    json.Null();
  }
}

void WriteMember(JsonWriter& json, std::string_view name, const Number& number) {
  json.Key(name);
  if (const auto* integer = std::get_if<std::int64_t>(&number)) {
    json.Int(*integer);
  } else if (const auto* real = std::get_if<double>(&number)) {
    json.Double(*real);
  } else {
    json.Null();
  }
}

std::optional<std::string> UnlessEmpty(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

}  // namespace

std::string ToFlatJson(const IndexRow& row, std::uint32_t bundle_version) {
  std::string out;
  JsonWriter json(out, JsonStyle::Python());
  json.BeginObject();
  WriteMember(json, "algorithm_id", row.algorithm_id);
  if (bundle_version >= 3) WriteMember(json, "anchor_algorithm_id", row.anchor_algorithm_id);
  WriteMember(json, "tag", row.tag);
  WriteMember(json, "bundle_path", std::optional(row.bundle_path));
  WriteMember(json, "framework_version", row.framework_version);
  WriteMember(json, "engine_type", UnlessEmpty(row.engine));
  WriteMember(json, "risk_free_rate", row.risk_free_rate);
  WriteMember(json, "number_of_runs", Number(row.number_of_runs));
  if (bundle_version >= 3) {
    WriteMember(json, "universe_key", UnlessEmpty(row.universe));
    WriteMember(json, "study_name", std::optional(row.study));
    WriteMember(json, "study_description", row.study_description);
  }
  WriteMember(json, "parameters", row.parameters_json);
  WriteMember(json, "strategy_ids", row.strategy_ids_json);
  if (row.has_summary) {
    std::string name;
    for (const std::uint8_t field : kSummaryFileOrder) {
      name = "summary.";
      name += kSummaryFields[field].name;
      WriteMember(json, name, row.summary[field]);
    }
  }
  json.EndObject();
  return out;
}

}  // namespace lamina::backtests
