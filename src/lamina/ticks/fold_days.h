#pragma once

/// \file lamina/ticks/fold_days.h
/// Compaction of ticks: the files of a day become few that do not overlap. Free functions;
/// thread-safe.

#include <cstdint>
#include <string>
#include <vector>

#include "lamina/base/parallel.h"
#include "lamina/base/result.h"
#include "lamina/catalog/catalog.h"

namespace lamina::ticks {

struct FoldOptions {
  std::vector<std::string> tables = {};  ///< "ticks.quotes" or "quotes"; empty: all
  /// UTC days before this one are sealed, and folded whenever files overlap. Later ones only where
  /// `min_files` small files have gathered. Absent: today.
  std::optional<std::int32_t> open_day = {};
  std::int64_t min_files = 32;
  std::int64_t file_rows = 3 * 131'072;  ///< of a file made: bounds the memory
  /// Files made side by side: bounds it as well. 0: two, or one for few rows or on one core.
  std::size_t workers = 0;
  int zstd_level = 3;
  const CancelToken* cancel = nullptr;
};

struct FoldReport {
  std::int64_t days = 0, rows = 0, files_before = 0, files_after = 0;
  std::int64_t bytes_before = 0, bytes_after = 0;
};

/// One commit for each day and table; cut short, the next run goes on. Rows in are rows out, by
/// count and by a hash of each, read back from the new files before the swap. A day that changes
/// meanwhile is left for the next run.
Result<FoldReport> FoldTickDays(catalog::Catalog& catalog, const FoldOptions& options);

}  // namespace lamina::ticks
