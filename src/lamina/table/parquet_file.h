#pragma once

/// \file lamina/table/parquet_file.h
/// The one Parquet writer and the one Parquet reader of lake files.
/// Free functions; thread-safe; files belong to the Env. Layout: docs/format/lake_files.md.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lamina/base/result.h"
#include "lamina/io/env.h"

namespace arrow {
class Schema;
class Table;
class Scalar;
}  // namespace arrow

namespace lamina::table {

/// What the catalog keeps of one column of one file. Bounds are spelt as DuckLake rows spell them
/// and come from the written footer; absent when there is none, when NaN is present, or when
/// unsure.
struct ColumnStatistics {
  std::int32_t field_id = 0;
  std::int64_t size_bytes = 0;   ///< compressed
  std::int64_t value_count = 0;  ///< not NULL
  std::int64_t null_count = 0;
  std::optional<std::string> min_value, max_value;
  std::optional<bool> contains_nan;  ///< floating-point columns only
};

struct WrittenFile {
  std::int64_t rows = 0;
  std::int64_t size_bytes = 0;
  std::int64_t footer_size = 0;     ///< thrift bytes, without length and magic (DuckLake's meaning)
  std::uint32_t footer_crc32c = 0;  ///< over the thrift bytes
  std::vector<ColumnStatistics> columns;
};

struct WriteOptions {
  int zstd_level = 3;
  /// At most so many bytes in a block of zstd, 1,024 or more; 0: as zstd likes.
  std::int64_t zstd_block_bytes = 0;
  std::int64_t row_group_rows = 131072;
  std::int64_t page_rows = 20000;
  /// Try {dictionary, DELTA_BINARY_PACKED, BYTE_STREAM_SPLIT, PLAIN} per column on the first
  /// `trial_rows` rows (spread over the file) and keep the smallest; else the type's default.
  bool encoding_trial = true;
  std::int64_t trial_rows = 20000;
  /// Fewer rows are not worth a trial.
  std::int64_t trial_rows_min = 1;
  /// Names of the columns the rows are sorted by (recorded in the footer; not checked).
  std::vector<std::string> sorted_by = {};
  /// Rows with equal values in these columns are one series, and stand together. A row group then
  /// has whole series, as many as fit into one page: who reads one series unpacks few others. A
  /// series longer than a page has row groups of its own.
  std::vector<std::string> series_by = {};
};

/// Write `rows` to `path`, synced. Fields carry `PARQUET:field_id` metadata (MakeField in
/// lake_type.h). zstd, page index, page checksums, statistics. Deterministic.
/// RETURNS kInvalidArgument for a column without field id or of a type outside LakeType.
Result<WrittenFile> WriteParquet(io::Env& env, const std::string& path, const arrow::Table& rows,
                                 const WriteOptions& options = {});

/// Keep row groups (and, with a page index, pages) that may hold low <= column <= high; rows
/// outside may still be in the answer unless `exact`.
struct ColumnRange {
  std::string column;
  std::shared_ptr<arrow::Scalar> low = {},
                                 high = {};  ///< null = open end; inclusive; of the column's type
};

struct ReadOptions {
  std::optional<std::vector<std::string>> columns = {};  ///< absent = all, in file order
  std::vector<ColumnRange> ranges = {};                  ///< all must hold
  bool exact = true;                                     ///< drop rows outside `ranges`
  std::optional<std::uint32_t> footer_crc32c = {};       ///< kCorruption when the footer differs
  /// Threads to decode on; 0: as many as there are cores, when there is work for them.
  std::size_t workers = 1;
  /// Only these rows [begin, end) of the file, before anything else.
  std::optional<std::int64_t> row_begin = {}, row_end = {};
};

struct ReadStatistics {
  std::int64_t row_groups = 0, row_groups_read = 0, bytes_read = 0;
};

/// Every byte that counts is compared with a checksum: of its column chunk where the file has ours,
/// else of its page. RETURNS kCorruption naming `path` for damage of any kind,
/// kNotFound for a missing file or column.
Result<std::shared_ptr<arrow::Table>> ReadParquet(io::Env& env, const std::string& path,
                                                  const ReadOptions& options = {},
                                                  ReadStatistics* statistics = nullptr);

/// At most how many rows ReadParquet would give, from the footer and the page index alone.
/// Errors as ReadParquet.
Result<std::int64_t> CountCandidates(io::Env& env, const std::string& path,
                                     const ReadOptions& options);

/// What WriteParquet would have returned, from the file itself; statistics re-read from the footer.
Result<WrittenFile> InspectParquet(io::Env& env, const std::string& path);

}  // namespace lamina::table
