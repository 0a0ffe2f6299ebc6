#pragma once

/// \file lamina/dataset/rows.h
/// From a table as users have it to the rows of a dataset: types, zones, order, columns.
/// Pure functions; thread-safe.

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "lamina/base/result.h"
#include "lamina/base/time.h"
#include "lamina/dataset/definition.h"

namespace arrow {
class Table;
}

namespace lamina::dataset {

/// One value for all rows of a column. It beats nothing: when the rows have the column too, all
/// must hold it.
struct Constant {
  std::string column;
  std::variant<bool, std::int64_t, std::string> value;
};

struct PrepareOptions {
  std::vector<Constant> constants = {};
  bool assume_utc = false;  ///< times without a zone are UTC; else they are refused
};

struct PreparedRows {
  /// The columns of LakeColumns, in that order, one chunk each, sorted by the keys; rows with equal
  /// keys keep the order they came in.
  std::shared_ptr<arrow::Table> rows;
  Micros first, last;      ///< of no meaning without rows
  bool sorted = true;      ///< they came in order
  std::int64_t nulls = 0;  ///< in columns that were given
  std::int64_t nans = 0;
};

/// `input` may have its columns in any order; those that are not required may be absent and become
/// NULL. Numbers of any width are taken as long as each value is kept exactly (decimals become the
/// nearest double), times of any unit with a zone as long as nothing below a microsecond is lost,
/// text also as dictionary. year, month and date may be there and must agree with the time.
/// RETURNS kInvalidArgument naming column and row: a missing or unknown column, a NULL where one is
/// not allowed, a time without zone, a value that would be changed (fractions of a microsecond, a
/// volume with a fraction or above 2^53 as floating point), years outside 1678..2261.
Result<PreparedRows> PrepareRows(const Definition& definition, const arrow::Table& input,
                                 const PrepareOptions& options = {});

/// The columns that a wide dataset needs to hold `input`: numbers as DOUBLE; text and booleans as
/// they are. The time column and what is made from it are left out. RETURNS kUnsupported for other
/// types.
Result<std::vector<Column>> InferColumns(const arrow::Table& input, const std::string& time_column);

}  // namespace lamina::dataset
