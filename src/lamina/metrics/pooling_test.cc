#include "lamina/metrics/pooling.h"

#include <gtest/gtest.h>

namespace lamina::metrics {
namespace {

WindowMetrics Window(std::int64_t days, double sharpe, double drawdown, double gain) {
  WindowMetrics window;
  window.days = days;
  window.first_value = 1000;
  window.trade_sums = {20, 10, true};
  window.values[Metric::kSharpeRatio] = MetricValue::Of(sharpe);
  window.values[Metric::kMaxDrawdown] = MetricValue::Of(drawdown);
  window.values[Metric::kTotalNetGain] = MetricValue::Of(gain);
  window.values[Metric::kTradesClosed] = MetricValue::Of(4);
  window.values[Metric::kDailyReturns] = MetricValue::Of(static_cast<double>(days));
  window.values[Metric::kWinRate] = MetricValue::Of(0.5);
  window.values[Metric::kProfitFactor] = MetricValue::Of(2);
  window.values[Metric::kMaxConsecutiveWins] = MetricValue::Of(3);
  return window;
}

std::uint32_t UsedFor(const PooledMetrics& pooled, Metric metric) {
  return pooled.windows_used[static_cast<std::size_t>(metric)];
}

TEST(Pooling, WeighsSumsAndTakesTheWorst) {
  std::vector<WindowMetrics> windows = {Window(10, 1, 0.1, 50), Window(30, 2, 0.3, -20)};
  windows[1].values[Metric::kTradesClosed] = MetricValue::Of(12);
  windows[1].values[Metric::kWinRate] = MetricValue::Of(0.75);
  windows[1].trade_sums = {100, 50, true};
  const PooledMetrics pooled = Pool(windows);
  EXPECT_EQ(pooled.windows, 2u);
  EXPECT_EQ(pooled.values[Metric::kSharpeRatio].value, 1.75);
  EXPECT_EQ(pooled.values[Metric::kMaxDrawdown].value, 0.3) << "the deepest, not the mildest";
  EXPECT_EQ(pooled.values[Metric::kTotalNetGain].value, 30);
  EXPECT_EQ(pooled.values[Metric::kTotalNetGainPercentage].value, 0.015);
  EXPECT_EQ(pooled.values[Metric::kTradesClosed].value, 16);
  EXPECT_EQ(pooled.values[Metric::kDailyReturns].value, 40);
  EXPECT_EQ(pooled.values[Metric::kWinRate].value, (0.5 * 4 + 0.75 * 12) / 16);
  EXPECT_EQ(pooled.values[Metric::kProfitFactor].value, 2);
  EXPECT_EQ(UsedFor(pooled, Metric::kSharpeRatio), 2u);
}

TEST(Pooling, AWindowWithoutARatioDoesNotSpoilIt) {
  std::vector<WindowMetrics> windows = {Window(10, 1, 0.1, 50), Window(30, 2, 0.3, -20)};
  windows[1].values[Metric::kSharpeRatio] = MetricValue::None(Reason::kConstant);
  windows[0].values[Metric::kTotalNetGain] = MetricValue::None(Reason::kNotFinite);
  const PooledMetrics pooled = Pool(windows);
  EXPECT_EQ(pooled.values[Metric::kSharpeRatio].value, 1);
  EXPECT_EQ(UsedFor(pooled, Metric::kSharpeRatio), 1u);
  EXPECT_FALSE(pooled.values[Metric::kTotalNetGain].value.has_value()) << "a sum of some is wrong";
  EXPECT_EQ(pooled.values[Metric::kTotalNetGain].reason, Reason::kNotFinite);
  EXPECT_EQ(UsedFor(pooled, Metric::kTotalNetGain), 0u);
}

TEST(Pooling, DaysAsWeights) {
  EXPECT_EQ(Pool({Window(0, 1, 0, 0), Window(5, 3, 0, 0)}).values[Metric::kSharpeRatio].value, 3);
  EXPECT_EQ(Pool({Window(0, 1, 0, 0), Window(0, 3, 0, 0)}).values[Metric::kSharpeRatio].value, 2)
      << "no window has a whole day";
  EXPECT_EQ(Pool({Window(-4, 1, 0, 0), Window(1, 3, 0, 0)}).values[Metric::kSharpeRatio].value, 3);
  WindowMetrics short_one = Window(0, 1, 0, 0);
  WindowMetrics none = Window(5, 1, 0, 0);
  none.values[Metric::kSharpeRatio] = MetricValue::None(Reason::kConstant);
  EXPECT_EQ(Pool({short_one, none}).values[Metric::kSharpeRatio].reason, Reason::kConstant);
}

TEST(Pooling, OneWindowIsItself) {
  const PooledMetrics pooled = Pool({Window(7, 0.1, 0.2, 3)});
  EXPECT_EQ(pooled.values[Metric::kSharpeRatio].value, 0.1);
  EXPECT_EQ(pooled.values[Metric::kWinRate].value, 0.5);
  EXPECT_EQ(pooled.values[Metric::kTotalNetGainPercentage].value, 0.003);
}

TEST(Pooling, NoWindows) {
  const PooledMetrics pooled = Pool({});
  EXPECT_EQ(pooled.windows, 0u);
  EXPECT_EQ(pooled.values[Metric::kSharpeRatio].reason, Reason::kNoWindows);
  EXPECT_EQ(pooled.values[Metric::kProfitFactor].reason, Reason::kNoWindows);
  EXPECT_EQ(pooled.values[Metric::kTotalNetGain].reason, Reason::kNoWindows);
  EXPECT_EQ(pooled.values[Metric::kTradesClosed].value, 0);
}

TEST(Pooling, ProfitFactors) {
  std::vector<WindowMetrics> windows = {Window(1, 0, 0, 0), Window(1, 0, 0, 0)};
  windows[0].trade_sums = {5, 0, true};
  EXPECT_EQ(Pool(windows).values[Metric::kProfitFactor].value, 2.5) << "gains of a lossless window";
  windows[1].trade_sums = {5, 0, true};
  EXPECT_EQ(Pool(windows).values[Metric::kProfitFactor].reason, Reason::kNoLosses);
  windows[1].trade_sums.known = false;
  EXPECT_EQ(Pool(windows).values[Metric::kProfitFactor].reason, Reason::kTradeGain);
}

}  // namespace
}  // namespace lamina::metrics
