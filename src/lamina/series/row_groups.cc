#include <limits>
#include <numeric>

#include <arrow/api.h>

#include "lamina/series/input_columns.h"
#include "lamina/series/row_groups_internal.h"
#include "lamina/table/columns.h"

namespace lamina::series {

Result<std::shared_ptr<arrow::Array>> WholeColumn(const arrow::Table& table, int column) {
  return table::CombineColumn(*table.column(column));
}

Result<std::vector<std::uint32_t>> NumberKeys(const arrow::Table& table,
                                              const std::vector<std::string>& by, KeyIndex& keys) {
  std::vector<std::shared_ptr<arrow::Array>> columns;
  for (const std::string& name : by) {
    LAMINA_ASSIGN(const int column, ColumnIndex(*table.schema(), name, "key"));
    LAMINA_ASSIGN(columns.emplace_back(), WholeColumn(table, column));
  }
  return keys.Number(columns);
}

Result<RowGroups> GroupRows(const arrow::Table& table, const std::vector<std::string>& by,
                            KeyIndex& keys) {
  RowGroups groups;
  const auto rows = static_cast<std::size_t>(table.num_rows());
  groups.rows_.resize(rows);
  if (by.empty()) {
    std::iota(groups.rows_.begin(), groups.rows_.end(), 0);
    groups.begins_.push_back(rows);
    return groups;
  }
  LAMINA_ASSIGN(const std::vector<std::uint32_t> numbers, NumberKeys(table, by, keys));
  groups.begins_.resize(keys.size() + 1);
  for (const std::uint32_t number : numbers) ++groups.begins_[number + 1];
  std::partial_sum(groups.begins_.begin(), groups.begins_.end(), groups.begins_.begin());
  std::vector<std::size_t> next = groups.begins_;
  for (std::size_t row = 0; row < rows; ++row) {
    groups.rows_[next[numbers[row]]++] = static_cast<std::int64_t>(row);
  }
  return groups;
}

void AggregateColumns::Fill(std::size_t column, WindowStat stat, const WindowTree& tree,
                            std::span<const WindowRows> windows, std::span<const std::int64_t> rows,
                            std::int64_t values_min) {
  for (std::size_t i = 0; i < windows.size(); ++i) {
    const auto [begin, end] = windows[i];
    double& value = values_[column][static_cast<std::size_t>(rows[i])];
    const bool end_only = stat == WindowStat::kFirst || stat == WindowStat::kLast;
    const bool counted = !end_only || values_min > 1;  // no value: First and Last are NaN anyway
    const WindowSums sums = counted ? tree.Over(begin, end) : WindowSums{};
    if (counted && sums.count < values_min && stat != WindowStat::kCount) {
      value = std::numeric_limits<double>::quiet_NaN();
    } else if (stat == WindowStat::kFirst) {
      value = tree.First(begin, end);
    } else if (stat == WindowStat::kLast) {
      value = tree.Last(begin, end);
    } else {
      value = StatOf(sums, stat);
    }
  }
}

Result<std::shared_ptr<arrow::Array>> AggregateColumns::Take(std::size_t column, WindowStat stat) {
  std::vector<double> values = std::move(values_[column]);
  if (stat != WindowStat::kCount) return NumberColumn(std::move(values));
  return IntegerColumn({values.begin(), values.end()}, /*stamps=*/false);
}

}  // namespace lamina::series
