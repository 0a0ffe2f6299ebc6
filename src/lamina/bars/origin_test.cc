#include "lamina/bars/origin.h"

#include <gtest/gtest.h>

namespace lamina::bars {
namespace {

constexpr Micros kDay{1'704'067'200'000'000};  // 2024-01-01

TEST(Origin, SeriesGoThereAndBack) {
  const SeriesOrigin cases[] = {
      {"ohlcv", "EUR_USD", "1h"},
      {"ohlcv", "BTC/EUR", "1d", {kDay, {}}},
      {"own", "AAPL@XNAS", "1month", {{}, kDay}},
      {"own", "x[1]", "1h", {kDay, Micros{kDay.value + 1}}},
  };
  for (const SeriesOrigin& origin : cases) {
    const std::string text = FormatOrigin(origin);
    const auto back = ParseSeriesOrigin(text);
    ASSERT_TRUE(back) << text;
    EXPECT_EQ(back->instrument, origin.instrument);
    EXPECT_EQ(FormatOrigin(*back), text);
  }
  EXPECT_EQ(FormatOrigin(cases[1]).substr(0, 16), "ohlcv/BTC/EUR/1d");
  for (const char* text : {"ohlcv", "ohlcv/x", "a/b/c[x,)", "a/b/c[2024-01-01)", ""}) {
    EXPECT_FALSE(ParseSeriesOrigin(text)) << text;
  }
}

TEST(Origin, TicksGoThereAndBack) {
  const TickOrigin origin{5'000'000'000, tick_log::TickType::kBidAsk, {kDay, {}}};
  const std::string text = FormatOrigin(origin);
  EXPECT_EQ(text.substr(0, 20), "5000000000/bid_ask[2");
  const auto back = ParseTickOrigin(text);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->contract, origin.contract);
  EXPECT_EQ(FormatOrigin(*back), text);
  for (const char* other : {"1", "x/last", "1x/last", "1/lost", "1/last[a,)"}) {
    EXPECT_FALSE(ParseTickOrigin(other)) << other;
  }
}

}  // namespace
}  // namespace lamina::bars
