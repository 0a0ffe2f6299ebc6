#pragma once

/// \file lamina/table/columns.h
/// Row-wise work on tables of LakeTypes without Arrow's compute library: concatenate, take, sort,
/// keep, find runs. Pure functions; thread-safe. Field metadata (field ids) is kept.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lamina/base/bytes.h"
#include "lamina/base/result.h"
#include "lamina/table/row_ranges.h"

namespace arrow {
class Array;
class ChunkedArray;
class Table;
}  // namespace arrow

namespace lamina::table {

/// RETURNS kNotFound when there is none, kCorruption when there are several.
Result<std::shared_ptr<arrow::ChunkedArray>> ColumnNamed(const arrow::Table& table,
                                                         std::string_view name);

/// Tables one after the other, nothing copied. The first one's schema counts; RETURNS
/// kInvalidArgument when another has other column names or types, or when `tables` is empty.
Result<std::shared_ptr<arrow::Table>> StackTables(
    const std::vector<std::shared_ptr<arrow::Table>>& tables);

/// One chunk a column (none copied that already is one).
Result<std::shared_ptr<arrow::Table>> Combine(const arrow::Table& table);
/// The column as one array.
Result<std::shared_ptr<arrow::Array>> CombineColumn(const arrow::ChunkedArray& column);

/// Row `rows[i]` becomes row i. RETURNS kInvalidArgument for a row outside the table,
/// kUnsupported for a type outside LakeType, kResourceExhausted for over 2 GiB of text in a column.
Result<std::shared_ptr<arrow::Table>> TakeRows(const arrow::Table& table,
                                               std::span<const std::int64_t> rows);

/// Row numbers in ascending order of the `keys` columns; equal rows keep their order. NULL comes
/// last; NaN after all numbers. Text and UUIDs by bytes. RETURNS kUnsupported for list keys.
Result<std::vector<std::int64_t>> SortOrder(const arrow::Table& table,
                                            const std::vector<std::string>& keys);
/// TakeRows by SortOrder; the table itself when it is sorted already.
Result<std::shared_ptr<arrow::Table>> SortRows(const std::shared_ptr<arrow::Table>& table,
                                               const std::vector<std::string>& keys);

/// Slices without copying for few ranges, a copy for many. `rows` lies inside the table.
Result<std::shared_ptr<arrow::Table>> KeepRows(const std::shared_ptr<arrow::Table>& table,
                                               const RowRanges& rows);
Result<std::shared_ptr<arrow::ChunkedArray>> KeepRows(
    const std::shared_ptr<arrow::ChunkedArray>& column, const RowRanges& rows);
/// Without the rows at `positions` (ascending; as in a delete file).
Result<std::shared_ptr<arrow::Table>> DropRows(const std::shared_ptr<arrow::Table>& table,
                                               std::span<const std::int64_t> positions);

/// The maximal ranges of rows with the same value in `column` (NULL equals NULL, NaN equals NaN),
/// in row order. In a table that is sorted by `column` each value has one range.
Result<std::vector<RowRange>> EqualRuns(const arrow::Table& table, std::string_view column);

/// The bytes of row `row` of a varchar, blob or uuid array (chunk of a column); empty for NULL.
ByteView BytesAt(const arrow::Array& array, std::int64_t row);

}  // namespace lamina::table
