#include "lamina/backtests/run_series.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include <arrow/api.h>

#include "lamina/backtests/catalog_rows.h"
#include "lamina/backtests/lake_schema.h"
#include "lamina/backtests/row_columns.h"
#include "lamina/backtests/run_id_column.h"
#include "lamina/backtests/series_recipes.h"
#include "lamina/base/near_names.h"
#include "lamina/table/arrow_status.h"
#include "lamina/table/columns.h"
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

/// Snapshot rows that are in memory at a time.
constexpr std::int64_t kSliceRows = 2'000'000;

/// One run of one backtest that was asked for.
struct WantedRun {
  std::size_t handle = 0;
  Uuid run_id;
  std::int64_t snapshots = 0;
};

struct RunTraits {
  std::optional<std::string> window;
  std::uint32_t recipe = 0;
};

/// The series of many runs, read slice by slice.
class ManySeries {
 public:
  ManySeries(BacktestStore& store, std::string_view name, std::uint32_t series)
      : store_(store), name_(name), series_(series) {}

  /// What the handles name at one snapshot.
  Status Find(const std::vector<std::string>& handles, AsOf snapshot) {
    std::optional<std::size_t> absent;
    LAMINA_TRY(store_.catalog().Read([&](catalog::Database& database) -> Status {
      LAMINA_TRY(CheckSnapshot(database, snapshot));
      as_of_ = snapshot;
      if (!as_of_) {
        LAMINA_ASSIGN(as_of_, catalog::LakeReader(database).LatestSnapshot());
      }
      for (std::size_t i = 0; i < handles.size() && !absent; ++i) {
        LAMINA_ASSIGN(const auto found, FindBacktest(database, handles[i], as_of_));
        if (!found) {
          absent = i;
          continue;
        }
        LAMINA_ASSIGN(const auto runs, ListRuns(database, found->backtest_id));
        for (const RunRecord& run : runs) wanted_.push_back({i, run.run_id, run.snapshots});
      }
      return Ok();
    }));
    if (absent) return store_.Find(handles[*absent], snapshot).error();  // names near ones
    return Ok();
  }

  Status Read() {
    std::map<Uuid, std::int64_t> rows;
    for (const WantedRun& run : wanted_) rows.emplace(run.run_id, run.snapshots);
    std::vector<Uuid> ids;
    std::int64_t in_slice = 0;
    for (const auto& [id, snapshots] : rows) {
      ids.push_back(id);
      in_slice += snapshots;
      if (in_slice < kSliceRows) continue;
      LAMINA_TRY(ReadSlice(ids));
      ids.clear();
      in_slice = 0;
    }
    return ids.empty() ? Ok() : ReadSlice(ids);
  }

  Result<std::shared_ptr<arrow::Table>> Finish(const std::vector<std::string>& handles);

 private:
  /// Calls `take(run, its rows)` for each run among `rows`.
  template <class Take>
  static Status ByRun(const arrow::Table& rows, Take take) {
    LAMINA_ASSIGN(const auto ranges, table::EqualRuns(rows, "run_id"));
    LAMINA_ASSIGN(const RunIdColumn column, RunIdColumn::Of(rows));
    for (const auto& range : ranges) {
      LAMINA_TRY(take(column.At(range.begin), *rows.Slice(range.begin, range.end - range.begin)));
    }
    return Ok();
  }

  Status ReadSlice(const std::vector<Uuid>& ids) {
    LAMINA_TRY(ReadTraits(ids));
    std::vector<Uuid> stored;
    std::vector<Uuid> derived;
    for (const Uuid& id : ids) (traits_[id].recipe == 0 ? stored : derived).push_back(id);
    if (!stored.empty()) {
      const auto metric = arrow::MakeScalar(std::string(name_));
      LAMINA_ASSIGN(const auto rows,
                    store_.ReadRowsOfRuns(RunTable::kSeries, stored, as_of_,
                                          {"run_id", "ts", "value"}, {{"metric", metric, metric}}));
      LAMINA_TRY(ByRun(*rows, [&](const Uuid& id, const arrow::Table& part) -> Status {
        LAMINA_ARROW_ASSIGN(points_[id], part.SelectColumns({1, 2}), "reading a series");
        return Ok();
      }));
    }
    if (derived.empty()) return Ok();
    LAMINA_ASSIGN(const auto rows,
                  store_.ReadRowsOfRuns(RunTable::kSnapshots, derived, as_of_,
                                        {"run_id", "ts", "total_value", "cash_flow"}));
    return ByRun(*rows, [&](const Uuid& id, const arrow::Table& part) -> Status {
      auto points = DerivedSeries(part, series_, traits_[id].recipe);
      if (!points.ok()) return std::move(points).error().With("run " + id.ToString());
      points_[id] = *std::move(points);
      return Ok();
    });
  }

