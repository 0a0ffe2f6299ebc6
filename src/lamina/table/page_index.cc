#include "lamina/table/page_index.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include <parquet/metadata.h>
#include <parquet/page_index.h>
#include <parquet/properties.h>
#include <parquet/schema.h>

#include "lamina/base/hash.h"
#include "lamina/table/arrow_file.h"
#include "lamina/table/arrow_status.h"
#include "lamina/table/column_bounds.h"
#include "lamina/table/column_chunk.h"

namespace lamina::table {
namespace {

/// An index of more than this is not worth its reading.
constexpr std::int64_t kIndexBytesMax = 64 << 20;

template <class Index, class Convert>
std::optional<ColumnBounds> TypedBounds(const parquet::ColumnIndex& index, std::size_t page,
                                        Convert convert) {
  const auto* typed = dynamic_cast<const Index*>(&index);
  if (typed == nullptr || page >= typed->min_values().size() ||
      page >= typed->max_values().size()) {
    return std::nullopt;
  }
  return ColumnBounds{convert(typed->min_values()[page]), convert(typed->max_values()[page])};
}

std::optional<ColumnBounds> BoundsOfPage(const parquet::ColumnIndex& index, std::size_t page,
                                         LakeType type) {
  const auto integer = [](auto value) { return BoundValue(static_cast<std::int64_t>(value)); };
  switch (type) {
    case LakeType::kBoolean:
      return std::nullopt;
    case LakeType::kInt32:
    case LakeType::kDate:
      return TypedBounds<parquet::Int32ColumnIndex>(index, page, integer);
    case LakeType::kInt64:
    case LakeType::kTimestamp:
    case LakeType::kTimestampTz:
      return TypedBounds<parquet::Int64ColumnIndex>(index, page, integer);
    case LakeType::kDouble: {
      const auto bounds = TypedBounds<parquet::DoubleColumnIndex>(
          index, page, [](double value) { return BoundValue(value); });
      if (bounds && (std::isnan(std::get<double>(bounds->low)) ||
                     std::isnan(std::get<double>(bounds->high)))) {
        return std::nullopt;
      }
      return bounds;
    }
    case LakeType::kVarchar:
    case LakeType::kBlob:
      return TypedBounds<parquet::ByteArrayColumnIndex>(
          index, page, [](const parquet::ByteArray& value) {
            return BoundValue(std::string(reinterpret_cast<const char*>(value.ptr), value.len));
          });
    case LakeType::kUuid:
      return TypedBounds<parquet::FLBAColumnIndex>(
          index, page, [](const parquet::FixedLenByteArray& value) {
            return BoundValue(std::string(reinterpret_cast<const char*>(value.ptr), 16));
          });
    case LakeType::kInt32List:
      return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

Result<PageIndex> PageIndex::Load(EnvInputFile& file, const Footer& footer) {
  PageIndex index;
  LAMINA_ASSIGN(const auto expected, PageIndexChecksum(*footer.metadata));
  if (!expected.has_value()) return index;
  index.begin_ = 4;
  for (int group = 0; group < footer.metadata->num_row_groups(); ++group) {
    const auto row_group = footer.metadata->RowGroup(group);
    for (int column = 0; column < row_group->num_columns(); ++column) {
      LAMINA_ASSIGN(const ChunkPlace place,
                    PlaceOf(*row_group->ColumnChunk(column), footer.file_size));
      index.begin_ = std::max(index.begin_, place.begin + place.size);
    }
  }
  const std::int64_t size = footer.thrift_begin() - index.begin_;
  if (size < 0) return Corruption("the column chunks overlap the footer");
  if (size > kIndexBytesMax) return PageIndex();
  index.bytes_.resize(static_cast<std::size_t>(size));
  LAMINA_ARROW(file.ReadAt(index.begin_, size, index.bytes_.data()).status(),
               "reading the page index");
  if (Crc32c(index.bytes_) != *expected) return Corruption("the page index fails its checksum");
  return index;
}

Result<RowRanges> PageIndex::MayMatch(const parquet::FileMetaData& metadata, int row_group,
                                      int leaf, LakeType type, const ValueRange& range) const {
  const auto group = metadata.RowGroup(row_group);
  const RowRanges all(0, group->num_rows());
  const auto chunk = group->ColumnChunk(leaf);
  const auto column_place = chunk->GetColumnIndexLocation();
  const auto offset_place = chunk->GetOffsetIndexLocation();
  if (bytes_.empty() || !column_place.has_value() || !offset_place.has_value()) return all;
  const auto bytes_at = [&](const parquet::IndexLocation& place) -> const char* {
    const auto size = static_cast<std::int64_t>(bytes_.size());
    if (place.offset < begin_ || place.length <= 0 || place.length > size ||
        place.offset - begin_ > size - place.length) {
      return nullptr;
    }
    return bytes_.data() + (place.offset - begin_);
  };
  const char* column_bytes = bytes_at(*column_place);
  const char* offset_bytes = bytes_at(*offset_place);
  if (column_bytes == nullptr || offset_bytes == nullptr)
    return Corruption("a page index lies outside its place");
  const parquet::ReaderProperties properties;
  const auto columns = parquet::ColumnIndex::Make(*metadata.schema()->Column(leaf), column_bytes,
                                                  column_place->length, properties);
  const auto offsets = parquet::OffsetIndex::Make(offset_bytes, offset_place->length, properties);
  const auto& pages = offsets->page_locations();
  if (columns->null_pages().size() != pages.size())
    return Corruption("a page index counts pages in two ways");
  RowRanges rows;
  for (std::size_t page = 0; page < pages.size(); ++page) {
    if (columns->null_pages()[page]) continue;
    const auto bounds = BoundsOfPage(*columns, page, type);
    if (bounds.has_value() && !range.MayOverlap(*bounds)) continue;
    const std::int64_t begin = pages[page].first_row_index;
    const std::int64_t end =
        page + 1 < pages.size() ? pages[page + 1].first_row_index : group->num_rows();
    if (begin < 0 || end < begin || end > group->num_rows())
      return Corruption("a page index is out of order");
    rows.Append(begin, end);
  }
  return rows;
}

}  // namespace lamina::table
