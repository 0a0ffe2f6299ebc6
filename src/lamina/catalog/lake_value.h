#pragma once

/// \file lamina/catalog/lake_value.h
/// Values as text in DuckLake rows, compared by their column's type. Pure functions; thread-safe.

#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "lamina/base/result.h"
#include "lamina/table/lake_type.h"

namespace arrow {
class Scalar;
}

namespace lamina::catalog {

/// A parsed bound. Texts are views of what was parsed.
class LakeValue {
 public:
  /// Absent when `text` is not a finite value of the type, spelt as DuckLake spells it: then
  /// nothing may be concluded from it.
  static std::optional<LakeValue> Parse(table::LakeType type, std::string_view text);

  /// REQUIRES: both of one type.
  std::strong_ordering Compare(const LakeValue& other) const;

 private:
  std::variant<std::int64_t, double, std::string_view> value_;
};

/// The text of a scalar. Absent for NULL and NaN (which bound nothing).
/// RETURNS kInvalidArgument when the scalar is not of the type.
Result<std::optional<std::string>> LakeText(table::LakeType type, const arrow::Scalar& value);

/// Doubles that a stored bound keeps clear of the least and greatest value of its file. DuckLake's
/// extension asks SQL for files with the filter's constant as plain digits; DuckDB reads 17 of them
/// as a DECIMAL, and converting that gives a double up to two places off (three roundings of half a
/// place and one of the digits make less than four).
inline constexpr int kDoubleBoundMargin = 4;

/// What the catalog stores for a bound that a footer gives: of doubles a little wider, otherwise
/// the same.
std::optional<std::string> StoredBound(table::LakeType type, const std::optional<std::string>& text,
                                       bool low);

}  // namespace lamina::catalog
