#pragma once

/// \file lamina/market/calendar_test_support.h
/// Short spellings for the tests of calendars. For tests only.

#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "lamina/base/matchers.h"
#include "lamina/market/calendar.h"

namespace lamina::market {

inline Day D(std::string_view text) {
  auto day = ParseDay(text);
  EXPECT_THAT(day, IsOk());
  return day.ok() ? *day : Day{};
}

/// Any ISO 8601 time.
inline Nanos T(std::string_view text) {
  auto time = ParseTime(text);
  EXPECT_THAT(time, IsOk());
  return time.ok() ? Nanos{time->value * 1000} : Nanos{};
}

inline std::string Show(Nanos at) {
  return FormatTime(Micros{at.value / 1000}, {'T', TimeSpelling::Zone::kZ, false});
}

inline std::string Show(const Interval& interval) {
  return FormatDay(interval.trading_day) + " " + Show(interval.open) + " " + Show(interval.close);
}

/// `13:30/20:00`, in UTC, from midnight UTC of the trading day; `22:00-1` is the day before.
inline std::string ShowHours(const std::vector<Interval>& intervals) {
  if (intervals.empty()) return "closed";
  std::string text;
  for (const auto& interval : intervals) {
    const auto clock = [&](Nanos at, bool end) {
      std::int64_t minute = at.value / 60'000'000'000 - interval.trading_day.value * 1440LL;
      const std::int64_t shift = minute < 0 ? -1 : minute >= (end ? 1441 : 1440) ? 1 : 0;
      minute -= shift * 1440;
      char out[32];
      std::snprintf(out, sizeof out, "%02d:%02d%s", static_cast<int>(minute / 60),
                    static_cast<int>(minute % 60),
                    shift < 0   ? "-1"
                    : shift > 0 ? "+1"
                                : "");
      return std::string(out);
    };
    text +=
        (text.empty() ? "" : ",") + clock(interval.open, false) + "/" + clock(interval.close, true);
  }
  return text;
}

inline std::shared_ptr<const Calendar> C(std::string_view name) {
  auto calendar = Calendar::Get(name);
  EXPECT_THAT(calendar, IsOk());
  return calendar.ok() ? *calendar : nullptr;
}

}  // namespace lamina::market
