#include "lamina/metrics/trade_metrics.h"

#include <cmath>

#include <gtest/gtest.h>

namespace lamina::metrics {
namespace {

constexpr std::int64_t kHour = 3'600'000'000;

ClosedTrade Trade(int opened, int closed, double gain) {
  return {Micros{opened * kHour}, Micros{closed * kHour}, gain};
}

TEST(TradeMetrics, ByHand) {
  MetricValues values;
  // By closing time: win, win, loss, zero (a loss), win.
  const TradeSums sums = ComputeTradeMetrics(
      {Trade(0, 4, 10), Trade(1, 3, 5), Trade(2, 8, -6), Trade(5, 9, 0), Trade(6, 20, 3)}, values);
  EXPECT_EQ(sums.gross_profit, 18);
  EXPECT_EQ(sums.gross_loss, 6);
  EXPECT_TRUE(sums.known);
  EXPECT_EQ(values[Metric::kTradesClosed].value, 5);
  EXPECT_EQ(values[Metric::kWinRate].value, 0.6);
  EXPECT_EQ(values[Metric::kProfitFactor].value, 3);
  EXPECT_EQ(values[Metric::kAverageTradeDuration].value, 6);
  EXPECT_DOUBLE_EQ(*values[Metric::kAverageWinDuration].value, 20.0 / 3);
  EXPECT_EQ(values[Metric::kAverageLossDuration].value, 5);
  EXPECT_EQ(values[Metric::kMaxConsecutiveWins].value, 2);
  EXPECT_EQ(values[Metric::kMaxConsecutiveLosses].value, 2);
}

TEST(TradeMetrics, ReasonsWhereThereIsNone) {
  const double nan = std::nan("");
  ClosedTrade timeless = Trade(0, 1, 1);
  timeless.closed.reset();
  const struct {
    const char* name;
    std::vector<ClosedTrade> trades;
    Metric metric;
    Reason reason;
  } cases[] = {
      {"none", {}, Metric::kWinRate, Reason::kNoClosedTrades},
      {"none", {}, Metric::kProfitFactor, Reason::kNoClosedTrades},
      {"only wins", {Trade(0, 1, 2)}, Metric::kProfitFactor, Reason::kNoLosses},
      {"only wins", {Trade(0, 1, 2)}, Metric::kAverageLossDuration, Reason::kNoLosses},
      {"only zeros", {Trade(0, 1, 0)}, Metric::kProfitFactor, Reason::kNoLosses},
      {"only losses", {Trade(0, 1, -2)}, Metric::kAverageWinDuration, Reason::kNoWins},
      {"NaN", {Trade(0, 1, 2), Trade(0, 1, nan)}, Metric::kWinRate, Reason::kTradeGain},
      {"NaN", {Trade(0, 1, INFINITY)}, Metric::kMaxConsecutiveWins, Reason::kTradeGain},
      {"backwards", {Trade(2, 1, 2)}, Metric::kAverageTradeDuration, Reason::kTradeTimes},
      {"no time", {timeless}, Metric::kMaxConsecutiveLosses, Reason::kTradeTimes},
      {"no time", {timeless}, Metric::kAverageWinDuration, Reason::kTradeTimes},
  };
  for (const auto& one : cases) {
    MetricValues values;
    ComputeTradeMetrics(one.trades, values);
    EXPECT_FALSE(values[one.metric].value.has_value()) << one.name << " " << NameOf(one.metric);
    EXPECT_EQ(TextOf(values[one.metric].reason), TextOf(one.reason)) << one.name;
  }
}

TEST(TradeMetrics, WhatHasAnswersAllTheSame) {
  MetricValues values;
  ComputeTradeMetrics({}, values);
  EXPECT_EQ(values[Metric::kTradesClosed].value, 0);
  EXPECT_EQ(values[Metric::kMaxConsecutiveWins].value, 0);
  MetricValues lost;
  ComputeTradeMetrics({Trade(0, 1, -2)}, lost);
  EXPECT_EQ(lost[Metric::kProfitFactor].value, 0);
  EXPECT_EQ(lost[Metric::kWinRate].value, 0);
  MetricValues backwards;
  ComputeTradeMetrics({Trade(2, 1, 2)}, backwards);
  EXPECT_EQ(backwards[Metric::kWinRate].value, 1);
  EXPECT_EQ(backwards[Metric::kMaxConsecutiveWins].value, 1);
}

}  // namespace
}  // namespace lamina::metrics
