#pragma once

/// \file lamina/backtests/run_id_column.h
/// Reading the `run_id` column of a lake table, and the bounds of a run id for reading.
/// Immutable; the table must outlive it.

#include <memory>
#include <vector>

#include "lamina/base/result.h"
#include "lamina/base/uuid.h"
#include "lamina/table/parquet_file.h"

namespace arrow {
class FixedSizeBinaryArray;
class Table;
}  // namespace arrow

namespace lamina::backtests {

class RunIdColumn {
 public:
  /// RETURNS kCorruption when the column is missing, of another type, or has NULLs.
  static Result<RunIdColumn> Of(const arrow::Table& table);
  Uuid At(std::int64_t row) const;

 private:
  std::vector<std::shared_ptr<arrow::FixedSizeBinaryArray>> chunks_;
  std::vector<std::int64_t> begins_;  ///< first row of each chunk
  mutable std::size_t last_ = 0;
};

/// first <= run_id <= last.
table::ColumnRange RunIdRange(const Uuid& first, const Uuid& last);

}  // namespace lamina::backtests
