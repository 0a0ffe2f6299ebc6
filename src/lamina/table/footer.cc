#include "lamina/table/footer.h"

#include <charconv>
#include <cstdio>

#include <arrow/util/key_value_metadata.h>
#include <parquet/exception.h>
#include <parquet/metadata.h>
#include <parquet/schema.h>
#include <parquet/size_statistics.h>
#include <parquet/statistics.h>

#include "lamina/base/hash.h"
#include "lamina/table/arrow_file.h"
#include "lamina/table/arrow_status.h"
#include "lamina/table/column_bounds.h"
#include "lamina/table/lake_type.h"
#include "lamina/table/leaf_type.h"

namespace lamina::table {
namespace {

constexpr std::int64_t kTrailerSize = 8;  ///< length and "PAR1"
constexpr std::int64_t kMagicSize = 4;
constexpr std::int64_t kFirstTailRead = 64 * 1024;

/// From the statistics, else from the histogram of definition levels (columns with NaN have no
/// statistics); 0 when a foreign file has neither.
std::int64_t NullCount(const parquet::ColumnChunkMetaData& chunk,
                       const parquet::ColumnDescriptor& leaf,
                       const parquet::Statistics* statistics) {
  if (statistics != nullptr && statistics->HasNullCount()) return statistics->null_count();
  const auto sizes = chunk.size_statistics();
  if (sizes == nullptr) return 0;
  const std::vector<std::int64_t>& levels = sizes->definition_level_histogram;
  if (levels.size() != static_cast<std::size_t>(leaf.max_definition_level()) + 1) return 0;
  return chunk.num_values() - levels.back();
}

ColumnStatistics StatisticsOfColumn(const parquet::FileMetaData& metadata, int column) {
  const parquet::ColumnDescriptor* descriptor = metadata.schema()->Column(column);
  const std::optional<LakeType> type = LeafLakeType(*descriptor);
  ColumnStatistics out;
  out.field_id = descriptor->schema_node()->field_id();
  std::optional<ColumnBounds> bounds;
  bool bounded = type.has_value();
  for (int group = 0; group < metadata.num_row_groups(); ++group) {
    const auto row_group = metadata.RowGroup(group);
    const auto chunk = row_group->ColumnChunk(column);
    out.size_bytes += chunk->total_compressed_size();
    const auto statistics = chunk->statistics();
    const std::int64_t nulls = NullCount(*chunk, *descriptor, statistics.get());
    out.null_count += nulls;
    out.value_count += chunk->num_values() - nulls;
    if (nulls == chunk->num_values() || !bounded) continue;
    const auto of_chunk = statistics == nullptr ? std::nullopt : BoundsOf(*statistics, *type);
    if (!of_chunk.has_value()) {
      bounded = false;
    } else if (bounds.has_value()) {
      bounds->Widen(*of_chunk);
    } else {
      bounds = of_chunk;
    }
  }
  if (!bounded || !bounds.has_value()) return out;
  out.min_value = LakeSpelling(bounds->low, *type);
  out.max_value = LakeSpelling(bounds->high, *type);
  const bool number = *type == LakeType::kDouble;
  if (number && (!out.min_value || !out.max_value)) out.min_value = out.max_value = std::nullopt;
  return out;
}

std::optional<std::string> ValueOf(const parquet::FileMetaData& metadata, const char* key) {
  const auto& pairs = metadata.key_value_metadata();
  const int at = pairs == nullptr ? -1 : pairs->FindKey(key);
  if (at < 0) return std::nullopt;
  return pairs->value(at);
}

Result<std::uint32_t> ParseChecksum(std::string_view digits) {
  std::uint32_t checksum = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), checksum, 16);
  if (digits.size() != 8 || error != std::errc() || end != digits.data() + digits.size()) {
    return Corruption("a checksum in the footer is not eight hexadecimal digits");
  }
  return checksum;
}

}  // namespace

std::string SpellChecksum(std::uint32_t checksum) {
  char digits[9];
  std::snprintf(digits, sizeof(digits), "%08x", checksum);
  return std::string(digits, 8);
}

std::string SpellChunkChecksums(const std::vector<std::uint32_t>& checksums) {
  std::string text;
  for (const std::uint32_t checksum : checksums) text += SpellChecksum(checksum);
  return text;
}

