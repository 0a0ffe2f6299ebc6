#include <algorithm>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>

#include "lamina/catalog/lake.h"
#include "lamina/catalog/lake_value.h"

namespace lamina::catalog {
namespace {

using table::ColumnStatistics;
using table::LakeType;

// A column as a Parquet file has it: of a list, its elements.
struct Leaf {
  std::string name;
  LakeType type = LakeType::kVarchar;
  bool required = false;
};

struct TableFacts {
  std::string directory;
  std::map<std::int64_t, Leaf> leaves;  // by column id
  std::optional<std::int64_t> partition_id;
  std::vector<std::int64_t> partition_columns;
};

Result<std::string> LiveDirectory(Database& database, std::int64_t table_id) {
  LAMINA_ASSIGN(Statement find,
                database.Prepare("SELECT s.path || t.path FROM ducklake_table t JOIN "
                                 "ducklake_schema s ON s.schema_id = t.schema_id WHERE "
                                 "t.table_id = ?1 AND t.end_snapshot IS NULL AND "
                                 "t.path_is_relative = 1 AND s.path_is_relative = 1"));
  find.Bind(1, table_id);
  LAMINA_ASSIGN(const bool found, find.Step());
  if (!found) return NotFound("the lake has no table " + std::to_string(table_id));
  return std::string(find.Text(0));
}

Result<TableFacts> ReadFacts(Database& database, std::int64_t table_id) {
  TableFacts facts;
  LAMINA_ASSIGN(facts.directory, LiveDirectory(database, table_id));
  LAMINA_ASSIGN(Statement columns,
                database.Prepare("SELECT column_id, column_name, column_type, nulls_allowed FROM "
                                 "ducklake_column WHERE table_id = ?1 AND end_snapshot IS NULL"));
  columns.Bind(1, table_id);
  for (;;) {
    LAMINA_ASSIGN(const bool row, columns.Step());
    if (!row) break;
    if (columns.Text(2) == "list") continue;
    LAMINA_ASSIGN(const LakeType type, table::LakeTypeFromName(columns.Text(2)));
    facts.leaves[columns.Int(0)] = Leaf{std::string(columns.Text(1)), type, columns.Int(3) == 0};
  }
  LAMINA_ASSIGN(Statement keys,
                database.Prepare("SELECT i.partition_id, c.column_id, c.transform FROM "
                                 "ducklake_partition_info i JOIN ducklake_partition_column c ON "
                                 "c.partition_id = i.partition_id AND c.table_id = i.table_id "
                                 "WHERE i.table_id = ?1 AND i.end_snapshot IS NULL "
                                 "ORDER BY c.partition_key_index"));
  keys.Bind(1, table_id);
  for (;;) {
    LAMINA_ASSIGN(const bool row, keys.Step());
    if (!row) break;
    if (keys.Text(2) != "identity")
      return Unsupported("partition transform '" + std::string(keys.Text(2)) + "'");
    facts.partition_id = keys.Int(0);
    facts.partition_columns.push_back(keys.Int(1));
  }
  return facts;
}

// An identity partition whose value is not that of its rows loses them in every filtered read.
Status CheckPartitionValue(const Leaf& leaf, const ColumnStatistics& column, std::string_view value,
                           std::string_view path) {
  const std::optional<LakeValue> parsed = LakeValue::Parse(leaf.type, value);
  bool fits = parsed && column.null_count == 0;
  for (const std::optional<std::string>* bound : {&column.min_value, &column.max_value}) {
    if (!fits || !*bound) continue;
    const std::optional<LakeValue> real = LakeValue::Parse(leaf.type, **bound);
    fits = !real || real->Compare(*parsed) == std::strong_ordering::equal;
  }
  if (fits) return Ok();
  return InvalidArgument("rows of " + std::string(path) + " are not all of partition " + leaf.name +
                         "=" + std::string(value));
}

Status CheckFile(const TableFacts& facts, const NewLakeFile& file) {
  if (!file.path.starts_with(facts.directory) || file.path.size() == facts.directory.size() ||
      file.path.find("/../") != std::string::npos)
    return InvalidArgument(file.path + " is not in the table's folder " + facts.directory);
  if (file.partition_values.size() != facts.partition_columns.size())
    return InvalidArgument(file.path + " has " + std::to_string(file.partition_values.size()) +
                           " partition values, not " +
                           std::to_string(facts.partition_columns.size()));
  std::map<std::int64_t, const ColumnStatistics*> present;
  for (const ColumnStatistics& column : file.written.columns) {
    if (!facts.leaves.contains(column.field_id))
      return InvalidArgument(file.path + " has field id " + std::to_string(column.field_id) +
                             " that is no column of the table");
    if (!present.emplace(column.field_id, &column).second)
      return InvalidArgument(file.path + " has field id " + std::to_string(column.field_id) +
                             " twice");
  }
  for (const auto& [column_id, leaf] : facts.leaves) {
    const auto column = present.find(column_id);
    if (column == present.end() && leaf.required)
      return InvalidArgument(file.path + " lacks the required column " + leaf.name);
    if (column != present.end() && leaf.required && column->second->null_count > 0)
      return InvalidArgument(file.path + " has NULL in the required column " + leaf.name);
  }
  for (std::size_t key = 0; key < facts.partition_columns.size(); ++key) {
    const std::int64_t column_id = facts.partition_columns[key];
    const auto column = present.find(column_id);
    if (column == present.end()) return InvalidArgument(file.path + " lacks the partition column");
    LAMINA_TRY(CheckPartitionValue(facts.leaves.at(column_id), *column->second,
                                   file.partition_values[key], file.path));
  }
  return Ok();
}

// What ducklake_table_column_stats says of one column. DuckDB answers min and max of a table
// without live delete files from it, so bounds are exact (not those of the files, which are wider)
// or unknown, and once unknown they stay so until a file leaves the table. A column has no row
// before its first value. (DuckDB's own inserts take an unknown bound for none and write that of
// the new rows in its place: so bounds are kept known where they can be.)
struct ColumnSummary {
  bool stored = false, changed = false;
  bool contains_null = false;
  std::optional<bool> contains_nan;
  std::optional<std::string> min_value, max_value;
};

void WidenBound(LakeType type, const std::optional<std::string>& value, bool is_min,
                std::optional<std::string>& bound) {
  if (!bound) return;
  const auto now = LakeValue::Parse(type, *bound);
  const auto next = value ? LakeValue::Parse(type, *value) : std::nullopt;
  if (!now || !next) {
    bound.reset();
    return;
  }
  const std::strong_ordering order = next->Compare(*now);
  if (is_min ? order < 0 : order > 0) bound = value;
}

void Widen(LakeType type, const ColumnStatistics& column, bool rows_before,
           ColumnSummary& summary) {
  if (!summary.stored && !summary.changed) {
    if (column.value_count == 0) return;
    summary = ColumnSummary{.changed = true,
                            .contains_null = rows_before || column.null_count > 0,
                            .contains_nan = column.contains_nan,
                            .min_value = column.min_value,
                            .max_value = column.max_value};
    return;
  }
  const ColumnSummary before = summary;
  summary.contains_null = summary.contains_null || column.null_count > 0;
  if (column.value_count > 0) {
    WidenBound(type, column.min_value, true, summary.min_value);
    WidenBound(type, column.max_value, false, summary.max_value);
    if (!column.contains_nan) {
      summary.contains_nan.reset();
    } else if (summary.contains_nan) {
      summary.contains_nan = *summary.contains_nan || *column.contains_nan;
    }
  }
  summary.changed = summary.changed || before.contains_null != summary.contains_null ||
                    before.contains_nan != summary.contains_nan ||
                    before.min_value != summary.min_value || before.max_value != summary.max_value;
}

using Summaries = std::unordered_map<std::int64_t, ColumnSummary>;

std::optional<std::int64_t> AsInt(std::optional<bool> flag) {
  if (!flag) return std::nullopt;
  return std::int64_t{*flag};
}

Result<Summaries> ReadSummaries(Database& database, std::int64_t table_id) {
  Summaries summaries;
  LAMINA_ASSIGN(Statement read,
                database.Prepare("SELECT column_id, contains_null, contains_nan, min_value, "
                                 "max_value FROM ducklake_table_column_stats WHERE table_id = ?1"));
  read.Bind(1, table_id);
  for (;;) {
    LAMINA_ASSIGN(const bool row, read.Step());
    if (!row) break;
    ColumnSummary& summary = summaries[read.Int(0)];
    summary.stored = true;
    summary.contains_null = read.IsNull(1) || read.Int(1) != 0;
    if (!read.IsNull(2)) summary.contains_nan = read.Int(2) != 0;
    summary.min_value = read.OptionalText(3);
    summary.max_value = read.OptionalText(4);
  }
  return summaries;
}

Status WriteSummaries(Database& database, std::int64_t table_id, const Summaries& summaries) {
  LAMINA_ASSIGN(Statement write,
                database.Prepare("INSERT INTO ducklake_table_column_stats "
                                 "VALUES(?1,?2,?3,?4,?5,?6,NULL) ON CONFLICT(table_id, column_id) "
                                 "DO UPDATE SET contains_null = ?3, contains_nan = ?4, "
                                 "min_value = ?5, max_value = ?6"));
  for (const auto& [column_id, summary] : summaries) {
    if (!summary.changed) continue;
    write.Bind(1, table_id).Bind(2, column_id).Bind(3, std::int64_t{summary.contains_null});
    write.Bind(4, AsInt(summary.contains_nan)).Bind(5, summary.min_value);
    write.Bind(6, summary.max_value);
    LAMINA_TRY(write.Run());
  }
  return Ok();
}

/// The bounds of all values of some files, one after the other.
struct FoundBounds {
  bool any = false;
  std::optional<std::string> min_value, max_value;

