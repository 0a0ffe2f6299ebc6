#pragma once

/// \file lamina/catalog/lake_files.h
/// The files that the catalog names below lake/, data and delete files alike, for those who look at
/// their bytes and not at their rows. Functions; thread-safe.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lamina/base/result.h"
#include "lamina/catalog/database.h"

namespace lamina::catalog {

/// As the catalog describes it.
struct NamedLakeFile {
  std::int64_t file_id = 0;
  bool deletes = false;  ///< holds positions of deleted rows
  std::string path;      ///< relative to lake/
  std::int64_t rows = 0, size_bytes = 0, footer_size = 0;
  /// Absent of files of stores of the first version.
  std::optional<std::int64_t> footer_crc32c, file_crc32c;
};

/// Of all tables and snapshots that are kept.
Result<std::vector<NamedLakeFile>> AllLakeFiles(Database& database);

/// Of one table, live at a snapshot.
Result<std::vector<NamedLakeFile>> LiveLakeFiles(Database& database, std::int64_t table_id,
                                                 std::int64_t snapshot);

}  // namespace lamina::catalog
