#pragma once

/// \file lamina/cli/rows_output.h
/// Rows of Arrow tables as text on stdout or as a file, batch by batch. Used by one thread.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "lamina/base/result.h"

namespace arrow {
class RecordBatch;
class Schema;
class Table;
}  // namespace arrow

namespace lamina::cli {

enum class RowFormat : std::uint8_t { kTable, kJson, kJsonLines, kCsv, kParquet, kArrow };
/// `table`, `json`, `jsonl`, `csv`, `parquet`, `arrow`. RETURNS kInvalidArgument.
Result<RowFormat> ParseRowFormat(std::string_view name);

class RowsWriter {
 public:
  virtual ~RowsWriter() = default;
  virtual Status Write(const arrow::Table& rows) = 0;
  /// The end of the output; a file appears only then, whole.
  virtual Status Finish() = 0;

  /// `path`: empty for stdout. RETURNS kInvalidArgument for Parquet to stdout.
  static Result<std::unique_ptr<RowsWriter>> Make(RowFormat format, const std::string& path,
                                                  const std::shared_ptr<arrow::Schema>& schema);
};

}  // namespace lamina::cli
