#include "lamina/backtests/backtest_store.h"

#include <algorithm>

#include <arrow/api.h>

#include "lamina/backtests/catalog_rows.h"
#include "lamina/backtests/derived_cells.h"
#include "lamina/backtests/lake_schema.h"
#include "lamina/backtests/run_batch.h"
#include "lamina/backtests/run_id_column.h"
#include "lamina/backtests/run_selection.h"
#include "lamina/base/json.h"
#include "lamina/base/near_names.h"
#include "lamina/table/arrow_status.h"

namespace lamina::backtests {
namespace {

const TableDefinition& DefinitionOf(RunTable table) {
  switch (table) {
    case RunTable::kRuns:
      return RunsTable();
    case RunTable::kSnapshots:
      return SnapshotsTable();
    case RunTable::kTrades:
      return TradesTable();
    case RunTable::kOrders:
      return OrdersTable();
    case RunTable::kPositions:
      return PositionsTable();
    case RunTable::kSeries:
      return SeriesTable();
  }
  return RunsTable();
}

/// The latest snapshot that is kept and at which the backtest was (or is) there.
Result<std::int64_t> SnapshotOf(catalog::Database& database, const BacktestRecord& backtest) {
  if (!backtest.end_snapshot) return catalog::LakeReader(database).LatestSnapshot();
  LAMINA_ASSIGN(auto last, database.Prepare("SELECT max(snapshot_id) FROM ducklake_snapshot WHERE "
                                            "snapshot_id >= ?1 AND snapshot_id < ?2"));
  last.Bind(1, backtest.begin_snapshot).Bind(2, *backtest.end_snapshot);
  LAMINA_ASSIGN(const bool row, last.Step());
  if (row && !last.IsNull(0)) return last.Int(0);
  return NotFound("the snapshots that held '" + backtest.handle + "' have expired");
}

/// A few strangers in between cost less than another read.
constexpr std::int64_t kStrangersMax = 8;

/// Runs of `ids` (sorted, unique) that stand side by side in the store: one range read gets each.
Result<std::vector<std::pair<Uuid, Uuid>>> Ranges(catalog::Database& database,
                                                  const std::vector<Uuid>& ids) {
  std::vector<std::pair<Uuid, Uuid>> ranges;
  if (ids.empty()) return ranges;
  LAMINA_ASSIGN(const auto between, CountRunsBetween(database, ids.front(), ids.back()));
  if (between <= static_cast<std::int64_t>(2 * ids.size()) + kStrangersMax) {
    ranges.emplace_back(ids.front(), ids.back());
    return ranges;
  }
  LAMINA_ASSIGN(const auto all, ListRunsBetween(database, ids.front(), ids.back()));
  std::int64_t last = 0;
  for (const Uuid& id : ids) {
    const auto place = std::lower_bound(all.begin(), all.end(), id) - all.begin();
    if (ranges.empty() || place - last > kStrangersMax) {
      ranges.emplace_back(id, id);
    } else {
      ranges.back().second = id;
    }
    last = place;
  }
  return ranges;
}

void SortUnique(std::vector<Uuid>& ids) {
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
}

}  // namespace

Status CheckHandle(std::string_view handle) {
  const auto fail = [&](const char* why) -> Status {
    return InvalidArgument("handle '" + std::string(handle.substr(0, 200)) + "' " + why +
                           "; a handle is a relative path such as sweep_a/run_1");
  };
  if (handle.empty()) return fail("is empty");
  if (handle.size() > 1024) return fail("is longer than 1,024 bytes");
  if (!ValidUtf8(handle)) return fail("is not valid UTF-8");
  for (char c : handle) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return fail("has a control character");
  }
  std::size_t begin = 0;
  while (begin <= handle.size()) {
    std::size_t end = handle.find('/', begin);
    if (end == std::string_view::npos) end = handle.size();
    const std::string_view part = handle.substr(begin, end - begin);
    if (part.empty()) return fail("has an empty part");
    if (part == "." || part == "..") return fail("has a part '.' or '..'");
    begin = end + 1;
  }
  return Ok();
}

