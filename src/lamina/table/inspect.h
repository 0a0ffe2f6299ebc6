#pragma once

/// \file lamina/table/inspect.h
/// What is in a Parquet file, for people: row groups, columns, encodings, sizes, checks. Any
/// Parquet file, not only ours. Pure functions; files belong to the Env.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lamina/base/result.h"
#include "lamina/io/env.h"

namespace lamina::table {

/// One column of one row group.
struct ChunkDescription {
  std::string path;  ///< "name", or "name.list.element"
  std::string physical_type, logical_type;
  std::int32_t field_id = -1;  ///< -1: none
  std::string codec;
  std::vector<std::string> encodings;  ///< of the pages, in order of appearance, without repeats
  std::int64_t compressed_bytes = 0, uncompressed_bytes = 0;
  std::int64_t values = 0;
  std::optional<std::int64_t> null_count;
  std::optional<std::string> min_value, max_value;  ///< as DuckLake spells them
  std::int64_t pages = 0;                           ///< data pages
  std::int64_t pages_with_checksum = 0;             ///< data and dictionary pages
  bool has_dictionary = false;
  bool page_index = false;
  bool bloom_filter = false;
  std::optional<bool> chunk_checksum_ok;  ///< absent: the footer has none
};

struct RowGroupDescription {
  std::int64_t rows = 0;
  std::int64_t compressed_bytes = 0, uncompressed_bytes = 0;
  std::vector<std::string> sorted_by;
  std::vector<ChunkDescription> chunks;
};

struct FileDescription {
  std::int64_t rows = 0;
  std::int64_t size_bytes = 0;
  std::int64_t footer_size = 0;
  std::uint32_t footer_crc32c = 0;
  std::string created_by, format_version;
  std::optional<bool> page_index_checksum_ok;  ///< absent: the footer has none
  std::vector<std::pair<std::string, std::string>> key_values;
  std::vector<RowGroupDescription> row_groups;
};

/// Reads the footer and all page headers. RETURNS kCorruption for a file whose structure is
/// damaged; chunks that only fail their checksum are described and marked.
Result<FileDescription> DescribeParquet(io::Env& env, const std::string& path);

/// Lines of text: one head, then one line a column with the sizes of all row groups added up.
std::string FormatDescription(const FileDescription& file);

}  // namespace lamina::table
