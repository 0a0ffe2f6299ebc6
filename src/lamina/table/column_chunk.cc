#include "lamina/table/column_chunk.h"

#include <algorithm>
#include <utility>

#include <arrow/api.h>
#include <arrow/io/memory.h>
#include <arrow/util/bit_util.h>
#include <parquet/column_reader.h>
#include <parquet/exception.h>
#include <parquet/level_conversion.h>
#include <parquet/metadata.h>
#include <parquet/schema.h>

#include "lamina/base/hash.h"
#include "lamina/table/arrow_file.h"
#include "lamina/table/arrow_status.h"
#include "lamina/table/plain_pages.h"

namespace lamina::table {
namespace {

/// Skipping within pages pays for few long ranges; for many short ones whole pages are faster.
constexpr std::size_t kRangesToSkipBetween = 32;
/// A page that unpacks to more is not one that a sane writer made.
constexpr std::int64_t kUncompressedPageMax = std::int64_t{1} << 30;

/// Bytes of a value, of types whose PLAIN pages hold them as Arrow does; 0 for others.
std::int64_t FixedWidth(LakeType type) {
  switch (type) {
    case LakeType::kInt32:
    case LakeType::kDate:
      return 4;
    case LakeType::kInt64:
    case LakeType::kDouble:
    case LakeType::kTimestamp:
    case LakeType::kTimestampTz:
      return 8;
    default:
      return 0;
  }
}

ByteView BytesOf(const arrow::Buffer& buffer) {
  return {reinterpret_cast<const char*>(buffer.data()), static_cast<std::size_t>(buffer.size())};
}

/// Booleans come a byte each.
Result<std::shared_ptr<arrow::Array>> TransferBooleans(parquet::internal::RecordReader& reader) {
  const std::int64_t length = reader.values_written();
  LAMINA_ARROW_ASSIGN(std::shared_ptr<arrow::Buffer> bits, arrow::AllocateEmptyBitmap(length),
                      "reading booleans");
  const auto* values = reinterpret_cast<const bool*>(reader.values());
  for (std::int64_t i = 0; i < length; ++i) {
    if (values[i]) arrow::bit_util::SetBit(bits->mutable_data(), i);
  }
  std::shared_ptr<arrow::Buffer> valid;
  if (reader.nullable_values()) valid = reader.ReleaseIsValid();
  return arrow::MakeArray(arrow::ArrayData::Make(
      arrow::boolean(), length, {std::move(valid), std::move(bits)}, reader.null_count()));
}

Result<std::shared_ptr<arrow::ChunkedArray>> Transfer(
    parquet::internal::RecordReader& reader, LakeType type,
    const std::shared_ptr<arrow::DataType>& arrow_type) {
  arrow::ArrayVector chunks;
  switch (type) {
    case LakeType::kBoolean: {
      LAMINA_ASSIGN(auto array, TransferBooleans(reader));
      chunks.push_back(std::move(array));
      break;
    }
    case LakeType::kVarchar:
    case LakeType::kBlob:
    case LakeType::kUuid: {
      auto* binary = dynamic_cast<parquet::internal::BinaryRecordReader*>(&reader);
      if (binary == nullptr) return Internal("a byte column has no binary reader");
      for (const auto& chunk : binary->GetBuilderChunks()) {
        auto data = chunk->data()->Copy();
        data->type = arrow_type;
        chunks.push_back(arrow::MakeArray(std::move(data)));
      }
      break;
    }
    default: {
      const std::int64_t length = reader.values_written();
      const std::int64_t nulls = reader.null_count();
      std::shared_ptr<arrow::Buffer> valid;
      if (reader.nullable_values()) valid = reader.ReleaseIsValid();
      std::shared_ptr<arrow::Buffer> values = reader.ReleaseValues();
      if (nulls == 0) valid = nullptr;
      chunks.push_back(arrow::MakeArray(arrow::ArrayData::Make(
          arrow_type, length, {std::move(valid), std::move(values)}, nulls)));
    }
  }
  return std::make_shared<arrow::ChunkedArray>(std::move(chunks), arrow_type);
}

}  // namespace

struct ColumnChunk::Selection {
  std::shared_ptr<arrow::Buffer> bytes;  ///< dictionary page and the selected pages
  std::int64_t num_values = 0;
  RowRanges rows;
};

Result<ChunkPlace> PlaceOf(const parquet::ColumnChunkMetaData& metadata, std::int64_t file_size) {
  ChunkPlace place{.begin = metadata.data_page_offset(), .size = metadata.total_compressed_size()};
  if (metadata.has_dictionary_page() && metadata.dictionary_page_offset() > 0 &&
      metadata.dictionary_page_offset() < place.begin) {
    place.begin = metadata.dictionary_page_offset();
  }
  if (place.begin < 4 || place.size < 0 || place.begin > file_size ||
      place.size > file_size - place.begin) {
    return Corruption("a column chunk lies outside the file");
  }
  return place;
}

Result<ColumnChunk> ColumnChunk::Make(EnvInputFile& file, const Column& column,
                                      const parquet::ColumnChunkMetaData& metadata,
                                      std::int64_t group_rows,
                                      std::optional<std::uint32_t> crc32c) {
  LAMINA_ARROW_ASSIGN(const std::int64_t file_size, file.GetSize(), "reading the size");
  LAMINA_ASSIGN(const ChunkPlace place, PlaceOf(metadata, file_size));
  ColumnChunk chunk;
  chunk.column_ = column;
  chunk.group_rows_ = group_rows;
  chunk.compression_ = static_cast<int>(metadata.compression());
  LAMINA_ARROW_ASSIGN(chunk.bytes_, file.ReadAt(place.begin, place.size), "reading a column chunk");
  const ByteView bytes = BytesOf(*chunk.bytes_);
  if (crc32c.has_value() && Crc32c(bytes) != *crc32c) {
    return Corruption("a column chunk fails its checksum");
  }
  chunk.checked_ = crc32c.has_value();
  LAMINA_ASSIGN(chunk.pages_, WalkPages(bytes));
  std::int64_t num_values = 0;
  for (const PageHeader& page : chunk.pages_) {
    if (page.uncompressed_size > kUncompressedPageMax) {
      return ResourceExhausted("a page unpacks to over a gigabyte");
    }
    if (page.kind != PageKind::kDictionary) num_values += page.num_values;
  }
  const bool list = column.type == LakeType::kInt32List;
  if (num_values != metadata.num_values() || (!list && num_values != group_rows)) {
    return Corruption("the pages of a column chunk do not add up to its rows");
  }
  return chunk;
}

ColumnChunk::Selection ColumnChunk::Select(const RowRanges& wanted) const {
  Selection selection;
  const bool list = column_.type == LakeType::kInt32List;
  std::vector<RowRange> spans;  // bytes of the chunk to keep, merged
  const auto keep = [&](const PageHeader& page) {
    if (!spans.empty() && spans.back().end == page.offset) {
      spans.back().end = page.end();
    } else {
      spans.push_back({page.offset, page.end()});
    }
  };
  auto next = wanted.ranges().begin();
  std::int64_t row = 0;
  for (const PageHeader& page : pages_) {
    if (page.kind == PageKind::kDictionary) {
      keep(page);
      continue;
    }
    const std::int64_t end = row + page.num_values;
    while (next != wanted.ranges().end() && next->end <= row) ++next;
    if (list || (next != wanted.ranges().end() && next->begin < end)) {
      keep(page);
      selection.num_values += page.num_values;
      if (!list) selection.rows.Append(row, end);
    }
    row = end;
  }
  if (list) selection.rows = RowRanges(0, group_rows_);
  if (spans.size() == 1) {
    selection.bytes = arrow::SliceBuffer(bytes_, spans[0].begin, spans[0].size());
    return selection;
  }
  std::string joined;
  for (const RowRange& span : spans) {
    joined.append(reinterpret_cast<const char*>(bytes_->data()) + span.begin,
                  static_cast<std::size_t>(span.size()));
  }
  selection.bytes = arrow::Buffer::FromString(std::move(joined));
  return selection;
}

/// Null where pages are not PLAIN.
Result<std::shared_ptr<arrow::ChunkedArray>> ColumnChunk::DecodeFixed(
    const RowRanges& wanted) const {
  const std::int64_t width = FixedWidth(column_.type);
  if (!checked_ || width == 0 || compression_ != parquet::Compression::ZSTD ||
      column_.leaf->max_repetition_level() != 0 || column_.leaf->max_definition_level() > 1) {
    return nullptr;
  }
  const PlainPages pages{.chunk = BytesOf(*bytes_),
                         .pages = &pages_,
                         .value_bytes = width,
                         .nullable = column_.leaf->max_definition_level() == 1};
  LAMINA_ASSIGN(auto values, DecodePlain(pages, wanted));
  if (values == nullptr) return nullptr;
  auto array = arrow::MakeArray(arrow::ArrayData::Make(column_.arrow_type, wanted.row_count(),
                                                       {nullptr, std::move(values)}, 0));
  return std::make_shared<arrow::ChunkedArray>(std::move(array));
}

Result<DecodedRows> ColumnChunk::Decode(const RowRanges& wanted, bool indices) const {
  if (!indices) {
    LAMINA_ASSIGN(auto values, DecodeFixed(wanted));
    if (values != nullptr) return DecodedRows{.values = std::move(values), .rows = wanted};
  }
  const Selection selection = Select(wanted);
  DecodedRows decoded;
  decoded.rows = selection.rows;
  if (column_.type == LakeType::kInt32List) {
    LAMINA_ASSIGN(decoded.values, DecodeList(selection));
  } else {
    RowRanges local = ToLocal(selection.rows, wanted);
    if (local.ranges().size() > kRangesToSkipBetween) {
      local = RowRanges(0, selection.num_values);
    } else {
      decoded.rows = Intersect(selection.rows, wanted);
    }
    LAMINA_ASSIGN(decoded.values, DecodeFlat(selection, local, indices));
  }
  if (decoded.values->length() != decoded.rows.row_count()) {
    return Corruption("the pages of a column chunk hold another number of rows than they say");
  }
  return decoded;
}

namespace {

std::unique_ptr<parquet::PageReader> OpenPages(const std::shared_ptr<arrow::Buffer>& bytes,
                                               std::int64_t num_values, int compression,
                                               const parquet::ColumnDescriptor& leaf,
                                               bool checked) {
  parquet::ReaderProperties properties;
  properties.set_page_checksum_verification(!checked);
  return parquet::PageReader::Open(std::make_shared<arrow::io::BufferReader>(bytes), num_values,
                                   static_cast<parquet::Compression::type>(compression), properties,
                                   leaf);
}

}  // namespace

Result<std::shared_ptr<arrow::ChunkedArray>> ColumnChunk::DecodeFlat(const Selection& pages,
                                                                     const RowRanges& local,
                                                                     bool indices) const {
  const auto reader = parquet::internal::RecordReader::Make(
      column_.leaf, parquet::internal::LevelInfo::ComputeLevelInfo(column_.leaf),
      arrow::default_memory_pool(), indices);
  reader->SetPageReader(
      OpenPages(pages.bytes, pages.num_values, compression_, *column_.leaf, checked_));
  reader->Reserve(local.row_count());
  std::int64_t at = 0;
  for (const RowRange& range : local.ranges()) {
    if (range.begin > at && reader->SkipRecords(range.begin - at) != range.begin - at) {
      return Corruption("a column chunk ends early");
    }
    at = range.begin;
    while (at < range.end) {
      const std::int64_t records = reader->ReadRecords(range.end - at);
      if (records == 0) return Corruption("a column chunk ends early");
      at += records;
    }
  }
  if (indices) {
    auto* dictionary = dynamic_cast<parquet::internal::DictionaryRecordReader*>(reader.get());
    if (dictionary == nullptr) return Internal("a text column has no reader of indices");
    return dictionary->GetResult();
  }
  return Transfer(*reader, column_.type, column_.arrow_type);
}

Result<std::shared_ptr<arrow::ChunkedArray>> ColumnChunk::DecodeList(const Selection& pages) const {
  const auto reader = std::static_pointer_cast<parquet::Int32Reader>(parquet::ColumnReader::Make(
      column_.leaf,
      OpenPages(pages.bytes, pages.num_values, compression_, *column_.leaf, checked_)));
  const std::int16_t element_level = column_.leaf->max_definition_level();
  const bool element_optional = column_.leaf->schema_node()->is_optional();
  const auto list_level = static_cast<std::int16_t>(element_level - (element_optional ? 1 : 0) - 1);

  constexpr std::int64_t kBatch = 4096;
  std::vector<std::int16_t> definitions(kBatch);
  std::vector<std::int16_t> repetitions(kBatch);
  std::vector<std::int32_t> values(kBatch);
  const auto elements = std::make_shared<arrow::Int32Builder>();
  arrow::ListBuilder lists(arrow::default_memory_pool(), elements, column_.arrow_type);
  bool any_row = false;
  while (reader->HasNext()) {
    std::int64_t values_read = 0;
    const std::int64_t levels = reader->ReadBatch(kBatch, definitions.data(), repetitions.data(),
                                                  values.data(), &values_read);
    if (levels == 0) break;
    std::int64_t value = 0;
    for (std::int64_t i = 0; i < levels; ++i) {
      const auto level = static_cast<std::size_t>(i);
      const std::int16_t definition = definitions[level];
      if (repetitions[level] == 0) {
        any_row = true;
        const bool null_list = definition < list_level;
        LAMINA_ARROW(null_list ? lists.AppendNull() : lists.Append(), "reading a list");
        if (definition <= list_level) continue;
      } else if (!any_row || definition <= list_level) {
        return Corruption("the levels of a list column make no sense");
      }
      if (definition == element_level && value < values_read) {
        LAMINA_ARROW(elements->Append(values[static_cast<std::size_t>(value++)]), "reading a list");
      } else {
        LAMINA_ARROW(elements->AppendNull(), "reading a list");
      }
    }
  }
  LAMINA_ARROW_ASSIGN(auto array, lists.Finish(), "reading a list");
  return std::make_shared<arrow::ChunkedArray>(arrow::ArrayVector{std::move(array)},
                                               column_.arrow_type);
}

}  // namespace lamina::table