  void Add(LakeType type, const std::optional<std::string>& low,
           const std::optional<std::string>& high) {
    if (!std::exchange(any, true)) {
      min_value = low;
      max_value = high;
      return;
    }
    WidenBound(type, low, true, min_value);
    WidenBound(type, high, false, max_value);
  }
};

/// Bounds of the table after files have left: those of the live files. Files' bounds of doubles are
/// wider than their values, so the table's become unknown. A column without a value has no row.
Status NarrowBounds(Database& database, std::int64_t table_id) {
  LAMINA_ASSIGN(const TableFacts facts, ReadFacts(database, table_id));
  LAMINA_ASSIGN(Statement read,
                database.Prepare("SELECT s.column_id, s.min_value, s.max_value "
                                 "FROM ducklake_data_file f JOIN ducklake_file_column_stats s "
                                 "ON s.data_file_id = f.data_file_id WHERE f.table_id = ?1 "
                                 "AND f.end_snapshot IS NULL AND s.value_count > 0"));
  read.Bind(1, table_id);
  std::unordered_map<std::int64_t, FoundBounds> found;
  for (;;) {
    LAMINA_ASSIGN(const bool row, read.Step());
    if (!row) break;
    const auto leaf = facts.leaves.find(read.Int(0));
    if (leaf == facts.leaves.end()) continue;
    found[read.Int(0)].Add(leaf->second.type, read.OptionalText(1), read.OptionalText(2));
  }
  LAMINA_ASSIGN(Summaries summaries, ReadSummaries(database, table_id));
  LAMINA_ASSIGN(Statement drop, database.Prepare("DELETE FROM ducklake_table_column_stats WHERE "
                                                 "table_id = ?1 AND column_id = ?2"));
  for (auto& [column_id, summary] : summaries) {
    const FoundBounds& bounds = found[column_id];
    const auto leaf = facts.leaves.find(column_id);
    if (!bounds.any) {
      LAMINA_TRY(drop.Bind(1, table_id).Bind(2, column_id).Run());
      continue;
    }
    const bool exact = leaf != facts.leaves.end() && leaf->second.type != LakeType::kDouble;
    summary.min_value = exact ? bounds.min_value : std::nullopt;
    summary.max_value = exact ? bounds.max_value : std::nullopt;
    summary.changed = true;
  }
  return WriteSummaries(database, table_id, summaries);
}

struct TableTotals {
  std::int64_t rows = 0, next_row_id = 0, bytes = 0;
};

Result<TableTotals> ReadTotals(Database& database, std::int64_t table_id) {
  LAMINA_ASSIGN(Statement read,
                database.Prepare("SELECT record_count, next_row_id, file_size_bytes FROM "
                                 "ducklake_table_stats WHERE table_id = ?1"));
  read.Bind(1, table_id);
  LAMINA_ASSIGN(const bool found, read.Step());
  if (!found) return TableTotals{};
  return TableTotals{read.Int(0), read.Int(1), read.Int(2)};
}

Status WriteTotals(Database& database, std::int64_t table_id, const TableTotals& totals) {
  LAMINA_ASSIGN(Statement write,
                database.Prepare("INSERT INTO ducklake_table_stats VALUES(?1,?2,?3,?4) "
                                 "ON CONFLICT(table_id) DO UPDATE SET record_count = ?2, "
                                 "next_row_id = ?3, file_size_bytes = ?4"));
  write.Bind(1, table_id).Bind(2, totals.rows).Bind(3, totals.next_row_id);
  write.Bind(4, totals.bytes);
  return write.Run();
}

Status PutChecksums(Database& database, std::int64_t file_id, const NewLakeFile& file) {
  LAMINA_ASSIGN(Statement insert,
                database.Prepare("INSERT INTO lake_file(file_id, footer_crc32c, file_crc32c) "
                                 "VALUES(?1, ?2, ?3)"));
  insert.Bind(1, file_id).Bind(2, std::int64_t{file.written.footer_crc32c});
  return insert.Bind(3, file.file_crc32c).Run();
}

Status PutFileStatistics(Database& database, std::int64_t file_id, std::int64_t table_id,
                         const std::vector<ColumnStatistics>& columns) {
  LAMINA_ASSIGN(Statement insert, database.Prepare("INSERT INTO ducklake_file_column_stats "
                                                   "VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,NULL)"));
  for (const ColumnStatistics& column : columns) {
    insert.Bind(1, file_id).Bind(2, table_id).Bind(3, std::int64_t{column.field_id});
    insert.Bind(4, column.size_bytes).Bind(5, column.value_count).Bind(6, column.null_count);
    insert.Bind(7, column.min_value).Bind(8, column.max_value);
    insert.Bind(9, AsInt(column.contains_nan));
    LAMINA_TRY(insert.Run());
  }
  return Ok();
}

Status PutPartitionValues(Database& database, std::int64_t file_id, std::int64_t table_id,
                          const std::vector<std::string>& values) {
  if (values.empty()) return Ok();
  LAMINA_ASSIGN(Statement insert,
                database.Prepare("INSERT INTO ducklake_file_partition_value VALUES(?1,?2,?3,?4)"));
  std::int64_t key = 0;
  for (const std::string& value : values) {
    insert.Bind(1, file_id).Bind(2, table_id).Bind(3, key++).Bind(4, value);
    LAMINA_TRY(insert.Run());
  }
  return Ok();
}

/// As the catalog keeps them of a file.
std::vector<ColumnStatistics> StoredColumns(const TableFacts& facts,
                                            const table::WrittenFile& file) {
  std::vector<ColumnStatistics> columns = file.columns;
  for (ColumnStatistics& column : columns) {
    const LakeType type = facts.leaves.at(column.field_id).type;
    column.min_value = StoredBound(type, column.min_value, true);
    column.max_value = StoredBound(type, column.max_value, false);
  }
  return columns;
}

bool HasColumn(const table::WrittenFile& file, std::int64_t column_id) {
  return std::any_of(file.columns.begin(), file.columns.end(),
                     [&](const ColumnStatistics& column) { return column.field_id == column_id; });
}

}  // namespace

Result<std::vector<std::int64_t>> LakeWriter::Append(std::int64_t table_id,
                                                     const std::vector<NewLakeFile>& files) {
  std::vector<std::int64_t> ids;
  if (files.empty()) return ids;
  LAMINA_ASSIGN(const TableFacts facts, ReadFacts(*database_, table_id));
  LAMINA_ASSIGN(TableTotals totals, ReadTotals(*database_, table_id));
  LAMINA_ASSIGN(Summaries summaries, ReadSummaries(*database_, table_id));
  LAMINA_ASSIGN(Statement insert,
                database_->Prepare("INSERT INTO ducklake_data_file VALUES(?1,?2,?3,NULL,NULL,?4,1,"
                                   "'parquet',?5,?6,?7,?8,?9,NULL,NULL,NULL)"));
  for (const NewLakeFile& file : files) {
    LAMINA_TRY(CheckFile(facts, file));
    const table::WrittenFile& written = file.written;
    const std::int64_t id = next_file_id_++;
    insert.Bind(1, id).Bind(2, table_id).Bind(3, snapshot_id_);
    insert.Bind(4, std::string_view(file.path).substr(facts.directory.size()));
    insert.Bind(5, written.rows).Bind(6, written.size_bytes).Bind(7, written.footer_size);
    insert.Bind(8, totals.next_row_id).Bind(9, facts.partition_id);
    LAMINA_TRY(insert.Run());
    LAMINA_TRY(PutChecksums(*database_, id, file));
    LAMINA_TRY(PutPartitionValues(*database_, id, table_id, file.partition_values));
    const std::vector<ColumnStatistics> columns = StoredColumns(facts, written);
    LAMINA_TRY(PutFileStatistics(*database_, id, table_id, columns));
    for (const ColumnStatistics& column : written.columns)
      Widen(facts.leaves.at(column.field_id).type, column, totals.next_row_id > 0,
            summaries[column.field_id]);
    for (const auto& [column_id, leaf] : facts.leaves) {
      if (HasColumn(written, column_id)) continue;
      ColumnStatistics nulls;  // a column that the file lacks is NULL in all its rows
      nulls.null_count = written.rows;
      Widen(leaf.type, nulls, true, summaries[column_id]);
    }
    totals.rows += written.rows;
    totals.next_row_id += written.rows;
    totals.bytes += written.size_bytes;
    ids.push_back(id);
  }
  LAMINA_TRY(WriteSummaries(*database_, table_id, summaries));
  LAMINA_TRY(WriteTotals(*database_, table_id, totals));
  AddChange("inserted_into_table:" + std::to_string(table_id));
  return ids;
}

Status LakeWriter::Retire(std::int64_t table_id, const std::vector<std::int64_t>& data_file_ids) {
  if (data_file_ids.empty()) return Ok();
  LAMINA_ASSIGN(TableTotals totals, ReadTotals(*database_, table_id));
  LAMINA_ASSIGN(Statement find,
                database_->Prepare("SELECT record_count, file_size_bytes FROM ducklake_data_file "
                                   "WHERE data_file_id = ?1 AND table_id = ?2 AND end_snapshot IS "
                                   "NULL AND begin_snapshot < ?3"));
  LAMINA_ASSIGN(Statement retire, database_->Prepare("UPDATE ducklake_data_file SET end_snapshot = "
                                                     "?2 WHERE data_file_id = ?1"));
  LAMINA_ASSIGN(Statement deletes,
                database_->Prepare("UPDATE ducklake_delete_file SET end_snapshot = ?2 WHERE "
                                   "data_file_id = ?1 AND end_snapshot IS NULL"));
  for (const std::int64_t id : data_file_ids) {
    find.Bind(1, id).Bind(2, table_id).Bind(3, snapshot_id_);
    LAMINA_ASSIGN(const bool live, find.Step());
    if (!live) return Conflict("lake file " + std::to_string(id) + " is not live any more");
    totals.rows -= find.Int(0);
    totals.bytes -= find.Int(1);
    find.Reset();
    retire.Bind(1, id).Bind(2, snapshot_id_);
    LAMINA_TRY(retire.Run());
    deletes.Bind(1, id).Bind(2, snapshot_id_);
    LAMINA_TRY(deletes.Run());
  }
  LAMINA_TRY(WriteTotals(*database_, table_id, totals));
  LAMINA_TRY(NarrowBounds(*database_, table_id));
  AddChange("deleted_from_table:" + std::to_string(table_id));
  return Ok();
}

Status ForgetInexactTableBounds(Database& database) {
  for (const std::string bound : {"min_value", "max_value"}) {
    LAMINA_TRY(database.Execute(
        "UPDATE ducklake_table_column_stats AS t SET " + bound + " = NULL WHERE " + bound +
        " IS NOT NULL AND EXISTS (SELECT 1 FROM ducklake_data_file f WHERE f.table_id = t.table_id "
        "AND f.end_snapshot IS NOT NULL) AND NOT EXISTS (SELECT 1 FROM ducklake_data_file f JOIN "
        "ducklake_file_column_stats s ON s.data_file_id = f.data_file_id AND s.column_id = "
        "t.column_id WHERE f.table_id = t.table_id AND f.end_snapshot IS NULL AND s." +
        bound + " = t." + bound + ")"));
  }
  return Ok();
}

Status LakeWriter::CheckNoDeletesSince(std::int64_t snapshot,
                                       const std::vector<std::int64_t>& data_file_ids) {
  LAMINA_ASSIGN(Statement find,
                database_->Prepare("SELECT 1 FROM ducklake_delete_file WHERE data_file_id = ?1 AND "
                                   "begin_snapshot > ?2"));
  for (const std::int64_t id : data_file_ids) {
    find.Bind(1, id).Bind(2, snapshot);
    LAMINA_ASSIGN(const bool deleted, find.Step());
    if (deleted)
      return Conflict("rows of lake file " + std::to_string(id) + " were deleted meanwhile");
    find.Reset();
  }
  return Ok();
}

Status LakeWriter::DeleteRows(std::int64_t table_id, std::int64_t data_file_id,
                              const NewLakeFile& delete_file,
                              std::optional<std::int64_t> expected_deletes) {
  const std::string name = "lake file " + std::to_string(data_file_id);
  LAMINA_ASSIGN(const std::string directory, LiveDirectory(*database_, table_id));
  if (!delete_file.path.starts_with(directory))
    return InvalidArgument(delete_file.path + " is not in the table's folder " + directory);
  LAMINA_ASSIGN(Statement find,
                database_->Prepare("SELECT f.record_count, f.begin_snapshot, d.delete_file_id, "
                                   "d.begin_snapshot FROM ducklake_data_file f LEFT JOIN "
                                   "ducklake_delete_file d ON d.data_file_id = f.data_file_id AND "
                                   "d.end_snapshot IS NULL WHERE f.data_file_id = ?1 AND "
                                   "f.table_id = ?2 AND f.end_snapshot IS NULL"));
  find.Bind(1, data_file_id).Bind(2, table_id);
  LAMINA_ASSIGN(const bool live, find.Step());
  if (!live) return Conflict(name + " is not live any more");
  if (find.OptionalInt(2) != expected_deletes)
    return Conflict("other rows of " + name + " were deleted meanwhile");
  if (delete_file.written.rows <= 0 || delete_file.written.rows > find.Int(0))
    return InvalidArgument(delete_file.path + " deletes " +
                           std::to_string(delete_file.written.rows) + " of " +
                           std::to_string(find.Int(0)) + " rows");
  if (!find.IsNull(3) && find.Int(3) == snapshot_id_)
    return InvalidArgument("rows of " + name + " are deleted twice in one commit");
  find.Reset();
  LAMINA_ASSIGN(Statement end,
                database_->Prepare("UPDATE ducklake_delete_file SET end_snapshot = ?2 WHERE "
                                   "data_file_id = ?1 AND end_snapshot IS NULL"));
  end.Bind(1, data_file_id).Bind(2, snapshot_id_);
  LAMINA_TRY(end.Run());
  LAMINA_ASSIGN(Statement insert,
                database_->Prepare("INSERT INTO ducklake_delete_file VALUES(?1,?2,?3,NULL,?4,?5,1,"
                                   "'parquet',?6,?7,?8,NULL,NULL)"));
  const std::int64_t id = next_file_id_++;
  insert.Bind(1, id).Bind(2, table_id).Bind(3, snapshot_id_).Bind(4, data_file_id);
  insert.Bind(5, std::string_view(delete_file.path).substr(directory.size()));
  insert.Bind(6, delete_file.written.rows).Bind(7, delete_file.written.size_bytes);
  insert.Bind(8, delete_file.written.footer_size);
  LAMINA_TRY(insert.Run());
  LAMINA_TRY(PutChecksums(*database_, id, delete_file));
  AddChange("deleted_from_table:" + std::to_string(table_id));
  return Ok();
}

}  // namespace lamina::catalog
