#include "lamina/backtests/compare.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <utility>

#include "lamina/backtests/columns.h"
#include "lamina/backtests/json_member.h"
#include "lamina/backtests/render.h"
#include "lamina/base/json.h"

namespace lamina::backtests {
namespace {

constexpr int kDeepestName = 16;  ///< nested further, an object is compared as text

std::optional<double> RealOf(const Cell& cell) {
  if (const auto* integer = std::get_if<std::int64_t>(&cell)) return static_cast<double>(*integer);
  const auto* real = std::get_if<double>(&cell);
  return real != nullptr ? std::optional(*real) : std::nullopt;
}

bool SameCell(const std::optional<Cell>& left, const std::optional<Cell>& right) {
  if (left == right) return true;
  if (!left || !right) return false;
  const auto x = RealOf(*left), y = RealOf(*right);
  // Two integers that differ may be one double.
  if (!x || !y || left->index() == right->index())
    return x && y && std::isnan(*x) && std::isnan(*y);
  return *x == *y;
}

/// Parameters by name, one value a backtest, in order of first appearance.
class ParameterTable {
 public:
  explicit ParameterTable(std::size_t backtests) : backtests_(backtests) {}

  void Add(std::size_t backtest, std::string_view json, const std::string& prefix = {},
           int depth = 1) {
    for (const JsonMember& member : JsonMembers(json)) {
      const std::string name = prefix.empty() ? member.name : prefix + "." + member.name;
      const bool nested =
          member.value.front() == '{' && depth < kDeepestName && !JsonMembers(member.value).empty();
      if (nested) {
        Add(backtest, member.value, name, depth + 1);
      } else {
        const auto value = ParseJsonScalar(member.value);
        At(name).values[backtest] = value ? CellOf(*value) : Cell(std::string(member.value));
      }
    }
  }

  std::vector<ComparedParameter> Take() && { return std::move(parameters_); }

 private:
  ComparedParameter& At(const std::string& name) {
    const auto [place, added] = places_.try_emplace(name, parameters_.size());
    if (added) {
      parameters_.push_back({name, std::vector<std::optional<Cell>>(backtests_)});
    }
    return parameters_[place->second];
  }

