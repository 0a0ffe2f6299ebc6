#pragma once

/// \file lamina/series/input_columns.h
/// From Arrow columns of many types to what the kernels take: stamps and numbers. Nothing is
/// copied that fits already. Pure functions; thread-safe.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lamina/base/result.h"

namespace arrow {
class Array;
class DataType;
class RecordBatch;
class Schema;
class Table;
}  // namespace arrow

namespace lamina::series {

/// A column as plain values, which live in Arrow memory or in `own`.
template <class Value>
struct Values {
  std::span<const Value> view;
  std::shared_ptr<const arrow::Array> shared;
  std::vector<Value> own;
};
using Stamps = Values<std::int64_t>;
using Numbers = Values<double>;

/// Instants as UTC nanoseconds: int64 is taken as such, timestamps of any unit are converted (with
/// a zone or without: stored instants are UTC). RETURNS kInvalidArgument that names the row for a
/// NULL or an instant outside 1677..2262; kUnsupported for other types. `first_row` is where rows
/// count from.
Result<Stamps> ReadStamps(const std::shared_ptr<arrow::Array>& column, std::string_view name,
                          std::int64_t first_row = 0);
/// Whole numbers without NULL. Errors as ReadStamps.
Result<Stamps> ReadIntegers(const std::shared_ptr<arrow::Array>& column, std::string_view name,
                            std::int64_t first_row = 0);
/// Doubles; NULL becomes NaN. Integers beyond 2^53, which a double cannot hold, are refused with
/// their row; decimals become the nearest double.
Result<Numbers> ReadNumbers(const std::shared_ptr<arrow::Array>& column, std::string_view name,
                            std::int64_t first_row = 0);

/// The position of column `name`. RETURNS kInvalidArgument that lists the columns there are.
Result<int> ColumnIndex(const arrow::Schema& schema, std::string_view name, std::string_view role);
/// The first of `names` that is there, or -1.
int FirstColumnOf(const arrow::Schema& schema, const std::vector<std::string>& names);
/// `name` when not empty, else the first of `usual` there is; -1 when none is and not `required`.
Result<int> ChooseColumn(const arrow::Schema& schema, const std::string& name,
                         const std::vector<std::string>& usual, std::string_view role,
                         bool required);
/// Columns that hold time stamps, in the order they are looked for.
const std::vector<std::string>& UsualTimeColumns();

/// Doubles as an Arrow column; NaN becomes NULL.
Result<std::shared_ptr<arrow::Array>> NumberColumn(std::vector<double> values);
/// int64 as an Arrow column without NULL; as instants when `stamps`: timestamp[ns, UTC].
std::shared_ptr<arrow::Array> IntegerColumn(std::vector<std::int64_t> values, bool stamps);

}  // namespace lamina::series
