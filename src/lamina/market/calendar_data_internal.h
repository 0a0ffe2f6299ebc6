#pragma once

/// \file lamina/market/calendar_data_internal.h
/// What a calendar file says, and the reader of its syntax (README.md). Values, pure functions.

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lamina/market/calendar.h"

namespace lamina::market {

/// Minutes from midnight of the trading day on the wall clock; -1440..2880.
struct Segment {
  int open = 0, close = 0;
  auto operator<=>(const Segment&) const = default;
};
using Hours = std::vector<Segment>;  ///< in order, apart from each other; empty: closed

struct DatedHours {
  Day day;
  Hours hours;
};

struct SessionEdge {
  enum class Kind : std::uint8_t { kClock, kOpen, kClose } kind = Kind::kClock;
  int minute = 0;
};

struct SessionRule {
  std::string name;
  SessionEdge open, close;
  std::optional<SessionEdge> early_close;  ///< on days that close before the usual time
  bool within = false;                     ///< only what the regular session covers, too
};

struct CalendarData {
  CalendarInfo info;
  std::shared_ptr<const Zone> zone;
  std::array<bool, 7> weekdays{};     ///< Monday first
  std::vector<DatedHours> eras;       ///< usual hours, from a day on
  std::vector<DatedHours> days;       ///< exceptions, by day
  std::vector<SessionRule> sessions;  ///< all but regular
  std::vector<DayHours> overrides;    ///< of one instrument, by day
};

/// RETURNS kInvalidArgument as `origin:line: what`.
Result<CalendarData> ParseCalendar(std::string_view text, std::string_view origin);

/// Lower case, `-` and space as `_`: how names of calendars and sessions are compared.
std::string FoldName(std::string_view name);

/// `17:00`, `17:00-1` (the day before), `02:00+1` -> minutes from midnight.
std::optional<int> ParseMinute(std::string_view text);

}  // namespace lamina::market
