#pragma once

/// \file lamina/table/column_chunk.h
/// One column of one row group: its bytes, checked, and the pages that are asked for, decoded.
/// Immutable after Make; borrows the metadata.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lamina/base/result.h"
#include "lamina/table/lake_type.h"
#include "lamina/table/page_header.h"
#include "lamina/table/row_ranges.h"

namespace arrow {
class Buffer;
class ChunkedArray;
class DataType;
}  // namespace arrow
namespace parquet {
class ColumnChunkMetaData;
class ColumnDescriptor;
}  // namespace parquet

namespace lamina::table {

class EnvInputFile;

/// Where the bytes of a chunk lie. RETURNS kCorruption unless inside a file of `file_size`.
struct ChunkPlace {
  std::int64_t begin = 0;
  std::int64_t size = 0;
};
Result<ChunkPlace> PlaceOf(const parquet::ColumnChunkMetaData& metadata, std::int64_t file_size);

/// Rows of some pages, and which rows of the row group they are.
struct DecodedRows {
  std::shared_ptr<arrow::ChunkedArray> values;
  RowRanges rows;
};

class ColumnChunk {
 public:
  struct Column {
    const parquet::ColumnDescriptor* leaf;
    LakeType type;
    std::shared_ptr<arrow::DataType> arrow_type;
  };

  /// Read the bytes, compare them with `crc32c` when given, walk over the page headers and compare
  /// them with `metadata` and `group_rows`. RETURNS kCorruption.
  static Result<ColumnChunk> Make(EnvInputFile& file, const Column& column,
                                  const parquet::ColumnChunkMetaData& metadata,
                                  std::int64_t group_rows, std::optional<std::uint32_t> crc32c);

  /// Decode the pages that hold any of `wanted` (all pages of lists). Page checksums are verified,
  /// unless Make compared one of all bytes. May throw ParquetException.
  Result<DecodedRows> Decode(const RowRanges& wanted) const { return Decode(wanted, false); }
  /// The same of a text column, to compare its values: each distinct text once, and indices.
  Result<DecodedRows> DecodeIndices(const RowRanges& wanted) const { return Decode(wanted, true); }

  const std::vector<PageHeader>& pages() const { return pages_; }

 private:
  struct Selection;
  Selection Select(const RowRanges& wanted) const;
  Result<DecodedRows> Decode(const RowRanges& wanted, bool indices) const;
  Result<std::shared_ptr<arrow::ChunkedArray>> DecodeFixed(const RowRanges& wanted) const;
  Result<std::shared_ptr<arrow::ChunkedArray>> DecodeFlat(const Selection& pages,
                                                          const RowRanges& local,
                                                          bool indices) const;
  Result<std::shared_ptr<arrow::ChunkedArray>> DecodeList(const Selection& pages) const;

  Column column_{};
  std::int64_t group_rows_ = 0;
  int compression_ = 0;  ///< parquet::Compression
  bool checked_ = false;
  std::shared_ptr<arrow::Buffer> bytes_;
  std::vector<PageHeader> pages_;
};

}  // namespace lamina::table
