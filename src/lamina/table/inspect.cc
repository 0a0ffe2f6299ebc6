#include "lamina/table/inspect.h"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <new>

#include <arrow/util/compression.h>
#include <arrow/util/key_value_metadata.h>
#include <parquet/metadata.h>
#include <parquet/schema.h>
#include <parquet/statistics.h>
#include <parquet/types.h>

#include "lamina/base/hash.h"
#include "lamina/table/arrow_file.h"
#include "lamina/table/arrow_status.h"
#include "lamina/table/column_bounds.h"
#include "lamina/table/column_chunk.h"
#include "lamina/table/footer.h"
#include "lamina/table/leaf_type.h"
#include "lamina/table/page_header.h"
#include "lamina/table/page_index.h"

namespace lamina::table {
namespace {

void AddOnce(std::vector<std::string>& list, std::string item) {
  if (std::find(list.begin(), list.end(), item) == list.end()) list.push_back(std::move(item));
}

void DescribePages(const std::vector<PageHeader>& pages, ChunkDescription& out) {
  for (const PageHeader& page : pages) {
    if (page.has_crc) ++out.pages_with_checksum;
    if (page.kind == PageKind::kDictionary) {
      out.has_dictionary = true;
      continue;
    }
    ++out.pages;
    AddOnce(out.encodings,
            parquet::EncodingToString(static_cast<parquet::Encoding::type>(page.encoding)));
  }
}

void DescribeStatistics(const parquet::ColumnChunkMetaData& chunk,
                        const parquet::ColumnDescriptor& leaf, ChunkDescription& out) {
  const auto statistics = chunk.statistics();
  if (statistics == nullptr) return;
  if (statistics->HasNullCount()) out.null_count = statistics->null_count();
  const auto type = LeafLakeType(leaf);
  if (!type.has_value()) return;
  if (const auto bounds = BoundsOf(*statistics, *type)) {
    out.min_value = LakeSpelling(bounds->low, *type);
    out.max_value = LakeSpelling(bounds->high, *type);
  }
}

Result<ChunkDescription> DescribeChunk(EnvInputFile& file, const Footer& footer,
                                       const parquet::ColumnChunkMetaData& chunk,
                                       const parquet::ColumnDescriptor& leaf,
                                       std::optional<std::uint32_t> checksum) {
  ChunkDescription out;
  out.path = leaf.path()->ToDotString();
  out.physical_type = parquet::TypeToString(leaf.physical_type());
  out.logical_type = leaf.logical_type() == nullptr ? "" : leaf.logical_type()->ToString();
  out.field_id = leaf.schema_node()->field_id();
  out.codec = arrow::util::Codec::GetCodecAsString(chunk.compression());
  out.compressed_bytes = chunk.total_compressed_size();
  out.uncompressed_bytes = chunk.total_uncompressed_size();
  out.values = chunk.num_values();
  out.page_index =
      chunk.GetColumnIndexLocation().has_value() && chunk.GetOffsetIndexLocation().has_value();
  out.bloom_filter = chunk.bloom_filter_offset().has_value();
  DescribeStatistics(chunk, leaf, out);
  LAMINA_ASSIGN(const ChunkPlace place, PlaceOf(chunk, footer.file_size));
  LAMINA_ARROW_ASSIGN(const auto buffer, file.ReadAt(place.begin, place.size),
                      "reading a column chunk");
  const ByteView bytes(reinterpret_cast<const char*>(buffer->data()),
                       static_cast<std::size_t>(buffer->size()));
  if (checksum.has_value()) out.chunk_checksum_ok = Crc32c(bytes) == *checksum;
  auto pages = WalkPages(bytes);
  if (pages.ok()) {
    DescribePages(*pages, out);
  } else if (out.chunk_checksum_ok != false) {
    return std::move(pages).error().With("column '" + out.path + "'");
  }
  return out;
}

Result<RowGroupDescription> DescribeGroup(
    EnvInputFile& file, const Footer& footer, int group,
    const std::optional<std::vector<std::uint32_t>>& checksums) {
  const parquet::FileMetaData& metadata = *footer.metadata;
  const auto row_group = metadata.RowGroup(group);
  RowGroupDescription out;
  out.rows = row_group->num_rows();
  for (const parquet::SortingColumn& sorting : row_group->sorting_columns()) {
    if (sorting.column_idx < 0 || sorting.column_idx >= metadata.num_columns()) continue;
    out.sorted_by.push_back(metadata.schema()->Column(sorting.column_idx)->path()->ToDotString() +
                            (sorting.descending ? " desc" : ""));
  }
  for (int column = 0; column < metadata.num_columns(); ++column) {
    std::optional<std::uint32_t> checksum;
    if (checksums.has_value()) {
      checksum = (*checksums)[static_cast<std::size_t>(group) *
                                  static_cast<std::size_t>(metadata.num_columns()) +
                              static_cast<std::size_t>(column)];
    }
    LAMINA_ASSIGN(ChunkDescription chunk,
                  DescribeChunk(file, footer, *row_group->ColumnChunk(column),
                                *metadata.schema()->Column(column), checksum));
    out.compressed_bytes += chunk.compressed_bytes;
    out.uncompressed_bytes += chunk.uncompressed_bytes;
    out.chunks.push_back(std::move(chunk));
  }
  return out;
}

Result<FileDescription> Describe(EnvInputFile& file) {
  LAMINA_ASSIGN(const Footer footer, ReadFooter(file, std::nullopt));
  const parquet::FileMetaData& metadata = *footer.metadata;
  FileDescription out;
  out.rows = metadata.num_rows();
  out.size_bytes = footer.file_size;
  out.footer_size = footer.thrift_size;
  out.footer_crc32c = footer.crc32c;
  out.created_by = metadata.created_by();
  out.format_version = parquet::ParquetVersionToString(metadata.version());
  if (const auto& pairs = metadata.key_value_metadata(); pairs != nullptr) {
    for (std::int64_t i = 0; i < pairs->size(); ++i)
      out.key_values.emplace_back(pairs->key(i), pairs->value(i));
  }
  LAMINA_ASSIGN(const auto index_checksum, PageIndexChecksum(metadata));
  if (index_checksum.has_value()) out.page_index_checksum_ok = PageIndex::Load(file, footer).ok();
  const auto chunks = static_cast<std::size_t>(metadata.num_row_groups()) *
                      static_cast<std::size_t>(metadata.num_columns());
  LAMINA_ASSIGN(const auto checksums, ChunkChecksums(metadata, chunks));
  for (int group = 0; group < metadata.num_row_groups(); ++group) {
    LAMINA_ASSIGN(RowGroupDescription described, DescribeGroup(file, footer, group, checksums));
    out.row_groups.push_back(std::move(described));
  }
  return out;
}

std::string Join(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : ",") + part;
  return text;
}

/// The same column of all row groups as one.
ChunkDescription Total(const FileDescription& file, std::size_t column) {
  ChunkDescription total = file.row_groups[0].chunks[column];
  for (std::size_t group = 1; group < file.row_groups.size(); ++group) {
    const ChunkDescription& chunk = file.row_groups[group].chunks[column];
    total.compressed_bytes += chunk.compressed_bytes;
    total.uncompressed_bytes += chunk.uncompressed_bytes;
    total.values += chunk.values;
    total.pages += chunk.pages;
    total.pages_with_checksum += chunk.pages_with_checksum;
    total.has_dictionary |= chunk.has_dictionary;
    total.page_index &= chunk.page_index;
    if (chunk.chunk_checksum_ok == false) total.chunk_checksum_ok = false;
    for (const std::string& encoding : chunk.encodings) AddOnce(total.encodings, encoding);
  }
  return total;
}

}  // namespace

