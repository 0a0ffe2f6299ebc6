#include "lamina/backtests/verify.h"

#include <array>
#include <mutex>

#include "lamina/backtests/catalog_rows.h"
#include "lamina/backtests/lake_schema.h"

namespace lamina::backtests {
namespace {

/// Live rows of a lake table as the catalog counts them.
Result<std::int64_t> LakeRowCount(catalog::Database& database, const TableDefinition& definition) {
  catalog::LakeReader reader(database);
  LAMINA_ASSIGN(const auto snapshot, reader.LatestSnapshot());
  LAMINA_ASSIGN(const auto table, reader.FindTable(kSchemaName, definition.name, snapshot));
  LAMINA_ASSIGN(const auto files, reader.Plan(table, snapshot));
  std::int64_t rows = 0;
  for (const auto& file : files) rows += file.rows - (file.deletes ? file.deletes->rows : 0);
  return rows;
}

Status CheckRowCounts(catalog::Database& database, BacktestVerification& result) {
  LAMINA_ASSIGN(auto sums,
                database.Prepare("SELECT count(*), coalesce(sum(snapshots), 0), "
                                 "coalesce(sum(trades), 0), coalesce(sum(orders), 0), "
                                 "coalesce(sum(positions), 0), coalesce(sum(series_points), 0) "
                                 "FROM run WHERE end_snapshot IS NULL"));
  LAMINA_ASSIGN(const bool row, sums.Step());
  LAMINA_CHECK(row);
  result.checked_runs = sums.Int(0);
  const std::array<const TableDefinition*, 6> tables = {&RunsTable(),      &SnapshotsTable(),
                                                        &TradesTable(),    &OrdersTable(),
                                                        &PositionsTable(), &SeriesTable()};
  for (std::size_t i = 0; i < tables.size(); ++i) {
    LAMINA_ASSIGN(const auto rows, LakeRowCount(database, *tables[i]));
    const std::int64_t expected = sums.Int(static_cast<int>(i));
    if (rows != expected) {
      result.problems.push_back({"row-count", "backtests." + tables[i]->name,
                                 "the runs have " + std::to_string(expected) +
                                     " rows, the lake files " + std::to_string(rows)});
    }
  }
  return Ok();
}

/// One query whose every row is a problem: column 0 names the thing, column 1 says what is wrong.
Status CheckNoRows(catalog::Database& database, const char* kind, const char* sql,
                   BacktestVerification& result) {
  LAMINA_ASSIGN(auto statement, database.Prepare(sql));
  while (true) {
    LAMINA_ASSIGN(const bool row, statement.Step());
    if (!row) return Ok();
    result.problems.push_back(
        {kind, std::string(statement.Text(0)), std::string(statement.Text(1))});
  }
}

Status CheckReferences(catalog::Database& database, BacktestVerification& result) {
  LAMINA_TRY(CheckNoRows(database, "missing-chunk",
                         "SELECT b.handle, 'chunk ' || lower(hex(r.sha256)) || ' has no row' FROM "
                         "backtest b JOIN chunk_ref r ON r.backtest_id = b.backtest_id LEFT JOIN "
                         "chunk c ON c.kind = r.kind AND c.sha256 = r.sha256 WHERE b.end_snapshot "
                         "IS NULL AND (c.sha256 IS NULL OR c.end_snapshot IS NOT NULL)",
                         result));
  LAMINA_TRY(CheckNoRows(database, "missing-run",
                         "SELECT b.handle, 'the run of slot ' || r.slot || ' is not live' FROM "
                         "backtest b JOIN backtest_run r ON r.backtest_id = b.backtest_id LEFT "
                         "JOIN run u ON u.run_id = r.run_id WHERE b.end_snapshot IS NULL AND "
                         "(u.run_id IS NULL OR u.end_snapshot IS NOT NULL)",
                         result));
  LAMINA_TRY(CheckNoRows(database, "unused-run",
                         "SELECT lower(hex(u.run_id)), 'no live backtest names this live run' "
                         "FROM run u WHERE u.end_snapshot IS NULL AND NOT EXISTS (SELECT 1 FROM "
                         "backtest_run r WHERE r.run_id = u.run_id AND r.end_snapshot IS NULL)",
                         result));
  return CheckNoRows(database, "index",
                     "SELECT i.bundle_path, 'an index row of a backtest that is not live' FROM "
                     "backtest_index i WHERE i.end_snapshot IS NULL AND NOT EXISTS (SELECT 1 FROM "
                     "backtest b WHERE b.backtest_id = i.backtest_id AND b.handle = i.bundle_path "
                     "AND b.end_snapshot IS NULL)",
                     result);
}

Status CheckDocuments(BacktestStore& store, const CancelToken* cancel,
                      BacktestVerification& result) {
  LAMINA_ASSIGN(const auto handles, store.Handles());
  std::mutex mutex;
  return ParallelFor(handles.size(), 0, [&](std::size_t i, std::size_t) -> Status {
    if (cancel != nullptr && cancel->cancelled()) return Cancelled("verify interrupted");
    auto backtest = store.Find(handles[i]);
    // Deleted meanwhile: nothing to check.
    if (!backtest.ok() && backtest.error().code() == ErrorCode::kNotFound) return Ok();
    if (!backtest.ok()) return std::move(backtest).error();
    auto document = store.ReadDocument(*backtest);
    const std::lock_guard lock(mutex);
    ++result.checked_documents;
    if (!document.ok()) {
      result.problems.push_back({"document", handles[i], std::string(document.error().message())});
    }
    return Ok();
  });
}

}  // namespace

Result<BacktestVerification> VerifyBacktests(BacktestStore& store, bool deep,
                                             const CancelToken* cancel) {
  BacktestVerification result;
  LAMINA_ASSIGN(result.checked_backtests, store.Count());
  LAMINA_TRY(store.catalog().Read([&](catalog::Database& database) -> Status {
    LAMINA_TRY(CheckRowCounts(database, result));
    return CheckReferences(database, result);
  }));
  if (deep) LAMINA_TRY(CheckDocuments(store, cancel, result));
  return result;
}

}  // namespace lamina::backtests
