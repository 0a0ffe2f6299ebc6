#pragma once

/// \file lamina/backtests/catalog_rows.h
/// The rows of `backtest`, `run`, `backtest_run` and `chunk_ref`: the SQL of this module in one
/// place. Free functions on an open transaction; thread-compatible with their Database.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lamina/backtests/backtest_store.h"
#include "lamina/backtests/decompose.h"
#include "lamina/base/result.h"
#include "lamina/catalog/database.h"

namespace lamina::backtests {

/// Absent when no backtest has the handle at that time.
Result<std::optional<BacktestRecord>> FindBacktest(catalog::Database& database,
                                                   std::string_view handle, AsOf as_of);
/// RETURNS kNotFound for a snapshot that the store does not have.
Status CheckSnapshot(catalog::Database& database, AsOf as_of);

/// The last one of that handle that was deleted, or ended by a replacement; not by a rename.
Result<std::optional<BacktestRecord>> FindDeletedBacktest(catalog::Database& database,
                                                          std::string_view handle);
/// What the last renamed backtest of that handle was renamed to.
Result<std::optional<std::string>> FindRenamed(catalog::Database& database,
                                               std::string_view handle);
Result<std::vector<std::string>> ListHandles(catalog::Database& database, AsOf as_of);
Result<std::vector<RunRecord>> ListRuns(catalog::Database& database, std::int64_t backtest_id);

/// The live run with that content, absent when there is none.
Result<std::optional<Uuid>> FindRunByContent(catalog::Database& database,
                                             const Sha256Digest& content_hash);
Result<bool> RunIsLive(catalog::Database& database, const Uuid& run_id);
Result<std::optional<Uuid>> LargestRunId(catalog::Database& database);
/// Live and ended runs whose id lies in [first, last].
Result<std::int64_t> CountRunsBetween(catalog::Database& database, const Uuid& first,
                                      const Uuid& last);
/// The same ones, in order.
Result<std::vector<Uuid>> ListRunsBetween(catalog::Database& database, const Uuid& first,
                                          const Uuid& last);
/// Live runs of these backtests that no other live backtest names.
Result<std::vector<Uuid>> RunsOnlyOf(catalog::Database& database,
                                     const std::vector<std::int64_t>& backtest_ids);

Result<std::int64_t> NextBacktestId(catalog::Database& database);
Status InsertBacktest(catalog::Database& database, const BacktestRecord& record,
                      bool whole_document);
/// A decomposed run as the run of a backtest.
RunRecord RecordOf(const DecomposedRun& run, std::int64_t slot, const Uuid& run_id);
Status InsertRun(catalog::Database& database, const RunRecord& run,
                 const Sha256Digest& content_hash, std::int64_t snapshot_id);
Status InsertBacktestRun(catalog::Database& database, std::int64_t backtest_id,
                         const RunRecord& run, std::int64_t snapshot_id);
Status InsertChunkRef(catalog::Database& database, std::int64_t backtest_id,
                      const catalog::ChunkId& chunk, std::int64_t snapshot_id);

/// What users wrote on a backtest.
struct Labels {
  std::string tags = "[]";  ///< a JSON array of texts
  std::optional<std::string> note;
};
Result<Labels> ReadLabels(catalog::Database& database, std::int64_t backtest_id);
Status WriteLabels(catalog::Database& database, std::int64_t backtest_id, const Labels& labels);

/// The price files that `from` names are named by `to` as well; their bundle may be gone.
Status CopyPriceReferences(catalog::Database& database, std::int64_t from, std::int64_t to);

/// End the backtest, its run and chunk references and its index rows.
Status EndBacktest(catalog::Database& database, std::int64_t backtest_id, std::int64_t snapshot_id);
Status EndRun(catalog::Database& database, const Uuid& run_id, std::int64_t snapshot_id);

/// Every row of backtest `from` again under a new id and handle (live from `snapshot_id`).
Status CopyBacktestRows(catalog::Database& database, std::int64_t from, std::int64_t to,
                        std::string_view handle, std::int64_t snapshot_id);

}  // namespace lamina::backtests
