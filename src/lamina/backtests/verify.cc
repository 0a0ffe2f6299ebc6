#include "lamina/backtests/verify.h"

#include <algorithm>
#include <array>
#include <map>
#include <mutex>

#include <arrow/api.h>

#include "lamina/backtests/catalog_rows.h"
#include "lamina/backtests/lake_schema.h"
#include "lamina/backtests/run_id_column.h"
#include "lamina/catalog/lake_rows.h"

namespace lamina::backtests {
namespace {

struct Counted {
  const TableDefinition* definition;
  std::int64_t RunRecord::* rows;  ///< of a run; null: one row each
};

const std::array<Counted, 6>& CountedTables() {
  static const std::array<Counted, 6> tables = {{{&RunsTable(), nullptr},
                                                 {&SnapshotsTable(), &RunRecord::snapshots},
                                                 {&TradesTable(), &RunRecord::trades},
                                                 {&OrdersTable(), &RunRecord::orders},
                                                 {&PositionsTable(), &RunRecord::positions},
                                                 {&SeriesTable(), &RunRecord::series_points}}};
  return tables;
}

/// A live run: what its row says, and a backtest that has it.
struct LiveRun {
  RunRecord record;
  std::string handle;
};
using LiveRuns = std::map<Uuid, LiveRun>;

/// What the catalog says at one moment of the rows that the lake should have.
struct RowState {
  std::int64_t snapshot = 0;
  LiveRuns runs;
  std::array<catalog::LakeTable, 6> tables;
  std::array<std::vector<catalog::LakeFile>, 6> files;
};

Result<LiveRuns> ReadLiveRuns(catalog::Database& database) {
  LAMINA_ASSIGN(auto statement,
                database.Prepare("SELECT u.run_id, u.snapshots, u.trades, u.orders, u.positions, "
                                 "u.series_points, (SELECT b.handle FROM backtest_run r JOIN "
                                 "backtest b ON b.backtest_id = r.backtest_id WHERE r.run_id = "
                                 "u.run_id AND b.end_snapshot IS NULL LIMIT 1) FROM run u WHERE "
                                 "u.end_snapshot IS NULL"));
  LiveRuns runs;
  while (true) {
    LAMINA_ASSIGN(const bool row, statement.Step());
    if (!row) return runs;
    LiveRun run;
    const ByteView id = statement.Blob(0);
    if (id.size() != run.record.run_id.bytes.size()) {
      return Corruption("a run id in the catalog has " + std::to_string(id.size()) + " bytes");
    }
    std::copy(id.begin(), id.end(), run.record.run_id.bytes.begin());
    run.record.snapshots = statement.Int(1);
    run.record.trades = statement.Int(2);
    run.record.orders = statement.Int(3);
    run.record.positions = statement.Int(4);
    run.record.series_points = statement.Int(5);
    run.handle = statement.OptionalText(6).value_or("run " + run.record.run_id.ToString());
    const Uuid key = run.record.run_id;
    runs.emplace(key, std::move(run));
  }
}

Result<RowState> ReadRowState(catalog::Database& database) {
  RowState state;
  catalog::LakeReader reader(database);
  LAMINA_ASSIGN(state.snapshot, reader.LatestSnapshot());
  LAMINA_ASSIGN(state.runs, ReadLiveRuns(database));
  for (std::size_t t = 0; t < state.tables.size(); ++t) {
    LAMINA_ASSIGN(auto stored,
                  FindStoredTable(reader, *CountedTables()[t].definition, state.snapshot));
    state.tables[t] = std::move(stored.table);
    LAMINA_ASSIGN(state.files[t], reader.Plan(state.tables[t], state.snapshot));
  }
  return state;
}

std::int64_t RowsOf(const LiveRun& run, const Counted& table) {
  return table.rows == nullptr ? 1 : run.record.*table.rows;
}

/// Count the rows of each run in one table, file by file, and compare.
Status CheckRowsByRun(catalog::Catalog& catalog, const RowState& state, std::size_t t,
                      BacktestVerification& result) {
  const Counted& table = CountedTables()[t];
  const std::string name = "backtests." + table.definition->name;
  LAMINA_ASSIGN(const auto columns,
                catalog::ChooseColumns(state.tables[t], std::vector<std::string>{"run_id"}));
  std::map<Uuid, std::int64_t> counts;
  for (const catalog::LakeFile& file : state.files[t]) {
    LAMINA_ASSIGN(const auto rows, catalog::ReadLakeFile(catalog.env(), catalog.LakePath(""),
                                                         state.tables[t], file, columns, {}));
    LAMINA_ASSIGN(const RunIdColumn ids, RunIdColumn::Of(*rows));
    for (std::int64_t row = 0; row < rows->num_rows(); ++row) ++counts[ids.At(row)];
  }
  for (const auto& [id, run] : state.runs) {
    const auto found = counts.find(id);
    const std::int64_t rows = found == counts.end() ? 0 : found->second;
    if (found != counts.end()) counts.erase(found);
    if (rows == RowsOf(run, table)) continue;
    result.problems.push_back({"row-count", run.handle,
                               "run " + id.ToString() + " should have " +
                                   std::to_string(RowsOf(run, table)) + " rows in " + name +
                                   ", it has " + std::to_string(rows)});
  }
  for (const auto& [id, rows] : counts) {
    result.problems.push_back({"row-count", name,
                               std::to_string(rows) + " rows of run " + id.ToString() +
                                   ", which the catalog does not know as live"});
  }
  return Ok();
}

/// Totals first, which cost nothing; runs one by one where those differ, in the table of runs, and
/// everywhere when `deep`.
Status CheckRows(catalog::Catalog& catalog, const RowState& state, bool deep,
                 const CancelToken* cancel, BacktestVerification& result) {
  result.checked_runs = static_cast<std::int64_t>(state.runs.size());
  for (std::size_t t = 0; t < state.tables.size(); ++t) {
    if (cancel != nullptr && cancel->cancelled()) return Cancelled("verify interrupted");
    const Counted& table = CountedTables()[t];
    std::int64_t expected = 0, rows = 0;
    for (const auto& [id, run] : state.runs) expected += RowsOf(run, table);
    for (const auto& file : state.files[t]) {
      rows += file.rows - (file.deletes ? file.deletes->rows : 0);
    }
    const std::string name = "backtests." + table.definition->name;
    if (rows != expected) {
      result.problems.push_back({"row-count", name,
                                 "the runs have " + std::to_string(expected) +
                                     " rows, the lake files " + std::to_string(rows)});
    } else if (!deep && table.rows != nullptr) {
      continue;
    }
    const Status counted = CheckRowsByRun(catalog, state, t, result);
    if (!counted.ok()) {
      result.problems.push_back({"row-count", name, std::string(counted.error().message())});
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

struct Check {
  const char* kind;
  const char* sql;
};

/// Every row of these is a problem.
constexpr Check kChecks[] = {
    {"missing-chunk",
     "SELECT b.handle, 'chunk ' || lower(hex(r.sha256)) || ' has no row' FROM backtest b JOIN "
     "chunk_ref r ON r.backtest_id = b.backtest_id LEFT JOIN chunk c ON c.kind = r.kind AND "
     "c.sha256 = r.sha256 WHERE b.end_snapshot IS NULL AND (c.sha256 IS NULL OR c.end_snapshot IS "
     "NOT NULL)"},
    {"missing-run",
     "SELECT b.handle, 'the run of slot ' || r.slot || ' is not live' FROM backtest b JOIN "
     "backtest_run r ON r.backtest_id = b.backtest_id LEFT JOIN run u ON u.run_id = r.run_id WHERE "
     "b.end_snapshot IS NULL AND (u.run_id IS NULL OR u.end_snapshot IS NOT NULL)"},
    {"missing-run",
     "SELECT b.handle, 'has ' || count(*) || ' runs, but one in slot ' || max(r.slot) FROM "
     "backtest "
     "b JOIN backtest_run r ON r.backtest_id = b.backtest_id AND r.end_snapshot IS NULL WHERE "
     "b.end_snapshot IS NULL GROUP BY b.backtest_id HAVING count(*) <> max(r.slot) + 1"},
    {"unused-run",
     "SELECT lower(hex(u.run_id)), 'no live backtest names this live run' FROM run u WHERE "
     "u.end_snapshot IS NULL AND NOT EXISTS (SELECT 1 FROM backtest_run r WHERE r.run_id = "
     "u.run_id AND r.end_snapshot IS NULL)"},
    {"missing-backtest",
     "SELECT 'backtest ' || r.backtest_id, 'slot ' || r.slot || ' is live, the backtest is not' "
     "FROM backtest_run r WHERE r.end_snapshot IS NULL AND NOT EXISTS (SELECT 1 FROM backtest b "
     "WHERE b.backtest_id = r.backtest_id AND b.end_snapshot IS NULL)"},
    {"missing-backtest",
     "SELECT 'backtest ' || r.backtest_id, 'the reference to chunk ' || lower(hex(r.sha256)) || ' "
     "is live, the backtest is not' FROM chunk_ref r WHERE r.end_snapshot IS NULL AND NOT EXISTS "
     "(SELECT 1 FROM backtest b WHERE b.backtest_id = r.backtest_id AND b.end_snapshot IS NULL)"},
    {"index",
     "SELECT i.bundle_path, 'an index row of a backtest that is not live' FROM backtest_index i "
     "WHERE i.end_snapshot IS NULL AND NOT EXISTS (SELECT 1 FROM backtest b WHERE b.backtest_id = "
     "i.backtest_id AND b.handle = i.bundle_path AND b.end_snapshot IS NULL)"},
    {"index",
     "SELECT b.handle, 'no list or rank shows it: it has no index row' FROM backtest b WHERE "
     "b.end_snapshot IS NULL AND NOT EXISTS (SELECT 1 FROM backtest_index i WHERE i.backtest_id = "
     "b.backtest_id AND i.end_snapshot IS NULL)"},
    {"index",
     "SELECT b.handle, 'its index row is of another document' FROM backtest b JOIN backtest_index "
     "i ON i.backtest_id = b.backtest_id AND i.end_snapshot IS NULL WHERE b.end_snapshot IS NULL "
     "AND i.document_sha256 <> b.document_sha256"},
};

struct LiveBacktest {
  std::int64_t backtest_id = 0;
  std::string handle;
  Sha256Digest skeleton;
};

Result<std::vector<LiveBacktest>> ListBacktests(catalog::Database& database) {
  LAMINA_ASSIGN(auto statement, database.Prepare("SELECT backtest_id, handle, skeleton_sha256 FROM "
                                                 "backtest WHERE end_snapshot IS NULL"));
  std::vector<LiveBacktest> backtests;
  while (true) {
    LAMINA_ASSIGN(const bool row, statement.Step());
    if (!row) return backtests;
    LiveBacktest backtest{statement.Int(0), std::string(statement.Text(1)), {}};
    LAMINA_ASSIGN(backtest.skeleton, Sha256Digest::FromBytes(statement.Blob(2)));
    backtests.push_back(std::move(backtest));
  }
}

/// Of `needed`, the chunks to which the backtest has no live reference; none when it was deleted.
Result<std::vector<catalog::ChunkId>> Unreferenced(catalog::Database& database,
                                                   std::int64_t backtest_id,
                                                   const std::vector<catalog::ChunkId>& needed) {
  LAMINA_ASSIGN(auto statement,
                database.Prepare("SELECT 1 FROM backtest b WHERE b.backtest_id = ?1 AND "
                                 "b.end_snapshot IS NULL AND NOT EXISTS (SELECT 1 FROM chunk_ref "
                                 "r WHERE r.backtest_id = ?1 AND r.kind = ?2 AND r.sha256 = ?3 AND "
                                 "r.end_snapshot IS NULL)"));
  std::vector<catalog::ChunkId> missing;
  for (const catalog::ChunkId& id : needed) {
    statement.Bind(1, backtest_id).Bind(2, static_cast<std::int64_t>(id.kind));
    statement.BindBlob(3, id.sha256.View());
    LAMINA_ASSIGN(const bool row, statement.Step());
    if (row) missing.push_back(id);
    statement.Reset();
  }
  return missing;
}

/// A chunk that no reference protects would be collected: every backtest must name all it needs.
Status CheckNeededChunks(BacktestStore& store, const std::vector<LiveBacktest>& backtests,
                         const CancelToken* cancel, BacktestVerification& result) {
  std::mutex mutex;
  return ParallelFor(backtests.size(), 0, [&](std::size_t i, std::size_t) -> Status {
    if (cancel != nullptr && cancel->cancelled()) return Cancelled("verify interrupted");
    const LiveBacktest& backtest = backtests[i];
    const catalog::ChunkId skeleton{catalog::ChunkKind::kDocument, backtest.skeleton};
    std::vector<catalog::ChunkId> needed = {skeleton};
    const auto content = store.catalog().ReadChunk(skeleton);
    if (content.ok()) {
      const auto named = ChunksOfSkeleton(*content);
      if (named.ok()) needed.insert(needed.end(), named->begin(), named->end());
    }
    std::vector<catalog::ChunkId> missing;
    LAMINA_TRY(store.catalog().Read([&](catalog::Database& database) -> Status {
      LAMINA_ASSIGN(missing, Unreferenced(database, backtest.backtest_id, needed));
      return Ok();
    }));
    const std::lock_guard lock(mutex);
    for (const catalog::ChunkId& id : missing) {
      result.problems.push_back({"missing-chunk", backtest.handle,
                                 std::string(id == skeleton ? "its skeleton, chunk " : "chunk ") +
                                     id.sha256.Hex() + ", is not in its references"});
    }
    return Ok();
  });
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
  RowState rows;
  std::vector<LiveBacktest> backtests;
  LAMINA_TRY(store.catalog().Read([&](catalog::Database& database) -> Status {
    LAMINA_ASSIGN(rows, ReadRowState(database));
    LAMINA_ASSIGN(backtests, ListBacktests(database));
    for (const Check& check : kChecks) {
      LAMINA_TRY(CheckNoRows(database, check.kind, check.sql, result));
    }
    return Ok();
  }));
  result.checked_backtests = static_cast<std::int64_t>(backtests.size());
  LAMINA_TRY(CheckRows(store.catalog(), rows, deep, cancel, result));
  LAMINA_TRY(CheckNeededChunks(store, backtests, cancel, result));
  if (deep) LAMINA_TRY(CheckDocuments(store, cancel, result));
  std::sort(result.problems.begin(), result.problems.end());
  return result;
}

}  // namespace lamina::backtests
