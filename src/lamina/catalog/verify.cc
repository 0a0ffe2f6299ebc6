#include "lamina/catalog/verify.h"

#include <mutex>

#include <arrow/api.h>

#include "lamina/table/parquet_file.h"

namespace lamina::catalog {
namespace {

struct NamedFile {
  std::string path;  ///< relative to lake/
  std::int64_t size = 0, rows = 0;
  std::uint32_t footer_crc32c = 0;
  bool has_checksum = false;
};

/// Data and delete files of every snapshot.
Result<std::vector<NamedFile>> NamedFiles(Database& database) {
  std::vector<NamedFile> files;
  for (const char* sql :
       {"SELECT s.path || t.path || f.path, f.file_size_bytes, f.record_count, l.footer_crc32c "
        "FROM ducklake_data_file f JOIN ducklake_table t USING (table_id) JOIN ducklake_schema s "
        "USING (schema_id) LEFT JOIN lake_file l ON l.file_id = f.data_file_id",
        "SELECT s.path || t.path || f.path, f.file_size_bytes, f.delete_count, l.footer_crc32c "
        "FROM ducklake_delete_file f JOIN ducklake_table t USING (table_id) JOIN ducklake_schema "
        "s USING (schema_id) LEFT JOIN lake_file l ON l.file_id = f.delete_file_id"}) {
    LAMINA_ASSIGN(auto row, database.Prepare(sql));
    while (true) {
      LAMINA_ASSIGN(const bool found, row.Step());
      if (!found) break;
      NamedFile file{std::string(row.Text(0)), row.Int(1), row.Int(2), 0, !row.IsNull(3)};
      if (file.has_checksum) file.footer_crc32c = static_cast<std::uint32_t>(row.Int(3));
      files.push_back(std::move(file));
    }
  }
  return files;
}

Result<std::vector<ChunkId>> NamedChunks(Database& database) {
  LAMINA_ASSIGN(auto row, database.Prepare("SELECT kind, sha256 FROM chunk WHERE end_snapshot IS "
                                           "NULL ORDER BY kind, sha256"));
  std::vector<ChunkId> chunks;
  while (true) {
    LAMINA_ASSIGN(const bool found, row.Step());
    if (!found) return chunks;
    LAMINA_ASSIGN(const auto digest, Sha256Digest::FromBytes(row.Blob(1)));
    chunks.push_back({static_cast<ChunkKind>(row.Int(0)), digest});
  }
}

Status CheckCatalogFile(Database& database, VerifyReport& report) {
  LAMINA_ASSIGN(auto row, database.Prepare("PRAGMA quick_check"));
  while (true) {
    LAMINA_ASSIGN(const bool found, row.Step());
    if (!found) return Ok();
    if (row.Text(0) != "ok") {
      report.problems.push_back({"catalog", "catalog.sqlite", std::string(row.Text(0))});
    }
  }
}

Status CheckLakeFile(Catalog& catalog, const NamedFile& file, bool deep) {
  const std::string path = catalog.LakePath(file.path);
  LAMINA_ASSIGN(const auto info, catalog.env().Stat(path));
  if (info.size != file.size) {
    return Corruption("has " + std::to_string(info.size) + " bytes, the catalog says " +
                      std::to_string(file.size));
  }
  if (!file.has_checksum) return Corruption("the catalog has no checksum of its footer");
  LAMINA_ASSIGN(const auto written, table::InspectParquet(catalog.env(), path));
  if (written.footer_crc32c != file.footer_crc32c) return Corruption("its footer is damaged");
  if (written.rows != file.rows) {
    return Corruption("has " + std::to_string(written.rows) + " rows, the catalog says " +
                      std::to_string(file.rows));
  }
  if (!deep) return Ok();
  table::ReadOptions options;
  options.footer_crc32c = file.footer_crc32c;
  LAMINA_ASSIGN(const auto rows, table::ReadParquet(catalog.env(), path, options));
  if (rows->num_rows() != file.rows) return Corruption("its pages hold another number of rows");
  return Ok();
}

}  // namespace

Result<VerifyReport> VerifyCatalog(Catalog& catalog, bool deep, const CancelToken* cancel) {
  VerifyReport report;
  std::vector<NamedFile> files;
  std::vector<ChunkId> chunks;
  LAMINA_TRY(catalog.Read([&](Database& database) -> Status {
    LAMINA_TRY(CheckCatalogFile(database, report));
    LAMINA_ASSIGN(files, NamedFiles(database));
    LAMINA_ASSIGN(chunks, NamedChunks(database));
    return Ok();
  }));
  std::mutex mutex;
  LAMINA_TRY(
      ParallelFor(files.size() + chunks.size(), 0, [&](std::size_t i, std::size_t) -> Status {
        if (cancel != nullptr && cancel->cancelled()) return Cancelled("verify interrupted");
        const bool is_file = i < files.size();
        auto checked = is_file ? CheckLakeFile(catalog, files[i], deep)
                               : catalog.CheckChunk(chunks[i - files.size()], deep);
        const std::lock_guard lock(mutex);
        (is_file ? report.checked_files : report.checked_chunks) += 1;
        if (is_file) report.checked_bytes += files[i].size;
        if (checked.ok()) return Ok();
        report.problems.push_back(
            {is_file ? "lake-file" : "chunk",
             is_file ? "lake/" + files[i].path : chunks[i - files.size()].ToString(),
             std::string(checked.error().message())});
        return Ok();
      }));
  return report;
}

}  // namespace lamina::catalog
