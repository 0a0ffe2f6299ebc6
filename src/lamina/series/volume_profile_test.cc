#include "lamina/series/volume_profile.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "lamina/base/matchers.h"
#include "lamina/series/reference_test_support.h"

namespace lamina::series {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

TEST(RunningVwapTest, EqualsTheReferenceBitForBit) {
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    const RandomTicks ticks = MakeTicks(500, seed, true);
    RunningVwap running = *RunningVwap::Make({});
    std::vector<double> vwap(500);
    for (std::size_t row = 0; row < 500; row += 100) {
      const auto part = [&](auto& column) { return std::span(column).subspan(row, 100); };
      ASSERT_THAT(running.Add({part(ticks.ts), part(ticks.price), part(ticks.size)}, part(vwap)),
                  IsOk());
    }
    double volume = 0, notional = 0;
    for (std::size_t row = 0; row < 500; ++row) {
      if (!std::isnan(ticks.price[row]) && !std::isnan(ticks.size[row])) {
        volume += ticks.size[row];
        notional += ticks.price[row] * ticks.size[row];
      }
      if (volume == 0) {
        EXPECT_TRUE(std::isnan(vwap[row]));
      } else {
        EXPECT_EQ(Bits(vwap[row]), Bits(notional / volume));
      }
    }
  }
}

TEST(RunningVwapTest, BeginsAnewWithEachTradingDay) {
  const std::vector<SessionRange> ranges{{0, 10, 0}, {15, 20, 0}, {20, 30, 1}};
  RunningVwap running = *RunningVwap::Make(ranges);
  const std::vector<std::int64_t> ts{5, 12, 16, 20, 30};
  const std::vector<double> price{10, 99, 20, 7, 8}, size{1, 1, 1, 1, 1};
  std::vector<double> vwap(5);
  ASSERT_THAT(running.Add({ts, price, size}, vwap), IsOk());
  EXPECT_EQ(vwap[0], 10);
  EXPECT_TRUE(std::isnan(vwap[1]));
  EXPECT_EQ(vwap[2], 15);
  EXPECT_EQ(vwap[3], 7);
  EXPECT_TRUE(std::isnan(vwap[4]));
  const std::vector<std::int64_t> back{1, 2, 3, 4, 5};
  EXPECT_THAT(running.Add({back, price, size}, vwap),
              IsError(ErrorCode::kInvalidArgument, HasSubstr("row 5 is out of order")));
}

TEST(VolumeProfileTest, PricesOnABoundaryStayOnTheirLevel) {
  VolumeProfile profile = *VolumeProfile::Make(0.01);
  std::vector<double> price, size;
  for (int cents = -300; cents < 20'000; ++cents) {
    price.push_back(cents * 0.01);
    size.push_back(1);
    price.push_back(cents * 0.01 + 0.004);
    size.push_back(2);
  }
  ASSERT_THAT(profile.Add({{}, price, size}), IsOk());
  const auto levels = profile.Levels();
  ASSERT_EQ(levels.size(), 20'300u);
  for (std::size_t i = 0; i < levels.size(); ++i) {
    EXPECT_EQ(levels[i].index, static_cast<std::int64_t>(i) - 300);
    EXPECT_EQ(levels[i].volume, 3);
    EXPECT_EQ(levels[i].n_ticks, 2);
  }
}

TEST(VolumeProfileTest, OddRows) {
  VolumeProfile profile = *VolumeProfile::Make(5);
  const std::vector<double> price{kNaN, 7, 9, -1}, size{1, kNaN, 2, 3};
  ASSERT_THAT(profile.Add({{}, price, size}), IsOk());
  ASSERT_EQ(profile.Levels().size(), 2u);
  EXPECT_EQ(profile.Levels()[0].price, -5);
  EXPECT_EQ(profile.Levels()[1].volume, 2);
  EXPECT_EQ(profile.Levels()[1].n_ticks, 2);
  const std::vector<double> one{1}, negative{-1}, infinite{INFINITY};
  EXPECT_THAT(profile.Add({{}, one, negative}),
              IsError(ErrorCode::kInvalidArgument, HasSubstr("row 4 has a negative size")));
  EXPECT_THAT(profile.Add({{}, infinite, one}), IsError(ErrorCode::kInvalidArgument));
  for (const double width : {0.0, -1.0, kNaN, static_cast<double>(INFINITY)}) {
    EXPECT_THAT(VolumeProfile::Make(width), IsError(ErrorCode::kInvalidArgument));
  }
}

}  // namespace
}  // namespace lamina::series