  Status ReadTraits(const std::vector<Uuid>& ids) {
    LAMINA_ASSIGN(const auto rows,
                  store_.ReadRowsOfRuns(RunTable::kRuns, ids, as_of_,
                                        {"run_id", "window_name", "derived_series_mask"}));
    const TableView::Wanted wanted[] = {{"run_id", LakeType::kUuid},
                                        {"window_name", LakeType::kVarchar},
                                        {"derived_series_mask", LakeType::kInt32}};
    LAMINA_ASSIGN(const TableView view, TableView::Of(*rows, wanted));
    const auto& columns = view.columns();
    for (std::int64_t row = 0; row < view.rows(); ++row) {
      RunTraits& traits = traits_[columns[0].UuidAt(row)];
      if (!columns[1].IsNull(row)) traits.window = std::string(columns[1].Text(row));
      traits.recipe =
          RecipeOf(columns[2].IsNull(row) ? 0 : columns[2].small_integers[row], series_);
    }
    return Ok();
  }

  BacktestStore& store_;
  std::string_view name_;
  std::uint32_t series_;
  AsOf as_of_;
  std::vector<WantedRun> wanted_;
  std::map<Uuid, RunTraits> traits_;
  std::map<Uuid, std::shared_ptr<arrow::Table>> points_;
};

/// A text column of few different values.
class DictionaryColumn {
 public:
  Status Append(const std::optional<std::string>& text, std::int64_t rows) {
    std::int32_t index = -1;
    if (text) {
      const auto [place, is_new] =
          places_.emplace(*text, static_cast<std::int32_t>(places_.size()));
      if (is_new) LAMINA_ARROW(words_.Append(*text), "making a column");
      index = place->second;
    }
    for (std::int64_t row = 0; row < rows; ++row) {
      LAMINA_ARROW(index < 0 ? indices_.AppendNull() : indices_.Append(index), "making a column");
    }
    return Ok();
  }
  Result<std::shared_ptr<arrow::Array>> Finish() {
    LAMINA_ARROW_ASSIGN(const auto indices, indices_.Finish(), "making a column");
    LAMINA_ARROW_ASSIGN(const auto words, words_.Finish(), "making a column");
    LAMINA_ARROW_ASSIGN(auto array,
                        arrow::DictionaryArray::FromArrays(
                            arrow::dictionary(arrow::int32(), arrow::utf8()), indices, words),
                        "making a column");
    return array;
  }

 private:
  std::unordered_map<std::string, std::int32_t> places_;
  arrow::Int32Builder indices_;
  arrow::StringBuilder words_;
};

Result<std::shared_ptr<arrow::Table>> ManySeries::Finish(const std::vector<std::string>& handles) {
  DictionaryColumn run_ids;
  DictionaryColumn names;
  DictionaryColumn windows;
  LAMINA_ASSIGN(const auto none, SeriesTableOf({}, {}));
  std::vector<std::shared_ptr<arrow::Table>> parts = {none};
  for (const WantedRun& run : wanted_) {
    const auto points = points_.find(run.run_id);
    if (points == points_.end()) continue;
    const std::int64_t rows = points->second->num_rows();
    LAMINA_TRY(run_ids.Append(run.run_id.ToString(), rows));
    LAMINA_TRY(names.Append(handles[run.handle], rows));
    LAMINA_TRY(windows.Append(traits_[run.run_id].window, rows));
    parts.push_back(points->second);
  }
  LAMINA_ASSIGN(auto both, table::StackTables(parts));
  LAMINA_ARROW_ASSIGN(both, both->CombineChunks(), "reading series");
  arrow::FieldVector fields;
  arrow::ChunkedArrayVector columns;
  const auto add = [&](const char* name, DictionaryColumn& column) -> Status {
    LAMINA_ASSIGN(auto array, column.Finish());
    fields.push_back(arrow::field(name, array->type()));
    columns.push_back(std::make_shared<arrow::ChunkedArray>(std::move(array)));
    return Ok();
  };
  LAMINA_TRY(add("run_id", run_ids));
  LAMINA_TRY(add("handle", names));
  LAMINA_TRY(add("window", windows));
  for (int i = 0; i < 2; ++i) {
    fields.push_back(arrow::field(both->field(i)->name(), both->field(i)->type()));
    columns.push_back(both->column(i));
  }
  return arrow::Table::Make(arrow::schema(std::move(fields)), std::move(columns), both->num_rows());
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

Result<std::shared_ptr<arrow::Table>> ReadSeriesOfMany(BacktestStore& store,
                                                       const std::vector<std::string>& handles,
                                                       std::string_view name, AsOf snapshot) {
  LAMINA_ASSIGN(const std::uint32_t series, SeriesNamed(name));
  ManySeries many(store, name, series);
  LAMINA_TRY(many.Find(handles, snapshot));
  LAMINA_TRY(many.Read());
  return many.Finish(handles);
}

}  // namespace lamina::backtests
