#include <algorithm>
#include <string>
#include <utility>

#include "lamina/base/uuid.h"
#include "lamina/catalog/lake.h"
#include "lamina/catalog/lake_names.h"

namespace lamina::catalog {
namespace {

using table::LakeType;

// Only a change that waits for COMMIT of this transaction is at `snapshot_id`.
constexpr const char* kLiveSchema =
    "SELECT schema_id, path FROM ducklake_schema "
    "WHERE schema_name = ?1 AND end_snapshot IS NULL AND path_is_relative = 1";

struct SchemaRow {
  std::int64_t schema_id = 0;
  std::string path;
};

Result<SchemaRow> FindSchema(Database& database, std::string_view name) {
  LAMINA_ASSIGN(Statement find, database.Prepare(kLiveSchema));
  find.Bind(1, name);
  LAMINA_ASSIGN(const bool found, find.Step());
  if (!found) return NotFound("lake has no schema '" + std::string(name) + "'");
  return SchemaRow{find.Int(0), std::string(find.Text(1))};
}

// Tables and views share one name space, without regard to case.
Status CheckNameIsFree(Database& database, std::int64_t schema_id, std::string_view name) {
  LAMINA_ASSIGN(Statement find,
                database.Prepare("SELECT 1 FROM ducklake_table WHERE schema_id = ?1 AND "
                                 "lower(table_name) = lower(?2) AND end_snapshot IS NULL "
                                 "UNION ALL SELECT 1 FROM ducklake_view WHERE schema_id = ?1 AND "
                                 "lower(view_name) = lower(?2) AND end_snapshot IS NULL"));
  find.Bind(1, schema_id).Bind(2, name);
  LAMINA_ASSIGN(const bool taken, find.Step());
  if (taken) return AlreadyExists("the lake has '" + std::string(name) + "' already");
  return Ok();
}

Status CheckColumns(const std::vector<LakeColumn>& columns) {
  if (columns.empty()) return InvalidArgument("a lake table needs a column");
  std::vector<std::string> names;
  for (const LakeColumn& column : columns) {
    LAMINA_TRY(CheckColumnName(column.name));
    names.push_back(LowerAscii(column.name));
  }
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice != names.end()) return InvalidArgument("column '" + *twice + "' is there twice");
  return Ok();
}

Status PutColumnRow(Database& database, std::int64_t table_id, std::int64_t column_id,
                    std::int64_t snapshot_id, std::string_view name, std::string_view type,
                    bool nullable, std::optional<std::int64_t> parent) {
  LAMINA_ASSIGN(Statement insert,
                database.Prepare("INSERT INTO ducklake_column VALUES(?1,?2,NULL,?3,?1,?4,?5,NULL,"
                                 "'NULL',?6,?7,?8,'duckdb')"));
  insert.Bind(1, column_id).Bind(2, snapshot_id).Bind(3, table_id).Bind(4, name).Bind(5, type);
  insert.Bind(6, std::int64_t{nullable}).Bind(7, parent);
  insert.Bind(8, type == "list" ? "" : "literal");
  return insert.Run();
}

Status PutColumn(Database& database, std::int64_t table_id, std::int64_t snapshot_id,
                 const LakeColumn& column) {
  LAMINA_TRY(PutColumnRow(database, table_id, column.column_id, snapshot_id, column.name,
                          table::LakeTypeName(column.type), column.nullable, {}));
  if (column.type != LakeType::kInt32List) return Ok();
  return PutColumnRow(database, table_id, column.column_id + 1, snapshot_id, "element",
                      table::LakeTypeName(LakeType::kInt32), true, column.column_id);
}

Result<std::int64_t> IdOfColumn(const std::vector<LakeColumn>& columns, std::string_view name) {
  for (const LakeColumn& column : columns)
    if (column.name == name) return column.column_id;
  return InvalidArgument("the table has no column '" + std::string(name) + "'");
}

Status PutPartitions(Database& database, std::int64_t snapshot_id, const LakeTable& table) {
  LAMINA_ASSIGN(Statement info,
                database.Prepare("INSERT INTO ducklake_partition_info VALUES(?1,?2,?3,NULL)"));
  info.Bind(1, *table.partition_id).Bind(2, table.table_id).Bind(3, snapshot_id);
  LAMINA_TRY(info.Run());
  LAMINA_ASSIGN(
      Statement column,
      database.Prepare("INSERT INTO ducklake_partition_column VALUES(?1,?2,?3,?4,'identity')"));
  std::int64_t key = 0;
  for (const std::int64_t column_id : table.partition_columns) {
    column.Bind(1, *table.partition_id).Bind(2, table.table_id).Bind(3, key++).Bind(4, column_id);
    LAMINA_TRY(column.Run());
  }
  return Ok();
}

Status PutSortColumns(Database& database, std::int64_t snapshot_id, std::int64_t sort_id,
                      const LakeTable& table) {
  LAMINA_ASSIGN(Statement info,
                database.Prepare("INSERT INTO ducklake_sort_info VALUES(?1,?2,?3,NULL)"));
  info.Bind(1, sort_id).Bind(2, table.table_id).Bind(3, snapshot_id);
  LAMINA_TRY(info.Run());
  LAMINA_ASSIGN(Statement key, database.Prepare("INSERT INTO ducklake_sort_expression "
                                                "VALUES(?1,?2,?3,?4,'duckdb','ASC','NULLS_LAST')"));
  std::int64_t index = 0;
  for (const std::string& name : table.sorted_by) {
    key.Bind(1, sort_id).Bind(2, table.table_id).Bind(3, index++).Bind(4, SortExpression(name));
    LAMINA_TRY(key.Run());
  }
  return Ok();
}

}  // namespace

