#pragma once

/// \file lamina/base/time.h
/// Instants and ISO-8601 text. All instants are UTC; proleptic Gregorian calendar; no leap seconds.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lamina/base/result.h"

namespace lamina {

/// Nanoseconds since 1970-01-01T00:00:00Z.
struct Nanos {
  std::int64_t value = 0;
  auto operator<=>(const Nanos&) const = default;
};

/// Microseconds since 1970-01-01T00:00:00Z.
struct Micros {
  std::int64_t value = 0;
  auto operator<=>(const Micros&) const = default;
};

/// How a time was spelt, so that the same text can be written again.
/// Text is `YYYY-MM-DD<separator>HH:MM:SS[.ffffff]<zone>`.
struct TimeSpelling {
  enum class Zone : std::uint8_t { kNone, kZ, kPlusZero };  ///< "", "Z", "+00:00"
  char separator = 'T';                                     ///< 'T' or ' '
  Zone zone = Zone::kPlusZero;
  bool date_only = false;  ///< `YYYY-MM-DD` and nothing else
  auto operator<=>(const TimeSpelling&) const = default;
};

struct SpelledTime {
  Micros instant;
  TimeSpelling spelling;
};

/// Parse exactly the spellings that FormatTime writes (fraction absent, or six digits not all
/// zero): FormatTime(instant, spelling) gives `text` back. Absent when `text` is spelt in another
/// way.
std::optional<SpelledTime> ParseSpelledTime(std::string_view text);

/// Six fraction digits when the instant is not on a whole second, else none (as Python isoformat).
std::string FormatTime(Micros instant, TimeSpelling spelling = {});
/// The same, appended; no allocation beyond growth of `out`.
void AppendTime(std::string& out, Micros instant, TimeSpelling spelling);

/// Liberal ISO-8601: any number of fraction digits (truncated to micros), numeric offsets, `Z`, a
/// space or `T`, date only (midnight). A text without zone is UTC. RETURNS kInvalidArgument.
Result<Micros> ParseTime(std::string_view text);

/// `YYYY-MM-DD HH:MM:SS[.ffffff]+00`, trailing zeros trimmed: the spelling of DuckLake rows.
std::string FormatLakeTime(Micros instant);

struct CivilDate {
  int year = 1970;
  unsigned month = 1;  ///< 1..12
  unsigned day = 1;    ///< 1..31
};
/// Days since 1970-01-01. Algorithm: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
std::int64_t DaysFromCivil(CivilDate date);
CivilDate CivilFromDays(std::int64_t days);

}  // namespace lamina
