#pragma once

/// \file lamina/market/day.h
/// Day: a calendar date, as one number. A value; pure functions.

#include <cstdint>
#include <string>
#include <string_view>

#include "lamina/base/result.h"
#include "lamina/base/time.h"

namespace lamina::market {

/// Days since 1970-01-01, proleptic Gregorian; of the zone that the context names.
struct Day {
  std::int32_t value = 0;
  auto operator<=>(const Day&) const = default;
  Day operator+(std::int32_t days) const { return {value + days}; }
  Day operator-(std::int32_t days) const { return {value - days}; }
};

/// 0 = Monday … 6 = Sunday.
int Weekday(Day day);

/// `YYYY-MM-DD`, years 1..9999, a date that exists. RETURNS kInvalidArgument.
Result<Day> ParseDay(std::string_view text);
/// `YYYYMMDD`, likewise.
Result<Day> ParseCompactDay(std::string_view text);
/// `YYYY-MM-DD`.
std::string FormatDay(Day day);

}  // namespace lamina::market
