#include "lamina/backtests/series_recipes.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lamina/backtests/lake_schema.h"
#include "lamina/base/time.h"

namespace lamina::backtests {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::int64_t At(std::string_view text) { return ParseTime(text)->value; }

SnapshotSeries Snapshots(std::vector<std::int64_t> times, std::vector<double> values,
                         std::vector<double> cash_flow = {}) {
  SnapshotSeries series;
  if (cash_flow.empty()) cash_flow.resize(values.size());
  series.sorted = std::is_sorted(times.begin(), times.end());
  series.times = std::move(times);
  series.total_value = std::move(values);
  series.cash_flow = std::move(cash_flow);
  series.complete = true;
  return series;
}

std::uint32_t Series(std::string_view name) {
  const auto found = std::find(kSeriesNames.begin(), kSeriesNames.end(), name);
  return static_cast<std::uint32_t>(found - kSeriesNames.begin());
}

std::vector<std::uint64_t> Bits(const std::vector<double>& values) {
  std::vector<std::uint64_t> bits;
  for (const double value : values) bits.push_back(std::bit_cast<std::uint64_t>(value));
  return bits;
}

// Vectors that must never change: a stored skeleton names a recipe and expects these bits.
TEST(SeriesRecipesTest, GoldenVectors) {
  const std::int64_t hour = 3'600'000'000;
  const std::int64_t start = At("2024-01-01T00:00:00+00:00");
  const SnapshotSeries in =
      Snapshots({start, start + hour, start + 2 * hour, start + 3 * hour, start + 4 * hour},
                {1000, 1022.4583815657429, 1042.96863851118, 1059.970345938321, 1002.7524046271234},
                {0, 0, 0, 25.5, 0});
  const struct {
    std::string_view series;
    std::vector<double> values;
  } kVectors[] = {
      {"equity_curve",
       {1000.0, 1022.4583815657429, 1042.96863851118, 1059.970345938321, 1002.7524046271234}},
      {"drawdown_series", {0.0, 0.0, 0.0, 0.0, -0.053980700054911894}},
      {"cumulative_return_series",
       {0.0, 0.02245838156574287, 0.042968638511180046, 0.05997034593832118,
        0.0027524046271234504}},
      {"twr_equity_curve",
       {1.0, 1.0224583815657429, 1.0429686385111798, 1.034470345938321, 0.9786289124785237}},
      {"twr_drawdown_series", {0.0, 0.0, 0.0, -0.008148176521386006, -0.06168903230350245}},
  };
  for (const auto& vector : kVectors) {
    for (const std::uint32_t recipe : {1U, 2U}) {
      const auto points = CookSeries(Series(vector.series), recipe, in);
      EXPECT_EQ(points->times, in.times) << vector.series;
      EXPECT_EQ(Bits(points->values), Bits(vector.values)) << vector.series;
    }
  }
}

TEST(SeriesRecipesTest, MonthsAndYears) {
  const SnapshotSeries in =
      Snapshots({At("2023-11-30T12:00:00"), At("2023-12-31T23:00:00"), At("2023-12-31T23:00:00"),
                 At("2024-03-01T00:00:00"), At("2024-03-02T00:00:00")},
                {100, 110, 999, 120, 132}, {0, 0, 0, 0, 10});
  const auto months = CookSeries(Series("monthly_returns"), 1, in);
  // A repeated time counts once, the first; months without snapshots return 0.
  EXPECT_THAT(months->times,
              ElementsAre(At("2023-12-31"), At("2024-01-31"), At("2024-02-29"), At("2024-03-31")));
  EXPECT_THAT(months->values, ElementsAre(110.0 / 100 - 1, 0.0, 0.0, 132.0 / 110 - 1));
  const auto years = CookSeries(Series("yearly_returns"), 1, in);
  EXPECT_THAT(years->times, ElementsAre(At("2024-01-01")));
  EXPECT_THAT(years->values, ElementsAre(132.0 / 110 - 1));
  const auto later = CookSeries(Series("yearly_returns"), 2, in);
  EXPECT_THAT(later->times, ElementsAre(At("2023-01-01"), At("2024-01-01")));
  EXPECT_THAT(later->values, ElementsAre(110.0 / 100 - 1, (132.0 - 10) / 110 - 1));
}

TEST(SeriesRecipesTest, UnsortedSnapshots) {
  const SnapshotSeries in = Snapshots({30, 10, 20, 20}, {4, 1, 2, 3});
  EXPECT_FALSE(in.sorted);
  const std::uint32_t equity = Series("equity_curve");
  EXPECT_THAT(CookSeries(equity, 1, in)->times, ElementsAre(30, 10, 20, 20));
  EXPECT_THAT(CookSeries(equity, 2, in)->times, ElementsAre(10, 20, 20, 30));
  EXPECT_THAT(CookSeries(equity, 2, in)->values, ElementsAre(1, 2, 3, 4));
}

TEST(SeriesRecipesTest, WhatDoesNotApply) {
  SnapshotSeries in = Snapshots({1}, {2});
  EXPECT_FALSE(CookSeries(Series("rolling_sharpe_ratio"), 1, in));
  EXPECT_FALSE(CookSeries(Series("equity_curve"), 0, in));
  EXPECT_FALSE(CookSeries(Series("equity_curve"), 99, in));
  EXPECT_FALSE(CookSeries(99, 1, in));
  in.complete = false;
  EXPECT_FALSE(CookSeries(Series("equity_curve"), 1, in));
  const SnapshotSeries none = Snapshots({}, {});
  for (std::uint32_t series = 0; series < kSeriesNames.size(); ++series) {
    for (const std::uint32_t recipe : RecipesOf(series)) {
      EXPECT_THAT(CookSeries(series, recipe, none)->times, IsEmpty()) << series;
    }
  }
}

TEST(SeriesRecipesTest, OddValues) {
  const double nan = std::nan("");
  const auto in = Snapshots({1, 2, 3}, {0, nan, -5});
  EXPECT_THAT(CookSeries(Series("drawdown_series"), 1, in)->values, ElementsAre(0.0, 0.0, 0.0));
  const auto weighted = CookSeries(Series("twr_equity_curve"), 1, in)->values;
  EXPECT_EQ(weighted[1], 1.0);  // nothing grows from 0
  EXPECT_TRUE(std::isnan(weighted[2]));
}

}  // namespace
}  // namespace lamina::backtests