Result<LakeWriter> LakeWriter::Begin(Database& database) {
  LAMINA_CHECK(database.in_transaction());
  LAMINA_ASSIGN(
      Statement last,
      database.Prepare("SELECT snapshot_id, schema_version, next_catalog_id, next_file_id "
                       "FROM ducklake_snapshot ORDER BY snapshot_id DESC LIMIT 1"));
  LAMINA_ASSIGN(const bool found, last.Step());
  if (!found) return Corruption("the lake has no snapshot");
  LakeWriter writer(database);
  writer.snapshot_id_ = last.Int(0) + 1;
  writer.schema_version_ = last.Int(1);
  writer.next_catalog_id_ = last.Int(2);
  writer.next_file_id_ = last.Int(3);
  return writer;
}

void LakeWriter::AddChange(std::string change) {
  if (std::find(changes_.begin(), changes_.end(), change) == changes_.end())
    changes_.push_back(std::move(change));
}

// Every snapshot that changes a schema has the next schema version; without the row per table the
// extension cannot merge files of the table.
Status LakeWriter::ChangeTableSchema(std::int64_t table_id) {
  schema_changed_ = true;
  LAMINA_ASSIGN(
      Statement insert,
      database_->Prepare("INSERT INTO ducklake_schema_versions SELECT ?1, ?2, ?3 WHERE NOT "
                         "EXISTS(SELECT 1 FROM ducklake_schema_versions WHERE "
                         "begin_snapshot = ?1 AND table_id = ?3)"));
  insert.Bind(1, snapshot_id_).Bind(2, schema_version_ + 1).Bind(3, table_id);
  return insert.Run();
}

