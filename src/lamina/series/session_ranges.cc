#include "lamina/series/session_ranges.h"

#include <utility>

#include "lamina/base/time.h"
#include "lamina/market/calendar.h"
#include "lamina/market/zone.h"

namespace lamina::series {
namespace {

/// Days from midnight to midnight on the wall clock of `zone`.
ChosenSessions DaysOf(const market::Zone& zone) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  const std::int64_t first = DaysFromCivil({.year = 1900, .month = 1, .day = 1});
  const std::int64_t after = DaysFromCivil({.year = 2101, .month = 1, .day = 1});
  ChosenSessions days;
  days.ranges.reserve(static_cast<std::size_t>(after - first));
  std::int64_t begin = zone.ToUtc(first * 86400) * kSecond;
  days.known.begin = begin;
  for (std::int64_t day = first; day < after; ++day) {
    const std::int64_t end = zone.ToUtc((day + 1) * 86400) * kSecond;
    if (begin < end) days.ranges.push_back({begin, end, day});  // Samoa left a day out
    begin = end;
  }
  days.known.end = begin;
  return days;
}

}  // namespace

Result<ChosenSessions> RangesOf(const SessionChoice& choice) {
  ChosenSessions chosen;
  if (choice.empty()) return chosen;
  const bool every_day = choice.calendar.empty() && !choice.own;
  if (every_day && choice.zone.empty()) {
    return InvalidArgument("session `" + choice.session + "` needs a calendar (or a zone)");
  }
  std::shared_ptr<const market::Calendar> calendar = choice.own;
  if (!calendar) {
    LAMINA_ASSIGN(calendar, market::Calendar::Get(every_day ? "24/7" : choice.calendar));
  }
  const std::string session = !choice.session.empty() ? choice.session
                              : every_day             ? "overnight"
                                                      : "regular";
  const market::Day first = calendar->info().first, last = calendar->info().last;
  if (!choice.zone.empty()) {
    LAMINA_ASSIGN(auto zone, market::Zone::Get(choice.zone));
    if (every_day) {
      LAMINA_TRY(calendar->IsTradingDay(first, session));  // the session is known
      return DaysOf(*zone);
    }
    calendar = calendar->InZone(std::move(zone));
  }
  LAMINA_ASSIGN(const std::vector<market::Interval> intervals,
                calendar->Sessions(first, last, session));
  for (const market::Interval& interval : intervals) {
    chosen.ranges.push_back(
        {interval.open.value, interval.close.value, interval.trading_day.value});
  }
  const market::Interval known = calendar->Known();
  chosen.known = {known.open.value, known.close.value};
  return chosen;
}

Status KnownTime::Check(std::span<const std::int64_t> ts_ns, std::int64_t first_row) const {
  if (ts_ns.empty() || end == std::numeric_limits<std::int64_t>::max()) return Ok();
  const bool early = ts_ns.front() < begin;
  if (!early && ts_ns.back() < end) return Ok();
  std::size_t row = 0;
  while (!early && ts_ns[row] < end) ++row;
  const auto text = [](std::int64_t ns) { return FormatTime(Micros{ns / 1000}); };
  return InvalidArgument("row " + std::to_string(first_row + static_cast<std::int64_t>(row)) +
                         " at " + text(ts_ns[row]) + " is outside the calendar, which knows " +
                         text(begin) + " to " + text(end));
}

}  // namespace lamina::series