Status BacktestStore::CreateTables(catalog::Catalog& catalog) {
  bool exists = false;
  LAMINA_TRY(catalog.Read([&](catalog::Database& database) -> Status {
    catalog::LakeReader reader(database);
    LAMINA_ASSIGN(const auto snapshot, reader.LatestSnapshot());
    LAMINA_ASSIGN(auto tables, reader.Tables(snapshot));
    for (const auto& table : tables) exists = exists || table.schema == kSchemaName;
    return Ok();
  }));
  if (exists) return Ok();
  LAMINA_ASSIGN(auto commit, catalog.BeginCommit("create the tables of backtests"));
  LAMINA_TRY(commit->Finish([](catalog::Database&, catalog::LakeWriter& writer) -> Status {
    LAMINA_TRY(writer.CreateSchema(kSchemaName));
    for (const TableDefinition* logical : AllTables()) {
      const TableDefinition& table = StoredDefinition(*logical);
      LAMINA_TRY(writer.CreateTable(kSchemaName, table.name, table.columns, {}, table.sorted_by));
    }
    LAMINA_TRY(writer.CreateView(kSchemaName, "orders", OrdersViewSql()));
    LAMINA_TRY(writer.CreateView(kSchemaName, "trades", TradesViewSql()));
    return writer.CreateView(kSchemaName, "all_metric_series", AllMetricSeriesSql());
  }));
  return Ok();
}

Result<BacktestRecord> BacktestStore::Find(std::string_view handle, AsOf as_of) {
  std::optional<BacktestRecord> found;
  std::vector<std::string> handles;
  LAMINA_TRY(catalog_->Read([&](catalog::Database& database) -> Status {
    LAMINA_TRY(CheckSnapshot(database, as_of));
    LAMINA_ASSIGN(found, FindBacktest(database, handle, as_of));
    if (found) return Ok();
    LAMINA_ASSIGN(handles, ListHandles(database, as_of));
    return Ok();
  }));
  if (found) return *std::move(found);
  std::string message = "no backtest '" + std::string(handle) + "'";
  if (as_of) message += " at snapshot " + std::to_string(*as_of);
  if (handles.size() <= 20000) {
    const auto near = NearNames(handle, handles);
    for (std::size_t i = 0; i < near.size(); ++i) {
      message += (i == 0 ? "; near: " : ", ") + near[i];
    }
  }
  return NotFound(std::move(message));
}

Result<std::vector<RunRecord>> BacktestStore::Runs(const BacktestRecord& backtest) {
  std::vector<RunRecord> runs;
  LAMINA_TRY(catalog_->Read([&](catalog::Database& database) -> Status {
    LAMINA_ASSIGN(runs, ListRuns(database, backtest.backtest_id));
    return Ok();
  }));
  return runs;
}

Result<std::vector<StoredIndexRow>> BacktestStore::Summaries(const BacktestRecord& backtest) {
  std::vector<StoredIndexRow> rows;
  LAMINA_TRY(catalog_->Read([&](catalog::Database& database) -> Status {
    LAMINA_ASSIGN(rows, ReadIndexRows(database, backtest.backtest_id));
    return Ok();
  }));
  return rows;
}

Result<std::vector<std::string>> BacktestStore::Handles(AsOf as_of) {
  std::vector<std::string> handles;
  LAMINA_TRY(catalog_->Read([&](catalog::Database& database) -> Status {
    LAMINA_TRY(CheckSnapshot(database, as_of));
    LAMINA_ASSIGN(handles, ListHandles(database, as_of));
    return Ok();
  }));
  return handles;
}

Result<std::int64_t> BacktestStore::Count() {
  std::int64_t count = 0;
  LAMINA_TRY(catalog_->Read([&](catalog::Database& database) -> Status {
    LAMINA_ASSIGN(auto statement, database.Prepare("SELECT count(*) FROM backtest WHERE "
                                                   "end_snapshot IS NULL"));
    LAMINA_ASSIGN(const bool row, statement.Step());
    count = row ? statement.Int(0) : 0;
    return Ok();
  }));
  return count;
}

