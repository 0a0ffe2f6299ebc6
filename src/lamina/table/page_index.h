#pragma once

/// \file lamina/table/page_index.h
/// The page index of a file written by us: which pages of a column may hold a value. Loaded once a
/// file; immutable afterwards.

#include <cstdint>
#include <string>

#include "lamina/base/result.h"
#include "lamina/table/footer.h"
#include "lamina/table/row_ranges.h"
#include "lamina/table/value_range.h"

namespace lamina::table {

class EnvInputFile;

class PageIndex {
 public:
  /// Read all of it and compare it with its checksum in the footer. A file without that checksum
  /// has an index that is not believed: MayMatch then returns all rows. RETURNS kCorruption.
  static Result<PageIndex> Load(EnvInputFile& file, const Footer& footer);

  /// The rows of the pages of one column chunk that may hold a value inside `range`. May throw
  /// ParquetException.
  Result<RowRanges> MayMatch(const parquet::FileMetaData& metadata, int row_group, int leaf,
                             LakeType type, const ValueRange& range) const;

 private:
  std::int64_t begin_ = 0;  ///< of `bytes_` in the file
  std::string bytes_;
};

}  // namespace lamina::table
