#pragma once

/// \file lamina/series/row_groups_internal.h
/// Rows of a table put together by key, and statistics put back in their places.
/// Thread-compatible.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "lamina/base/result.h"
#include "lamina/series/key_index.h"
#include "lamina/series/windows.h"

namespace arrow {
class Array;
class Table;
}  // namespace arrow

namespace lamina::series {

/// Column `column` as one array.
Result<std::shared_ptr<arrow::Array>> WholeColumn(const arrow::Table& table, int column);
/// The number of each row's key in `keys`, which may know keys of another table already.
Result<std::vector<std::uint32_t>> NumberKeys(const arrow::Table& table,
                                              const std::vector<std::string>& by, KeyIndex& keys);

/// The rows of each key, in their order.
class RowGroups {
 public:
  std::uint32_t groups() const { return static_cast<std::uint32_t>(begins_.size() - 1); }
  /// Row numbers of group `key`; none when the key is of the other table alone.
  std::span<const std::int64_t> Rows(std::uint32_t key) const {
    if (key >= groups()) return {};
    return std::span(rows_).subspan(begins_[key], begins_[key + 1] - begins_[key]);
  }
  template <class Value>
  std::vector<Value> Pick(std::uint32_t key, std::span<const Value> column) const {
    std::vector<Value> values;
    values.reserve(Rows(key).size());
    for (const std::int64_t row : Rows(key))
      values.push_back(column[static_cast<std::size_t>(row)]);
    return values;
  }

 private:
  friend Result<RowGroups> GroupRows(const arrow::Table& table, const std::vector<std::string>& by,
                                     KeyIndex& keys);
  std::vector<std::int64_t> rows_;
  std::vector<std::size_t> begins_{0};
};
/// Without `by` all rows are of one group.
Result<RowGroups> GroupRows(const arrow::Table& table, const std::vector<std::string>& by,
                            KeyIndex& keys);

/// Result columns of statistics, filled group by group.
class AggregateColumns {
 public:
  AggregateColumns(std::size_t columns, std::size_t rows)
      : values_(columns, std::vector<double>(rows)) {}
  /// Statistic of the windows of rows `rows`. Fewer than `values_min` values give NULL.
  void Fill(std::size_t column, WindowStat stat, const WindowTree& tree,
            std::span<const WindowRows> windows, std::span<const std::int64_t> rows,
            std::int64_t values_min = 0);
  /// double, NaN as NULL; int64 for counts.
  Result<std::shared_ptr<arrow::Array>> Take(std::size_t column, WindowStat stat);

 private:
  std::vector<std::vector<double>> values_;
};

}  // namespace lamina::series
