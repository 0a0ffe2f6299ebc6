#include <algorithm>
#include <string>
#include <utility>

#include "lamina/catalog/lake.h"
#include "lamina/catalog/lake_value.h"

namespace lamina::catalog {
namespace {

using table::LakeType;

// Two lookups in one index instead of an OR, which SQLite would answer by scanning.
constexpr const char* kLiveIds =
    "SELECT data_file_id FROM ducklake_data_file WHERE table_id = ?1 AND end_snapshot IS NULL AND "
    "begin_snapshot <= ?2 UNION ALL "
    "SELECT data_file_id FROM ducklake_data_file WHERE table_id = ?1 AND end_snapshot > ?2 AND "
    "begin_snapshot <= ?2";

constexpr const char* kFile =
    "SELECT f.path, f.path_is_relative, f.record_count, f.file_size_bytes, f.footer_size, "
    "f.row_id_start, f.begin_snapshot, l.footer_crc32c, "
    "f.mapping_id IS NULL AND f.partial_max IS NULL AND f.encryption_key IS NULL AND "
    "f.file_format = 'parquet', "
    "d.delete_file_id, d.path, d.path_is_relative, d.delete_count, m.footer_crc32c, "
    "d.partial_max IS NULL AND d.encryption_key IS NULL AND d.format = 'parquet' "
    "FROM ducklake_data_file f LEFT JOIN lake_file l ON l.file_id = f.data_file_id "
    "LEFT JOIN ducklake_delete_file d ON d.data_file_id = f.data_file_id AND "
    "d.begin_snapshot <= ?2 AND (d.end_snapshot IS NULL OR d.end_snapshot > ?2) "
    "LEFT JOIN lake_file m ON m.file_id = d.delete_file_id WHERE f.data_file_id = ?1";

// The same with the bounds of column ?3, for the first range: one statement for all files. Columns
// 0 to 2 are those of kBounds; 4 is NULL where the file has no row of the column.
constexpr const char* kLiveBounds =
    "SELECT s.min_value, s.max_value, s.value_count, f.data_file_id, s.data_file_id "
    "FROM ducklake_data_file f LEFT JOIN ducklake_file_column_stats s ON "
    "s.data_file_id = f.data_file_id AND s.column_id = ?3 "
    "WHERE f.table_id = ?1 AND f.end_snapshot IS NULL AND f.begin_snapshot <= ?2 UNION ALL "
    "SELECT s.min_value, s.max_value, s.value_count, f.data_file_id, s.data_file_id "
    "FROM ducklake_data_file f LEFT JOIN ducklake_file_column_stats s ON "
    "s.data_file_id = f.data_file_id AND s.column_id = ?3 "
    "WHERE f.table_id = ?1 AND f.end_snapshot > ?2 AND f.begin_snapshot <= ?2";

constexpr const char* kBounds =
    "SELECT min_value, max_value, value_count FROM ducklake_file_column_stats WHERE "
    "data_file_id = ?1 AND column_id = ?2";

// One range, its bounds parsed.
struct Filter {
  std::int64_t column_id = 0;
  LakeType type = LakeType::kVarchar;
  bool added = false;  // a file without the column has NULL in it, which no range holds
  std::optional<LakeValue> low = {}, high = {};
};

Result<std::optional<LakeValue>> ParseRangeEnd(const LakeColumn& column,
                                               const std::optional<std::string>& text) {
  if (!text) return std::optional<LakeValue>();
  std::optional<LakeValue> value = LakeValue::Parse(column.type, *text);
  if (!value)
    return InvalidArgument("'" + *text + "' is no value of column " + column.name + " (" +
                           std::string(table::LakeTypeName(column.type)) + ")");
  return value;
}

Result<Filter> MakeFilter(const LakeTable& table, const LakeRange& range) {
  for (const LakeColumn& column : table.columns) {
    if (column.name != range.column) continue;
    Filter filter{.column_id = column.column_id,
                  .type = column.type,
                  .added = column.begin_snapshot > table.begin_snapshot};
    LAMINA_ASSIGN(filter.low, ParseRangeEnd(column, range.low));
    LAMINA_ASSIGN(filter.high, ParseRangeEnd(column, range.high));
    return filter;
  }
  return NotFound("table " + table.name + " has no column '" + range.column + "'");
}

bool MayHold(const Filter& filter, const Statement& bounds) {
  if (bounds.Int(2) == 0 && !bounds.IsNull(2)) return false;  // NULL in every row
  if (filter.low && !bounds.IsNull(1)) {
    const auto max = LakeValue::Parse(filter.type, bounds.Text(1));
    if (max && max->Compare(*filter.low) < 0) return false;
  }
  if (filter.high && !bounds.IsNull(0)) {
    const auto min = LakeValue::Parse(filter.type, bounds.Text(0));
    if (min && min->Compare(*filter.high) > 0) return false;
  }
  return true;
}

// Ids of the files that are live at the snapshot and may hold rows inside `first`, if there is one.
Result<std::vector<std::int64_t>> LiveFiles(Database& database, std::int64_t table_id,
                                            std::int64_t snapshot, const Filter* first) {
  LAMINA_ASSIGN(Statement live, database.Prepare(first != nullptr ? kLiveBounds : kLiveIds));
  live.Bind(1, table_id).Bind(2, snapshot);
  if (first != nullptr) live.Bind(3, first->column_id);
  std::vector<std::int64_t> ids;
  for (;;) {
    LAMINA_ASSIGN(const bool row, live.Step());
    if (!row) break;
    if (first == nullptr) {
      ids.push_back(live.Int(0));
    } else if (live.IsNull(4) ? !first->added : MayHold(*first, live)) {
      ids.push_back(live.Int(3));
    }
  }
  return ids;
}

Status Prune(Database& database, const Filter& filter, std::vector<std::int64_t>& ids) {
  LAMINA_ASSIGN(Statement bounds, database.Prepare(kBounds));
  std::size_t kept = 0;
  for (const std::int64_t id : ids) {
    bounds.Bind(1, id).Bind(2, filter.column_id);
    LAMINA_ASSIGN(const bool found, bounds.Step());
    if (found ? MayHold(filter, bounds) : !filter.added) ids[kept++] = id;
    bounds.Reset();
  }
  ids.resize(kept);
  return Ok();
}

Status ReadPartitionValues(Database& database, LakeFile& file) {
  LAMINA_ASSIGN(Statement read,
                database.Prepare("SELECT partition_value FROM ducklake_file_partition_value WHERE "
                                 "data_file_id = ?1 ORDER BY partition_key_index"));
  read.Bind(1, file.data_file_id);
  for (;;) {
    LAMINA_ASSIGN(const bool row, read.Step());
    if (!row) return Ok();
    if (read.IsNull(0)) return Unsupported("lake file " + file.path + " is of the NULL partition");
    file.partition_values.emplace_back(read.Text(0));
  }
}

Status ReadMissingColumns(Database& database, const LakeTable& table, LakeFile& file) {
  LAMINA_ASSIGN(Statement bounds, database.Prepare(kBounds));
  for (const LakeColumn& column : table.columns) {
    if (column.begin_snapshot <= table.begin_snapshot) continue;
    const bool list = column.type == LakeType::kInt32List;
    bounds.Bind(1, file.data_file_id).Bind(2, column.column_id + (list ? 1 : 0));
    LAMINA_ASSIGN(const bool found, bounds.Step());
    if (!found) file.missing_columns.push_back(column.column_id);
    bounds.Reset();
  }
  return Ok();
}

Result<std::uint32_t> FooterChecksum(const Statement& row, int column, const std::string& path) {
  if (row.IsNull(column))
    return Unsupported("lake file " + path + " was not written by this program");
  return static_cast<std::uint32_t>(row.Int(column));
}

Result<LakeFile> ReadFile(Database& database, const LakeTable& table, std::int64_t id,
                          std::int64_t snapshot) {
  LAMINA_ASSIGN(Statement row, database.Prepare(kFile));
  row.Bind(1, id).Bind(2, snapshot);
  LAMINA_ASSIGN(const bool found, row.Step());
  if (!found) return Corruption("lake file " + std::to_string(id) + " has no row");
  LakeFile file;
  file.data_file_id = id;
  file.path = table.directory + std::string(row.Text(0));
  if (row.Int(1) == 0 || row.Int(8) == 0)
    return Unsupported("lake file " + file.path + " was not written by this program");
  file.rows = row.Int(2);
  file.size_bytes = row.Int(3);
  file.footer_size = row.Int(4);
  file.row_id_start = row.Int(5);
  file.begin_snapshot = row.Int(6);
  LAMINA_ASSIGN(file.footer_crc32c, FooterChecksum(row, 7, file.path));
  if (!row.IsNull(9)) {
    LakeFile::DeleteFile deletes;
    deletes.delete_file_id = row.Int(9);
    deletes.path = table.directory + std::string(row.Text(10));
    if (row.Int(11) == 0 || row.Int(14) == 0)
      return Unsupported("delete file " + deletes.path + " was not written by this program");
    deletes.rows = row.Int(12);
    LAMINA_ASSIGN(deletes.footer_crc32c, FooterChecksum(row, 13, deletes.path));
    file.deletes = std::move(deletes);
  }
  row.Reset();
  if (table.partition_id) LAMINA_TRY(ReadPartitionValues(database, file));
  LAMINA_TRY(ReadMissingColumns(database, table, file));
  return file;
}

}  // namespace

Result<std::vector<LakeFile>> LakeReader::Plan(const LakeTable& table, std::int64_t snapshot,
                                               const std::vector<LakeRange>& ranges) {
  std::vector<Filter> filters;
  for (const LakeRange& range : ranges) {
    LAMINA_ASSIGN(Filter filter, MakeFilter(table, range));
    filters.push_back(std::move(filter));
  }
  LAMINA_ASSIGN(std::vector<std::int64_t> ids,
                LiveFiles(*database_, table.table_id, snapshot,
                          filters.empty() ? nullptr : &filters.front()));
  for (std::size_t i = 1; i < filters.size(); ++i) LAMINA_TRY(Prune(*database_, filters[i], ids));
  std::vector<LakeFile> files;
  files.reserve(ids.size());
  for (const std::int64_t id : ids) {
    LAMINA_ASSIGN(LakeFile file, ReadFile(*database_, table, id, snapshot));
    files.push_back(std::move(file));
  }
  std::sort(files.begin(), files.end(),
            [](const LakeFile& a, const LakeFile& b) { return a.row_id_start < b.row_id_start; });
  return files;
}

}  // namespace lamina::catalog
