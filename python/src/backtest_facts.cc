#include "backtest_facts.h"

#include <utility>

#include <nanobind/stl/string.h>

#include "lamina/backtests/validated_metrics.h"
#include "lamina/base/error_table.h"
#include "lamina/base/uuid.h"

namespace lamina::python {
nb::object NumberOf(const backtests::Number& number) {
  if (const auto* integer = std::get_if<std::int64_t>(&number)) return nb::int_(*integer);
  if (const auto* real = std::get_if<double>(&number)) return nb::float_(*real);
  return nb::none();
}

nb::object OptionalText(const std::optional<std::string>& text) {
  return text ? nb::object(Text(*text)) : nb::none();
}

nb::list Texts(const std::vector<std::string>& texts) {
  nb::list list;
  for (const std::string& text : texts) list.append(Text(text));
  return list;
}

nb::list FailuresOf(const std::vector<backtests::ImportFailure>& failures) {
  nb::list failed;
  for (const backtests::ImportFailure& failure : failures) {
    failed.append(
        nb::make_tuple(Text(failure.path), Text(ErrorName(failure.code)), Text(failure.message)));
  }
  return failed;
}

nb::dict ReportOf(const backtests::ImportReport& report) {
  nb::dict all;
  all["imported"] = report.imported;
  all["unchanged"] = report.unchanged;
  all["replaced"] = report.replaced;
  all["failed"] = FailuresOf(report.failed);
  nb::list warnings;
  for (const auto& warning : report.warnings) {
    warnings.append(nb::make_tuple(Text(warning.path), Text(warning.message)));
  }
  all["warnings"] = warnings;
  all["runs_new"] = report.runs_new;
  all["runs_shared"] = report.runs_shared;
  all["bytes_in"] = report.bytes_in;
  all["bytes_stored"] = report.bytes_stored;
  all["seconds"] = report.seconds;
  return all;
}

nb::dict ReportOf(const backtests::ExportReport& report) {
  nb::dict all;
  all["path"] = Text(report.path);
  all["bytes"] = report.bytes;
  all["sha256"] = report.sha256.Hex();
  all["document_sha256"] = report.document_sha256.Hex();
  all["identical_to_original"] = report.identical_to_original;
  all["level"] = report.level;
  all["format_version"] = report.format_version;
  all["warnings"] = Texts(report.warnings);
  return all;
}

nb::dict FactsOf(const backtests::BacktestRecord& record) {
  nb::dict all;
  all["handle"] = Text(record.handle);
  all["algorithm_id"] = OptionalText(record.algorithm_id);
  all["tag"] = OptionalText(record.tag);
  all["bundle_version"] = record.bundle_version;
  all["document_bytes"] = record.document_bytes;
  all["file_bytes"] = record.file_bytes;
  all["document_sha256"] = record.document_sha256.Hex();
  all["file_sha256"] = record.file_sha256.Hex();
  all["source_path"] = OptionalText(record.source_path);
  all["imported_at_us"] = record.imported_at.value;
  all["warnings"] = Texts(record.warnings);
  return all;
}

nb::list FactsOf(const std::vector<backtests::RunRecord>& runs) {
  nb::list all;
  for (const backtests::RunRecord& run : runs) {
    nb::dict one;
    one["slot"] = run.slot;
    one["run_id"] = run.run_id.ToString();
    one["engine"] = Text(run.engine);
    one["study"] = Text(run.study);
    one["snapshots"] = run.snapshots;
    one["trades"] = run.trades;
    one["orders"] = run.orders;
    one["positions"] = run.positions;
    one["series_points"] = run.series_points;
    all.append(one);
  }
  return all;
}

nb::dict FactsOf(const backtests::IndexRow& row) {
  nb::dict one;
  one["engine_type"] = Text(row.engine);
  one["universe_key"] = Text(row.universe);
  one["study_name"] = Text(row.study);
  one["number_of_runs"] = row.number_of_runs;
  one["algorithm_id"] = OptionalText(row.algorithm_id);
  one["anchor_algorithm_id"] = OptionalText(row.anchor_algorithm_id);
  one["tag"] = OptionalText(row.tag);
  one["framework_version"] = OptionalText(row.framework_version);
  one["study_description"] = OptionalText(row.study_description);
  one["risk_free_rate"] = NumberOf(row.risk_free_rate);
  one["parameters_json"] = OptionalText(row.parameters_json);
  one["strategy_ids_json"] = OptionalText(row.strategy_ids_json);
  one["extras_json"] = OptionalText(row.extras_json);
  one["summary_extras_json"] = OptionalText(row.summary_extras_json);
  for (std::size_t field = 0; field < backtests::kSummaryFieldCount; ++field) {
    const std::string name = "summary_" + std::string(backtests::kSummaryFields[field].name);
    one[name.c_str()] = NumberOf(row.summary[field]);
  }
  return one;
}

nb::dict FactsOf(const backtests::IndexRow& row, const backtests::IndexPlace& place) {
  nb::dict one = FactsOf(row);
  one["tags_json"] = Text(place.tags);
  one["note"] = OptionalText(place.note);
  one["validated_json"] = Text(backtests::ValidatedJson(row));
  return one;
}

Result<backtests::RunTable> TableNamed(const std::string& name) {
  using backtests::RunTable;
  if (name == "runs") return RunTable::kRuns;
  if (name == "portfolio_snapshots") return RunTable::kSnapshots;
  if (name == "trades") return RunTable::kTrades;
  if (name == "orders") return RunTable::kOrders;
  if (name == "positions") return RunTable::kPositions;
  if (name == "metric_series") return RunTable::kSeries;
  return InvalidArgument("no table of backtests is called " + name);
}

Result<Uuid> RunId(const std::string& text) {
  const std::optional<Uuid> id = Uuid::Parse(text);
  if (!id) return InvalidArgument("not a run id: " + text);
  return *id;
}

Result<std::vector<Uuid>> RunIds(const std::vector<std::string>& texts) {
  std::vector<Uuid> ids;
  for (const std::string& text : texts) {
    LAMINA_ASSIGN(const Uuid id, RunId(text));
    ids.push_back(id);
  }
  return ids;
}

}  // namespace lamina::python
