#pragma once

/// \file lamina/table/page_header.h
/// The page headers of a Parquet column chunk, read without decoding the pages. Pure functions.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lamina/base/bytes.h"
#include "lamina/base/result.h"

namespace lamina::table {

enum class PageKind : std::uint8_t { kDictionary, kDataV1, kDataV2 };

struct PageHeader {
  PageKind kind = PageKind::kDataV1;
  std::int64_t offset = 0;       ///< of the header, in the chunk
  std::int64_t header_size = 0;  ///< thrift bytes
  std::int64_t body_size = 0;    ///< as stored
  std::int64_t uncompressed_size = 0;
  std::int64_t num_values = 0;           ///< NULLs included; for lists: levels
  std::optional<std::int64_t> num_rows;  ///< V2 only
  std::int32_t encoding = 0;             ///< parquet::Encoding
  std::int32_t level_encoding = -1;      ///< of definition levels; V1 only
  bool has_crc = false;

  std::int64_t end() const { return offset + header_size + body_size; }
};

/// Walk over all pages of a chunk. RETURNS kCorruption when a header cannot be parsed, a page
/// leaves the chunk, or a dictionary page is not the first.
Result<std::vector<PageHeader>> WalkPages(ByteView chunk);

}  // namespace lamina::table
