#include "lamina/catalog/lake_files.h"

#include <utility>

namespace lamina::catalog {
namespace {

/// `chosen`: a condition on the row `f` of a file.
std::string FilesThat(const std::string& chosen) {
  const auto half = [&](const char* deletes, const char* table, const char* id, const char* rows) {
    return std::string("SELECT f.") + id + ", " + deletes + ", folder || f.path, f." + rows +
           ", f.file_size_bytes, f.footer_size, l.footer_crc32c, l.file_crc32c FROM " + table +
           " f JOIN place USING(table_id) LEFT JOIN lake_file l ON l.file_id = f." + id +
           " WHERE " + chosen;
  };
  // A table's rows of several versions share one path. Files of dropped tables belong to older
  // snapshots.
  return "WITH place AS (SELECT t.table_id, s.path || t.path AS folder, max(t.begin_snapshot) "
         "FROM ducklake_table t JOIN ducklake_schema s USING(schema_id) GROUP BY t.table_id) " +
         half("0", "ducklake_data_file", "data_file_id", "record_count") + " UNION ALL " +
         half("1", "ducklake_delete_file", "delete_file_id", "delete_count");
}

Result<std::vector<NamedLakeFile>> ReadFiles(Statement read) {
  std::vector<NamedLakeFile> files;
  for (;;) {
    LAMINA_ASSIGN(const bool row, read.Step());
    if (!row) return files;
    NamedLakeFile& file = files.emplace_back();
    file.file_id = read.Int(0);
    file.deletes = read.Int(1) != 0;
    file.path = read.Text(2);
    file.rows = read.Int(3);
    file.size_bytes = read.Int(4);
    file.footer_size = read.Int(5);
    file.footer_crc32c = read.OptionalInt(6);
    file.file_crc32c = read.OptionalInt(7);
  }
}

}  // namespace

Result<std::vector<NamedLakeFile>> AllLakeFiles(Database& database) {
  LAMINA_ASSIGN(Statement read, database.Prepare(FilesThat("true")));
  return ReadFiles(std::move(read));
}

Result<std::vector<NamedLakeFile>> LiveLakeFiles(Database& database, std::int64_t table_id,
                                                 std::int64_t snapshot) {
  LAMINA_ASSIGN(Statement read,
                database.Prepare(FilesThat("f.table_id = ?1 AND f.begin_snapshot <= ?2 AND "
                                           "(f.end_snapshot IS NULL OR f.end_snapshot > ?2)")));
  read.Bind(1, table_id).Bind(2, snapshot);
  return ReadFiles(std::move(read));
}

}  // namespace lamina::catalog