Result<bool> BacktestStore::Exists(std::string_view handle) {
  bool exists = false;
  LAMINA_TRY(catalog_->Read([&](catalog::Database& database) -> Status {
    LAMINA_ASSIGN(auto found, FindBacktest(database, handle, {}));
    exists = found.has_value();
    return Ok();
  }));
  return exists;
}

Result<BacktestStore::RunsAt> BacktestStore::RunsOf(const BacktestRecord& backtest,
                                                    const std::vector<Uuid>& run_ids) {
  RunsAt runs_at{run_ids, 0};
  LAMINA_TRY(catalog_->Read([&](catalog::Database& database) -> Status {
    LAMINA_ASSIGN(runs_at.snapshot, SnapshotOf(database, backtest));
    if (!run_ids.empty()) return Ok();
    LAMINA_ASSIGN(const auto runs, ListRuns(database, backtest.backtest_id));
    for (const RunRecord& run : runs) runs_at.ids.push_back(run.run_id);
    return Ok();
  }));
  return runs_at;
}

Result<std::shared_ptr<arrow::Table>> BacktestStore::ReadRows(
    const BacktestRecord& backtest, RunTable table, const std::vector<Uuid>& run_ids,
    const std::vector<std::string>& columns) {
  LAMINA_ASSIGN(RunsAt runs, RunsOf(backtest, run_ids));
  return ReadRowsOfRuns(table, std::move(runs.ids), runs.snapshot, columns);
}

Result<std::shared_ptr<arrow::Table>> BacktestStore::ReadRowsOfRuns(
    RunTable table, std::vector<Uuid> run_ids, AsOf snapshot,
    const std::vector<std::string>& columns, std::vector<table::ColumnRange> also) {
  RunsAt runs{std::move(run_ids), snapshot.value_or(0)};
  SortUnique(runs.ids);
  if (!snapshot) {
    LAMINA_TRY(catalog_->Read([&](catalog::Database& database) -> Status {
      LAMINA_ASSIGN(runs.snapshot, catalog::LakeReader(database).LatestSnapshot());
      return Ok();
    }));
  }
  LAMINA_ASSIGN(auto stored, ReadStoredRows(table, runs, columns, std::move(also)));
  if (!stored.has_derived_cells) return stored.rows;
  if (table == RunTable::kOrders) return FillOrders(stored.rows);
  LAMINA_ASSIGN(const auto orders, ReadRowsOfRuns(RunTable::kOrders, runs.ids, runs.snapshot));
  return FillTrades(stored.rows, orders);
}

Result<BacktestStore::StoredRows> BacktestStore::ReadStoredRows(
    RunTable table, const RunsAt& runs, const std::vector<std::string>& columns,
    std::vector<table::ColumnRange> also) {
  StoredTable stored;
  std::vector<std::pair<Uuid, Uuid>> ranges;
  LAMINA_TRY(catalog_->Read([&](catalog::Database& database) -> Status {
    catalog::LakeReader reader(database);
    LAMINA_ASSIGN(stored, FindStoredTable(reader, DefinitionOf(table), runs.snapshot));
    LAMINA_ASSIGN(ranges, Ranges(database, runs.ids));
    return Ok();
  }));
  // Without runs there are still the table's columns.
  if (ranges.empty()) ranges.emplace_back(Uuid{}, Uuid{});
  std::optional<std::vector<std::string>> wanted;
  if (stored.has_derived_cells) {
    also.clear();  // derived cells may follow from any other
  } else if (!columns.empty()) {
    wanted = columns;
    if (std::find(columns.begin(), columns.end(), "run_id") == columns.end()) {
      wanted->insert(wanted->begin(), "run_id");
    }
  }
  std::vector<std::shared_ptr<arrow::Table>> parts;
  also.emplace_back();
  for (const auto& [first, last] : ranges) {
    also.back() = RunIdRange(first, last);
    LAMINA_ASSIGN(auto part, catalog_->ReadTable(stored.table, runs.snapshot, also, wanted));
    parts.push_back(std::move(part));
  }
  LAMINA_ASSIGN(auto rows, SelectRuns(parts, runs.ids));
  return StoredRows{std::move(rows), stored.has_derived_cells};
}

