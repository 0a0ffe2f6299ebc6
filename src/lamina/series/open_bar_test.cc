#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "lamina/series/open_bar_internal.h"

namespace lamina::series::internal {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();

TEST(OpenBarTest, TradesWithoutPriceCountForNothing) {
  const std::vector<std::int64_t> ts{1, 2, 3, 4};
  const std::vector<double> price{kNaN, 2, 3, kNaN}, size{10, kNaN, 4, 10};
  OpenTradeBar bar;
  ASSERT_EQ(bar.Add({ts, price, size}, 0, 4), kNoRow);
  Bars bars;
  bar.Close({}, true, true, bars);
  EXPECT_EQ(bars.open[0], 2);
  EXPECT_EQ(bars.close[0], 3);
  EXPECT_EQ(bars.volume[0], 4);
  EXPECT_EQ(bars.vwap[0], 3);
  EXPECT_EQ(bars.n_ticks[0], 2);
  EXPECT_EQ(bar.unpriced_rows(), 2);
  EXPECT_EQ(bar.first_ts, 2);
  EXPECT_EQ(bar.last_ts, 3);
}

TEST(OpenBarTest, NoVolumeNoVwap) {
  const std::vector<std::int64_t> ts{1};
  const std::vector<double> price{2}, size{0};
  OpenTradeBar bar;
  ASSERT_EQ(bar.Add({ts, price, size}, 0, 1), kNoRow);
  Bars bars;
  bar.Close({}, true, true, bars);
  EXPECT_EQ(bars.volume[0], 0);
  EXPECT_NE(bars.vwap[0], bars.vwap[0]);
}

TEST(OpenBarTest, NamesTheRowWithANegativeSize) {
  const std::vector<std::int64_t> ts{1, 2};
  const std::vector<double> price{2, 2}, size{0, -1};
  EXPECT_EQ(OpenTradeBar().Add({ts, price, size}, 0, 2), 1u);
  EXPECT_EQ(OpenCandleBar().Add({ts, price, price, price, price, size}, 0, 2), 1u);
}

TEST(OpenBarTest, SpreadsWeighByTheTimeTheyStand) {
  const std::vector<std::int64_t> ts{10, 20, 20, 50};
  const std::vector<double> bid{99, 98, kNaN, 97}, ask{101, 102, 200, 103};
  OpenQuoteBar bar;
  ASSERT_EQ(bar.Add({ts, bid, ask}, 0, 4), kNoRow);
  Bars bars;
  bar.Close({.bar_end = 60}, true, false, bars);
  bar.Close({.bar_end = 60}, false, false, bars);  // a bar that rows end: up to the last row
  EXPECT_EQ(bars.spread_mean[0], 4);
  EXPECT_EQ(bars.spread_time_weighted[0], (2. * 10 + 4. * 30 + 6. * 10) / 50);
  EXPECT_EQ(bars.spread_time_weighted[1], (2. * 10 + 4. * 30) / 40);
  EXPECT_EQ(bars.open[0], 100);
  EXPECT_EQ(bars.bid_close[0], 97);
  EXPECT_EQ(bars.ask_close[0], 103);
  EXPECT_EQ(bars.n_ticks[0], 3);
  EXPECT_TRUE(bars.volume.empty());
}

TEST(OpenBarTest, SpreadsOverAllOfTime) {
  const std::vector<std::int64_t> ts{kMin, kMax};
  const std::vector<double> bid{1, 1}, ask{2, 9};
  OpenQuoteBar bar;
  ASSERT_EQ(bar.Add({ts, bid, ask}, 0, 2), kNoRow);
  Bars bars;
  bar.Close({.bar_end = kMax}, true, false, bars);
  EXPECT_EQ(bars.spread_time_weighted[0], 1);
}

TEST(OpenBarTest, CandlesAddUp) {
  const std::vector<std::int64_t> ts{1, 2, 3}, n{5, 6, 7};
  const std::vector<double> open{1, 2, 3}, high{4, 9, 4}, low{1, 1, kNaN}, close{2, 3, 4},
      volume{10, 30, 1}, vwap{2, kNaN, 1};
  OpenCandleBar bar;
  ASSERT_EQ(bar.Add({ts, open, high, low, close, volume, vwap, n}, 0, 3), kNoRow);
  Bars bars;
  bar.Close({}, true, true, bars);
  EXPECT_EQ(bars.open[0], 1);
  EXPECT_EQ(bars.high[0], 9);
  EXPECT_EQ(bars.close[0], 3);
  EXPECT_EQ(bars.volume[0], 40);
  EXPECT_EQ(bars.vwap[0], (10 * 2. + 30 * ((9. + 1. + 3.) / 3)) / 40);
  EXPECT_EQ(bars.n_ticks[0], 11);
  EXPECT_EQ(bar.unpriced_rows(), 1);
}

}  // namespace
}  // namespace lamina::series::internal
