#include "lamina/backtests/run_series.h"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include <arrow/api.h>

#include "lamina/backtests/lake_schema.h"
#include "lamina/backtests/row_columns.h"
#include "lamina/backtests/series_recipes.h"
#include "lamina/base/near_names.h"
#include "lamina/table/arrow_status.h"
#include "lamina/table/lake_type.h"

namespace lamina::backtests {
namespace {

using table::LakeType;

Result<std::uint32_t> SeriesNamed(std::string_view name) {
  const auto found = std::find(kSeriesNames.begin(), kSeriesNames.end(), name);
  if (found != kSeriesNames.end()) {
    return static_cast<std::uint32_t>(found - kSeriesNames.begin());
  }
  std::vector<std::string> names(kSeriesNames.begin(), kSeriesNames.end());
  std::vector<std::string> near = NearNames(name, names);
  if (near.empty()) near = std::move(names);
  std::string message = "no series is called '" + std::string(name) + "'; there are";
  for (const std::string& one : near) message += (&one == near.data() ? " " : ", ") + one;
  return InvalidArgument(std::move(message));
}

/// The recipe by which a run's series follows from its snapshots, 0 when it is stored: bits of
/// `derived_series_mask`, see docs/format/backtest_skeleton.md.
std::uint32_t RecipeOf(std::int32_t mask, std::uint32_t series) {
  if ((mask >> series & 1) == 0) return 0;
  return (mask >> (kSeriesNames.size() + series) & 1) != 0 ? 2 : 1;
}

Result<std::shared_ptr<arrow::Table>> SeriesTableOf(const std::vector<std::int64_t>& times,
                                                    const std::vector<double>& values) {
  ColumnBuilder ts(LakeType::kTimestampTz, times.size());
  ColumnBuilder value(LakeType::kDouble, values.size());
  for (std::size_t row = 0; row < times.size(); ++row) {
    ts.SetInt(row, times[row]);
    value.SetDouble(row, values[row]);
  }
  LAMINA_ASSIGN(const auto ts_array, ts.Finish());
  LAMINA_ASSIGN(const auto value_array, value.Finish());
  const TableView::Wanted columns[] = {{"ts", LakeType::kTimestampTz},
                                       {"value", LakeType::kDouble}};
  return MakeTable(columns, {ts_array, value_array}, times.size());
}

/// The rows of one metric among those of a run, which are sorted by metric and seq.
Result<std::shared_ptr<arrow::Table>> StoredSeries(const arrow::Table& rows,
                                                   std::string_view name) {
  const TableView::Wanted wanted[] = {{"metric", LakeType::kVarchar}};
  LAMINA_ASSIGN(const TableView view, TableView::Of(rows, wanted));
  const ColumnView& metric = view.columns()[0];
  std::int64_t begin = 0;
  while (begin < view.rows() && metric.Text(begin) != name) ++begin;
  std::int64_t end = begin;
  while (end < view.rows() && metric.Text(end) == name) ++end;
  LAMINA_ARROW_ASSIGN(auto columns,
                      rows.SelectColumns({rows.schema()->GetFieldIndex("ts"),
                                          rows.schema()->GetFieldIndex("value")}),
                      "reading a series");
  return columns->Slice(begin, end - begin);
}

Result<std::shared_ptr<arrow::Table>> DerivedSeries(const arrow::Table& snapshots,
                                                    std::uint32_t series, std::uint32_t recipe) {
  const TableView::Wanted wanted[] = {{"ts", LakeType::kTimestampTz},
                                      {"total_value", LakeType::kDouble},
                                      {"cash_flow", LakeType::kDouble}};
  LAMINA_ASSIGN(const TableView view, TableView::Of(snapshots, wanted));
  const auto& columns = view.columns();
  const auto points =
      CookSeries(series, recipe, SnapshotSeriesOf(columns[0], columns[1], columns[2]));
  if (!points) {
    return Corruption("series " + std::string(kSeriesNames[series]) +
                      " does not follow from the snapshots any more");
  }
  return SeriesTableOf(points->times, points->values);
}

Result<std::shared_ptr<arrow::Table>> ReadByMask(const RunReader& read, std::int32_t mask,
                                                 std::uint32_t series) {
  const std::uint32_t recipe = RecipeOf(mask, series);
  if (recipe == 0) {
    LAMINA_ASSIGN(const auto rows, read(RunTable::kSeries, {"metric", "ts", "value"}));
    return StoredSeries(*rows, kSeriesNames[series]);
  }
  LAMINA_ASSIGN(const auto rows, read(RunTable::kSnapshots, {"ts", "total_value", "cash_flow"}));
  return DerivedSeries(*rows, series, recipe);
}

/// Of a run of the backtest; absent when the catalog does not tell.
Result<std::optional<std::int32_t>> MaskInCatalog(BacktestStore& store,
                                                  const BacktestRecord& backtest,
                                                  const Uuid& run_id) {
  std::optional<std::int32_t> mask;
  LAMINA_TRY(store.catalog().Read([&](catalog::Database& database) -> Status {
    LAMINA_ASSIGN(auto find,
                  database.Prepare("SELECT u.derived_series_mask FROM backtest_run r JOIN run u ON "
                                   "u.run_id = r.run_id WHERE r.backtest_id = ?1 AND r.run_id = "
                                   "?2 AND u.derived_series_mask IS NOT NULL LIMIT 1"));
    find.Bind(1, backtest.backtest_id).BindBlob(2, run_id.View());
    LAMINA_ASSIGN(const bool row, find.Step());
    if (row) mask = static_cast<std::int32_t>(find.Int(0));
    return Ok();
  }));
  return mask;
}

}  // namespace

Result<std::shared_ptr<arrow::Table>> ReadRunSeries(BacktestStore& store,
                                                    const BacktestRecord& backtest,
                                                    const Uuid& run_id, std::string_view name) {
  const RunReader read = [&](RunTable table, const std::vector<std::string>& columns) {
    return store.ReadRows(backtest, table, {run_id}, columns);
  };
  LAMINA_ASSIGN(const std::uint32_t series, SeriesNamed(name));
  LAMINA_ASSIGN(const auto mask, MaskInCatalog(store, backtest, run_id));
  if (mask) return ReadByMask(read, *mask, series);
  return ReadRunSeries(read, "backtest '" + backtest.handle + "' has no run " + run_id.ToString(),
                       name);
}

Result<std::shared_ptr<arrow::Table>> ReadRunSeries(const RunReader& read,
                                                    const std::string& absent,
                                                    std::string_view name) {
  LAMINA_ASSIGN(const std::uint32_t series, SeriesNamed(name));
  LAMINA_ASSIGN(const auto runs, read(RunTable::kRuns, {"derived_series_mask"}));
  const TableView::Wanted wanted[] = {{"derived_series_mask", LakeType::kInt32}};
  LAMINA_ASSIGN(const TableView view, TableView::Of(*runs, wanted));
  if (view.rows() == 0) return NotFound(absent);
  const ColumnView& mask = view.columns()[0];
  return ReadByMask(read, mask.IsNull(0) ? 0 : mask.small_integers[0], series);
}

}  // namespace lamina::backtests
