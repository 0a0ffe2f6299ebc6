#include "lamina/backtests/catalog_rows.h"

#include <cstring>

#include "lamina/backtests/text_array.h"

namespace lamina::backtests {
namespace {

using catalog::Database;
using catalog::Statement;

constexpr std::string_view kBacktestColumns =
    "backtest_id, handle, begin_snapshot, end_snapshot, document_sha256, skeleton_sha256, "
    "file_sha256, document_bytes, file_bytes, bundle_version, algorithm_id, tag, source_path, "
    "imported_at, warnings";

Result<BacktestRecord> ReadBacktest(const Statement& row) {
  BacktestRecord record;
  record.backtest_id = row.Int(0);
  record.handle = row.Text(1);
  record.begin_snapshot = row.Int(2);
  record.end_snapshot = row.OptionalInt(3);
  LAMINA_ASSIGN(record.document_sha256, Sha256Digest::FromBytes(row.Blob(4)));
  LAMINA_ASSIGN(record.skeleton_sha256, Sha256Digest::FromBytes(row.Blob(5)));
  LAMINA_ASSIGN(record.file_sha256, Sha256Digest::FromBytes(row.Blob(6)));
  record.document_bytes = row.Int(7);
  record.file_bytes = row.Int(8);
  record.bundle_version = static_cast<std::uint32_t>(row.Int(9));
  record.algorithm_id = row.OptionalText(10);
  record.tag = row.OptionalText(11);
  record.source_path = row.OptionalText(12);
  record.imported_at = Micros{row.Int(13)};
  if (!row.IsNull(14)) record.warnings = ParseTextArray(row.Text(14));
  return record;
}

Result<Uuid> ReadUuid(ByteView bytes) {
  Uuid id;
  if (bytes.size() != id.bytes.size()) {
    return Corruption("a run id in the catalog has " + std::to_string(bytes.size()) + " bytes");
  }
  std::memcpy(id.bytes.data(), bytes.data(), bytes.size());
  return id;
}

std::string IdList(const std::vector<std::int64_t>& ids) {
  std::string text;
  for (std::int64_t id : ids) {
    if (!text.empty()) text += ',';
    text += std::to_string(id);
  }
  return text;
}

/// A rename copies the row in the commit that ends it; an import in that commit has another time.
constexpr std::string_view kCopyIsRenamed =
    "copy.document_sha256 = ended.document_sha256 AND copy.begin_snapshot = ended.end_snapshot AND "
    "copy.imported_at = ended.imported_at AND copy.handle <> ended.handle";

}  // namespace

Result<std::optional<BacktestRecord>> FindBacktest(Database& database, std::string_view handle,
                                                   AsOf as_of) {
  std::string sql =
      "SELECT " + std::string(kBacktestColumns) + " FROM backtest WHERE handle = ?1 AND ";
  sql += as_of ? "begin_snapshot <= ?2 AND (end_snapshot IS NULL OR end_snapshot > ?2)"
               : "end_snapshot IS NULL";
  LAMINA_ASSIGN(auto statement, database.Prepare(sql));
  statement.Bind(1, handle);
  if (as_of) statement.Bind(2, *as_of);
  LAMINA_ASSIGN(const bool found, statement.Step());
  if (!found) return std::optional<BacktestRecord>();
  LAMINA_ASSIGN(auto record, ReadBacktest(statement));
  return std::optional<BacktestRecord>(std::move(record));
}

Status CheckSnapshot(Database& database, AsOf as_of) {
  if (!as_of) return Ok();
  return catalog::LakeReader(database).CheckSnapshot(*as_of);
}

Result<std::optional<BacktestRecord>> FindDeletedBacktest(Database& database,
                                                          std::string_view handle) {
  std::string sql = "SELECT " + std::string(kBacktestColumns);
  sql += " FROM backtest AS ended WHERE handle = ?1 AND end_snapshot IS NOT NULL AND NOT EXISTS ";
  sql.append("(SELECT 1 FROM backtest AS copy WHERE ").append(kCopyIsRenamed);
  sql += ") ORDER BY end_snapshot DESC, backtest_id DESC LIMIT 1";
  LAMINA_ASSIGN(auto statement, database.Prepare(sql));
  statement.Bind(1, handle);
  LAMINA_ASSIGN(const bool found, statement.Step());
  if (!found) return std::optional<BacktestRecord>();
  LAMINA_ASSIGN(auto record, ReadBacktest(statement));
  return std::optional<BacktestRecord>(std::move(record));
}

Result<std::optional<std::string>> FindRenamed(Database& database, std::string_view handle) {
  std::string sql = "SELECT copy.handle FROM backtest AS ended JOIN backtest AS copy ON ";
  sql.append(kCopyIsRenamed).append(" WHERE ended.handle = ?1 ");
  sql += "ORDER BY ended.end_snapshot DESC LIMIT 1";
  LAMINA_ASSIGN(auto statement, database.Prepare(sql));
  statement.Bind(1, handle);
  LAMINA_ASSIGN(const bool found, statement.Step());
  return found ? statement.OptionalText(0) : std::nullopt;
}

Result<std::vector<std::string>> ListHandles(Database& database, AsOf as_of) {
  std::string sql = "SELECT handle FROM backtest WHERE ";
  sql += as_of ? "begin_snapshot <= ?1 AND (end_snapshot IS NULL OR end_snapshot > ?1)"
               : "end_snapshot IS NULL";
  LAMINA_ASSIGN(auto statement, database.Prepare(sql + " ORDER BY handle"));
  if (as_of) statement.Bind(1, *as_of);
  std::vector<std::string> handles;
  while (true) {
    LAMINA_ASSIGN(const bool row, statement.Step());
    if (!row) return handles;
    handles.emplace_back(statement.Text(0));
  }
}

Result<std::vector<RunRecord>> ListRuns(Database& database, std::int64_t backtest_id) {
  LAMINA_ASSIGN(auto statement,
                database.Prepare("SELECT b.slot, b.run_id, b.engine, b.study, r.snapshots, "
                                 "r.trades, r.orders, r.positions, r.series_points FROM "
                                 "backtest_run b JOIN run r ON r.run_id = b.run_id WHERE "
                                 "b.backtest_id = ?1 ORDER BY b.slot"));
  statement.Bind(1, backtest_id);
  std::vector<RunRecord> runs;
  while (true) {
    LAMINA_ASSIGN(const bool row, statement.Step());
    if (!row) return runs;
    RunRecord run;
    run.slot = statement.Int(0);
    LAMINA_ASSIGN(run.run_id, ReadUuid(statement.Blob(1)));
    run.engine = statement.Text(2);
    run.study = statement.Text(3);
    run.snapshots = statement.Int(4);
    run.trades = statement.Int(5);
    run.orders = statement.Int(6);
    run.positions = statement.Int(7);
    run.series_points = statement.Int(8);
    runs.push_back(std::move(run));
  }
}

Result<std::optional<Uuid>> FindRunByContent(Database& database, const Sha256Digest& content_hash) {
  LAMINA_ASSIGN(auto statement, database.Prepare("SELECT run_id FROM run WHERE content_hash = ?1 "
                                                 "AND end_snapshot IS NULL"));
  statement.BindBlob(1, content_hash.View());
  LAMINA_ASSIGN(const bool found, statement.Step());
  if (!found) return std::optional<Uuid>();
  LAMINA_ASSIGN(auto id, ReadUuid(statement.Blob(0)));
  return std::optional<Uuid>(id);
}

Result<bool> RunIsLive(Database& database, const Uuid& run_id) {
  LAMINA_ASSIGN(auto statement, database.Prepare("SELECT 1 FROM run WHERE run_id = ?1 AND "
                                                 "end_snapshot IS NULL"));
  statement.BindBlob(1, run_id.View());
  return statement.Step();
}

Result<std::optional<Uuid>> LargestRunId(Database& database) {
  LAMINA_ASSIGN(auto statement, database.Prepare("SELECT max(run_id) FROM run"));
  LAMINA_ASSIGN(const bool found, statement.Step());
  if (!found || statement.IsNull(0)) return std::optional<Uuid>();
  LAMINA_ASSIGN(auto id, ReadUuid(statement.Blob(0)));
  return std::optional<Uuid>(id);
}

Result<std::int64_t> CountRunsBetween(Database& database, const Uuid& first, const Uuid& last) {
  LAMINA_ASSIGN(auto statement,
                database.Prepare("SELECT count(*) FROM run WHERE run_id BETWEEN ?1 AND ?2"));
  statement.BindBlob(1, first.View()).BindBlob(2, last.View());
  LAMINA_ASSIGN(const bool found, statement.Step());
  return found ? statement.Int(0) : 0;
}

Result<std::vector<Uuid>> ListRunsBetween(Database& database, const Uuid& first, const Uuid& last) {
  LAMINA_ASSIGN(
      auto statement,
      database.Prepare("SELECT run_id FROM run WHERE run_id BETWEEN ?1 AND ?2 ORDER BY run_id"));
  statement.BindBlob(1, first.View()).BindBlob(2, last.View());
  std::vector<Uuid> ids;
  while (true) {
    LAMINA_ASSIGN(const bool row, statement.Step());
    if (!row) return ids;
    LAMINA_ASSIGN(ids.emplace_back(), ReadUuid(statement.Blob(0)));
  }
}

Result<std::vector<Uuid>> RunsOnlyOf(Database& database,
                                     const std::vector<std::int64_t>& backtest_ids) {
  const std::string ids = IdList(backtest_ids);
  LAMINA_ASSIGN(auto statement,
                database.Prepare("SELECT DISTINCT b.run_id FROM backtest_run b WHERE b.backtest_id "
                                 "IN (" +
                                 ids +
                                 ") AND b.end_snapshot IS NULL AND NOT EXISTS ("
                                 "SELECT 1 FROM backtest_run o WHERE o.run_id = b.run_id AND "
                                 "o.end_snapshot IS NULL AND o.backtest_id NOT IN (" +
                                 ids + ")) ORDER BY 1"));
  std::vector<Uuid> runs;
  while (true) {
    LAMINA_ASSIGN(const bool row, statement.Step());
    if (!row) return runs;
    LAMINA_ASSIGN(auto id, ReadUuid(statement.Blob(0)));
    runs.push_back(id);
  }
}

Result<std::int64_t> NextBacktestId(Database& database) {
  LAMINA_ASSIGN(auto statement,
                database.Prepare("SELECT coalesce(max(backtest_id), 0) + 1 FROM backtest"));
  LAMINA_ASSIGN(const bool row, statement.Step());
  LAMINA_CHECK(row);
  return statement.Int(0);
}

Status InsertBacktest(Database& database, const BacktestRecord& record, bool whole_document) {
  LAMINA_ASSIGN(auto statement,
                database.Prepare("INSERT INTO backtest(" + std::string(kBacktestColumns) +
                                 ", whole_document) VALUES "
                                 "(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16)"));
  statement.Bind(1, record.backtest_id)
      .Bind(2, std::string_view(record.handle))
      .Bind(3, record.begin_snapshot)
      .Bind(4, record.end_snapshot)
      .BindBlob(5, record.document_sha256.View())
      .BindBlob(6, record.skeleton_sha256.View())
      .BindBlob(7, record.file_sha256.View())
      .Bind(8, record.document_bytes)
      .Bind(9, record.file_bytes)
      .Bind(10, static_cast<std::int64_t>(record.bundle_version));
  const auto bind_text = [&](int index, const std::optional<std::string>& text) {
    if (text) {
      statement.Bind(index, std::string_view(*text));
    } else {
      statement.BindNull(index);
    }
  };
  bind_text(11, record.algorithm_id);
  bind_text(12, record.tag);
  bind_text(13, record.source_path);
  statement.Bind(14, record.imported_at.value);
  const std::string warnings = FormatTextArray(record.warnings);
  if (record.warnings.empty()) {
    statement.BindNull(15);
  } else {
    statement.Bind(15, std::string_view(warnings));
  }
  statement.Bind(16, static_cast<std::int64_t>(whole_document));
  return statement.Run();
}

RunRecord RecordOf(const DecomposedRun& run, std::int64_t slot, const Uuid& run_id) {
  RunRecord record;
  record.slot = slot;
  record.run_id = run_id;
  record.engine = run.facts.engine;
  record.study = run.facts.study;
  record.snapshots = run.rows.snapshots->num_rows();
  record.trades = run.rows.trades->num_rows();
  record.orders = run.rows.orders->num_rows();
  record.positions = run.rows.positions->num_rows();
  record.series_points = run.rows.series->num_rows();
  return record;
}

Status InsertRun(Database& database, const RunRecord& run, const Sha256Digest& content_hash,
                 std::int64_t snapshot_id) {
  LAMINA_ASSIGN(auto statement,
                database.Prepare("INSERT INTO run(run_id, content_hash, begin_snapshot, snapshots, "
                                 "trades, orders, positions, series_points) "
                                 "VALUES (?1,?2,?3,?4,?5,?6,?7,?8)"));
  return statement.BindBlob(1, run.run_id.View())
      .BindBlob(2, content_hash.View())
      .Bind(3, snapshot_id)
      .Bind(4, run.snapshots)
      .Bind(5, run.trades)
      .Bind(6, run.orders)
      .Bind(7, run.positions)
      .Bind(8, run.series_points)
      .Run();
}

Status InsertBacktestRun(Database& database, std::int64_t backtest_id, const RunRecord& run,
                         std::int64_t snapshot_id) {
  LAMINA_ASSIGN(auto statement,
                database.Prepare("INSERT INTO backtest_run(backtest_id, slot, run_id, engine, "
                                 "study, begin_snapshot) VALUES (?1,?2,?3,?4,?5,?6)"));
  return statement.Bind(1, backtest_id)
      .Bind(2, run.slot)
      .BindBlob(3, run.run_id.View())
      .Bind(4, std::string_view(run.engine))
      .Bind(5, std::string_view(run.study))
      .Bind(6, snapshot_id)
      .Run();
}

Status InsertChunkRef(Database& database, std::int64_t backtest_id, const catalog::ChunkId& chunk,
                      std::int64_t snapshot_id) {
  LAMINA_ASSIGN(auto statement,
                database.Prepare("INSERT OR IGNORE INTO chunk_ref(backtest_id, kind, sha256, "
                                 "begin_snapshot) VALUES (?1,?2,?3,?4)"));
  return statement.Bind(1, backtest_id)
      .Bind(2, static_cast<std::int64_t>(chunk.kind))
      .BindBlob(3, chunk.sha256.View())
      .Bind(4, snapshot_id)
      .Run();
}

Result<Labels> ReadLabels(catalog::Database& database, std::int64_t backtest_id) {
  LAMINA_ASSIGN(auto statement, database.Prepare("SELECT tags, note FROM backtest_index WHERE "
                                                 "backtest_id = ?1 LIMIT 1"));
  statement.Bind(1, backtest_id);
  LAMINA_ASSIGN(const bool found, statement.Step());
  Labels labels;
  if (found) {
    labels.tags = statement.Text(0);
    labels.note = statement.OptionalText(1);
  }
  return labels;
}

Status WriteLabels(catalog::Database& database, std::int64_t backtest_id, const Labels& labels) {
  LAMINA_ASSIGN(auto statement, database.Prepare("UPDATE backtest_index SET tags = ?2, note = ?3 "
                                                 "WHERE backtest_id = ?1"));
  statement.Bind(1, backtest_id).Bind(2, std::string_view(labels.tags));
  if (labels.note) {
    statement.Bind(3, std::string_view(*labels.note));
  } else {
    statement.BindNull(3);
  }
  return statement.Run();
}

Status CopyPriceReferences(Database& database, std::int64_t from, std::int64_t to) {
  LAMINA_ASSIGN(auto statement,
                database.Prepare("INSERT OR IGNORE INTO chunk_ref(backtest_id, kind, sha256, "
                                 "begin_snapshot) SELECT ?2, r.kind, r.sha256, (SELECT "
                                 "begin_snapshot FROM backtest WHERE backtest_id = ?2) FROM "
                                 "chunk_ref r JOIN chunk c ON c.kind = r.kind AND c.sha256 = "
                                 "r.sha256 AND c.end_snapshot IS NULL WHERE r.backtest_id = ?1 AND "
                                 "r.kind = ?3"));
  return statement.Bind(1, from)
      .Bind(2, to)
      .Bind(3, static_cast<std::int64_t>(catalog::ChunkKind::kOhlcv))
      .Run();
}

Status EndBacktest(Database& database, std::int64_t backtest_id, std::int64_t snapshot_id) {
  for (const char* table : {"backtest", "backtest_run", "chunk_ref", "backtest_index"}) {
    LAMINA_ASSIGN(auto statement, database.Prepare("UPDATE " + std::string(table) +
                                                   " SET end_snapshot = ?2 WHERE "
                                                   "backtest_id = ?1 AND end_snapshot IS NULL"));
    LAMINA_TRY(statement.Bind(1, backtest_id).Bind(2, snapshot_id).Run());
  }
  return Ok();
}

Status EndRun(Database& database, const Uuid& run_id, std::int64_t snapshot_id) {
  LAMINA_ASSIGN(auto statement, database.Prepare("UPDATE run SET end_snapshot = ?2 WHERE run_id = "
                                                 "?1 AND end_snapshot IS NULL"));
  return statement.BindBlob(1, run_id.View()).Bind(2, snapshot_id).Run();
}

Status CopyBacktestRows(Database& database, std::int64_t from, std::int64_t to,
                        std::string_view handle, std::int64_t snapshot_id) {
  // Column lists come from the tables themselves, so that a migration cannot leave one behind here.
  struct Change {
    const char* table;
    const char* handle_column;  ///< null when the table has none
  };
  for (const Change& change :
       {Change{"backtest", "handle"}, Change{"backtest_run", nullptr}, Change{"chunk_ref", nullptr},
        Change{"backtest_index", "bundle_path"}}) {
    std::string names;
    std::string values;
    LAMINA_ASSIGN(auto columns, database.Prepare("SELECT name FROM pragma_table_info('" +
                                                 std::string(change.table) + "')"));
    while (true) {
      LAMINA_ASSIGN(const bool row, columns.Step());
      if (!row) break;
      const std::string name(columns.Text(0));
      if (name == "end_snapshot") continue;
      if (!names.empty()) {
        names += ", ";
        values += ", ";
      }
      names += name;
      if (name == "backtest_id") {
        values += "?2";
      } else if (name == "begin_snapshot") {
        values += "?3";
      } else if (change.handle_column != nullptr && name == change.handle_column) {
        values += "?4";
      } else {
        values += name;
      }
    }
    LAMINA_ASSIGN(auto insert,
                  database.Prepare("INSERT INTO " + std::string(change.table) + "(" + names +
                                   ") SELECT " + values + " FROM " + change.table +
                                   " WHERE backtest_id = ?1 AND end_snapshot IS NULL"));
    insert.Bind(1, from).Bind(2, to).Bind(3, snapshot_id);
    if (change.handle_column != nullptr) insert.Bind(4, handle);
    LAMINA_TRY(insert.Run());
  }
  return Ok();
}

}  // namespace lamina::backtests