Result<std::shared_ptr<arrow::Table>> BacktestStore::Scan(
    RunTable table, const std::optional<std::vector<std::string>>& columns) {
  std::int64_t snapshot = 0;
  StoredTable stored, orders;
  LAMINA_TRY(catalog_->Read([&](catalog::Database& database) -> Status {
    catalog::LakeReader reader(database);
    LAMINA_ASSIGN(snapshot, reader.LatestSnapshot());
    LAMINA_ASSIGN(stored, FindStoredTable(reader, DefinitionOf(table), snapshot));
    LAMINA_ASSIGN(orders, FindStoredTable(reader, OrdersTable(), snapshot));
    return Ok();
  }));
  if (!stored.has_derived_cells) return catalog_->ReadTable(stored.table, snapshot, {}, columns);
  LAMINA_ASSIGN(auto rows, catalog_->ReadTable(orders.table, snapshot));
  LAMINA_ASSIGN(rows, FillOrders(rows));
  if (table == RunTable::kTrades) {
    LAMINA_ASSIGN(const auto trades, catalog_->ReadTable(stored.table, snapshot));
    LAMINA_ASSIGN(rows, FillTrades(trades, rows));
  }
  if (!columns) return rows;
  std::vector<int> chosen;
  for (const std::string& name : *columns) {
    const int index = rows->schema()->GetFieldIndex(name);
    if (index < 0) {
      return NotFound("no column '" + name + "' in backtests." + DefinitionOf(table).name);
    }
    chosen.push_back(index);
  }
  LAMINA_ARROW_ASSIGN(auto selected, rows->SelectColumns(chosen), "choosing columns");
  return selected;
}

Result<std::string> BacktestStore::ReadDocument(const BacktestRecord& backtest) {
  LAMINA_ASSIGN(const std::string skeleton,
                catalog_->ReadChunk({catalog::ChunkKind::kDocument, backtest.skeleton_sha256}));
  LAMINA_ASSIGN(const auto runs, Runs(backtest));
  LakeRows rows;
  if (!runs.empty()) {
    LAMINA_ASSIGN(RunsAt runs_at, RunsOf(backtest));
    SortUnique(runs_at.ids);
    const auto read = [&](RunTable table) {
      return ReadRowsOfRuns(table, runs_at.ids, runs_at.snapshot);
    };
    LAMINA_ASSIGN(rows.snapshots, read(RunTable::kSnapshots));
    LAMINA_ASSIGN(rows.orders, read(RunTable::kOrders));
    LAMINA_ASSIGN(auto trades, ReadStoredRows(RunTable::kTrades, runs_at, {}, {}));
    rows.trades = std::move(trades.rows);
    if (trades.has_derived_cells) {
      LAMINA_ASSIGN(rows.trades, FillTrades(rows.trades, rows.orders));
    }
    LAMINA_ASSIGN(rows.positions, read(RunTable::kPositions));
    LAMINA_ASSIGN(rows.series, read(RunTable::kSeries));
  }
  PartSource source;
  source.run = [&](std::size_t slot) -> Result<RunRows> {
    for (const RunRecord& run : runs) {
      if (run.slot == static_cast<std::int64_t>(slot)) return SliceRun(rows, run.run_id);
    }
    return Corruption("the catalog has no run in slot " + std::to_string(slot));
  };
  source.chunk = [&](const catalog::ChunkId& id) { return catalog_->ReadChunk(id); };
  const std::string context = "backtest '" + backtest.handle + "'";
  auto document = Assemble(skeleton, source);
  if (!document.ok()) return std::move(document).error().With(context);
  if (Sha256(*document) != backtest.document_sha256) {
    return Corruption(context +
                      ": the stored parts do not give the document that was imported; "
                      "run `lamina verify --deep`");
  }
  return document;
}

}  // namespace lamina::backtests
