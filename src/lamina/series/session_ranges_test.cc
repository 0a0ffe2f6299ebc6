#include "lamina/series/session_ranges.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "lamina/base/matchers.h"
#include "lamina/base/time.h"
#include "lamina/market/calendar.h"

namespace lamina::series {
namespace {

using ::testing::HasSubstr;

std::int64_t At(const char* text) { return ParseTime(text)->value * 1000; }

/// The range that holds `at`.
SessionRange Holding(const SessionChoice& choice, const char* at) {
  const auto ranges = RangesOf(choice);
  EXPECT_THAT(ranges, IsOk());
  for (const SessionRange& range : ranges->ranges) {
    if (range.begin <= At(at) && At(at) < range.end) return range;
  }
  return {};
}

TEST(SessionRangesTest, OpensAndClosesAcrossDaylightSavingTime) {
  const struct {
    SessionChoice choice;
    const char *at, *open, *close;
  } cases[] = {
      {{"XNYS", "", ""}, "2024-03-08T16:00:00Z", "2024-03-08T14:30:00Z", "2024-03-08T21:00:00Z"},
      {{"NYSE", "", ""}, "2024-03-11T16:00:00Z", "2024-03-11T13:30:00Z", "2024-03-11T20:00:00Z"},
      {{"XNYS", "", ""}, "2024-07-03T16:00:00Z", "2024-07-03T13:30:00Z", "2024-07-03T17:00:00Z"},
      {{"", "", "America/New_York"},
       "2024-03-10T12:00:00Z",
       "2024-03-10T05:00:00Z",
       "2024-03-11T04:00:00Z"},
      {{"", "", "America/New_York"},
       "2024-11-03T12:00:00Z",
       "2024-11-03T04:00:00Z",
       "2024-11-04T05:00:00Z"},
  };
  for (const auto& c : cases) {
    const SessionRange range = Holding(c.choice, c.at);
    EXPECT_EQ(range.begin, At(c.open)) << c.at;
    EXPECT_EQ(range.end, At(c.close)) << c.at;
    EXPECT_EQ(range.day, At(std::string(c.open).substr(0, 10).c_str()) / 86'400'000'000'000);
  }
  EXPECT_EQ(Holding({"XNYS", "", ""}, "2024-03-09T16:00:00Z"), SessionRange{});  // Saturday
  EXPECT_TRUE(RangesOf({})->ranges.empty());
}

TEST(SessionRangesTest, EveryCalendarMakesAGrid) {
  for (const char* name : {"XNYS", "CME_Equity", "24/7", "XTKS"}) {
    for (const char* session : {"regular", "overnight"}) {
      const auto ranges = RangesOf({name, session, ""});
      ASSERT_THAT(ranges, IsOk()) << name;
      for (const char* rule : {"1h", "1d", "1w", "1month"}) {
        EXPECT_THAT(BucketGrid::Make(*ParseBarRule(rule), ranges->ranges), IsOk())
            << name << session;
      }
    }
  }
}

TEST(SessionRangesTest, RefusesWhatItDoesNotKnow) {
  EXPECT_THAT(RangesOf({"XNYZ", "", ""}), IsError(ErrorCode::kInvalidArgument, HasSubstr("XNYS")));
  EXPECT_THAT(RangesOf({"XNYS", "regulr", ""}),
              IsError(ErrorCode::kInvalidArgument, HasSubstr("regular")));
  EXPECT_THAT(RangesOf({"", "", "America/New_Yorck"}), IsError(ErrorCode::kInvalidArgument));
  EXPECT_THAT(RangesOf({"", "regular", ""}),
              IsError(ErrorCode::kInvalidArgument, HasSubstr("needs a calendar")));
}

TEST(SessionRangesTest, RowsOutsideTheCalendarAreNotDropped) {
  const KnownTime known = RangesOf({"XNYS", "", ""})->known;
  const std::vector<std::int64_t> good{At("2000-01-01T05:00:00Z"), At("2031-01-01T04:59:59Z")};
  const std::vector<std::int64_t> early{At("2000-01-01T04:59:59Z")};
  const std::vector<std::int64_t> late{At("2024-01-01"), At("2031-01-01T05:00:00Z")};
  EXPECT_THAT(known.Check(good, 0), IsOk());
  EXPECT_THAT(known.Check(early, 7),
              IsError(ErrorCode::kInvalidArgument, HasSubstr("row 7 at 2000-01-01")));
  EXPECT_THAT(known.Check(late, 0),
              IsError(ErrorCode::kInvalidArgument, HasSubstr("row 1 at 2031-01-01")));
  EXPECT_THAT(KnownTime{}.Check(early, 0), IsOk());
  const std::vector<std::int64_t> evening{At("2030-12-31T23:30:00Z")};  // of 2031-01-01, unknown
  EXPECT_THAT(RangesOf({"CMES", "", ""})->known.Check(evening, 0),
              IsError(ErrorCode::kInvalidArgument));
}

TEST(SessionRangesTest, AZoneAloneKnowsTwoCenturies) {
  for (const char* at : {"1929-10-29T12:00:00Z", "1999-12-31T23:00:00Z", "2099-06-01T12:00:00Z"}) {
    const SessionRange day = Holding({"", "", "Europe/London"}, at);
    EXPECT_LT(day.begin, day.end) << at;
  }
  // 30 December 2011 was left out in Samoa.
  EXPECT_EQ(Holding({"", "", "Pacific/Apia"}, "2011-12-30T09:59:59Z").day + 2,
            Holding({"", "", "Pacific/Apia"}, "2011-12-30T10:00:00Z").day);
}

TEST(SessionRangesTest, AnOwnCalendarStandsForAName) {
  const auto nyse = *market::Calendar::Get("XNYS");
  const auto hours = market::ParseTradingHours("20240708:1000-20240708:1100", nyse->zone());
  const auto own = nyse->WithTradingHours(*hours);
  ASSERT_THAT(own, IsOk());
  const SessionRange range = Holding({"", "", "", *own}, "2024-07-08T14:30:00Z");
  EXPECT_EQ(range.begin, At("2024-07-08T14:00:00Z"));
  EXPECT_EQ(range.end, At("2024-07-08T15:00:00Z"));
}

}  // namespace
}  // namespace lamina::series
