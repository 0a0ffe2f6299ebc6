#include "lamina/market/day.h"

#include <cstdio>
#include <optional>

namespace lamina::market {
namespace {

std::optional<int> Digits(std::string_view text) {
  int value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return {};
    value = 10 * value + (c - '0');
  }
  return value;
}

std::optional<Day> FromDigits(std::string_view year, std::string_view month, std::string_view day) {
  const auto y = Digits(year), m = Digits(month), d = Digits(day);
  if (!y || !m || !d || *y < 1 || *m < 1 || *m > 12 || *d < 1 || *d > 31) return {};
  const CivilDate civil{*y, static_cast<unsigned>(*m), static_cast<unsigned>(*d)};
  const std::int64_t days = DaysFromCivil(civil);
  const CivilDate back = CivilFromDays(days);
  if (back.month != civil.month || back.day != civil.day) return {};
  return Day{static_cast<std::int32_t>(days)};
}

}  // namespace

int Weekday(Day day) { return static_cast<int>(((day.value + 3LL) % 7 + 7) % 7); }

Result<Day> ParseDay(std::string_view text) {
  if (text.size() == 10 && text[4] == '-' && text[7] == '-') {
    if (const auto day = FromDigits(text.substr(0, 4), text.substr(5, 2), text.substr(8, 2))) {
      return *day;
    }
  }
  return InvalidArgument("'" + std::string(text.substr(0, 40)) + "' is not a date (YYYY-MM-DD)");
}

Result<Day> ParseCompactDay(std::string_view text) {
  if (text.size() == 8) {
    if (const auto day = FromDigits(text.substr(0, 4), text.substr(4, 2), text.substr(6, 2))) {
      return *day;
    }
  }
  return InvalidArgument("'" + std::string(text.substr(0, 40)) + "' is not a date (YYYYMMDD)");
}

std::string FormatDay(Day day) {
  const CivilDate civil = CivilFromDays(day.value);
  char text[32];
  const int size =
      std::snprintf(text, sizeof text, "%04d-%02u-%02u", civil.year, civil.month, civil.day);
  return std::string(text, static_cast<std::size_t>(size));
}

}  // namespace lamina::market
