#include "lamina/market/day.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lamina/base/matchers.h"

namespace lamina::market {
namespace {

TEST(DayTest, ParsesAndFormats) {
  for (const char* text : {"1970-01-01", "2000-02-29", "2024-02-29", "1969-12-31", "9999-12-31"}) {
    const auto day = ParseDay(text);
    ASSERT_THAT(day, IsOk()) << text;
    EXPECT_EQ(FormatDay(*day), text);
  }
  EXPECT_EQ(ParseDay("1970-01-02")->value, 1);
  EXPECT_EQ(ParseCompactDay("20250110")->value, ParseDay("2025-01-10")->value);
}

TEST(DayTest, RefusesWhatIsNoDate) {
  for (const char* text : {"", "2025-1-1", "2025-02-29", "2025-13-01", "2025-00-10", "2025-04-31",
                           "2025/01/01", "20250101", "2025-01-0x", "0000-01-01"}) {
    EXPECT_THAT(ParseDay(text), IsError(ErrorCode::kInvalidArgument)) << text;
  }
  for (const char* text : {"", "2025011", "20250230", "2025-1-1"}) {
    EXPECT_THAT(ParseCompactDay(text), IsError(ErrorCode::kInvalidArgument)) << text;
  }
}

TEST(DayTest, WeekdaysCountFromMonday) {
  EXPECT_EQ(Weekday(*ParseDay("1970-01-01")), 3);
  EXPECT_EQ(Weekday(*ParseDay("2025-01-13")), 0);
  EXPECT_EQ(Weekday(*ParseDay("2025-01-12")), 6);
  EXPECT_EQ(Weekday(*ParseDay("1969-12-29")), 0);
}

}  // namespace
}  // namespace lamina::market
