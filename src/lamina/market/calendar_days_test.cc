// Days checked by hand, each with where it is written. Hours are UTC, from midnight UTC of the
// trading day; `22:00-1` is the evening before. Standing rules are those of the exchanges' own
// pages of holidays and hours; DST: United States second Sunday of March to first of November (to
// 2006 first Sunday of April to last of October), Europe last Sundays of March and October.

#include <gtest/gtest.h>

#include "lamina/market/calendar_test_support.h"

namespace lamina::market {
namespace {

struct CheckedDay {
  const char* calendar;
  const char* day;
  const char* hours;
  const char* source;
};

constexpr CheckedDay kDays[] = {
    {"XNYS", "2000-01-03", "14:30/21:00", "first trading day of 2000, EST"},
    {"XNYS", "2000-04-21", "closed", "Good Friday"},
    {"XNYS", "2001-09-10", "13:30/20:00", "the day before the attacks, EDT"},
    {"XNYS", "2001-09-11", "closed", "NYSE special closings: attacks of September 11"},
    {"XNYS", "2001-09-12", "closed", "NYSE special closings"},
    {"XNYS", "2001-09-13", "closed", "NYSE special closings"},
    {"XNYS", "2001-09-14", "closed", "NYSE special closings"},
    {"XNYS", "2001-09-17", "13:30/20:00", "reopened at 9:30 (two minutes of silence at the open)"},
    {"XNYS", "2002-07-05", "13:30/17:00", "NYSE early closings: Friday after Independence Day"},
    {"XNYS", "2003-12-26", "14:30/18:00", "NYSE early closings: Friday after Christmas"},
    {"XNYS", "2004-06-11", "closed", "NYSE special closings: funeral of President Reagan"},
    {"XNYS", "2006-03-31", "14:30/21:00", "Friday before DST of the rule until 2006"},
    {"XNYS", "2006-04-03", "13:30/20:00", "Monday after it"},
    {"XNYS", "2006-10-27", "13:30/20:00", "Friday before DST ended, last Sunday of October"},
    {"XNYS", "2006-10-30", "14:30/21:00", "Monday after it"},
    {"XNYS", "2007-01-02", "closed", "NYSE special closings: funeral of President Ford"},
    {"XNYS", "2007-03-12", "13:30/20:00", "first DST week of the rule since 2007"},
    {"XNYS", "2012-10-29", "closed", "NYSE special closings: hurricane Sandy"},
    {"XNYS", "2012-10-30", "closed", "NYSE special closings: hurricane Sandy"},
    {"XNYS", "2012-10-31", "13:30/20:00", "reopened after Sandy, EDT"},
    {"XNYS", "2012-11-23", "14:30/18:00", "day after Thanksgiving"},
    {"XNYS", "2013-12-24", "14:30/18:00", "Christmas Eve"},
    {"XNYS", "2018-12-05", "closed", "NYSE special closings: funeral of G. H. W. Bush"},
    {"XNYS", "2020-07-03", "closed", "Independence Day of a Saturday is kept on Friday"},
    {"XNYS", "2021-06-18", "13:30/20:00", "Juneteenth was not yet kept"},
    {"XNYS", "2021-12-24", "closed", "Christmas of a Saturday is kept on Friday"},
    {"XNYS", "2021-12-31", "14:30/21:00", "New Year of a Saturday is not kept on Friday"},
    {"XNYS", "2022-06-20", "closed", "Juneteenth of a Sunday is kept on Monday"},
    {"XNYS", "2023-01-02", "closed", "New Year of a Sunday is kept on Monday"},
    {"XNYS", "2023-07-03", "13:30/17:00", "day before Independence Day"},
    {"XNYS", "2024-03-29", "closed", "Good Friday"},
    {"XNYS", "2024-07-03", "13:30/17:00", "day before Independence Day"},
    {"XNYS", "2024-11-29", "14:30/18:00", "day after Thanksgiving"},
    {"XNYS", "2024-12-24", "14:30/18:00", "Christmas Eve"},
    {"XNYS", "2025-01-09", "closed", "NYSE notice 2024-12-30: mourning for President Carter"},
    {"XNYS", "2025-01-20", "closed", "Martin Luther King Day"},
    {"XNYS", "2025-03-07", "14:30/21:00", "Friday before DST"},
    {"XNYS", "2025-03-10", "13:30/20:00", "Monday after it; Europe three weeks later"},
    {"XNYS", "2025-10-31", "13:30/20:00", "Friday before DST ends"},
    {"XNYS", "2025-11-03", "14:30/21:00", "Monday after it; Europe a week before"},
    {"XNYS", "2025-11-15", "closed", "Saturday"},

    {"CMES", "2001-09-11", "22:00-1/14:15", "CME notice: suspended at 9:15 Central"},
    {"CMES", "2001-09-12", "closed", "CME notice 2001-09-12: equity index not before Friday"},
    {"CMES", "2001-09-14", "closed", "CME notice: equity index reopens with the stock markets"},
    {"CMES", "2001-09-17", "13:34/20:15,20:30/21:30", "CME notice 2001-09-18: opened 8:34"},
    {"CMES", "2003-09-01", "22:00-1/15:30", "CME notice, Labor Day 2003: halts at 10:30"},
    {"CMES", "2005-03-25", "closed", "CME notice 2005-03-16: Good Friday, Globex closed"},
    {"CMES", "2006-01-16", "23:00-1/16:30", "CME notice 2006-01-10, M. L. King Day: 10:30"},
    {"CMES", "2006-02-20", "23:00-1/16:30", "CME notice, Presidents' Day 2006: halts at 10:30"},
    {"CMES", "2006-07-03", "22:00-1/20:15,20:30/21:30", "CME schedule 2006: regular close"},
    {"CMES", "2006-07-04", "22:00-1/15:30", "CME schedule 2006: close at 10:30"},
    {"CMES", "2007-01-02", "closed", "news of 2006-12-29: CME equity closed for the funeral"},
    {"CMES", "2007-09-03", "22:00-1/15:30", "CME notice 2007-08-20, Labor Day: halts at 10:30"},
    {"CMES", "2012-10-29", "22:00-1/13:15", "CME notice: open Sunday 17:00, close 8:15 (Sandy)"},
    {"CMES", "2012-10-30", "22:00-1/13:15", "CME notice: reopens Monday 17:00, close 8:15"},
    {"CMES", "2013-07-03", "22:00-1/17:15", "Globex schedule July 2013: close at 12:15"},
    {"CMES", "2013-07-04", "22:00-1/15:30", "Globex schedule July 2013: close at 10:30"},
    {"CMES", "2018-12-05", "23:00-1/14:30", "CME notice 2018-12-02: closes after overnight, 8:30"},
    {"CMES", "2021-04-02", "22:00-1/13:15", "Good Friday with employment report: 8:15"},
    {"CMES", "2021-06-25", "22:00-1/20:15,20:30/21:00", "last day with the halt at 15:15"},
    {"CMES", "2021-06-28", "22:00-1/21:00", "no halt any more"},
    {"CMES", "2024-07-04", "22:00-1/17:00", "Globex schedule: halts at 12:00"},
    {"CMES", "2024-11-28", "23:00-1/18:00", "news of 2024-11-28, Thanksgiving: halted at 12:00"},
    {"CMES", "2024-11-29", "23:00-1/18:15", "day after Thanksgiving: 12:15"},
    {"CMES", "2024-12-24", "23:00-1/18:15", "Christmas Eve: 12:15"},
    {"CMES", "2024-12-25", "closed", "Christmas"},
    {"CMES", "2025-01-09", "23:00-1/14:30", "CME notice 2024-12-30: equity open until 8:30"},
    {"CMES", "2025-01-20", "23:00-1/18:00", "news of 2025-01-19: halts at 12:00"},
    {"CMES", "2025-03-07", "23:00-1/22:00", "Friday before DST"},
    {"CMES", "2025-03-10", "22:00-1/21:00", "opens on the Sunday of the change"},
    {"CMES", "2025-11-03", "23:00-1/22:00", "opens on the Sunday of the change"},

    {"FOREX", "2022-12-26", "closed", "Christmas on a Sunday: no quotes of 23 of 24 pairs"},
    {"FOREX", "2023-01-02", "22:00-1/22:00", "New Year on a Sunday: quotes from 18:00 on"},
    {"FOREX", "2024-12-25", "closed", "no quotes of 24 pairs"},
    {"FOREX", "2025-01-01", "closed", "no quotes of 24 pairs"},
    {"FOREX", "2025-01-12", "closed", "Sunday belongs to Monday"},
    {"FOREX", "2025-03-07", "22:00-1/22:00", "Friday before DST"},
    {"FOREX", "2025-03-10", "21:00-1/21:00", "opens on the Sunday of the change"},
    {"FOREX", "2025-10-31", "21:00-1/21:00", "Friday before DST ends"},
    {"FOREX", "2025-11-03", "22:00-1/22:00", "opens on the Sunday of the change"},

    {"24/7", "2024-12-25", "00:00/24:00", "always"},
    {"24/7", "2025-03-09", "00:00/24:00", "always, UTC"},

    {"XLON", "2011-04-29", "closed", "royal wedding"},
    {"XLON", "2012-06-05", "closed", "Diamond Jubilee"},
    {"XLON", "2020-05-04", "07:00/15:30", "early May holiday moved"},
    {"XLON", "2020-05-08", "closed", "to VE day"},
    {"XLON", "2022-06-02", "closed", "spring holiday moved"},
    {"XLON", "2022-06-03", "closed", "Platinum Jubilee"},
    {"XLON", "2022-09-19", "closed", "funeral of Queen Elizabeth"},
    {"XLON", "2023-05-08", "closed", "coronation"},
    {"XLON", "2024-12-24", "08:00/12:30", "Christmas Eve"},
    {"XLON", "2024-12-26", "closed", "Boxing Day"},
    {"XLON", "2024-12-31", "08:00/12:30", "New Year's Eve"},
    {"XLON", "2025-03-10", "08:00/16:30", "New York has DST, London not yet"},
    {"XLON", "2025-03-28", "08:00/16:30", "Friday before DST"},
    {"XLON", "2025-03-31", "07:00/15:30", "Monday after it"},
    {"XLON", "2025-10-27", "08:00/16:30", "DST over; New York a week later"},

    {"XEUR", "2024-12-24", "closed", "Eurex holidays"},
    {"XEUR", "2025-04-18", "closed", "Good Friday"},
    {"XEUR", "2025-05-01", "closed", "Labour Day"},
    {"XEUR", "2025-03-28", "07:00/21:00", "Friday before DST"},
    {"XEUR", "2025-03-31", "06:00/20:00", "Monday after it"},

    {"XTKS", "2009-01-05", "00:00/02:00", "first day of the year: morning only until 2009"},
    {"XTKS", "2011-11-18", "00:00/02:00,03:30/06:00", "last day with a morning to 11:00"},
    {"XTKS", "2011-11-21", "00:00/02:30,03:30/06:00", "morning to 11:30"},
    {"XTKS", "2019-04-26", "00:00/02:30,03:30/06:00", "last day before ten days of holidays"},
    {"XTKS", "2019-04-30", "closed", "abdication"},
    {"XTKS", "2019-05-01", "closed", "accession"},
    {"XTKS", "2019-05-02", "closed", "day between holidays"},
    {"XTKS", "2019-05-06", "closed", "Children's Day of a Sunday"},
    {"XTKS", "2019-05-07", "00:00/02:30,03:30/06:00", "first day after them"},
    {"XTKS", "2020-10-01", "closed", "JPX: no trading all day (failure of arrowhead)"},
    {"XTKS", "2024-11-01", "00:00/02:30,03:30/06:00", "last close at 15:00"},
    {"XTKS", "2024-11-05", "00:00/02:30,03:30/06:30", "arrowhead 4.0: close at 15:30"},

    {"XHKG", "2011-03-04", "02:00/04:30,06:30/08:00", "HKEX: last day of the old hours"},
    {"XHKG", "2011-03-07", "01:30/04:00,05:30/08:00", "HKEX: first phase of the new hours"},
    {"XHKG", "2012-03-05", "01:30/04:00,05:00/08:00", "HKEX: second phase"},
    {"XHKG", "2020-10-13", "closed", "typhoon Nangka"},
    {"XHKG", "2021-10-13", "closed", "typhoon Kompasu"},
    {"XHKG", "2023-09-01", "closed", "typhoon Saola"},
    {"XHKG", "2023-09-08", "closed", "black rainstorm"},
    {"XHKG", "2024-09-06", "closed", "typhoon Yagi"},
    {"XHKG", "2024-11-14", "01:30/04:00,05:00/08:00", "typhoon Toraji: trades since 2024-09-23"},
    {"XHKG", "2024-12-24", "01:30/04:00", "Christmas Eve"},
    {"XHKG", "2025-01-28", "01:30/04:00", "Lunar New Year's Eve"},

    {"IEPA", "2024-11-28", "01:00/18:00", "Thanksgiving: 13:00"},
    {"IEPA", "2024-12-25", "closed", "Christmas"},
};

TEST(CalendarDaysTest, AgreeWithTheExchanges) {
  static_assert(std::size(kDays) >= 60);
  for (const auto& checked : kDays) {
    const auto calendar = C(checked.calendar);
    ASSERT_NE(calendar, nullptr);
    const auto sessions = calendar->Sessions(D(checked.day), D(checked.day));
    ASSERT_THAT(sessions, IsOk());
    EXPECT_EQ(ShowHours(*sessions), checked.hours)
        << checked.calendar << " " << checked.day << ": " << checked.source;
  }
}

}  // namespace
}  // namespace lamina::market
