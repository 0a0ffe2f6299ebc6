#pragma once

/// \file lamina/catalog/lake_bytes.h
/// LakeBytes: the bytes of lake files compared with the catalog's checksums, before an engine that
/// checks none of them reads the files.

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "lamina/base/result.h"
#include "lamina/catalog/catalog.h"

namespace lamina::catalog {

/// What of a table's files was compared; bytes of files.
struct LakeBytesReport {
  std::int64_t checked = 0, known = 0;  ///< read now; compared before and not written since
  std::int64_t left = 0;                ///< not compared: beyond the limit
};

/// Remembers what it has compared. Thread-safe.
class LakeBytes {
 public:
  /// Compare all data and delete files of `tables` ("schema.table") that are live at `snapshot`; a
  /// name that no table has, as a view's, stands for all tables of its schema. With a `limit`
  /// nothing is read when that would be more bytes: then all of them are `left`. RETURNS
  /// kCorruption that names a file which differs, or is missing.
  Result<LakeBytesReport> Check(Catalog& catalog, std::int64_t snapshot,
                                const std::vector<std::string>& tables,
                                std::optional<std::int64_t> limit = {});

 private:
  struct Seen {
    std::int64_t size = 0, mtime_ns = 0;
    bool operator==(const Seen&) const = default;
  };
  std::mutex mutex_;
  std::map<std::string, Seen> seen_;
};

}  // namespace lamina::catalog
