#pragma once

/// \file lamina/backtests/series_recipes.h
/// Series that follow from a run's snapshots, bit for bit as the framework computes them.
/// + - x / and compare on doubles only, in a fixed order, compiled without contraction: the numbers
/// are part of the skeleton format and never change their meaning. Pure functions; thread-safe.

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "lamina/backtests/row_columns.h"

namespace lamina::backtests {

struct SeriesPoints {
  std::vector<std::int64_t> times;  ///< microseconds
  std::vector<double> values;
};

/// The snapshot columns that recipes use.
struct SnapshotSeries {
  std::vector<std::int64_t> times;  ///< microseconds
  std::vector<double> total_value, cash_flow;
  bool complete = false;  ///< no cell is NULL; recipes give nothing otherwise
  bool sorted = true;     ///< by time
};
SnapshotSeries SnapshotSeriesOf(const ColumnView& ts, const ColumnView& total_value,
                                const ColumnView& cash_flow);

/// Recipes of series `series` of kSeriesNames, in the order to try; numbers from 1.
std::span<const std::uint32_t> RecipesOf(std::uint32_t series);

/// Absent when there is no such recipe, or it does not apply (NULL cells).
std::optional<SeriesPoints> CookSeries(std::uint32_t series, std::uint32_t recipe,
                                       const SnapshotSeries& snapshots);

}  // namespace lamina::backtests
