#include "lamina/store/stats.h"

namespace lamina::store {
namespace {

Status ReadTotals(catalog::Database& database, StoreStats& stats) {
  LAMINA_ASSIGN(auto backtests,
                database.Prepare("SELECT count(*), coalesce(sum(document_bytes), 0), "
                                 "coalesce(sum(file_bytes), 0) FROM backtest WHERE end_snapshot IS "
                                 "NULL"));
  LAMINA_ASSIGN(const bool row, backtests.Step());
  LAMINA_CHECK(row);
  stats.backtests = backtests.Int(0);
  stats.document_bytes = backtests.Int(1);
  stats.file_bytes = backtests.Int(2);
  LAMINA_ASSIGN(auto runs,
                database.Prepare("SELECT (SELECT count(*) FROM run WHERE end_snapshot IS NULL), "
                                 "(SELECT count(*) FROM backtest_run WHERE end_snapshot IS NULL)"));
  LAMINA_ASSIGN(const bool runs_row, runs.Step());
  LAMINA_CHECK(runs_row);
  stats.runs = runs.Int(0);
  stats.run_references = runs.Int(1);
  return Ok();
}

Status ReadTables(catalog::Database& database, StoreStats& stats) {
  catalog::LakeReader reader(database);
  LAMINA_ASSIGN(stats.snapshot, reader.LatestSnapshot());
  LAMINA_ASSIGN(const auto tables, reader.Tables(stats.snapshot));
  for (const auto& table : tables) {
    TableStats one;
    one.name = table.schema + "." + table.name;
    LAMINA_ASSIGN(const auto files, reader.Plan(table, stats.snapshot));
    for (const auto& file : files) {
      ++one.files;
      one.bytes += file.size_bytes;
      one.rows += file.rows - (file.deletes ? file.deletes->rows : 0);
    }
    stats.total_bytes += one.bytes;
    stats.tables.push_back(std::move(one));
  }
  return Ok();
}

Status ReadChunks(catalog::Database& database, StoreStats& stats) {
  LAMINA_ASSIGN(auto statement,
                database.Prepare("SELECT kind, count(*), sum(content_bytes), sum(stored_bytes), "
                                 "sum(CASE WHEN in_file THEN stored_bytes ELSE 0 END), "
                                 "(SELECT count(*) FROM chunk_ref r WHERE r.kind = c.kind AND "
                                 "r.end_snapshot IS NULL) FROM chunk c WHERE end_snapshot IS NULL "
                                 "GROUP BY kind ORDER BY kind"));
  while (true) {
    LAMINA_ASSIGN(const bool row, statement.Step());
    if (!row) return Ok();
    ChunkStats one;
    one.kind = catalog::ChunkKindName(static_cast<catalog::ChunkKind>(statement.Int(0)));
    one.chunks = statement.Int(1);
    one.content_bytes = statement.Int(2);
    one.stored_bytes = statement.Int(3);
    stats.total_bytes += statement.Int(4);
    one.references = statement.Int(5);
    stats.chunks.push_back(std::move(one));
  }
}

std::int64_t DatabaseBytes(io::Env& env, const std::string& path) {
  std::int64_t bytes = 0;
  for (const char* suffix : {"", "-wal"}) {
    auto info = env.Stat(path + suffix);
    if (info.ok()) bytes += info->size;
  }
  return bytes;
}

}  // namespace

Result<StoreStats> ReadStats(Store& store) {
  StoreStats stats;
  stats.root = store.root();
  stats.store_id = store.config().store_id.ToString();
  stats.format_version = store.config().format_version;
  LAMINA_TRY(store.catalog().Read([&](catalog::Database& database) -> Status {
    LAMINA_TRY(ReadTotals(database, stats));
    LAMINA_TRY(ReadTables(database, stats));
    return ReadChunks(database, stats);
  }));
  io::Env& env = store.catalog().env();
  stats.catalog_bytes = DatabaseBytes(env, io::JoinPath(store.root(), "catalog.sqlite"));
  stats.objects_bytes = DatabaseBytes(env, io::JoinPath(store.root(), "objects.sqlite"));
  stats.total_bytes += stats.catalog_bytes + stats.objects_bytes;
  return stats;
}

}  // namespace lamina::store
