#pragma once

/// \file lamina/series/key_index.h
/// Keys of rows as small numbers, and rows taken by number. Thread-compatible.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "lamina/base/result.h"

namespace arrow {
class Array;
class DataType;
}  // namespace arrow

namespace lamina::series {

/// Gives each distinct tuple of key values a number, from 0 in the order of their first rows.
class KeyIndex {
 public:
  /// Of columns that stand beside each other (integers, text, dictionaries of text, booleans,
  /// dates, times; NULL is a value). Values count, not widths or units: 7 is 7 as int32 and int64.
  /// RETURNS kUnsupported for other types, kInvalidArgument when a column is of another kind than
  /// the one at its place in an earlier call.
  Result<std::vector<std::uint32_t>> Number(const std::vector<std::shared_ptr<arrow::Array>>& keys);
  std::uint32_t size() const { return static_cast<std::uint32_t>(first_rows_.size()); }
  /// The key columns of the given numbers.
  Result<std::vector<std::shared_ptr<arrow::Array>>> Columns(
      std::span<const std::uint32_t> numbers) const;
  /// A key as text, for messages.
  std::string Text(std::uint32_t number) const;

 private:
  Status CheckKinds(const std::vector<std::shared_ptr<arrow::Array>>& keys);

  std::vector<std::shared_ptr<arrow::DataType>> types_;  ///< of the first that was seen at a place
  std::unordered_map<std::string, std::uint32_t> numbers_;
  std::vector<std::vector<std::shared_ptr<arrow::Array>>> first_rows_;  ///< arrays of one value
};

/// Rows of a column by number, -1 giving NULL. RETURNS kUnsupported for types that cannot be built,
/// kResourceExhausted for over 2 GiB of text.
Result<std::shared_ptr<arrow::Array>> GatherRows(const std::shared_ptr<arrow::Array>& column,
                                                 std::span<const std::int64_t> rows);

}  // namespace lamina::series
