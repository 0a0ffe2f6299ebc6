#include "lamina/catalog/snapshot_export.h"

#include <algorithm>
#include <array>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "lamina/base/uuid.h"

namespace lamina::catalog {
namespace {

/// One of our tables in the copy: plain columns, ids as text, rows of one snapshot.
struct OwnTable {
  const char* create;
  std::string name;
  std::string select;  ///< with ?1 = the snapshot
};

constexpr std::string_view kVisible =
    "begin_snapshot <= ?1 AND (end_snapshot IS NULL OR end_snapshot > ?1)";

std::string Visible(std::string_view alias) {
  std::string sql;
  sql.append(alias).append(".begin_snapshot <= ?1 AND (");
  sql.append(alias).append(".end_snapshot IS NULL OR ");
  return sql.append(alias).append(".end_snapshot > ?1)");
}

std::string UuidText(std::string_view column) {
  const std::string hex = "lower(hex(" + std::string(column) + "))";
  std::string text = "substr(" + hex + ", 1, 8)";
  for (const char* part : {"9, 4", "13, 4", "17, 4", "21, 12"}) {
    text += " || '-' || substr(" + hex + ", " + part + ")";
  }
  return text;
}

std::vector<OwnTable> OwnTables(const std::string& index_sql) {
  return {
      {index_sql.c_str(), "backtest_index",
       "SELECT * FROM backtest_index WHERE " + std::string(kVisible)},
      {"CREATE TABLE backtest_run(handle TEXT NOT NULL, slot INTEGER NOT NULL, run_id TEXT NOT "
       "NULL, "
       "engine TEXT NOT NULL, study TEXT NOT NULL) STRICT",
       "backtest_run",
       "SELECT b.handle, r.slot, " + UuidText("r.run_id") +
           ", r.engine, r.study FROM backtest b JOIN backtest_run r USING (backtest_id) WHERE " +
           Visible("b") + " AND " + Visible("r") + " ORDER BY b.handle, r.slot"},
      {"CREATE TABLE lake_file(file_id INTEGER PRIMARY KEY, footer_crc32c INTEGER NOT NULL) STRICT",
       "lake_file",
       "SELECT file_id, footer_crc32c FROM lake_file WHERE file_id IN (SELECT data_file_id FROM "
       "ducklake_data_file WHERE " +
           std::string(kVisible) +
           " UNION ALL SELECT delete_file_id FROM ducklake_delete_file WHERE " +
           std::string(kVisible) + ")"},
  };
}

/// Which rows of a ducklake table belong to the snapshot: a WHERE clause, or nothing for all.
std::string LakeFilter(std::string_view table, const std::vector<std::string>& columns) {
  const auto has = [&](std::string_view name) {
    return std::find(columns.begin(), columns.end(), name) != columns.end();
  };
  if (table == "ducklake_files_scheduled_for_deletion") return " WHERE ?1 IS NULL";
  if (has("begin_snapshot") && has("end_snapshot")) return " WHERE " + std::string(kVisible);
  if (has("begin_snapshot")) return " WHERE begin_snapshot <= ?1";
  if (has("snapshot_id")) return " WHERE snapshot_id = ?1";
  if (has("data_file_id")) {
    return " WHERE data_file_id IN (SELECT data_file_id FROM ducklake_data_file WHERE " +
           std::string(kVisible) + ")";
  }
  return " WHERE ?1 IS NOT NULL";
}

Status CopyRows(Database& live, std::int64_t snapshot, Database& copy, const std::string& table,
                const std::string& select) {
  LAMINA_ASSIGN(Statement read, live.Prepare(select));
  read.Bind(1, snapshot);
  const int columns = read.column_count();
  std::string insert_sql = "INSERT INTO " + table + " VALUES(?";
  for (int column = 1; column < columns; ++column) insert_sql += ", ?";
  LAMINA_ASSIGN(Statement insert, copy.Prepare(insert_sql + ")"));
  for (;;) {
    LAMINA_ASSIGN(const bool row, read.Step());
    if (!row) return Ok();
    for (int column = 0; column < columns; ++column) insert.BindValue(column + 1, read, column);
    LAMINA_TRY_WITH(insert.Run(), "copying " + table);
  }
}

struct SchemaEntry {
  std::string name, sql;
};

Result<std::vector<SchemaEntry>> LakeTables(Database& live) {
  std::vector<SchemaEntry> tables;
  LAMINA_ASSIGN(
      Statement read,
      live.Prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND name LIKE "
                   "'ducklake!_%' ESCAPE '!' ORDER BY name"));
  for (;;) {
    LAMINA_ASSIGN(const bool row, read.Step());
    if (!row) return tables;
    tables.push_back({std::string(read.Text(0)), std::string(read.Text(1))});
  }
}

Result<std::vector<std::string>> ColumnsOf(Database& live, const std::string& table) {
  std::vector<std::string> names;
  LAMINA_ASSIGN(Statement read, live.Prepare("SELECT name FROM pragma_table_info(?1)"));
  read.Bind(1, table);
  for (;;) {
    LAMINA_ASSIGN(const bool row, read.Step());
    if (!row) return names;
    names.emplace_back(read.Text(0));
  }
}

Result<std::string> IndexTableSql(Database& live) {
  LAMINA_ASSIGN(Statement read,
                live.Prepare("SELECT sql FROM sqlite_schema WHERE name = 'backtest_index'"));
  LAMINA_ASSIGN(const bool row, read.Step());
  if (!row) return Corruption(live.path() + " has no table backtest_index");
  return std::string(read.Text(0));
}

Result<std::int64_t> ResolveSnapshot(Database& live, std::optional<std::int64_t> snapshot) {
  if (!snapshot) return LakeReader(live).LatestSnapshot();
  LAMINA_TRY(LakeReader(live).CheckSnapshot(*snapshot));
  return *snapshot;
}

}  // namespace