  std::size_t backtests_;
  std::vector<ComparedParameter> parameters_;
  std::unordered_map<std::string, std::size_t> places_;
};

bool SamePlace(const IndexRow& left, const IndexRow& right) {
  return left.bundle_path == right.bundle_path && left.engine == right.engine &&
         left.study == right.study && left.universe == right.universe;
}

std::string LabelOf(const IndexRow& row, const std::vector<IndexRow>& rows) {
  std::string parts;
  const auto tell_apart = [&](std::string IndexRow::* part) {
    const bool differs = std::any_of(rows.begin(), rows.end(), [&](const IndexRow& other) {
      return other.bundle_path == row.bundle_path && other.*part != row.*part;
    });
    if (!differs) return;
    parts += (parts.empty() ? "" : ", ") + ((row.*part).empty() ? std::string("-") : row.*part);
  };
  tell_apart(&IndexRow::engine);
  tell_apart(&IndexRow::study);
  tell_apart(&IndexRow::universe);
  return parts.empty() ? row.bundle_path : row.bundle_path + " (" + parts + ")";
}

Cell CellOf(const Number& number) {
  if (const auto* integer = std::get_if<std::int64_t>(&number)) return *integer;
  const auto* real = std::get_if<double>(&number);
  return real != nullptr ? Cell(*real) : Cell();
}

Result<std::vector<std::size_t>> FieldsOf(const std::vector<std::string>& metrics) {
  std::vector<std::size_t> fields;
  if (metrics.empty()) fields.assign(kSummaryFileOrder.begin(), kSummaryFileOrder.end());
  for (const std::string& name : metrics) {
    const IndexColumn* column = FindColumn(name);
    if (column == nullptr || column->summary_field < 0) {
      return InvalidArgument("'" + name + "' is not a metric" + NearNamesHint(name));
    }
    fields.push_back(static_cast<std::size_t>(column->summary_field));
  }
  return fields;
}

void WriteText(JsonWriter& json, std::string_view key, const std::optional<std::string>& text) {
  json.Key(key);
  if (text) {
    json.String(*text);
  } else {
    json.Null();
  }
}

std::optional<std::string> TimeText(const std::optional<Micros>& time) {
  return time ? std::optional(FormatTime(*time)) : std::nullopt;
}

std::optional<std::string> UnlessEmpty(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

}  // namespace

Result<Comparison> Compare(const std::vector<IndexRow>& rows, const CompareOptions& options) {
  if (rows.empty()) return InvalidArgument("nothing to compare");
  LAMINA_ASSIGN(const auto fields, FieldsOf(options.metrics));
  Comparison out;
  for (const IndexRow& row : rows) {
    const bool repeated =
        std::any_of(out.backtests.begin(), out.backtests.end(),
                    [&](const ComparedBacktest& other) { return SamePlace(other.row, row); });
    if (!repeated) out.backtests.push_back({LabelOf(row, rows), row});
  }
  ParameterTable table(out.backtests.size());
  for (std::size_t i = 0; i < out.backtests.size(); ++i) {
    table.Add(i, out.backtests[i].row.parameters_json.value_or("{}"));
  }
  for (ComparedParameter& parameter : std::move(table).Take()) {
    const auto& first = parameter.values.front();
    const bool equal = std::all_of(parameter.values.begin(), parameter.values.end(),
                                   [&](const auto& value) { return SameCell(first, value); });
    if (equal) {
      out.equal.push_back(std::move(parameter.name));
    } else {
      out.differing.push_back(std::move(parameter));
    }
  }
  for (const std::size_t field : fields) {
    ComparedMetric metric{std::string(kSummaryFields[field].name), {}};
    for (const ComparedBacktest& backtest : out.backtests) {
      metric.values.push_back(CellOf(backtest.row.summary[field]));
    }
    const bool any = std::any_of(metric.values.begin(), metric.values.end(),
                                 [](const Cell& cell) { return cell != Cell(); });
    if (any || !options.metrics.empty()) out.metrics.push_back(std::move(metric));
  }
  return out;
}

std::string RenderComparison(const Comparison& comparison) {
  const auto header = [&](const char* first) {
    std::vector<std::string> names = {first};
    for (const ComparedBacktest& backtest : comparison.backtests) {
      names.push_back(CellText(backtest.label));
    }
    return names;
  };
  std::vector<std::vector<std::string>> lines;
  for (const ComparedParameter& parameter : comparison.differing) {
    std::vector<std::string>& line = lines.emplace_back();
    line.push_back(CellText(parameter.name));
    for (const auto& value : parameter.values) {
      std::string text = "-";
      if (value) {
        const auto* real = std::get_if<double>(&*value);
        text = *value == Cell()  ? "null"
               : real != nullptr ? PythonFloatRepr(*real)
                                 : CellText(*value);
      }
      line.push_back(std::move(text));
    }
  }
  std::string out;
  if (lines.empty()) {
    out = "no parameter differs\n";
  } else {
    out = RenderAligned(header("parameter"), lines);
  }
  out += '\n';
  lines.clear();
  for (const ComparedMetric& metric : comparison.metrics) {
    std::vector<std::string>& line = lines.emplace_back();
    line.push_back(metric.name);
    for (const Cell& value : metric.values) line.push_back(CellText(value));
  }
  return out + RenderAligned(header("metric"), lines);
}

std::string ComparisonJson(const Comparison& comparison) {
  std::string out;
  JsonWriter json(out);
  json.BeginObject();
  json.Key("backtests");
  json.BeginArray();
  for (const ComparedBacktest& backtest : comparison.backtests) {
    const IndexRow& row = backtest.row;
    json.BeginObject();
    WriteText(json, "label", backtest.label);
    WriteText(json, "handle", row.bundle_path);
    WriteText(json, "engine", UnlessEmpty(row.engine));
    WriteText(json, "study", row.study);
    WriteText(json, "universe", UnlessEmpty(row.universe));
    WriteText(json, "algorithm_id", row.algorithm_id);
    WriteText(json, "tag", row.tag);
    WriteText(json, "start", TimeText(row.start));
    WriteText(json, "end", TimeText(row.end));
    json.EndObject();
  }
  json.EndArray();
  json.Key("parameters");
  json.BeginObject();
  for (const ComparedParameter& parameter : comparison.differing) {
    json.Key(parameter.name);
    json.BeginObject();
    for (std::size_t i = 0; i < parameter.values.size(); ++i) {
      if (!parameter.values[i]) continue;
      json.Key(comparison.backtests[i].label);
      WriteCell(json, *parameter.values[i]);
    }
    json.EndObject();
  }
  json.EndObject();
  json.Key("equal_parameters");
  json.BeginArray();
  for (const std::string& name : comparison.equal) json.String(name);
  json.EndArray();
  json.Key("metrics");
  json.BeginObject();
  for (const ComparedMetric& metric : comparison.metrics) {
    json.Key(metric.name);
    json.BeginObject();
    for (std::size_t i = 0; i < metric.values.size(); ++i) {
      json.Key(comparison.backtests[i].label);
      WriteCell(json, metric.values[i]);
    }
    json.EndObject();
  }
  json.EndObject();
  json.EndObject();
  return out;
}

}  // namespace lamina::backtests
