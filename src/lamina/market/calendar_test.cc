#include "lamina/market/calendar.h"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lamina/market/calendar_test_support.h"

namespace lamina::market {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;

TEST(CalendarTest, IsFoundByNameAndAlias) {
  struct Case {
    const char* asked;
    const char* name;
  };
  for (const auto& c :
       {Case{"XNYS", "XNYS"}, Case{"NYSE", "XNYS"}, Case{"nasdaq", "XNYS"},
        Case{"CME_Equity", "CMES"}, Case{"CME Globex Equity", "CMES"}, Case{"24/7", "24/7"},
        Case{"forex", "FOREX"}, Case{"LSE", "XLON"}, Case{"Eurex", "XEUR"}, Case{"TSE", "XTKS"},
        Case{"HKEX", "XHKG"}, Case{"ICE", "IEPA"}}) {
    const auto calendar = Calendar::Get(c.asked);
    ASSERT_THAT(calendar, IsOk()) << c.asked;
    EXPECT_EQ((*calendar)->name(), c.name);
  }
}

TEST(CalendarTest, UnknownNamesListTheKnown) {
  EXPECT_THAT(Calendar::Get("NYSEE"),
              IsError(ErrorCode::kInvalidArgument,
                      AllOf(HasSubstr("did you mean `NYSE`"), HasSubstr("24/7, CMES, FOREX"))));
  EXPECT_THAT(Calendar::Get(""), IsError(ErrorCode::kInvalidArgument, HasSubstr("known")));
  const auto nyse = C("NYSE");
  const auto wrong = nyse->SessionBoundaries(D("2025-01-10"), "regullar");
  EXPECT_THAT(wrong, IsError(ErrorCode::kInvalidArgument,
                             AllOf(HasSubstr("did you mean `regular`"), HasSubstr("pre_market"))));
  EXPECT_THAT(C("XLON")->SessionBoundaries(D("2025-01-10"), "pre_market"),
              IsError(ErrorCode::kInvalidArgument, HasSubstr("regular, extended, overnight")));
}

TEST(CalendarTest, ListsWhatItKnows) {
  const auto list = Calendar::List();
  EXPECT_EQ(list.size(), 9u);
  for (const auto& info : list) {
    EXPECT_EQ(FormatDay(info.first), "2000-01-01");
    EXPECT_EQ(FormatDay(info.last), "2030-12-31");
    EXPECT_THAT(info.sessions, Contains("regular"));
    EXPECT_FALSE(info.version.empty());
    for (const auto& alias : info.aliases) EXPECT_EQ(C(alias)->name(), info.name);
  }
}

TEST(CalendarTest, SessionsOfADay) {
  struct Case {
    const char* calendar;
    const char* day;
    const char* session;
    const char* expected;
  };
  for (const auto& c : {
           Case{"XNYS", "2025-01-10", "regular",
                "2025-01-10 2025-01-10T14:30:00Z 2025-01-10T21:00:00Z"},
           Case{"XNYS", "2025-01-10", "pre_market",
                "2025-01-10 2025-01-10T09:00:00Z 2025-01-10T14:30:00Z"},
           Case{"XNYS", "2025-01-10", "after_hours",
                "2025-01-10 2025-01-10T21:00:00Z 2025-01-11T01:00:00Z"},
           Case{"XNYS", "2025-01-10", "extended",
                "2025-01-10 2025-01-10T09:00:00Z 2025-01-11T01:00:00Z"},
           // The whole day to the next midnight: the last minute is not lost.
           Case{"XNYS", "2025-01-10", "overnight",
                "2025-01-10 2025-01-10T05:00:00Z 2025-01-11T05:00:00Z"},
           // Early close: after hours begin with it and end at 17:00.
           Case{"XNYS", "2024-11-29", "after_hours",
                "2024-11-29 2024-11-29T18:00:00Z 2024-11-29T22:00:00Z"},
           Case{"XNYS", "2024-11-29", "Extended",
                "2024-11-29 2024-11-29T09:00:00Z 2024-11-29T22:00:00Z"},
           Case{"XTKS", "2025-01-10", "regular",
                "2025-01-10 2025-01-10T00:00:00Z 2025-01-10T06:30:00Z"},
           Case{"CMES", "2025-01-10", "rth",
                "2025-01-10 2025-01-10T14:30:00Z 2025-01-10T21:00:00Z"},
           Case{"CMES", "2024-11-29", "rth",
                "2024-11-29 2024-11-29T14:30:00Z 2024-11-29T18:15:00Z"},
           Case{"CMES", "2025-01-13", "overnight",
                "2025-01-13 2025-01-12T23:00:00Z 2025-01-13T23:00:00Z"},
           Case{"CMES", "2025-01-13", "overnight-trading",
                "2025-01-13 2025-01-12T23:00:00Z 2025-01-13T14:30:00Z"},
       }) {
    const auto found = C(c.calendar)->SessionBoundaries(D(c.day), c.session);
    ASSERT_THAT(found, IsOk()) << c.day << c.session;
    EXPECT_EQ(Show(*found), c.expected) << c.calendar << c.session;
  }
}

TEST(CalendarTest, DaysOfTheClockChangeHave23And25Hours) {
  const auto nyse = C("XNYS");
  const auto crypto = C("24/7")->InZone(*Zone::Get("America/New_York"));
  struct Case {
    const char* day;
    std::int64_t hours;
  };
  for (const auto& c : {Case{"2025-03-09", 23}, Case{"2025-11-02", 25}, Case{"2025-03-10", 24},
                        Case{"2006-04-02", 23}, Case{"2006-10-29", 25}}) {
    const auto whole = crypto->SessionBoundaries(D(c.day));
    ASSERT_THAT(whole, IsOk());
    EXPECT_EQ((whole->close.value - whole->open.value) / 3'600'000'000'000, c.hours) << c.day;
  }
  EXPECT_EQ(crypto->info().zone, "America/New_York");
}

TEST(CalendarTest, ClosedDaysAndDaysOutside) {
  const auto nyse = C("XNYS");
  EXPECT_THAT(nyse->SessionBoundaries(D("2025-01-09")),
              IsError(ErrorCode::kNotFound, HasSubstr("the next is on 2025-01-10")));
  EXPECT_THAT(nyse->SessionBoundaries(D("2025-01-11"), "overnight"), IsError(ErrorCode::kNotFound));
  for (const char* day : {"1999-12-31", "2031-01-01", "0001-01-01", "9999-12-31"}) {
    EXPECT_THAT(nyse->SessionBoundaries(D(day)),
                IsError(ErrorCode::kInvalidArgument, HasSubstr("2000-01-01..2030-12-31")));
    EXPECT_THAT(nyse->IsTradingDay(D(day)), IsError(ErrorCode::kInvalidArgument));
  }
  constexpr auto kMin = std::numeric_limits<std::int64_t>::min();
  constexpr auto kMax = std::numeric_limits<std::int64_t>::max();
  for (const auto at : {kMin, kMax, std::int64_t{0}}) {
    EXPECT_THAT(nyse->IsOpen({at}), IsError(ErrorCode::kInvalidArgument));
    EXPECT_THAT(nyse->NextOpen({at}), IsError(ErrorCode::kInvalidArgument));
    EXPECT_THAT(nyse->TradingDay({at}), IsError(ErrorCode::kInvalidArgument));
    EXPECT_THAT(nyse->CurrentSession({at}), IsError(ErrorCode::kInvalidArgument));
  }
  EXPECT_THAT(nyse->NextOpen(T("2030-12-31T22:00:00Z")), IsError(ErrorCode::kNotFound));
  EXPECT_THAT(nyse->CurrentSession(T("2000-01-02T12:00:00Z")), IsError(ErrorCode::kNotFound));
  EXPECT_THAT(nyse->PreviousSession(T("2000-01-03T18:00:00Z")), IsError(ErrorCode::kNotFound));
  EXPECT_THAT(nyse->Sessions(D("2025-01-10"), D("2025-01-09")),
              IsError(ErrorCode::kInvalidArgument));
  EXPECT_EQ(*nyse->IsTradingDay(D("2025-01-09")), false);
  EXPECT_EQ(*nyse->IsTradingDay(D("2025-01-10")), true);
}

TEST(CalendarTest, IsOpenHalfOpenAndNotInBreaks) {
  struct Case {
    const char* calendar;
    const char* at;
    bool open;
  };
  for (const auto& c : {
           Case{"XNYS", "2025-01-10T14:29:59.999999Z", false},
           Case{"XNYS", "2025-01-10T14:30:00Z", true},
           Case{"XNYS", "2025-01-10T20:59:59.999999Z", true},
           Case{"XNYS", "2025-01-10T21:00:00Z", false},
           Case{"XNYS", "2025-01-09T16:00:00Z", false},  // day of mourning
           Case{"XTKS", "2025-01-10T02:29:00Z", true},
           Case{"XTKS", "2025-01-10T02:30:00Z", false},  // lunch
           Case{"XTKS", "2025-01-10T03:30:00Z", true},
           Case{"CMES", "2025-01-12T22:59:59Z", false},  // Sunday 16:59 Chicago
           Case{"CMES", "2025-01-12T23:00:00Z", true},   // Sunday 17:00
           Case{"CMES", "2025-01-13T22:00:00Z", false},  // Monday 16:00: daily break
           Case{"CMES", "2025-01-13T22:59:59Z", false},
           Case{"CMES", "2025-01-13T23:00:00Z", true},
           Case{"CMES", "2025-01-10T22:30:00Z", false},  // Friday evening
           Case{"FOREX", "2025-01-10T21:59:59Z", true},
           Case{"FOREX", "2025-01-10T22:00:00Z", false},  // Friday 17:00 New York
           Case{"FOREX", "2025-01-12T21:59:59Z", false},
           Case{"FOREX", "2025-01-12T22:00:00Z", true},  // Sunday 17:00 New York
           Case{"24/7", "2025-01-11T12:00:00Z", true},
       }) {
    const auto open = C(c.calendar)->IsOpen(T(c.at));
    ASSERT_THAT(open, IsOk());
    EXPECT_EQ(*open, c.open) << c.calendar << " " << c.at;
  }
}

TEST(CalendarTest, CurrentAndPreviousSession) {
  struct Case {
    const char* at;  // New York is UTC-5 unless stated
    const char* current;
    const char* previous;
  };
  const auto nyse = C("XNYS");
  for (const auto& c : {
           Case{"2025-01-13T13:00:00Z", "2025-01-10", "2025-01-08"},  // Monday 08:00: Friday's
           Case{"2025-01-13T14:30:00Z", "2025-01-13", "2025-01-10"},  // Monday at the open
           Case{"2025-01-13T23:00:00Z", "2025-01-13", "2025-01-10"},  // after the close: today's
           Case{"2025-01-11T17:00:00Z", "2025-01-10", "2025-01-08"},  // Saturday
           Case{"2025-01-09T17:00:00Z", "2025-01-08", "2025-01-07"},  // a day of mourning
           Case{"2025-01-10T13:00:00Z", "2025-01-08", "2025-01-07"},  // the morning after it
           Case{"2024-11-29T19:00:00Z", "2024-11-29", "2024-11-27"},  // after an early close
           Case{"2025-03-10T13:29:00Z", "2025-03-07", "2025-03-06"},  // Monday of the DST week
           Case{"2025-03-10T13:30:00Z", "2025-03-10", "2025-03-07"},  // 09:30 EDT
           Case{"2025-11-03T13:30:00Z", "2025-10-31", "2025-10-30"},  // 08:30 EST
       }) {
    const auto current = nyse->CurrentSession(T(c.at));
    const auto previous = nyse->PreviousSession(T(c.at));
    ASSERT_THAT(current, IsOk());
    ASSERT_THAT(previous, IsOk());
    EXPECT_EQ(FormatDay(current->trading_day), c.current) << c.at;
    EXPECT_EQ(FormatDay(previous->trading_day), c.previous) << c.at;
  }
  // Sunday evening in Chicago: Monday's session runs.
  EXPECT_EQ(FormatDay(C("CMES")->CurrentSession(T("2025-01-12T23:30:00Z"))->trading_day),
            "2025-01-13");
}

TEST(CalendarTest, NextOpenComesAfterNightsAndBreaks) {
  struct Case {
    const char* calendar;
    const char* at;
    const char* next;
  };
  for (const auto& c : {
           Case{"XNYS", "2025-01-10T12:00:00Z", "2025-01-10T14:30:00Z"},
           Case{"XNYS", "2025-01-10T14:30:00Z", "2025-01-13T14:30:00Z"},  // strictly after
           Case{"XNYS", "2025-01-08T21:00:00Z", "2025-01-10T14:30:00Z"},  // over a closed day
           Case{"XNYS", "2001-09-11T12:00:00Z", "2001-09-17T13:30:00Z"},
           Case{"XTKS", "2025-01-10T01:00:00Z", "2025-01-10T03:30:00Z"},  // after lunch
           Case{"CMES", "2025-01-10T22:30:00Z", "2025-01-12T23:00:00Z"},
           Case{"FOREX", "2025-03-08T12:00:00Z", "2025-03-09T21:00:00Z"},
       }) {
    const auto next = C(c.calendar)->NextOpen(T(c.at));
    ASSERT_THAT(next, IsOk());
    EXPECT_EQ(Show(*next), c.next) << c.calendar << " " << c.at;
  }
}

TEST(CalendarTest, TradingDayOfAnInstant) {
  struct Case {
    const char* calendar;
    const char* at;
    const char* day;
  };
  for (const auto& c : {
           Case{"XNYS", "2025-01-10T16:00:00Z", "2025-01-10"},
           Case{"XNYS", "2025-01-11T01:30:00Z", "2025-01-10"},  // Friday 20:30 New York
           Case{"XNYS", "2025-01-11T05:00:00Z", "2025-01-13"},  // Saturday: Monday's
           Case{"XNYS", "2025-01-09T16:00:00Z", "2025-01-10"},  // closed: the next
           Case{"CMES", "2025-01-12T23:00:00Z", "2025-01-13"},  // Sunday 17:00 Chicago
           Case{"CMES", "2025-01-13T22:30:00Z", "2025-01-13"},  // in the daily break
           Case{"CMES", "2025-01-13T23:00:00Z", "2025-01-14"},
           Case{"CMES", "2025-01-10T23:30:00Z", "2025-01-13"},  // Friday 17:30
           Case{"FOREX", "2025-03-09T21:00:00Z", "2025-03-10"},
           Case{"FOREX", "2025-03-09T20:59:59Z", "2025-03-10"},
           Case{"FOREX", "2025-03-07T21:59:59Z", "2025-03-07"},
           Case{"24/7", "2025-01-11T00:00:00Z", "2025-01-11"},
       }) {
    const auto day = C(c.calendar)->TradingDay(T(c.at));
    ASSERT_THAT(day, IsOk());
    EXPECT_EQ(FormatDay(*day), c.day) << c.calendar << " " << c.at;
  }
  EXPECT_THAT(C("CMES")->TradingDay(T("2030-12-31T23:30:00Z")),
              IsError(ErrorCode::kInvalidArgument));
}

TEST(CalendarTest, HoursOfAnInstrumentReplaceDays) {
  const auto nyse = C("XNYS");
  const auto hours = ParseTradingHours(
      "20250109:0930-20250109:1200;20250110:CLOSED;20250111:1000-20250111:1100", nyse->zone());
  ASSERT_THAT(hours, IsOk());
  const auto own = nyse->WithTradingHours(*hours);
  ASSERT_THAT(own, IsOk());
  EXPECT_EQ(ShowHours(*(*own)->Sessions(D("2025-01-08"), D("2025-01-08"))), "14:30/21:00");
  EXPECT_EQ(ShowHours(*(*own)->Sessions(D("2025-01-09"), D("2025-01-09"))), "14:30/17:00");
  EXPECT_EQ(ShowHours(*(*own)->Sessions(D("2025-01-10"), D("2025-01-10"))), "closed");
  EXPECT_EQ(ShowHours(*(*own)->Sessions(D("2025-01-11"), D("2025-01-11"))), "15:00/16:00");
  // An early close moves the after hours, too.
  EXPECT_EQ(ShowHours(*(*own)->Sessions(D("2025-01-09"), D("2025-01-09"), "after_hours")),
            "17:00/22:00");
  const auto outside = ParseTradingHours("19990104:0930-19990104:1600", nyse->zone());
  EXPECT_THAT(nyse->WithTradingHours(*outside), IsError(ErrorCode::kInvalidArgument));
}

TEST(CalendarTest, EndsOfWhatIsKnown) {
  for (const auto& info : Calendar::List()) {
    const auto calendar = C(info.name.c_str());
    const Interval known = calendar->Known();
    for (const auto at : {known.open, Nanos{known.close.value - 1}}) {
      EXPECT_THAT(calendar->IsOpen(at), IsOk()) << info.name;
      EXPECT_THAT(calendar->IsOpen(at, "overnight"), IsOk()) << info.name;
    }
    EXPECT_THAT(calendar->IsOpen(Nanos{known.open.value - 1}), IsError(ErrorCode::kInvalidArgument))
        << info.name;
    EXPECT_THAT(calendar->IsOpen(known.close), IsError(ErrorCode::kInvalidArgument)) << info.name;
  }
  EXPECT_FALSE(*C("CMES")->IsOpen(T("2030-12-31T22:30:00Z")));
}

TEST(CalendarTest, OwnHoursMustNotOverlapAnotherDay) {
  const auto nyse = C("XNYS");
  const auto hours = ParseTradingHours("20250114:0000-20250115:1000", nyse->zone());
  EXPECT_THAT(nyse->WithTradingHours(*hours),
              IsError(ErrorCode::kInvalidArgument, HasSubstr("overlap those of 2025-01-14")));
}

}  // namespace
}  // namespace lamina::market