Result<std::int64_t> LakeWriter::CreateSchema(std::string_view name) {
  LAMINA_TRY(CheckObjectName(name));
  LAMINA_ASSIGN(Statement find,
                database_->Prepare("SELECT 1 FROM ducklake_schema WHERE lower(schema_name) = "
                                   "lower(?1) AND end_snapshot IS NULL"));
  find.Bind(1, name);
  LAMINA_ASSIGN(const bool taken, find.Step());
  if (taken) return AlreadyExists("the lake has schema '" + std::string(name) + "' already");
  const std::int64_t schema_id = next_catalog_id_++;
  const std::string uuid = RandomUuid4().ToString();
  LAMINA_ASSIGN(Statement insert,
                database_->Prepare("INSERT INTO ducklake_schema VALUES(?1,?2,?3,NULL,?4,?5,1)"));
  insert.Bind(1, schema_id).Bind(2, uuid).Bind(3, snapshot_id_).Bind(4, name);
  insert.Bind(5, FolderOf(name, uuid));
  LAMINA_TRY(insert.Run());
  schema_changed_ = true;
  AddChange("created_schema:" + QuoteIdentifier(name));
  return schema_id;
}

Result<LakeTable> LakeWriter::CreateTable(std::string_view schema, std::string_view name,
                                          std::vector<LakeColumn> columns,
                                          const std::vector<std::string>& partition_by,
                                          const std::vector<std::string>& sorted_by) {
  LAMINA_TRY(CheckObjectName(name));
  LAMINA_TRY(CheckColumns(columns));
  LAMINA_ASSIGN(const SchemaRow parent, FindSchema(*database_, schema));
  LAMINA_TRY(CheckNameIsFree(*database_, parent.schema_id, name));

  LakeTable table;
  table.table_id = next_catalog_id_++;
  table.schema = schema;
  table.name = name;
  table.begin_snapshot = snapshot_id_;
  std::int64_t next_column_id = 1;
  for (LakeColumn& column : columns) {
    column.column_id = next_column_id;
    column.begin_snapshot = snapshot_id_;
    next_column_id += column.type == LakeType::kInt32List ? 2 : 1;
  }
  table.columns = std::move(columns);
  for (const std::string& key : partition_by) {
    LAMINA_ASSIGN(const std::int64_t id, IdOfColumn(table.columns, key));
    table.partition_columns.push_back(id);
  }
  for (const std::string& key : sorted_by) {
    LAMINA_TRY(IdOfColumn(table.columns, key));
    table.sorted_by.push_back(key);
  }

  const std::string uuid = RandomUuid4().ToString();
  const std::string folder = FolderOf(name, uuid);
  table.directory = parent.path + folder;
  LAMINA_ASSIGN(Statement insert,
                database_->Prepare("INSERT INTO ducklake_table VALUES(?1,?2,?3,NULL,?4,?5,?6,1)"));
  insert.Bind(1, table.table_id).Bind(2, uuid).Bind(3, snapshot_id_).Bind(4, parent.schema_id);
  insert.Bind(5, name).Bind(6, folder);
  LAMINA_TRY(insert.Run());
  for (const LakeColumn& column : table.columns)
    LAMINA_TRY(PutColumn(*database_, table.table_id, snapshot_id_, column));
  if (!table.partition_columns.empty()) {
    table.partition_id = next_catalog_id_++;
    LAMINA_TRY(PutPartitions(*database_, snapshot_id_, table));
  }
  if (!table.sorted_by.empty())
    LAMINA_TRY(PutSortColumns(*database_, snapshot_id_, next_catalog_id_++, table));
  LAMINA_TRY(ChangeTableSchema(table.table_id));
  AddChange("created_table:" + QuoteIdentifier(schema) + "." + QuoteIdentifier(name));
  return table;
}

