#include "lamina/series/bar_rule.h"

#include <gtest/gtest.h>

#include "lamina/base/matchers.h"

namespace lamina::series {
namespace {

using ::testing::HasSubstr;

TEST(BarRuleTest, Parses) {
  const struct {
    const char* text;
    BarUnit unit;
    std::int64_t count;
    std::int64_t period_ns;
    double threshold;
  } cases[] = {
      {"1s", BarUnit::kTime, 1, 1'000'000'000, 0},
      {"15m", BarUnit::kTime, 15, 900'000'000'000, 0},
      {"4h", BarUnit::kTime, 4, 14'400'000'000'000, 0},
      {"1d", BarUnit::kDay, 1, 86'400'000'000'000, 0},
      {"2w", BarUnit::kWeek, 2, 1'209'600'000'000'000, 0},
      {"3month", BarUnit::kMonth, 3, 0, 0},
      {"500tick", BarUnit::kTick, 500, 0, 0},
      {"1000vol", BarUnit::kVolume, 0, 0, 1000},
      {"0.5vol", BarUnit::kVolume, 0, 0, 0.5},
      {"1e6usd", BarUnit::kNotional, 0, 0, 1e6},
      {"250usdt", BarUnit::kNotional, 0, 0, 250},
      {"5eur", BarUnit::kNotional, 0, 0, 5},
      {"10notional", BarUnit::kNotional, 0, 0, 10},
  };
  for (const auto& c : cases) {
    const auto rule = ParseBarRule(c.text);
    ASSERT_THAT(rule, IsOk()) << c.text;
    EXPECT_EQ(rule->unit, c.unit) << c.text;
    EXPECT_EQ(rule->count, c.count) << c.text;
    EXPECT_EQ(rule->period_ns, c.period_ns) << c.text;
    EXPECT_EQ(rule->threshold, c.threshold) << c.text;
  }
}

TEST(BarRuleTest, RefusesAndListsTheKnownUnits) {
  for (const char* text : {"",
                           "m",
                           "0m",
                           "-1m",
                           "1",
                           "1M",
                           "1min",
                           "1.5m",
                           "99999999999999999999s",
                           "9999999999999d",
                           "1 m",
                           "0vol",
                           "-1vol",
                           "nanvol",
                           "infusd",
                           "usd",
                           "1e999usd",
                           "20000month",
                           "1mo",
                           "1tickk"}) {
    EXPECT_THAT(ParseBarRule(text), IsError(ErrorCode::kInvalidArgument, HasSubstr("<n>month")))
        << text;
  }
  EXPECT_THAT(ParseBarRule("5ticks"), IsError(ErrorCode::kInvalidArgument, HasSubstr("`tick`")));
}

TEST(BarRuleTest, ParsesSpans) {
  EXPECT_EQ(*ParseSpan("0s"), 0);
  EXPECT_EQ(*ParseSpan("250ms"), 250'000'000);
  EXPECT_EQ(*ParseSpan("3us"), 3000);
  EXPECT_EQ(*ParseSpan("7ns"), 7);
  EXPECT_EQ(*ParseSpan("1h"), 3'600'000'000'000);
  for (const char* text : {"", "1", "s", "1month", "-1s", "1.5s", "99999999999d"}) {
    EXPECT_THAT(ParseSpan(text), IsError(ErrorCode::kInvalidArgument, HasSubstr("<n>ns"))) << text;
  }
}

}  // namespace
}  // namespace lamina::series
