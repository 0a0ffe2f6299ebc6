#include "lamina/backtests/validated_metrics.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <span>

#include <simdjson.h>

#include "lamina/backtests/lake_schema.h"
#include "lamina/backtests/row_columns.h"
#include "lamina/base/json.h"
#include "lamina/metrics/equity_metrics.h"

namespace lamina::backtests {
namespace {

using metrics::Metric;
using table::LakeType;

constexpr std::int64_t kMicrosPerDay = 86'400'000'000;
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

constexpr std::array<TableView::Wanted, 3> kSnapshotColumns = {{
    {"ts", LakeType::kTimestampTz},
    {"total_value", LakeType::kDouble},
    {"cash_flow", LakeType::kDouble},
}};
constexpr std::array<TableView::Wanted, 4> kTradeColumns = {{
    {"status", LakeType::kVarchar},
    {"opened_at", LakeType::kTimestampTz},
    {"closed_at", LakeType::kTimestampTz},
    {"net_gain", LakeType::kDouble},
}};

std::optional<Micros> TimeAt(const ColumnView& column, std::int64_t row) {
  if (column.IsNull(row)) return std::nullopt;
  return Micros{column.integers[row]};
}

double DoubleAt(const ColumnView& column, std::int64_t row, double absent) {
  return column.IsNull(row) ? absent : column.doubles[row];
}

bool IsClosed(const ColumnView& status, const ColumnView& closed_at, std::int64_t row) {
  if (status.IsNull(row)) return !closed_at.IsNull(row);
  const ByteView text = status.Text(row);
  constexpr std::string_view kClosed = "closed";
  return text.size() == kClosed.size() &&
         std::equal(text.begin(), text.end(), kClosed.begin(), [](char c, char lower) {
           return (c >= 'A' && c <= 'Z' ? c + 32 : c) == lower;
         });
}

/// By the recorded definitions (bundle_format: gains in file order, drawdown by time).
void FillRecordedDefinitions(const std::vector<metrics::Snapshot>& snapshots, CheckedRun& run) {
  run.gain = run.gain_percentage = run.drawdown = 0;
  if (snapshots.size() < 2) return;
  const double first = snapshots.front().value;
  run.gain = first == 0 ? 0 : snapshots.back().value - first;
  run.gain_percentage = first == 0 ? 0 : *run.gain / first;
  double peak = first;
  for (const metrics::Snapshot& snapshot : snapshots) {
    peak = std::max(peak, snapshot.value);
    if (snapshot.value > 0 && peak > 0) {
      run.drawdown = std::max(*run.drawdown, (peak - snapshot.value) / peak);
    }
  }
}

Status CheckSnapshots(const arrow::Table& table, std::optional<double> rate, CheckedRun& run) {
  LAMINA_ASSIGN(const TableView view, TableView::Of(table, kSnapshotColumns));
  const auto& columns = view.columns();
  std::vector<metrics::Snapshot> snapshots;
  snapshots.reserve(static_cast<std::size_t>(view.rows()));
  bool plain = true;  // what the recorded definitions need
  for (std::int64_t row = 0; row < view.rows(); ++row) {
    snapshots.push_back(
        {TimeAt(columns[0], row), DoubleAt(columns[1], row, kNan), DoubleAt(columns[2], row, 0)});
    plain =
        plain && std::isfinite(snapshots.back().value) && snapshots.back().time &&
        (row == 0 || *snapshots[static_cast<std::size_t>(row) - 1].time <= *snapshots.back().time);
  }
  if (plain) FillRecordedDefinitions(snapshots, run);
  const auto earliest = std::min_element(
      snapshots.begin(), snapshots.end(),
      [](const metrics::Snapshot& a, const metrics::Snapshot& b) { return a.time < b.time; });
  if (earliest != snapshots.end()) run.window.first_value = earliest->value;
  metrics::ComputeEquityMetrics(std::move(snapshots), rate, run.window.values);
  return Ok();
}

Status CheckTrades(const arrow::Table& table, CheckedRun& run) {
  LAMINA_ASSIGN(const TableView view, TableView::Of(table, kTradeColumns));
  const auto& columns = view.columns();
  std::vector<metrics::ClosedTrade> closed;
  for (std::int64_t row = 0; row < view.rows(); ++row) {
    if (!IsClosed(columns[0], columns[2], row)) continue;
    closed.push_back(
        {TimeAt(columns[1], row), TimeAt(columns[2], row), DoubleAt(columns[3], row, kNan)});
  }
  run.trades_open = view.rows() - static_cast<std::int64_t>(closed.size());
  run.window.trade_sums = metrics::ComputeTradeMetrics(closed, run.window.values);
  return Ok();
}

/// Position of each Metric among RunMetricNames(), or -1.
std::array<int, metrics::kMetricCount> RecordedPositions() {
  std::array<int, metrics::kMetricCount> positions{};
  const auto& names = RunMetricNames();
  for (std::size_t i = 0; i < positions.size(); ++i) {
    const auto found = std::find(names.begin(), names.end(), metrics::kMetricFields[i].name);
    positions[i] = found == names.end() ? -1 : static_cast<int>(found - names.begin());
  }
  return positions;
}

std::optional<double> RateOf(const Number& number) {
  if (const auto* integer = std::get_if<std::int64_t>(&number)) {
    return static_cast<double>(*integer);
  }
  const auto* real = std::get_if<double>(&number);
  return real != nullptr && std::isfinite(*real) ? std::optional(*real) : std::nullopt;
}

void WriteNumber(JsonWriter& json, double value) {
  if (std::isfinite(value)) {
    json.Double(value);
  } else {
    json.Null();
  }
}

/// The members "windows" and "reasons", each absent when empty.
void WriteCountsAndReasons(JsonWriter& json, const metrics::PooledMetrics& pooled) {
  const auto write = [&](std::string_view name, auto wanted, auto value) {
    bool any = false;
    for (std::size_t i = 0; i < metrics::kMetricCount; ++i) {
      if (!wanted(i)) continue;
      if (!any) {
        json.Key(name);
        json.BeginObject();
        any = true;
      }
      json.Key(metrics::kMetricFields[i].name);
      value(i);
    }
    if (any) json.EndObject();
  };
  const auto& values = pooled.values;
  write(
      "windows",
      [&](std::size_t i) {
        return values[metrics::MetricAt(i)].value && pooled.windows_used[i] < pooled.windows;
      },
      [&](std::size_t i) { json.Int(pooled.windows_used[i]); });
  write(
      "reasons", [&](std::size_t i) { return !values[metrics::MetricAt(i)].value; },
      [&](std::size_t i) { json.String(metrics::TextOf(values[metrics::MetricAt(i)].reason)); });
}

void WriteRunOf(JsonWriter& json, const Disagreement& one) {
  json.Key("run");
  if (one.run) {
    json.Int(*one.run);
  } else {
    json.Null();
  }
}

std::optional<metrics::Reason> FindReason(std::string_view text) {
  for (int i = 0; i <= static_cast<int>(metrics::Reason::kNoWeight); ++i) {
    const auto reason = static_cast<metrics::Reason>(i);
    if (metrics::TextOf(reason) == text) return reason;
  }
  return std::nullopt;
}

std::optional<Disagreement> ReadDisagreement(simdjson::dom::element element) {
  std::string_view metric;
  std::string_view kind_name;
  if (element["metric"].get(metric) != simdjson::SUCCESS) return std::nullopt;
  if (element["kind"].get(kind_name) != simdjson::SUCCESS) return std::nullopt;
  const auto kind = FindDisagreementKind(kind_name);
  if (!kind) return std::nullopt;
  Disagreement one{std::string(metric), std::nullopt, *kind, kNan, kNan};
  std::int64_t run = 0;
  if (element["run"].get(run) == simdjson::SUCCESS) one.run = run;
  double number = 0;
  if (element["recorded"].get(number) == simdjson::SUCCESS) one.recorded = number;
  if (element["validated"].get(number) == simdjson::SUCCESS) one.validated = number;
  return one;
}

}  // namespace

Result<CheckedRun> CheckRun(const DecomposedRun& run, std::optional<double> risk_free_rate) {
  CheckedRun checked;
  LAMINA_TRY(CheckSnapshots(*run.rows.snapshots, risk_free_rate, checked));
  LAMINA_TRY(CheckTrades(*run.rows.trades, checked));
  if (run.facts.start && run.facts.end) {
    checked.window.days = (run.facts.end->value - run.facts.start->value) / kMicrosPerDay;
  }
  checked.initial_capital = run.facts.initial_unallocated.value_or(0);
  static const auto kPositions = RecordedPositions();
  for (std::size_t i = 0; i < kPositions.size(); ++i) {
    const auto position = static_cast<std::size_t>(kPositions[i]);
    if (kPositions[i] >= 0 && position < run.facts.metrics.size()) {
      checked.recorded[i] = run.facts.metrics[position];
    }
  }
  checked.has_metrics = std::any_of(run.facts.metrics.begin(), run.facts.metrics.end(),
                                    [](const auto& metric) { return metric.has_value(); });
  return checked;
}

Status FillValidatedMetrics(const bundle::Layout& layout, const std::vector<DecomposedRun>& runs,
                            std::vector<IndexRow>& rows) {
  if (runs.size() != layout.runs.size()) {
    return Internal("a document with " + std::to_string(layout.runs.size()) + " runs was taken " +
                    "apart into " + std::to_string(runs.size()));
  }
  for (IndexRow& row : rows) {
    std::vector<CheckedRun> checked;
    for (std::size_t slot = 0; slot < runs.size(); ++slot) {
      if (!BelongsTo(layout.runs[slot], row)) continue;
      LAMINA_ASSIGN(auto one, CheckRun(runs[slot], RateOf(row.risk_free_rate)));
      one.slot = static_cast<std::int64_t>(slot);
      checked.push_back(std::move(one));
    }
    std::vector<metrics::WindowMetrics> windows;
    std::vector<const CheckedRun*> pointers;
    for (const CheckedRun& one : checked) {
      windows.push_back(one.window);
      pointers.push_back(&one);
    }
    ValidatedMetrics validated;
    validated.pooled = metrics::Pool(windows);
    validated.disagreements = FindDisagreements(row, pointers, validated.pooled);
    row.validated = std::move(validated);
  }
  return Ok();
}

std::string ValidatedDetailsJson(const ValidatedMetrics& validated) {
  std::string out;
  JsonWriter json(out);
  json.BeginObject();
  WriteCountsAndReasons(json, validated.pooled);
  if (!validated.disagreements.empty()) {
    json.Key("disagreements");
    json.BeginArray();
    for (const Disagreement& one : validated.disagreements) {
      json.BeginObject();
      json.Key("metric");
      json.String(one.metric);
      if (one.run) WriteRunOf(json, one);
      json.Key("kind");
      json.String(NameOf(one.kind));
      json.Key("recorded");
      WriteNumber(json, one.recorded);
      json.Key("validated");
      WriteNumber(json, one.validated);
      json.EndObject();
    }
    json.EndArray();
  }
  json.EndObject();
  return out;
}

void ReadValidatedDetails(std::string_view text, ValidatedMetrics& validated) {
  metrics::PooledMetrics& pooled = validated.pooled;
  for (std::size_t i = 0; i < metrics::kMetricCount; ++i) {
    pooled.windows_used[i] = pooled.values[metrics::MetricAt(i)].value ? pooled.windows : 0;
  }
  simdjson::dom::parser parser;
  simdjson::dom::object root;
  if (parser.parse(text.data(), text.size()).get(root) != simdjson::SUCCESS) return;
  simdjson::dom::object members;
  if (root["windows"].get(members) == simdjson::SUCCESS) {
    for (const auto& [name, value] : members) {
      std::uint64_t count = 0;
      const auto metric = metrics::FindMetric(name);
      if (!metric || value.get(count) != simdjson::SUCCESS) continue;
      pooled.windows_used[static_cast<std::size_t>(*metric)] = static_cast<std::uint32_t>(count);
    }
  }
  if (root["reasons"].get(members) == simdjson::SUCCESS) {
    for (const auto& [name, value] : members) {
      std::string_view reason_text;
      const auto metric = metrics::FindMetric(name);
      if (!metric || value.get(reason_text) != simdjson::SUCCESS) continue;
      const auto reason = FindReason(reason_text);
      if (reason && !pooled.values[*metric].value) pooled.values[*metric].reason = *reason;
    }
  }
  simdjson::dom::array list;
  if (root["disagreements"].get(list) != simdjson::SUCCESS) return;
  for (const simdjson::dom::element element : list) {
    if (auto one = ReadDisagreement(element)) {
      validated.disagreements.push_back(std::move(*one));
    }
  }
}

std::string ValidatedJson(const IndexRow& row) {
  if (!row.validated) return "null";
  const metrics::PooledMetrics& pooled = row.validated->pooled;
  std::string out;
  JsonWriter json(out);
  json.BeginObject();
  json.Key("definitions");
  json.Int(row.validated->definitions);
  json.Key("number_of_windows");
  json.Int(pooled.windows);
  json.Key("metrics");
  json.BeginObject();
  for (std::size_t i = 0; i < metrics::kMetricCount; ++i) {
    const auto& value = pooled.values[metrics::MetricAt(i)].value;
    json.Key(metrics::kMetricFields[i].name);
    if (!value) {
      json.Null();
    } else if (metrics::kMetricFields[i].integer) {
      json.Int(static_cast<std::int64_t>(*value));
    } else {
      json.Double(*value);
    }
  }
  json.EndObject();
  WriteCountsAndReasons(json, pooled);
  json.Key("disagreements");
  json.BeginArray();
  for (const Disagreement& one : AllDisagreements(row)) {
    json.BeginObject();
    json.Key("metric");
    json.String(one.metric);
    WriteRunOf(json, one);
    json.Key("kind");
    json.String(NameOf(one.kind));
    json.Key("counted");
    json.Bool(one.counted());
    json.Key("recorded");
    WriteNumber(json, one.recorded);
    json.Key("validated");
    WriteNumber(json, one.validated);
    json.Key("relative_difference");
    WriteNumber(json, one.relative_difference());
    json.Key("why");
    json.String(one.Explanation());
    json.EndObject();
  }
  json.EndArray();
  json.EndObject();
  return out;
}

}  // namespace lamina::backtests