Status LakeWriter::CreateView(std::string_view schema, std::string_view name, std::string_view sql,
                              const std::vector<std::string>& column_aliases) {
  LAMINA_TRY(CheckObjectName(name));
  LAMINA_ASSIGN(const SchemaRow parent, FindSchema(*database_, schema));
  LAMINA_TRY(CheckNameIsFree(*database_, parent.schema_id, name));
  std::string aliases;  // the extension parses NULL as a broken list: none is ""
  for (const std::string& alias : column_aliases) {
    if (!aliases.empty()) aliases += ',';
    aliases += QuoteIdentifier(alias);
  }
  LAMINA_ASSIGN(
      Statement insert,
      database_->Prepare("INSERT INTO ducklake_view VALUES(?1,?2,?3,NULL,?4,?5,'duckdb',?6,?7)"));
  insert.Bind(1, next_catalog_id_++).Bind(2, RandomUuid4().ToString()).Bind(3, snapshot_id_);
  insert.Bind(4, parent.schema_id).Bind(5, name).Bind(6, sql).Bind(7, aliases);
  LAMINA_TRY(insert.Run());
  schema_changed_ = true;
  AddChange("created_view:" + QuoteIdentifier(schema) + "." + QuoteIdentifier(name));
  return Ok();
}

Status LakeWriter::AddColumn(std::int64_t table_id, const LakeColumn& column) {
  LAMINA_TRY(CheckColumnName(column.name));
  if (!column.nullable)
    return InvalidArgument("added column '" + column.name + "' must allow NULL");
  LAMINA_ASSIGN(Statement table,
                database_->Prepare(
                    "SELECT 1 FROM ducklake_table WHERE table_id = ?1 AND end_snapshot IS NULL"));
  table.Bind(1, table_id);
  LAMINA_ASSIGN(const bool found, table.Step());
  if (!found) return NotFound("the lake has no table " + std::to_string(table_id));
  LAMINA_ASSIGN(Statement taken,
                database_->Prepare("SELECT max(column_id), max(parent_column IS NULL AND "
                                   "end_snapshot IS NULL AND lower(column_name) = lower(?2)) "
                                   "FROM ducklake_column WHERE table_id = ?1"));
  taken.Bind(1, table_id).Bind(2, column.name);
  LAMINA_TRY(taken.Step());
  if (taken.Int(1) != 0) return AlreadyExists("the table has column '" + column.name + "' already");
  LakeColumn added = column;
  added.column_id = taken.Int(0) + 1;
  taken.Reset();
  LAMINA_TRY(PutColumn(*database_, table_id, snapshot_id_, added));
  LAMINA_TRY(ChangeTableSchema(table_id));
  AddChange("altered_table:" + std::to_string(table_id));
  return Ok();
}

Status LakeWriter::Finish(Micros now, std::string_view author, std::string_view message,
                          std::string_view extra_info) {
  // Times never go back, whatever the clock does; the texts sort as the times do.
  std::string time = FormatLakeTime(now);
  LAMINA_ASSIGN(Statement last, database_->Prepare("SELECT snapshot_time FROM ducklake_snapshot "
                                                   "ORDER BY snapshot_id DESC LIMIT 1"));
  LAMINA_ASSIGN(const bool found, last.Step());
  if (found && last.Text(0) > time) time = last.Text(0);
  last.Reset();
  LAMINA_ASSIGN(Statement snapshot,
                database_->Prepare("INSERT INTO ducklake_snapshot VALUES(?1,?2,?3,?4,?5)"));
  snapshot.Bind(1, snapshot_id_).Bind(2, time).Bind(3, schema_version_ + (schema_changed_ ? 1 : 0));
  snapshot.Bind(4, next_catalog_id_).Bind(5, next_file_id_);
  LAMINA_TRY(snapshot.Run());
  std::string changes;
  for (const std::string& change : changes_) {
    if (!changes.empty()) changes += ',';
    changes += change;
  }
  LAMINA_ASSIGN(Statement insert,
                database_->Prepare("INSERT INTO ducklake_snapshot_changes VALUES(?1,?2,?3,?4,?5)"));
  insert.Bind(1, snapshot_id_).Bind(2, changes).Bind(3, author).Bind(4, message);
  if (extra_info.empty()) insert.BindNull(5);
  if (!extra_info.empty()) insert.Bind(5, extra_info);
  return insert.Run();
}

}  // namespace lamina::catalog
