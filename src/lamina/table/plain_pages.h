#pragma once

/// \file lamina/table/plain_pages.h
/// Pages of values of one width that follow each other, none of them NULL (what prices are),
/// decoded no further than is asked. Pure functions.

#include <cstdint>
#include <memory>
#include <vector>

#include "lamina/base/bytes.h"
#include "lamina/base/result.h"
#include "lamina/table/page_header.h"
#include "lamina/table/row_ranges.h"

namespace arrow {
class Buffer;
}  // namespace arrow

namespace lamina::table {

/// Where the pages lie and what they hold.
struct PlainPages {
  ByteView chunk;
  const std::vector<PageHeader>* pages;
  std::int64_t value_bytes = 8;
  bool nullable = false;  ///< definition levels of 0 and 1 stand before the values
};

/// The values of `wanted` rows, unpacked from zstd: of each page no more than up to the last of
/// them. Null when a page with wanted rows is of another kind or may hold NULL. RETURNS kCorruption
/// when a page does not have the bytes that its header says.
Result<std::shared_ptr<arrow::Buffer>> DecodePlain(const PlainPages& column,
                                                   const RowRanges& wanted);

}  // namespace lamina::table
