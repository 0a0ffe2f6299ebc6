#include "lamina/cli/show.h"

#include <algorithm>
#include <map>

#include <arrow/api.h>

#include "lamina/backtests/index_table.h"
#include "lamina/backtests/validated_metrics.h"
#include "lamina/base/json.h"
#include "lamina/cli/output.h"

namespace lamina::cli {
namespace {

using backtests::AsOf;
using backtests::BacktestRecord;
using backtests::BacktestStore;
using backtests::RunRecord;

/// One index row as name -> JSON text.
struct Summary {
  std::string engine, study, universe;
  std::vector<std::pair<std::string, std::string>> metrics;  ///< without `summary_`
  backtests::IndexRow row;                                   ///< for its validated metrics
};

struct Shown {
  BacktestRecord backtest;
  std::string parameters = "{}", strategy_ids = "[]", metadata = "{}", tags = "[]";
  std::string note = "null";
  std::vector<Summary> summaries;
  std::vector<RunRecord> runs;
  std::map<Uuid, std::vector<std::pair<std::string, std::string>>> run_facts;  ///< JSON texts
};

/// Python writes NaN and Infinity bare; display JSON has null there.
std::string DisplayJson(std::string_view text) {
  std::string out;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      out += c;
      if (c == '\\' && i + 1 < text.size()) out += text[++i];
      if (c == '"') in_string = false;
      continue;
    }
    bool replaced = false;
    for (std::string_view word : {"NaN", "-Infinity", "Infinity"}) {
      if (text.substr(i).starts_with(word)) {
        out += "null";
        i += word.size() - 1;
        replaced = true;
        break;
      }
    }
    if (replaced) continue;
    if (c == '"') in_string = true;
    out += c;
  }
  return out;
}

std::string CellJson(const catalog::Statement& row, int column, bool integer) {
  if (row.IsNull(column)) return "null";
  std::string out;
  JsonWriter json(out);
  if (integer) {
    json.Int(row.Int(column));
  } else {
    json.Double(row.Double(column));
  }
  return out;
}

bool IsIntegerMetric(std::string_view name) {
  return name.starts_with("number_of_") || name.starts_with("max_consecutive_") ||
         name == "max_drawdown_duration";
}

Status ReadIndex(catalog::Database& database, Shown& shown) {
  LAMINA_ASSIGN(auto row, database.Prepare("SELECT * FROM backtest_index WHERE backtest_id = ?1 "
                                           "ORDER BY engine_type, study_name, universe_key"));
  row.Bind(1, shown.backtest.backtest_id);
  while (true) {
    LAMINA_ASSIGN(const bool found, row.Step());
    if (!found) return Ok();
    Summary summary;
    for (int c = 0; c < row.column_count(); ++c) {
      const std::string name(row.ColumnName(c));
      if (name == "engine_type") summary.engine = row.Text(c);
      if (name == "study_name") summary.study = row.Text(c);
      if (name == "universe_key") summary.universe = row.Text(c);
      if (name == "tags") shown.tags = row.Text(c);
      if (row.IsNull(c)) {
        if (name.starts_with("summary_") && name != "summary_extras_json") {
          summary.metrics.emplace_back(name.substr(8), "null");
        }
        continue;
      }
      if (name == "parameters_json") shown.parameters = DisplayJson(row.Text(c));
      if (name == "strategy_ids_json") shown.strategy_ids = DisplayJson(row.Text(c));
      if (name == "extras_json") shown.metadata = DisplayJson(row.Text(c));
      if (name == "note") shown.note = JsonQuoted(row.Text(c));
      if (name.starts_with("summary_") && name != "summary_extras_json" &&
          name != "summary_nan_mask") {
        const std::string metric = name.substr(8);
        summary.metrics.emplace_back(metric, CellJson(row, c, IsIntegerMetric(metric)));
      }
    }
    shown.summaries.push_back(std::move(summary));
  }
}

/// Rows come in the order of ReadIndex.
Status ReadValidated(catalog::Database& database, Shown& shown) {
  LAMINA_ASSIGN(auto rows, backtests::ReadIndexRows(database, shown.backtest.backtest_id));
  for (std::size_t i = 0; i < rows.size() && i < shown.summaries.size(); ++i) {
    shown.summaries[i].row = std::move(rows[i].row);
  }
  return Ok();
}

std::string ScalarJson(const arrow::Scalar& scalar) {
  if (!scalar.is_valid) return "null";
  std::string out;
  JsonWriter json(out);
  switch (scalar.type->id()) {
    case arrow::Type::DOUBLE:
      json.Double(static_cast<const arrow::DoubleScalar&>(scalar).value);
      break;
    case arrow::Type::INT64:
      json.Int(static_cast<const arrow::Int64Scalar&>(scalar).value);
      break;
    case arrow::Type::INT32:
      json.Int(static_cast<const arrow::Int32Scalar&>(scalar).value);
      break;
    case arrow::Type::TIMESTAMP:
      json.String(FormatTime(Micros{static_cast<const arrow::TimestampScalar&>(scalar).value}));
      break;
    default:
      json.String(scalar.ToString());
  }
  return out;
}

