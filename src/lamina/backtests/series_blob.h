#pragma once

/// \file lamina/backtests/series_blob.h
/// The Parquet file of one series as bundles of versions 2 to 5 embed it: columns ts (INT64,
/// milliseconds) and value (DOUBLE).

#include <cstdint>
#include <memory>
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

/// How a blob is laid out; numbers of the skeleton format.
inline constexpr std::uint32_t kOwnBlobLayout = 1;      ///< docs/format/backtest_skeleton.md
inline constexpr std::uint32_t kLibraryBlobLayout = 2;  ///< as libparquet writes it

struct DecodedBlob {
  BlobPoints points;
  BlobWriter writer;  ///< the blob's own footer texts; layout 1
};

/// RETURNS kInvalidArgument when it is no Parquet file of the two columns, kResourceExhausted.
/// Thread-safe.
Result<DecodedBlob> DecodeBlob(ByteView blob);

/// The layout for so many points.
std::uint32_t BlobLayoutFor(const BlobPoints& points);

/// Writes blobs again. Remembers the last columns of times, which the series of a run share.
/// Thread-compatible.
class BlobEncoder {
 public:
  BlobEncoder();
  ~BlobEncoder();
  BlobEncoder(BlobEncoder&&) noexcept;
  BlobEncoder& operator=(BlobEncoder&&) noexcept;

  /// One row group, format 2.6, data page V1, zstd level 5, dictionaries, statistics. REQUIRES
  /// columns of one length. RETURNS kUnsupported for an unknown layout, kInvalidArgument for points
  /// that the layout does not take.
  Result<std::string> Encode(const BlobPoints& points, const BlobWriter& writer);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace lamina::backtests
