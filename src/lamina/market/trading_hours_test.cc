#include "lamina/market/trading_hours.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lamina/market/calendar_test_support.h"

namespace lamina::market {
namespace {

using ::testing::HasSubstr;

std::string Spell(const TradingHours& hours) {
  std::string text;
  for (const auto& day : hours.days) {
    std::vector<Interval> intervals;
    for (const auto& span : day.spans) {
      intervals.push_back({day.trading_day, span.open, span.close});
    }
    text += (text.empty() ? "" : "; ") + FormatDay(day.trading_day) + " " + ShowHours(intervals);
  }
  return text;
}

TEST(TradingHoursTest, ParsesBothForms) {
  struct Case {
    const char* text;
    const char* zone;
    const char* expected;
  };
  for (const auto& c : {
           Case{"20250110:0930-20250110:1600;20250111:CLOSED", "US/Eastern",
                "2025-01-10 14:30/21:00; 2025-01-11 closed"},
           Case{"20250110:0930-1600;20250111:CLOSED", "US/Eastern",
                "2025-01-10 14:30/21:00; 2025-01-11 closed"},
           // Overnight: the trading day is the day of the close.
           Case{"20250109:1700-20250110:1600", "America/Chicago", "2025-01-10 23:00-1/22:00"},
           Case{"20130603:1700-1515,1530-1615", "CST (Central Standard Time)",
                "2013-06-03 22:00-1/20:15,20:30/21:15"},
           Case{"20201019:1700-20201020:1515;20201020:1530-20201020:1600", "US/Central",
                "2020-10-20 22:00-1/20:15,20:30/21:00"},
           Case{"20090507:0700-1830,1830-2330;20090508:CLOSED", "Europe/London",
                "2009-05-07 06:00/17:30,17:30/22:30; 2009-05-08 closed"},
           Case{"20250310:0930-20250310:1600", "US/Eastern", "2025-03-10 13:30/20:00"},
           Case{"20250110:0000-20250111:0000", "UTC", "2025-01-10 00:00/24:00"},
           Case{"20250110:0000-2400", "UTC", "2025-01-10 00:00/24:00"},
           Case{" 20250110:0900-20250110:1130 , 20250110:1230-20250110:1530 ;", "JST (Japan)",
                "2025-01-10 00:00/02:30,03:30/06:30"},
       }) {
    const auto hours = ParseTradingHours(c.text, **Zone::Get(c.zone));
    ASSERT_THAT(hours, IsOk()) << c.text;
    EXPECT_EQ(Spell(*hours), c.expected);
  }
}

TEST(TradingHoursTest, RefusesAndNamesThePart) {
  struct Case {
    const char* text;
    const char* message;
  };
  for (const auto& c : {
           Case{"", "name no day"},
           Case{";;", "name no day"},
           Case{"20250110", "no ':' behind the date"},
           Case{"20250230:0930-1600", "'20250230' is not a date"},
           Case{"20250110:0930", "no '-'"},
           Case{"20250110:9:30-1600", "not a clock time"},
           Case{"20250110:0930-1660", "not a clock time"},
           Case{"20250110:0930-20250110:0930", "does not end after it begins"},
           Case{"20250110:0930-20250109:1600", "does not end after it begins"},
           Case{"20250110:0930-1600,1500-1700", "overlap"},
           Case{"20250110:0930-1600;20250110:CLOSED", "closed and open"},
           Case{"20250110:CLOSED;20250110:CLOSED", "closed twice"},
           Case{"20250110:closed", "no '-'"},
       }) {
    EXPECT_THAT(ParseTradingHours(c.text, **Zone::Get("UTC")),
                IsError(ErrorCode::kInvalidArgument, HasSubstr(c.message)))
        << c.text;
  }
  EXPECT_THAT(ParseTradingHours(std::string(2 << 20, ';'), **Zone::Get("UTC")),
              IsError(ErrorCode::kInvalidArgument));
}

}  // namespace
}  // namespace lamina::market
