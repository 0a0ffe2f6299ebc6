#pragma once

/// \file lamina/backtests/series_blob.h
/// The Parquet file of one series as bundles of versions 2 to 5 embed it: columns ts (INT64,
/// milliseconds) and value (DOUBLE). Pure functions; thread-safe.

#include <cstdint>
#include <string>
#include <vector>

#include "lamina/backtests/skeleton.h"
#include "lamina/base/result.h"

namespace lamina::backtests {

struct BlobPoints {
  std::vector<std::int64_t> times;  ///< milliseconds
  std::vector<double> values;
  /// Empty when nothing is NULL, else one byte a row (0 = NULL).
  std::vector<std::uint8_t> time_valid, value_valid;
};

struct DecodedBlob {
  BlobPoints points;
  BlobWriter writer;  ///< layout 1 with the blob's own footer texts
};

/// RETURNS kInvalidArgument when it is no Parquet file of the two columns, kResourceExhausted.
Result<DecodedBlob> DecodeBlob(ByteView blob);

/// Only the footer: what made it. RETURNS as DecodeBlob.
Result<BlobWriter> ReadBlobWriter(ByteView blob);

/// The file again, as `writer` made it: layout 1 is one row group, format 2.6, data page V1, zstd
/// level 5, dictionaries, statistics. RETURNS kUnsupported for another layout.
Result<std::string> EncodeBlob(const BlobPoints& points, const BlobWriter& writer);

}  // namespace lamina::backtests
