#include "lamina/series/session_ranges.h"

#include <memory>

#include "lamina/base/time.h"
#include "lamina/market/calendar.h"
#include "lamina/market/zone.h"

namespace lamina::series {

Result<std::vector<SessionRange>> RangesOf(const SessionChoice& choice) {
  std::vector<SessionRange> ranges;
  if (choice.empty()) return ranges;
  if (choice.calendar.empty() && choice.zone.empty()) {
    return InvalidArgument("session `" + choice.session + "` needs a calendar (or a zone)");
  }
  const bool every_day = choice.calendar.empty();
  LAMINA_ASSIGN(std::shared_ptr<const market::Calendar> calendar,
                market::Calendar::Get(every_day ? "24/7" : choice.calendar));
  if (!choice.zone.empty()) {
    LAMINA_ASSIGN(auto zone, market::Zone::Get(choice.zone));
    calendar = calendar->InZone(std::move(zone));
  }
  const std::string session = !choice.session.empty() ? choice.session
                              : every_day             ? "overnight"
                                                      : "regular";
  const market::CalendarInfo& info = calendar->info();
  LAMINA_ASSIGN(const std::vector<market::Interval> intervals,
                calendar->Sessions(info.first, info.last, session));
  for (const market::Interval& interval : intervals) {
    ranges.push_back({interval.open.value, interval.close.value, interval.trading_day.value});
  }
  return ranges;
}

Status CheckCovered(std::span<const SessionRange> ranges, std::span<const std::int64_t> ts_ns,
                    std::int64_t first_row) {
  constexpr std::int64_t kWeekNanos = 7 * 86'400'000'000'000;  // closed days at either end
  if (ranges.empty() || ts_ns.empty()) return Ok();
  const bool early = ts_ns.front() < ranges.front().begin - kWeekNanos;
  if (!early && ts_ns.back() < ranges.back().end + kWeekNanos) return Ok();
  std::size_t row = 0;
  while (!early && ts_ns[row] < ranges.back().end + kWeekNanos) ++row;
  const auto text = [](std::int64_t ns) { return FormatTime(Micros{ns / 1000}); };
  return InvalidArgument("row " + std::to_string(first_row + static_cast<std::int64_t>(row)) +
                         " at " + text(ts_ns[row]) + " is outside the calendar, which knows " +
                         text(ranges.front().begin) + " to " + text(ranges.back().end));
}

}  // namespace lamina::series