Result<std::optional<std::vector<std::uint32_t>>> ChunkChecksums(
    const parquet::FileMetaData& metadata, std::size_t chunks) {
  using Checksums = std::optional<std::vector<std::uint32_t>>;
  const auto text = ValueOf(metadata, kChunkChecksumsKey);
  if (!text.has_value()) return Checksums();
  if (text->size() != chunks * 8) return Corruption("the footer has a wrong number of checksums");
  std::vector<std::uint32_t> checksums;
  checksums.reserve(chunks);
  for (std::size_t i = 0; i < chunks; ++i) {
    LAMINA_ASSIGN(const std::uint32_t checksum,
                  ParseChecksum(std::string_view(*text).substr(i * 8, 8)));
    checksums.push_back(checksum);
  }
  return Checksums(std::move(checksums));
}

Result<std::optional<std::uint32_t>> PageIndexChecksum(const parquet::FileMetaData& metadata) {
  const auto text = ValueOf(metadata, kPageIndexChecksumKey);
  if (!text.has_value()) return std::optional<std::uint32_t>();
  LAMINA_ASSIGN(const std::uint32_t checksum, ParseChecksum(*text));
  return std::optional<std::uint32_t>(checksum);
}

Result<std::shared_ptr<parquet::FileMetaData>> ParseFooter(ByteView thrift) {
  try {
    std::shared_ptr<parquet::FileMetaData> metadata =
        parquet::FileMetaData::Make(thrift.data(), static_cast<std::int64_t>(thrift.size()));
    if (metadata->size() != static_cast<std::int64_t>(thrift.size()))
      return Corruption("the footer has bytes after its end");
    return metadata;
  } catch (const std::bad_alloc&) {
    return ResourceExhausted("the footer does not fit into memory");
  } catch (const std::exception& error) {
    return Corruption(std::string("the footer cannot be parsed: ") + error.what());
  }
}

Result<Footer> ReadFooter(EnvInputFile& file, std::optional<std::uint32_t> expected_crc32c) {
  Footer footer;
  LAMINA_ARROW_ASSIGN(footer.file_size, file.GetSize(), "reading the size");
  if (footer.file_size < 2 * kMagicSize + kTrailerSize) {
    return Corruption("a file of " + std::to_string(footer.file_size) +
                      " bytes is no Parquet file");
  }
  std::string tail(static_cast<std::size_t>(std::min(footer.file_size, kFirstTailRead)), '\0');
  const auto read_tail = [&](std::string& into) {
    const auto length = static_cast<std::int64_t>(into.size());
    return file.ReadAt(footer.file_size - length, length, into.data()).status();
  };
  LAMINA_ARROW(read_tail(tail), "reading the footer");
  if (tail.substr(tail.size() - kMagicSize) != "PAR1") {
    return Corruption("the file does not end in PAR1");
  }
  footer.thrift_size = LoadLittleEndian<std::uint32_t>(tail.data() + tail.size() - kTrailerSize);
  if (footer.thrift_size > footer.file_size - kMagicSize - kTrailerSize) {
    return Corruption("the footer says it is " + std::to_string(footer.thrift_size) +
                      " bytes long, the file has " + std::to_string(footer.file_size));
  }
  if (const std::int64_t need = footer.thrift_size + kTrailerSize;
      need > static_cast<std::int64_t>(tail.size())) {
    tail.assign(static_cast<std::size_t>(need), '\0');
    LAMINA_ARROW(read_tail(tail), "reading the footer");
  }
  const ByteView thrift = ByteView(tail).substr(
      tail.size() - static_cast<std::size_t>(footer.thrift_size + kTrailerSize),
      static_cast<std::size_t>(footer.thrift_size));
  footer.crc32c = Crc32c(thrift);
  if (expected_crc32c.has_value() && *expected_crc32c != footer.crc32c) {
    return Corruption("the footer has another checksum than the catalog says");
  }
  LAMINA_ASSIGN(footer.metadata, ParseFooter(thrift));
  file.KeepTail(std::move(tail));
  return footer;
}

std::vector<ColumnStatistics> StatisticsOf(const parquet::FileMetaData& metadata) {
  std::vector<ColumnStatistics> columns;
  for (int column = 0; column < metadata.num_columns(); ++column) {
    columns.push_back(StatisticsOfColumn(metadata, column));
  }
  return columns;
}

}  // namespace lamina::table
