#include "lamina/table/plain_pages.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include <arrow/buffer.h>
#include <parquet/types.h>

#include "lamina/table/arrow_status.h"
#include "lamina/table/zstd_page.h"

namespace lamina::table {
namespace {

/// Levels that say "no NULL" are one run: their length (4 bytes), a varint and a byte.
constexpr std::int64_t kLevelBytesMax = 4 + 10 + 1;

bool IsPlain(const PageHeader& page, bool nullable) {
  return page.kind == PageKind::kDataV1 && page.encoding == parquet::Encoding::PLAIN &&
         (!nullable || page.level_encoding == parquet::Encoding::RLE);
}

/// Bytes of the levels in front of the values; absent unless one run says that no value is NULL.
std::optional<std::int64_t> SkipLevels(ByteView page, std::int64_t num_values) {
  if (page.size() < 4) return std::nullopt;
  const std::int64_t length = LoadLittleEndian<std::uint32_t>(page.data());
  if (length < 2 || 4 + length > kLevelBytesMax ||
      4 + length > static_cast<std::int64_t>(page.size())) {
    return std::nullopt;
  }
  const ByteView run = page.substr(4, static_cast<std::size_t>(length));
  std::uint64_t head = 0;
  std::size_t at = 0;
  for (unsigned shift = 0; at < run.size() && shift < 63; shift += 7) {
    const auto byte = static_cast<std::uint8_t>(run[at++]);
    head |= std::uint64_t{byte & 0x7Fu} << shift;
    if ((byte & 0x80) == 0) break;
  }
  const bool repeated = (head & 1) == 0 && at + 1 == run.size() && run[at] == 1;
  if (!repeated || head >> 1 != static_cast<std::uint64_t>(num_values)) return std::nullopt;
  return 4 + length;
}

/// Append the values of `rows` of one page; false when it holds something else.
Result<bool> AppendPage(const PlainPages& column, const PageHeader& page, const RowRanges& rows,
                        std::uint8_t*& out) {
  const std::int64_t width = column.value_bytes;
  const std::int64_t levels_max = column.nullable ? kLevelBytesMax : 0;
  const std::int64_t need =
      std::min(page.uncompressed_size, levels_max + rows.ranges().back().end * width);
  const auto length = static_cast<std::size_t>(need);
  const auto unpacked = std::make_unique_for_overwrite<std::uint8_t[]>(length);
  const ByteView frame =
      column.chunk.substr(static_cast<std::size_t>(page.offset + page.header_size),
                          static_cast<std::size_t>(page.body_size));
  LAMINA_TRY(UnpackFirst(frame, {unpacked.get(), length}));
  const ByteView bytes(reinterpret_cast<const char*>(unpacked.get()), length);
  std::int64_t begin = 0;
  if (column.nullable) {
    const std::optional<std::int64_t> levels = SkipLevels(bytes, page.num_values);
    if (!levels) return false;
    begin = *levels;
  }
  if (begin + page.num_values * width != page.uncompressed_size) {
    return Corruption("the pages of a column chunk hold another number of rows than they say");
  }
  for (const RowRange& range : rows.ranges()) {
    const auto size = static_cast<std::size_t>(range.size() * width);
    std::memcpy(out, bytes.data() + begin + range.begin * width, size);
    out += size;
  }
  return true;
}

}  // namespace

Result<std::shared_ptr<arrow::Buffer>> DecodePlain(const PlainPages& column,
                                                   const RowRanges& wanted) {
  LAMINA_ARROW_ASSIGN(std::shared_ptr<arrow::Buffer> values,
                      arrow::AllocateBuffer(wanted.row_count() * column.value_bytes),
                      "decoding a page");
  std::uint8_t* out = values->mutable_data();
  std::int64_t first_row = 0;
  for (const PageHeader& page : *column.pages) {
    if (page.kind == PageKind::kDictionary) return nullptr;
    const RowRanges here(first_row, first_row + page.num_values);
    first_row += page.num_values;
    const RowRanges rows = ToLocal(here, wanted);
    if (rows.empty()) continue;
    if (!IsPlain(page, column.nullable)) return nullptr;
    LAMINA_ASSIGN(const bool plain, AppendPage(column, page, rows, out));
    if (!plain) return nullptr;
  }
  if (out != values->data() + values->size()) {
    return Corruption("a column chunk ends before the rows that are wanted");
  }
  return values;
}

}  // namespace lamina::table