Result<std::int64_t> CopySnapshotRows(Database& live, std::optional<std::int64_t> wanted,
                                      Database& copy) {
  LAMINA_ASSIGN(const std::int64_t snapshot, ResolveSnapshot(live, wanted));
  LAMINA_ASSIGN(const std::vector<SchemaEntry> tables, LakeTables(live));
  LAMINA_ASSIGN(const std::string index_sql, IndexTableSql(live));
  LAMINA_TRY(copy.Transact([&]() -> Status {
    for (const SchemaEntry& table : tables) {
      LAMINA_ASSIGN(const std::vector<std::string> columns, ColumnsOf(live, table.name));
      LAMINA_TRY(copy.Execute(table.sql));
      LAMINA_TRY(CopyRows(live, snapshot, copy, table.name,
                          "SELECT * FROM " + table.name + LakeFilter(table.name, columns)));
    }
    // They are of the latest snapshot, and DuckDB would answer min and max from them.
    LAMINA_TRY(
        copy.Execute("UPDATE ducklake_table_column_stats SET min_value = NULL, max_value = NULL"));
    for (const OwnTable& table : OwnTables(index_sql)) {
      LAMINA_TRY(copy.Execute(table.create));
      LAMINA_TRY(CopyRows(live, snapshot, copy, table.name, table.select));
    }
    return Ok();
  }));
  return snapshot;
}

Result<std::int64_t> ExportSnapshotCatalog(Catalog& catalog, std::optional<std::int64_t> snapshot,
                                           const std::string& path) {
  io::Env& env = catalog.env();
  LAMINA_TRY(env.CreateDirectories(io::ParentPath(path)));
  const std::string fresh = path + "." + RandomUuid4().ToString();
  std::int64_t exported = 0;
  Status done = [&]() -> Status {
    LAMINA_ASSIGN(const std::unique_ptr<Database> copy, Database::Open(fresh, OpenMode::kCreate));
    LAMINA_TRY(catalog.Read([&](Database& live) -> Status {
      LAMINA_ASSIGN(exported, CopySnapshotRows(live, snapshot, *copy));
      return Ok();
    }));
    // One plain file without -wal and -shm, so that readers need not write beside it.
    return copy->Execute("PRAGMA journal_mode=DELETE");
  }();
  if (done.ok()) done = env.Rename(fresh, path);
  if (!done.ok()) {
    for (const char* suffix : {"", "-wal", "-shm", "-journal"}) {
      static_cast<void>(env.Unlink(fresh + suffix));
    }
    return std::move(done).error().With("exporting a snapshot for SQL");
  }
  return exported;
}

}  // namespace lamina::catalog