Status ReadRuns(BacktestStore& store, Shown& shown) {
  LAMINA_ASSIGN(shown.runs, store.Runs(shown.backtest));
  if (shown.runs.empty()) return Ok();
  LAMINA_ASSIGN(const auto table, store.ReadRows(shown.backtest, backtests::RunTable::kRuns));
  const int id_column = table->schema()->GetFieldIndex("run_id");
  for (std::int64_t row = 0; row < table->num_rows(); ++row) {
    auto id_scalar = table->column(id_column)->GetScalar(row);
    if (!id_scalar.ok()) return Corruption("a run of '" + shown.backtest.handle + "' has no id");
    const auto& storage = static_cast<const arrow::FixedSizeBinaryScalar&>(
        *static_cast<const arrow::ExtensionScalar&>(**id_scalar).value);
    Uuid id;
    std::copy_n(storage.value->data(), id.bytes.size(), id.bytes.begin());
    auto& facts = shown.run_facts[id];
    for (int c = 0; c < table->num_columns(); ++c) {
      const std::string& name = table->schema()->field(c)->name();
      if (c == id_column || name == "content_hash" || name == "parameters" || name == "engine" ||
          name == "study" || name == "tag" || name == "algorithm_id") {
        continue;
      }
      auto cell = table->column(c)->GetScalar(row);
      if (cell.ok()) facts.emplace_back(name, ScalarJson(**cell));
    }
  }
  return Ok();
}

std::string FactOf(const Shown& shown, const Uuid& run, std::string_view name) {
  const auto it = shown.run_facts.find(run);
  if (it == shown.run_facts.end()) return "";
  for (const auto& [key, value] : it->second) {
    if (key != name || value == "null") continue;
    return value.size() > 1 && value.front() == '"' ? value.substr(1, value.size() - 2) : value;
  }
  return "";
}

void WriteTexts(JsonWriter& json,
                std::initializer_list<std::pair<const char*, std::optional<std::string>>> texts) {
  for (const auto& [key, value] : texts) {
    json.Key(key);
    if (value) {
      json.String(*value);
    } else {
      json.Null();
    }
  }
}

void WriteRuns(JsonWriter& json, const Shown& shown) {
  json.Key("runs");
  json.BeginArray();
  for (const RunRecord& run : shown.runs) {
    json.BeginObject();
    WriteTexts(json,
               {{"run_id", run.run_id.ToString()}, {"engine", run.engine}, {"study", run.study}});
    for (const auto& [key, count] :
         {std::pair{"snapshots", run.snapshots}, std::pair{"trades", run.trades},
          std::pair{"orders", run.orders}, std::pair{"positions", run.positions},
          std::pair{"series_points", run.series_points}}) {
      json.Key(key);
      json.Int(count);
    }
    const auto facts = shown.run_facts.find(run.run_id);
    if (facts != shown.run_facts.end()) {
      for (const auto& [key, value] : facts->second) {
        json.Key(key);
        json.Raw(value);
      }
    }
    json.EndObject();
  }
  json.EndArray();
}

std::string ToJson(const Shown& shown) {
  const BacktestRecord& backtest = shown.backtest;
  std::string out;
  JsonWriter json(out);
  json.BeginObject();
  WriteTexts(json, {{"handle", backtest.handle},
                    {"algorithm_id", backtest.algorithm_id},
                    {"tag", backtest.tag}});
  json.Key("tags");
  json.Raw(shown.tags);
  json.Key("note");
  json.Raw(shown.note);
  json.Key("bundle_version");
  json.Int(backtest.bundle_version);
  WriteTexts(json, {{"document_sha256", backtest.document_sha256.Hex()},
                    {"file_sha256", backtest.file_sha256.Hex()},
                    {"source_path", backtest.source_path},
                    {"imported_at", FormatTime(backtest.imported_at)}});
  json.Key("document_bytes");
  json.Int(backtest.document_bytes);
  json.Key("file_bytes");
  json.Int(backtest.file_bytes);
  json.Key("warnings");
  json.BeginArray();
  for (const std::string& warning : backtest.warnings) json.String(warning);
  json.EndArray();
  for (const auto& [key, value] :
       {std::pair{"parameters", &shown.parameters}, std::pair{"strategy_ids", &shown.strategy_ids},
        std::pair{"metadata", &shown.metadata}}) {
    json.Key(key);
    json.Raw(*value);
  }
  json.Key("summaries");
  json.BeginArray();
  for (const Summary& summary : shown.summaries) {
    json.BeginObject();
    WriteTexts(
        json,
        {{"engine", summary.engine}, {"study", summary.study}, {"universe", summary.universe}});
    json.Key("summary");
    json.BeginObject();
    for (const auto& [metric, value] : summary.metrics) {
      json.Key(metric);
      json.Raw(value);
    }
    json.EndObject();
    json.Key("validated");
    json.Raw(backtests::ValidatedJson(summary.row));
    json.EndObject();
  }
  json.EndArray();
  WriteRuns(json, shown);
  json.EndObject();
  return out + "\n";
}

