#include "lamina/demo/market.h"

#include <cmath>
#include <set>

#include <gtest/gtest.h>

namespace lamina::demo {
namespace {

constexpr std::size_t kHours = 2000;

TEST(Market, ShapeAndPrices) {
  const Market market = MakeMarket(7, kHours);
  EXPECT_EQ(std::set<std::string>(market.symbols.begin(), market.symbols.end()).size(), 4U);
  ASSERT_EQ(market.closes.size(), market.symbols.size());
  ASSERT_EQ(market.hours.size(), kHours);
  EXPECT_EQ(FormatTime(market.hours.front()).substr(0, 10), "2024-01-01");
  for (std::size_t hour = 1; hour < kHours; ++hour) {
    ASSERT_EQ(market.hours[hour].value - market.hours[hour - 1].value, 3'600'000'000) << hour;
  }
  for (const auto& closes : market.closes) {
    ASSERT_EQ(closes.size(), kHours);
    for (double close : closes) {
      ASSERT_GE(close, 0.01);
      ASSERT_NEAR(close * 100, std::round(close * 100), 1e-6) << "whole cents";
    }
  }
}

TEST(Market, TheSeedDecides) {
  const Market market = MakeMarket(7, kHours);
  EXPECT_EQ(market.closes, MakeMarket(7, kHours).closes);
  EXPECT_NE(market.closes, MakeMarket(8, kHours).closes);
  EXPECT_NE(market.closes[0], market.closes[1]) << "symbols have noise of their own";
}

/// Symbols share regimes: their returns are correlated, though not the same.
TEST(Market, SymbolsMoveTogether) {
  const Market market = MakeMarket(7, kHours);
  std::vector<std::vector<double>> returns;
  for (const auto& closes : market.closes) {
    auto& row = returns.emplace_back();
    for (std::size_t i = 1; i < closes.size(); ++i) {
      row.push_back(std::log(closes[i] / closes[i - 1]));
    }
  }
  const auto dot = [&](std::size_t a, std::size_t b) {
    double sum = 0;
    for (std::size_t i = 0; i < returns[a].size(); ++i) sum += returns[a][i] * returns[b][i];
    return sum;
  };
  for (std::size_t other = 1; other < returns.size(); ++other) {
    const double correlation = dot(0, other) / std::sqrt(dot(0, 0) * dot(other, other));
    EXPECT_GT(correlation, 0.2) << market.symbols[other];
    EXPECT_LT(correlation, 0.99) << market.symbols[other];
  }
}

TEST(Market, EmptyAndShort) {
  EXPECT_TRUE(MakeMarket(1, 0).hours.empty());
  EXPECT_EQ(MakeMarket(1, 1).closes.front().size(), 1U);
}

}  // namespace
}  // namespace lamina::demo