Result<FileDescription> DescribeParquet(io::Env& env, const std::string& path) {
  LAMINA_ASSIGN(auto opened, env.OpenReadable(path));
  EnvInputFile file(std::move(opened));
  const std::string context = "inspecting " + path;
  try {
    auto described = Describe(file);
    if (described.ok()) return described;
    if (auto error = file.TakeError()) return std::move(*error).With(context);
    return std::move(described).error().With(context);
  } catch (const std::bad_alloc&) {
    return ResourceExhausted(context + ": out of memory");
  } catch (const std::exception& error) {
    return Corruption(context + ": " + error.what());
  }
}

std::string FormatDescription(const FileDescription& file) {
  char line[512];
  std::string text;
  const auto put = [&](auto... arguments) {
    std::snprintf(line, sizeof(line), arguments...);
    text += line;
    if (text.back() != '\n') text += '\n';  // a very long name was cut
  };
  put("%lld rows, %lld bytes (%.2f a row), %zu row groups, footer %lld bytes crc32c %08x, by %s, "
      "format %s\n",
      static_cast<long long>(file.rows), static_cast<long long>(file.size_bytes),
      file.rows == 0 ? 0.0 : static_cast<double>(file.size_bytes) / static_cast<double>(file.rows),
      file.row_groups.size(), static_cast<long long>(file.footer_size), file.footer_crc32c,
      file.created_by.c_str(), file.format_version.c_str());
  if (file.page_index_checksum_ok.has_value()) {
    text += *file.page_index_checksum_ok ? "page index checksum ok\n"
                                         : "page index FAILS its checksum\n";
  }
  if (file.row_groups.empty()) return text;
  if (!file.row_groups[0].sorted_by.empty())
    text += "sorted by " + Join(file.row_groups[0].sorted_by) + "\n";
  for (std::size_t column = 0; column < file.row_groups[0].chunks.size(); ++column) {
    const ChunkDescription chunk = Total(file, column);
    put("  %-28s id %-3d %-20s %-6s %10lld / %10lld bytes %8.3f a row  %lld pages  %s%s%s%s\n",
        chunk.path.c_str(), chunk.field_id, chunk.physical_type.c_str(), chunk.codec.c_str(),
        static_cast<long long>(chunk.compressed_bytes),
        static_cast<long long>(chunk.uncompressed_bytes),
        file.rows == 0
            ? 0.0
            : static_cast<double>(chunk.compressed_bytes) / static_cast<double>(file.rows),
        static_cast<long long>(chunk.pages), Join(chunk.encodings).c_str(),
        chunk.page_index ? "" : ", no page index",
        chunk.pages_with_checksum > 0 ? "" : ", no page checksums",
        chunk.chunk_checksum_ok == false ? ", DAMAGED: fails its checksum" : "");
  }
  return text;
}

}  // namespace lamina::table
