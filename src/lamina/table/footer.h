#pragma once

/// \file lamina/table/footer.h
/// The end of a Parquet file and what we keep in it. Pure functions over bytes and metadata.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lamina/base/bytes.h"
#include "lamina/base/result.h"
#include "lamina/table/parquet_file.h"

namespace parquet {
class FileMetaData;
}  // namespace parquet

namespace lamina::table {

class EnvInputFile;

/// Footer key: CRC32C of every column chunk (page headers and bodies), 8 hexadecimal digits each,
/// row group after row group, columns in order. Page headers and page indexes have no other
/// checksum.
inline constexpr const char* kChunkChecksumsKey = "lamina.chunk_crc32c";

/// Footer key: CRC32C of everything between the last column chunk and the footer, 8 digits.
inline constexpr const char* kPageIndexChecksumKey = "lamina.page_index_crc32c";

std::string SpellChecksum(std::uint32_t checksum);
std::string SpellChunkChecksums(const std::vector<std::uint32_t>& checksums);
/// Absent when the file has none. RETURNS kCorruption unless there are `chunks` of them.
Result<std::optional<std::vector<std::uint32_t>>> ChunkChecksums(
    const parquet::FileMetaData& metadata, std::size_t chunks);

/// Absent when the file has none. RETURNS kCorruption when it is malformed.
Result<std::optional<std::uint32_t>> PageIndexChecksum(const parquet::FileMetaData& metadata);

struct Footer {
  std::shared_ptr<parquet::FileMetaData> metadata;
  std::int64_t thrift_size = 0;
  std::uint32_t crc32c = 0;
  std::int64_t file_size = 0;
  std::int64_t thrift_begin() const { return file_size - 8 - thrift_size; }
};

/// Parse the thrift bytes of a footer. RETURNS kCorruption.
Result<std::shared_ptr<parquet::FileMetaData>> ParseFooter(ByteView thrift);
/// Read and parse the end of a file. RETURNS kCorruption, also when `expected_crc32c` differs.
Result<Footer> ReadFooter(EnvInputFile& file, std::optional<std::uint32_t> expected_crc32c);

/// Statistics of every column from the footer alone (contains_nan absent). A list column is
/// described by its element, under the element's field id. Columns of foreign types have counts but
/// no bounds; columns without field id get -1.
std::vector<ColumnStatistics> StatisticsOf(const parquet::FileMetaData& metadata);

}  // namespace lamina::table
