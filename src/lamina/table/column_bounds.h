#pragma once

/// \file lamina/table/column_bounds.h
/// Smallest and largest value of a column chunk, as Parquet footers hold them, and their DuckLake
/// spelling. Values and pure functions.

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "lamina/table/lake_type.h"

namespace parquet {
class Statistics;
}  // namespace parquet

namespace lamina::table {

/// A value of any LakeType with an order: booleans, integers, dates and times as integers; text,
/// blobs and UUIDs as bytes, compared unsigned.
using BoundValue = std::variant<std::int64_t, double, std::string>;

struct ColumnBounds {
  BoundValue low, high;  ///< inclusive; of the same alternative
  /// Grow to contain `other`.
  void Widen(const ColumnBounds& other);
};

/// Absent when the footer has none that can be trusted.
std::optional<ColumnBounds> BoundsOf(const parquet::Statistics& statistics, LakeType type);

/// The spelling of DuckLake's min_value and max_value. Absent for what has no safe spelling there:
/// infinities, years outside 1..9999, text over 256 bytes or not UTF-8 or with NUL, blobs.
std::optional<std::string> LakeSpelling(const BoundValue& value, LakeType type);

/// Shortest text that reads back as the same double, always with a point or an exponent: `4000.0`.
std::string SpellDouble(double value);

}  // namespace lamina::table
