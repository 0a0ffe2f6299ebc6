#include <bit>
#include <limits>

#include <gtest/gtest.h>

#include "lamina/series/reference_test_support.h"
#include "lamina/series/trade_sums_internal.h"

namespace lamina::series::internal {
namespace {

bool Same(const TradeSums& a, const TradeSums& b) {
  const auto same = [](const Lanes& x, const Lanes& y) {
    for (std::size_t i = 0; i < kLanes; ++i) {
      if (Bits(x[i]) != Bits(y[i])) return false;
    }
    return true;
  };
  return same(a.high, b.high) && same(a.low, b.low) && same(a.volume, b.volume) &&
         same(a.notional, b.notional) && a.rows == b.rows && a.unpriced == b.unpriced &&
         a.negative == b.negative;
}

TEST(TradeSumsTest, PathsAndCutsAgreeBitForBit) {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    std::mt19937_64 random(seed);
    const std::size_t rows = random() % 300;
    const RandomTicks ticks = MakeTicks(rows, seed, seed % 2 == 1);
    const double* size = seed % 3 == 0 ? nullptr : ticks.size.data();
    TradeSums whole, portable, single, cut;
    AddTrades(whole, ticks.price.data(), size, rows);
    AddTradesPortable(portable, ticks.price.data(), size, rows);
    for (std::size_t row = 0; row < rows; ++row) {
      AddTrades(single, &ticks.price[row], size != nullptr ? size + row : nullptr, 1);
    }
    for (std::size_t row = 0; row < rows;) {
      const std::size_t count = std::min<std::size_t>(random() % 40, rows - row);
      AddTrades(cut, ticks.price.data() + row, size != nullptr ? size + row : nullptr, count);
      row += count;
    }
    EXPECT_TRUE(Same(whole, portable)) << seed;
    EXPECT_TRUE(Same(whole, single)) << seed;
    EXPECT_TRUE(Same(whole, cut)) << seed;
  }
}

TEST(TradeSumsTest, SeesANegativeSizeAnywhere) {
  for (std::size_t bad = 0; bad < 40; ++bad) {
    std::vector<double> price(40, 1.0), size(40, 2.0);
    size[bad] = -0.5;
    TradeSums sums, portable;
    AddTrades(sums, price.data(), size.data(), 40);
    AddTradesPortable(portable, price.data(), size.data(), 40);
    EXPECT_TRUE(sums.negative && portable.negative) << bad;
  }
}

TEST(TradeSumsTest, ZerosAreOfOneSign) {
  Lanes lanes;
  lanes.fill(-0.0);
  EXPECT_EQ(Bits(LaneMax(lanes)), Bits(0.0));
  EXPECT_EQ(Bits(LaneMin(lanes)), Bits(0.0));
  EXPECT_EQ(LaneSum({1, 2, 3, 4, 5, 6, 7, 8}), 36);
}

}  // namespace
}  // namespace lamina::series::internal
