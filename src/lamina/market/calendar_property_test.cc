// What must hold at every instant of every calendar; instants are drawn around clock changes,
// holidays, and the edges of sessions, where mistakes live.

#include <algorithm>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lamina/market/calendar_test_support.h"

namespace lamina::market {
namespace {

constexpr std::int64_t kDay = 86'400'000'000'000;
constexpr std::int64_t kMinute = 60'000'000'000;

/// Days near which instants are drawn: clock changes of both continents, ends of years, closures.
constexpr const char* kOddDays[] = {
    "2000-01-03", "2001-09-11", "2001-09-17", "2003-10-26", "2006-04-02", "2006-10-29",
    "2007-03-11", "2007-11-04", "2011-03-07", "2012-10-29", "2018-12-05", "2019-05-01",
    "2020-10-01", "2021-06-27", "2022-12-26", "2024-02-29", "2024-03-10", "2024-03-31",
    "2024-10-27", "2024-11-03", "2024-11-28", "2024-12-25", "2025-01-01", "2025-01-09",
    "2025-03-09", "2025-03-30", "2025-10-26", "2025-11-02", "2030-12-24"};

class Instants {
 public:
  explicit Instants(const Calendar& calendar) : calendar_(calendar) {}

  Nanos Draw() {
    const Day day =
        D(kOddDays[random_() % std::size(kOddDays)]) + static_cast<std::int32_t>(random_() % 9) - 4;
    const Day inside = std::clamp(day, calendar_.info().first + 4, calendar_.info().last - 5);
    std::int64_t at =
        inside.value * kDay + static_cast<std::int64_t>(random_() % (24 * 60)) * kMinute;
    if (random_() % 2 == 0) {  // an edge, or the nanosecond before it
      const auto sessions = calendar_.Sessions(inside, inside);
      if (!sessions->empty()) {
        const auto& one = (*sessions)[random_() % sessions->size()];
        at = (random_() % 2 == 0 ? one.open : one.close).value - static_cast<int>(random_() % 2);
      }
    }
    return {at};
  }

 private:
  const Calendar& calendar_;
  std::mt19937_64 random_{11};
};

/// The calendar's answers against a plain search in the list of sessions around `at`.
void CheckInstant(const Calendar& calendar, Nanos at, const std::string& session) {
  const Day near{static_cast<std::int32_t>(at.value / kDay)};
  const Day last = std::min(near + 15, calendar.info().last);
  const auto around = *calendar.Sessions(std::max(near - 15, calendar.info().first), last, session);
  const std::string where = calendar.name() + " " + session + " " + Show(at);
  ASSERT_FALSE(around.empty()) << where;
  for (std::size_t i = 0; i < around.size(); ++i) {
    ASSERT_LT(around[i].open, around[i].close) << where;
    if (i > 0) {
      ASSERT_LE(around[i - 1].close, around[i].open) << where;
    }
  }
  const bool open = std::any_of(around.begin(), around.end(), [&](const Interval& one) {
    return one.open <= at && at < one.close;
  });
  EXPECT_EQ(*calendar.IsOpen(at, session), open) << where;

  const auto next = std::find_if(around.begin(), around.end(),
                                 [&](const Interval& one) { return one.open > at; });
  if (next != around.end()) {
    EXPECT_EQ(*calendar.NextOpen(at, session), next->open) << where;
    EXPECT_TRUE(*calendar.IsOpen(next->open, session)) << where;
    EXPECT_FALSE(*calendar.IsOpen({next->open.value - 1}, session) &&
                 (next == around.begin() || std::prev(next)->close < next->open))
        << where;
  }
  if (next == around.begin()) return;
  const auto current = calendar.CurrentSession(at, session);
  ASSERT_THAT(current, IsOk()) << where;
  EXPECT_EQ(current->trading_day, std::prev(next)->trading_day) << where;
  EXPECT_EQ(*current, *calendar.SessionBoundaries(current->trading_day, session)) << where;
  const auto previous = calendar.PreviousSession(at, session);
  if (previous.ok()) {
    EXPECT_LT(previous->trading_day, current->trading_day) << where;
  }
  if (open && session == Calendar::kRegular) {
    EXPECT_EQ(*calendar.TradingDay(at), current->trading_day) << where;
  }
}

TEST(CalendarPropertyTest, AnswersAgreeWithTheListOfSessions) {
  for (const auto& info : Calendar::List()) {
    const auto calendar = C(info.name);
    Instants instants(*calendar);
    for (int i = 0; i < 300; ++i) {
      const Nanos at = instants.Draw();
      CheckInstant(*calendar, at,
                   info.sessions[static_cast<std::size_t>(i) % info.sessions.size()]);
      CheckInstant(*calendar, at, std::string(Calendar::kRegular));
      if (HasFatalFailure()) return;
    }
  }
}

TEST(CalendarPropertyTest, TradingDaysNeverGoBack) {
  for (const auto& info : Calendar::List()) {
    const auto calendar = C(info.name);
    Instants instants(*calendar);
    std::vector<Nanos> drawn;
    for (int i = 0; i < 400; ++i) drawn.push_back(instants.Draw());
    std::sort(drawn.begin(), drawn.end());
    Day before = info.first;
    for (const Nanos at : drawn) {
      const auto day = calendar->TradingDay(at);
      ASSERT_THAT(day, IsOk()) << info.name << " " << Show(at);
      EXPECT_GE(*day, before) << info.name << " " << Show(at);
      EXPECT_TRUE(*calendar->IsTradingDay(*day)) << info.name << " " << Show(at);
      before = *day;
    }
  }
}

}  // namespace
}  // namespace lamina::market
