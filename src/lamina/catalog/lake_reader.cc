#include <algorithm>
#include <string>
#include <utility>

#include "lamina/catalog/lake.h"
#include "lamina/catalog/lake_names.h"
#include "lamina/catalog/lake_value.h"

namespace lamina::catalog {
namespace {

using table::LakeType;

std::string At(std::string_view alias) {  // "visible at snapshot ?1"
  std::string sql(alias);
  return sql + ".begin_snapshot <= ?1 AND (" + sql + ".end_snapshot IS NULL OR " + sql +
         ".end_snapshot > ?1)";
}

Status ReadColumns(Database& database, std::int64_t snapshot, LakeTable& table) {
  static const std::string kSql =
      "SELECT c.column_id, c.column_name, c.column_type, c.nulls_allowed, c.parent_column, "
      "(SELECT min(v.begin_snapshot) FROM ducklake_column v WHERE v.table_id = c.table_id AND "
      "v.column_id = c.column_id) FROM ducklake_column c WHERE c.table_id = ?2 AND " +
      At("c") + " ORDER BY c.column_order";
  LAMINA_ASSIGN(Statement read, database.Prepare(kSql));
  read.Bind(1, snapshot).Bind(2, table.table_id);
  for (;;) {
    LAMINA_ASSIGN(const bool row, read.Step());
    if (!row) return Ok();
    if (!read.IsNull(4)) {  // the element of a list
      const bool known = !table.columns.empty() && read.Text(2) == "int32" &&
                         table.columns.back().type == LakeType::kInt32List &&
                         table.columns.back().column_id == read.Int(4);
      if (!known)
        return Unsupported("table " + table.name + " has a nested column that is no list of int32");
      continue;
    }
    LakeColumn column;
    column.column_id = read.Int(0);
    column.name = read.Text(1);
    Result<LakeType> type = table::LakeTypeFromName(read.Text(2));
    if (!type.ok()) return std::move(type).error().With("column " + table.name + "." + column.name);
    column.type = *type;
    column.nullable = read.Int(3) != 0;
    column.begin_snapshot = read.Int(5);
    table.columns.push_back(std::move(column));
  }
}

Status ReadPartitions(Database& database, std::int64_t snapshot, LakeTable& table) {
  static const std::string kSql =
      "SELECT i.partition_id, c.column_id, c.transform FROM ducklake_partition_info i JOIN "
      "ducklake_partition_column c ON c.partition_id = i.partition_id AND c.table_id = i.table_id "
      "WHERE i.table_id = ?2 AND " +
      At("i") + " ORDER BY c.partition_key_index";
  LAMINA_ASSIGN(Statement read, database.Prepare(kSql));
  read.Bind(1, snapshot).Bind(2, table.table_id);
  for (;;) {
    LAMINA_ASSIGN(const bool row, read.Step());
    if (!row) return Ok();
    if (read.Text(2) != "identity")
      return Unsupported("table " + table.name + " is partitioned by " + std::string(read.Text(2)));
    table.partition_id = read.Int(0);
    table.partition_columns.push_back(read.Int(1));
  }
}

// Only the leading plain ascending columns: what an order by them guarantees.
Status ReadSortColumns(Database& database, std::int64_t snapshot, LakeTable& table) {
  static const std::string kSql =
      "SELECT e.expression, e.sort_direction, e.null_order FROM ducklake_sort_info i JOIN "
      "ducklake_sort_expression e ON e.sort_id = i.sort_id AND e.table_id = i.table_id WHERE "
      "i.table_id = ?2 AND " +
      At("i") + " ORDER BY e.sort_key_index";
  LAMINA_ASSIGN(Statement read, database.Prepare(kSql));
  read.Bind(1, snapshot).Bind(2, table.table_id);
  for (;;) {
    LAMINA_ASSIGN(const bool row, read.Step());
    if (!row) return Ok();
    const std::optional<std::string> column = ColumnOfSortExpression(read.Text(0));
    const bool known =
        column && std::any_of(table.columns.begin(), table.columns.end(),
                              [&](const LakeColumn& c) { return c.name == *column; });
    if (!known || read.Text(1) != "ASC" || read.Text(2) != "NULLS_LAST") return Ok();
    table.sorted_by.push_back(*column);
  }
}

Result<std::vector<LakeTable>> ReadTables(Database& database, std::int64_t snapshot,
                                          std::optional<std::string_view> schema,
                                          std::optional<std::string_view> name) {
  static const std::string kSql =
      "SELECT t.table_id, s.schema_name, t.table_name, s.path || t.path, t.begin_snapshot, "
      "s.path_is_relative AND t.path_is_relative FROM ducklake_table t JOIN ducklake_schema s ON "
      "s.schema_id = t.schema_id WHERE " +
      At("t") + " AND " + At("s") +
      " AND (?2 IS NULL OR s.schema_name = ?2) AND (?3 IS NULL OR t.table_name = ?3) "
      "ORDER BY t.table_id";
  std::vector<LakeTable> tables;
  LAMINA_ASSIGN(Statement read, database.Prepare(kSql));
  read.Bind(1, snapshot).Bind(2, schema).Bind(3, name);
  for (;;) {
    LAMINA_ASSIGN(const bool row, read.Step());
    if (!row) break;
    LakeTable table;
    table.table_id = read.Int(0);
    table.schema = read.Text(1);
    table.name = read.Text(2);
    table.directory = read.Text(3);
    table.begin_snapshot = read.Int(4);
    if (read.Int(5) == 0) return Unsupported("table " + table.name + " lies outside the lake");
    tables.push_back(std::move(table));
  }
  for (LakeTable& table : tables) {
    LAMINA_TRY(ReadColumns(database, snapshot, table));
    LAMINA_TRY(ReadPartitions(database, snapshot, table));
    LAMINA_TRY(ReadSortColumns(database, snapshot, table));
  }
  return tables;
}

}  // namespace

Result<std::int64_t> LakeReader::LatestSnapshot() {
  LAMINA_ASSIGN(Statement read,
                database_->Prepare(
                    "SELECT snapshot_id FROM ducklake_snapshot ORDER BY snapshot_id DESC LIMIT 1"));
  LAMINA_ASSIGN(const bool found, read.Step());
  if (!found) return Corruption("the lake has no snapshot");
  return read.Int(0);
}

Result<std::vector<LakeSnapshot>> LakeReader::Snapshots() {
  LAMINA_ASSIGN(
      Statement read,
      database_->Prepare("SELECT s.snapshot_id, s.snapshot_time, s.schema_version, c.changes_made, "
                         "c.author, c.commit_message FROM ducklake_snapshot s LEFT JOIN "
                         "ducklake_snapshot_changes c ON c.snapshot_id = s.snapshot_id "
                         "ORDER BY s.snapshot_id"));
  std::vector<LakeSnapshot> snapshots;
  for (;;) {
    LAMINA_ASSIGN(const bool row, read.Step());
    if (!row) return snapshots;
    LakeSnapshot snapshot;
    snapshot.snapshot_id = read.Int(0);
    Result<Micros> time = ParseTime(read.Text(1));
    if (!time.ok())
      return Corruption("lake snapshot " + std::to_string(snapshot.snapshot_id) +
                        " has the time '" + std::string(read.Text(1)) + "'");
    snapshot.time = *time;
    snapshot.schema_version = read.Int(2);
    snapshot.changes = read.Text(3);
    snapshot.author = read.Text(4);
    snapshot.message = read.Text(5);
    snapshots.push_back(std::move(snapshot));
  }
}

Result<std::int64_t> LakeReader::SnapshotAt(Micros time) {
  // The texts sort as the times do: '+' before '.' before digits, and trailing zeros are cut.
  LAMINA_ASSIGN(Statement read,
                database_->Prepare("SELECT snapshot_id FROM ducklake_snapshot WHERE snapshot_time "
                                   "<= ?1 ORDER BY snapshot_id DESC LIMIT 1"));
  const std::string text = FormatLakeTime(time);
  read.Bind(1, text);
  LAMINA_ASSIGN(const bool found, read.Step());
  if (!found) return NotFound("the lake has no snapshot at or before " + text);
  const std::int64_t snapshot = read.Int(0);
  // Ids are given without gaps: where the next one is missing, it and when it came are forgotten.
  LAMINA_ASSIGN(Statement next,
                database_->Prepare("SELECT max(snapshot_id), max(snapshot_id = ?1 + 1) FROM "
                                   "ducklake_snapshot WHERE snapshot_id > ?1"));
  LAMINA_ASSIGN(const bool row, next.Bind(1, snapshot).Step());
  if (!row || next.IsNull(0) || next.Int(1) != 0) return snapshot;
  return NotFound("the snapshot of " + text + " has expired; kept ones: `lamina snapshots`");
}

Status LakeReader::CheckSnapshot(std::int64_t snapshot) {
  LAMINA_ASSIGN(Statement find,
                database_->Prepare("SELECT 1 FROM ducklake_snapshot WHERE snapshot_id = ?1"));
  LAMINA_ASSIGN(const bool present, find.Bind(1, snapshot).Step());
  if (present) return Ok();
  LAMINA_ASSIGN(const std::int64_t latest, LatestSnapshot());
  if (snapshot < 0 || snapshot > latest) {
    return NotFound("no snapshot " + std::to_string(snapshot) + " in this store; the latest is " +
                    std::to_string(latest));
  }
  return NotFound("snapshot " + std::to_string(snapshot) +
                  " has expired; kept ones: `lamina snapshots`");
}

Result<std::vector<LakeTable>> LakeReader::Tables(std::int64_t snapshot) {
  return ReadTables(*database_, snapshot, {}, {});
}

Result<LakeTable> LakeReader::FindTable(std::string_view schema, std::string_view name,
                                        std::int64_t snapshot) {
  LAMINA_ASSIGN(std::vector<LakeTable> tables, ReadTables(*database_, snapshot, schema, name));
  if (tables.empty())
    return NotFound("the lake has no table " + std::string(schema) + "." + std::string(name) +
                    " at snapshot " + std::to_string(snapshot));
  return std::move(tables.front());
}

}  // namespace lamina::catalog
