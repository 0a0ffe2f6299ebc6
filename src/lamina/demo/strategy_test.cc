#include "lamina/demo/strategy.h"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include "lamina/demo/random.h"

namespace lamina::demo {
namespace {

StrategyParameters TrendCross(int fast, int slow) {
  StrategyParameters parameters;
  parameters.fast = fast;
  parameters.slow = slow;
  return parameters;
}

StrategyParameters MeanReversion(int window, double entry) {
  StrategyParameters parameters;
  parameters.kind = StrategyKind::kMeanReversion;
  parameters.window = window;
  parameters.entry = entry;
  return parameters;
}

/// What was decided up to a bar must not change when the bars after it do.
TEST(Strategy, NoLookAhead) {
  const std::vector<double> closes = MakeMarket(11, 900).closes.front();
  Random random(3);
  for (const auto& parameters : {TrendCross(12, 72), TrendCross(48, 240), MeanReversion(24, 1.25),
                                 MeanReversion(168, 2.0)}) {
    const auto wants = WantsPosition(parameters, closes);
    ASSERT_EQ(wants.size(), closes.size());
    EXPECT_GT(std::count(wants.begin(), wants.end(), true), 0) << "a test on nothing";
    for (int round = 0; round < 20; ++round) {
      const std::size_t last = random.Next() % closes.size();
      std::vector<double> changed = closes;
      for (std::size_t i = last + 1; i < changed.size(); ++i) {
        changed[i] = 1 + 500 * random.Uniform();
      }
      const auto other = WantsPosition(parameters, changed);
      for (std::size_t i = 0; i <= last; ++i) ASSERT_EQ(other[i], wants[i]) << i << " of " << last;
      changed.resize(last + 1);
      const auto shorter = WantsPosition(parameters, changed);
      for (std::size_t i = 0; i <= last; ++i) ASSERT_EQ(shorter[i], wants[i]) << i;
    }
  }
}

TEST(Strategy, TrendCrossHoldsARiseAndLeavesAFall) {
  std::vector<double> closes(100, 100);
  for (int i = 0; i < 200; ++i) closes.push_back(closes.back() * 1.004);
  for (int i = 0; i < 200; ++i) closes.push_back(closes.back() * 0.996);
  const auto wants = WantsPosition(TrendCross(8, 72), closes);
  EXPECT_FALSE(wants[99]) << "flat";
  EXPECT_TRUE(wants[250]);
  EXPECT_FALSE(wants[450]);
}

TEST(Strategy, TrendCrossWaitsForItsSlowAverage) {
  std::vector<double> closes(1, 100);
  for (int i = 0; i < 150; ++i) closes.push_back(closes.back() * 1.01);
  const auto wants = WantsPosition(TrendCross(8, 72), closes);
  EXPECT_EQ(std::find(wants.begin(), wants.end(), true) - wants.begin(), 72);
}

TEST(Strategy, MeanReversionBuysADipAndSellsAtTheMean) {
  std::vector<double> closes;
  for (int i = 0; i < 60; ++i) closes.push_back(i % 2 == 0 ? 99 : 101);
  closes.insert(closes.end(), {90, 95, 110});
  const auto wants = WantsPosition(MeanReversion(24, 2), closes);
  EXPECT_EQ(std::count(wants.begin(), wants.end(), true), 2);
  EXPECT_TRUE(wants[60] && wants[61]);
  EXPECT_FALSE(wants[62]);
}

TEST(Strategy, DegenerateSeries) {
  for (const auto& parameters : {TrendCross(8, 72), MeanReversion(24, 1.5)}) {
    EXPECT_TRUE(WantsPosition(parameters, {}).empty());
    EXPECT_EQ(WantsPosition(parameters, {5.0}), std::vector<bool>{false});
    EXPECT_EQ(WantsPosition(parameters, std::vector<double>(300, 5.0)), std::vector<bool>(300))
        << "a flat series has no deviation to measure by";
  }
}

TEST(Strategy, GridHas240Points) {
  const auto grid = SweepGrid();
  EXPECT_EQ(grid.size(), 240U);
  std::set<std::tuple<StrategyKind, int, int, int, double, double>> points;
  std::size_t trend = 0;
  for (const auto& point : grid) {
    points.emplace(point.kind, point.fast, point.slow, point.window, point.entry,
                   point.position_size);
    trend += point.kind == StrategyKind::kTrendCross ? 1 : 0;
    EXPECT_GT(point.position_size, 0);
    EXPECT_LE(point.position_size, 1);
    if (point.kind == StrategyKind::kTrendCross) {
      EXPECT_LT(point.fast, point.slow);
    }
  }
  EXPECT_EQ(points.size(), grid.size());
  EXPECT_EQ(trend, 120U);
}

}  // namespace
}  // namespace lamina::demo