std::string Padded(std::string text, std::size_t width) {
  text.resize(std::max(text.size() + 1, width), ' ');
  return text;
}

std::string NumberText(double value) {
  std::string out;
  JsonWriter(out, JsonStyle{JsonStyle::NonFinite::kBare, false}).Double(value);
  return out;
}

/// Our own metrics with the recorded ones beside them, and what does not agree.
std::string ValidatedText(const backtests::IndexRow& row) {
  if (!row.validated) {
    return "validated: not computed yet; `lamina validate` does it\n";
  }
  const auto& pooled = row.validated->pooled;
  std::string out = "validated (by our definitions, of snapshots and trades)\n";
  for (std::size_t i = 0; i < metrics::kMetricCount; ++i) {
    const auto& value = pooled.values[metrics::MetricAt(i)];
    out += "  " + Padded(std::string(metrics::kMetricFields[i].name), 34);
    out += value.value ? NumberText(*value.value) : "- " + std::string(TextOf(value.reason));
    if (value.value && pooled.windows_used[i] < pooled.windows) {
      out += "  (" + std::to_string(pooled.windows_used[i]) + " of " +
             std::to_string(pooled.windows) + " windows)";
    }
    out += "\n";
  }
  bool counted = false;
  bool listed = false;
  for (const auto& one : backtests::AllDisagreements(row)) {
    if (one.counted() && !std::exchange(counted, true)) {
      out += "disagreements: " + std::to_string(row.validated->CountDisagreements()) + "\n";
    }
    if (!one.counted() && !std::exchange(listed, true)) out += "recorded by other definitions\n";
    out += "  " + Padded(one.metric + (one.run ? " of run " + std::to_string(*one.run) : ""), 34) +
           "recorded " + NumberText(one.recorded) + ", ours " + NumberText(one.validated) + ": " +
           one.Explanation() + "\n";
  }
  if (!counted) out += "disagreements: 0\n";
  return out;
}

std::string ToText(const Shown& shown) {
  const BacktestRecord& backtest = shown.backtest;
  std::string out = backtest.handle + "\n";
  const auto line = [&](const std::string& key, const std::string& value) {
    out += "  " + key + std::string(key.size() < 14 ? 14 - key.size() : 1, ' ') + value + "\n";
  };
  line("algorithm", backtest.algorithm_id.value_or("(none)"));
  line("tag", backtest.tag.value_or("(none)"));
  if (shown.tags != "[]") line("tags", shown.tags);
  if (shown.note != "null") line("note", shown.note);
  line("parameters", shown.parameters);
  line("metadata", shown.metadata);
  line("came from", backtest.source_path.value_or("(memory)") + ", version " +
                        std::to_string(backtest.bundle_version) + ", " +
                        HumanBytes(backtest.file_bytes));
  line("imported", FormatTime(backtest.imported_at));
  line("document", "sha256 " + backtest.document_sha256.Hex());
  for (const std::string& warning : backtest.warnings) line("warning", warning);
  for (const Summary& summary : shown.summaries) {
    out += "\nsummary (" + (summary.engine.empty() ? "engine not said" : summary.engine) +
           (summary.study.empty() || summary.study == "default" ? "" : ", " + summary.study) +
           (summary.universe.empty() ? "" : ", " + summary.universe) + ")\n";
    for (const auto& [metric, value] : summary.metrics) {
      if (value != "null")
        out += "  " + metric + std::string(metric.size() < 34 ? 34 - metric.size() : 1, ' ') +
               value + "\n";
    }
    out += ValidatedText(summary.row);
  }
  out += "\nruns\n";
  for (const RunRecord& run : shown.runs) {
    out += "  " + run.run_id.ToString() + "  " + FactOf(shown, run.run_id, "window_name") + "  " +
           FactOf(shown, run.run_id, "start_ts") + " .. " + FactOf(shown, run.run_id, "end_ts") +
           "  " + HumanCount(run.snapshots) + " snapshots, " + HumanCount(run.trades) +
           " trades, " + HumanCount(run.orders) + " orders\n";
  }
  return out;
}

}  // namespace

Result<std::string> ShowBacktest(BacktestStore& store, const std::string& handle,
                                 std::optional<std::int64_t> snapshot, bool json) {
  Shown shown;
  LAMINA_ASSIGN(shown.backtest, store.Find(handle, snapshot));
  LAMINA_TRY(store.catalog().Read([&](catalog::Database& database) -> Status {
    LAMINA_TRY(ReadIndex(database, shown));
    return ReadValidated(database, shown);
  }));
  LAMINA_TRY(ReadRuns(store, shown));
  return json ? ToJson(shown) : ToText(shown);
}

}  // namespace lamina::cli
