#pragma once

/// \file lamina/table/encoding_trial.h
/// Which Parquet encoding stores a column in the fewest bytes, found by trying on a sample. Pure
/// functions; the same input gives the same choice.

#include <cstdint>

#include <parquet/types.h>

#include "lamina/base/result.h"
#include "lamina/table/lake_type.h"

namespace arrow {
class ChunkedArray;
}  // namespace arrow
namespace parquet {
class ColumnDescriptor;
}  // namespace parquet

namespace lamina::table {

struct EncodingChoice {
  bool dictionary = false;
  /// Of the data pages; with a dictionary, of those after it has overflowed (always PLAIN).
  parquet::Encoding::type encoding = parquet::Encoding::PLAIN;
  bool operator==(const EncodingChoice&) const = default;
};

struct TrialOptions {
  int zstd_level = 3;
  std::int64_t zstd_block_bytes = 0;
  std::int64_t sample_rows = 20000;
  std::int64_t row_group_rows = 131072;
  std::int64_t dictionary_bytes_max = 1 << 20;
};

/// What the type usually takes.
EncodingChoice DefaultEncoding(LakeType type);

/// Encode and compress a sample of `column` (blocks spread over it) in every way that fits its
/// type. `leaf` describes the Parquet column that will hold it. May throw ParquetException.
Result<EncodingChoice> TryEncodings(const arrow::ChunkedArray& column, LakeType type,
                                    const parquet::ColumnDescriptor& leaf,
                                    const TrialOptions& options);

}  // namespace lamina::table
