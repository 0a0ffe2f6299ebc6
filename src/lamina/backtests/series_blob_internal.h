#pragma once

/// \file lamina/backtests/series_blob_internal.h
/// The ways in which a series blob is written. Pure functions; thread-safe.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lamina/backtests/series_blob.h"

namespace lamina::backtests {

/// Layout 2: whatever the linked libparquet writes.
Result<std::string> EncodeWithLibrary(const BlobPoints& points, const BlobWriter& writer);

/// One column chunk of layout 1: a dictionary page and one data page, and what the footer says of
/// it.
struct BlobColumn {
  std::string pages;
  std::int64_t data_page_offset = 0;    ///< in `pages`
  std::int64_t uncompressed_bytes = 0;  ///< with page headers
  std::int64_t rows = 0, nulls = 0;
  std::string statistics;  ///< thrift struct
};

/// Layout 1 takes 1..kMaxBlobRows rows with any value in each column.
inline constexpr std::size_t kMaxBlobRows = 16384;

}  // namespace lamina::backtests
