#pragma once

/// \file lamina/table/value_range.h
/// A ColumnRange checked against its column's type, ready to compare. Immutable.

#include <optional>
#include <string>

#include "lamina/base/result.h"
#include "lamina/table/column_bounds.h"
#include "lamina/table/lake_type.h"
#include "lamina/table/parquet_file.h"
#include "lamina/table/row_ranges.h"

namespace arrow {
class Array;
}  // namespace arrow

namespace lamina::table {

class ValueRange {
 public:
  /// RETURNS kInvalidArgument when a bound is NULL, NaN or not of the column's type.
  static Result<ValueRange> Make(const ColumnRange& range, LakeType type);

  /// False only when no value within `bounds` is inside.
  bool MayOverlap(const ColumnBounds& bounds) const;
  /// Whether every value within `bounds` is inside. Always false for doubles: their bounds do not
  /// tell of NaN.
  bool Holds(const ColumnBounds& bounds) const;
  /// The only value that is inside, when both ends name it; absent for doubles, of which two
  /// zeros are equal.
  const BoundValue* Single() const;
  /// Append the rows of `array` (numbered from `first_row`; perhaps indices into a dictionary)
  /// whose value is inside. NULL never is; NaN only when both ends are open.
  void Match(const arrow::Array& array, std::int64_t first_row, RowRanges& out) const;

 private:
  void MatchIndices(const arrow::Array& array, std::int64_t first_row, RowRanges& out) const;

  LakeType type_ = LakeType::kInt64;
  std::optional<BoundValue> low_, high_;
};

}  // namespace lamina::table
