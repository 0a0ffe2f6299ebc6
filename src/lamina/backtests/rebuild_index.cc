#include "lamina/backtests/rebuild_index.h"

#include <algorithm>
#include <string>
#include <vector>

#include "lamina/backtests/catalog_rows.h"
#include "lamina/backtests/import_batch.h"
#include "lamina/backtests/index_table.h"

namespace lamina::backtests {
namespace {

constexpr std::size_t kBatch = 256;

/// One backtest and the rows it is to have.
struct Fresh {
  BacktestRecord record;
  IndexPlace place;
  std::vector<IndexRow> rows;
  bool gone = false;  ///< deleted meanwhile
};

Result<Fresh> Prepare(BacktestStore& store, const std::string& handle) {
  Fresh fresh;
  std::vector<StoredIndexRow> stored;
  LAMINA_TRY(store.catalog().Read([&](catalog::Database& database) -> Status {
    LAMINA_ASSIGN(auto record, FindBacktest(database, handle, {}));
    fresh.gone = !record.has_value();
    if (fresh.gone) return Ok();
    fresh.record = *std::move(record);
    LAMINA_ASSIGN(stored, ReadIndexRows(database, fresh.record.backtest_id));
    return Ok();
  }));
  if (fresh.gone) return fresh;
  Provenance provenance;
  provenance.handle = handle;
  provenance.version = fresh.record.bundle_version;
  provenance.file_sha256 = fresh.record.file_sha256;
  provenance.file_bytes = fresh.record.file_bytes;
  if (!stored.empty()) {
    provenance.mtime_ns = stored[0].row.bundle_mtime_ns.value_or(0);
    fresh.place = stored[0].place;
  }
  LAMINA_ASSIGN(std::string document, store.ReadDocument(fresh.record));
  LAMINA_ASSIGN(auto prepared,
                PrepareDocument(store.catalog().env(), std::move(provenance), std::move(document)));
  fresh.rows = std::move(prepared.index_rows);
  fresh.place.backtest_id = fresh.record.backtest_id;
  fresh.place.begin_snapshot = fresh.record.begin_snapshot;
  fresh.place.end_snapshot = {};
  fresh.place.document_sha256 = fresh.record.document_sha256;
  fresh.place.imported_at = fresh.record.imported_at;
  return fresh;
}

Status Write(catalog::Database& database, const Fresh& fresh) {
  if (fresh.gone) return Ok();
  LAMINA_ASSIGN(const auto live, FindBacktest(database, fresh.record.handle, {}));
  // Replaced or deleted meanwhile: whoever did that wrote the rows.
  if (!live || live->backtest_id != fresh.record.backtest_id) return Ok();
  LAMINA_ASSIGN(auto remove, database.Prepare("DELETE FROM backtest_index WHERE backtest_id = ?1"));
  LAMINA_TRY(remove.Bind(1, fresh.record.backtest_id).Run());
  for (const IndexRow& row : fresh.rows) {
    LAMINA_TRY(InsertIndexRow(database, row, fresh.place));
  }
  return Ok();
}

}  // namespace

Result<std::int64_t> RebuildIndex(BacktestStore& store, const CancelToken* cancel) {
  LAMINA_ASSIGN(const auto handles, store.Handles());
  for (std::size_t first = 0; first < handles.size(); first += kBatch) {
    const std::size_t count = std::min(kBatch, handles.size() - first);
    std::vector<Fresh> batch(count);
    LAMINA_TRY(ParallelFor(count, 0, [&](std::size_t i, std::size_t) -> Status {
      if (cancel != nullptr && cancel->cancelled()) {
        return Cancelled("interrupted; what was rebuilt stays, run it again to go on");
      }
      auto fresh = Prepare(store, handles[first + i]);
      if (!fresh.ok()) return std::move(fresh).error().With("'" + handles[first + i] + "'");
      batch[i] = *std::move(fresh);
      return Ok();
    }));
    LAMINA_ASSIGN(auto commit, store.catalog().BeginCommit("rebuild the index of " +
                                                           std::to_string(count) + " backtests"));
    LAMINA_TRY(commit->Finish([&](catalog::Database& database, catalog::LakeWriter&) -> Status {
      for (const Fresh& fresh : batch) LAMINA_TRY(Write(database, fresh));
      return Ok();
    }));
  }
  return static_cast<std::int64_t>(handles.size());
}

}  // namespace lamina::backtests
