#include "lamina/market/calendar.h"

#include <algorithm>
#include <utility>

#include "lamina/base/near_names.h"
#include "lamina/market/calendar_data_internal.h"
#include "lamina/market/embedded_internal.h"

namespace lamina::market {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
/// A session begins at most a day before its trading day and ends at most a day after it; hours
/// of an instrument may be given in a zone that is a day away.
constexpr std::int32_t kReach = 2;

std::int64_t FloorDivide(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

Nanos AtMinute(const CalendarData& data, Day day, int minute) {
  return {data.zone->ToUtc(day.value * 86400LL + minute * 60LL) * kSecond};
}

const Hours* UsualHours(const CalendarData& data, Day day) {
  const auto after = std::upper_bound(data.eras.begin(), data.eras.end(), day,
                                      [](Day d, const DatedHours& era) { return d < era.day; });
  return &std::prev(after)->hours;
}

/// Of a day outside first..last: none; nothing is known of it.
std::vector<Interval> RegularIntervals(const CalendarData& data, Day day) {
  std::vector<Interval> found;
  if (day < data.info.first || day > data.info.last) return found;
  const auto override =
      std::lower_bound(data.overrides.begin(), data.overrides.end(), day,
                       [](const DayHours& hours, Day d) { return hours.trading_day < d; });
  if (override != data.overrides.end() && override->trading_day == day) {
    for (const auto& span : override->spans) found.push_back({day, span.open, span.close});
    return found;
  }
  const auto exception =
      std::lower_bound(data.days.begin(), data.days.end(), day,
                       [](const DatedHours& dated, Day d) { return dated.day < d; });
  const Hours* hours = nullptr;
  if (exception != data.days.end() && exception->day == day) {
    hours = &exception->hours;
  } else if (data.weekdays[static_cast<std::size_t>(Weekday(day))]) {
    hours = UsualHours(data, day);
  }
  if (hours == nullptr) return found;
  for (const auto& segment : *hours) {
    found.push_back({day, AtMinute(data, day, segment.open), AtMinute(data, day, segment.close)});
  }
  return found;
}

Nanos EdgeAt(const CalendarData& data, Day day, const SessionEdge& edge,
             const std::vector<Interval>& regular) {
  switch (edge.kind) {
    case SessionEdge::Kind::kOpen:
      return regular.front().open;
    case SessionEdge::Kind::kClose:
      return regular.back().close;
    case SessionEdge::Kind::kClock:
      break;
  }
  return AtMinute(data, day, edge.minute);
}

/// Intervals of a session of `day`; `rule` is null for the regular one.
std::vector<Interval> IntervalsOf(const CalendarData& data, Day day, const SessionRule* rule) {
  std::vector<Interval> regular = RegularIntervals(data, day);
  if (rule == nullptr || regular.empty()) return regular;
  const bool early =
      regular.back().close < AtMinute(data, day, UsualHours(data, day)->back().close);
  const SessionEdge& end = early && rule->early_close ? *rule->early_close : rule->close;
  const Interval whole{day, EdgeAt(data, day, rule->open, regular),
                       EdgeAt(data, day, end, regular)};
  std::vector<Interval> found;
  if (!rule->within) {
    if (whole.open < whole.close) found.push_back(whole);
    return found;
  }
  for (const auto& interval : regular) {
    const Interval part{day, std::max(interval.open, whole.open),
                        std::min(interval.close, whole.close)};
    if (part.open < part.close) found.push_back(part);
  }
  return found;
}

Interval Span(const std::vector<Interval>& intervals) {
  return {intervals.front().trading_day, intervals.front().open, intervals.back().close};
}

/// From the midnight that begins the first day to the one that ends the last, or to the evening
/// before it when the trading day after the last may begin then.
Interval KnownSpan(const CalendarData& data) {
  const Day after = data.info.last + 1;
  const int evening = std::min(0, UsualHours(data, data.info.last)->front().open);
  return {data.info.first, AtMinute(data, data.info.first, 0), AtMinute(data, after, evening)};
}

std::string Range(const CalendarInfo& info) {
  return FormatDay(info.first) + ".." + FormatDay(info.last);
}

Status CheckDay(const CalendarData& data, Day day) {
  if (day >= data.info.first && day <= data.info.last) return Ok();
  return InvalidArgument(FormatDay(day) + " is outside calendar " + data.info.name +
                         ", which knows " + Range(data.info));
}

/// The hours of `day` lie between those of the trading days around it.
Status CheckApart(const CalendarData& data, Day day) {
  const auto own = RegularIntervals(data, day);
  if (own.empty()) return Ok();
  for (std::int32_t shift = -kReach; shift <= kReach; ++shift) {
    const auto other = RegularIntervals(data, day + shift);
    if (shift == 0 || other.empty()) continue;
    const bool apart =
        shift < 0 ? other.back().close <= own.front().open : own.back().close <= other.front().open;
    if (apart) continue;
    return InvalidArgument("the hours of " + FormatDay(day) + " overlap those of " +
                           FormatDay(day + shift) + " in calendar " + data.info.name);
  }
  return Ok();
}

/// The date of `at` on the wall clock of the calendar.
Result<Day> LocalDay(const CalendarData& data, Nanos at) {
  const std::int64_t utc = FloorDivide(at.value, kSecond);
  const std::int64_t local = utc + data.zone->OffsetAt(utc);
  const Day day{static_cast<std::int32_t>(FloorDivide(local, 86400))};
  LAMINA_TRY(CheckDay(data, day));
  if (day == data.info.last && at >= KnownSpan(data).close) LAMINA_TRY(CheckDay(data, day + 1));
  return day;
}

std::string Join(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

Result<const SessionRule*> FindSession(const CalendarData& data, std::string_view session) {
  const std::string name = FoldName(session);
  const SessionRule* regular = nullptr;
  if (name == Calendar::kRegular) return regular;
  for (const auto& rule : data.sessions) {
    if (rule.name == name) return &rule;
  }
  return InvalidArgument(
      "calendar " + data.info.name + " has no session '" + std::string(session.substr(0, 60)) +
      "'" + DidYouMean(session, data.info.sessions) + "; it has " + Join(data.info.sessions));
}

/// The names by which the calendar of a file may be asked for, the first its own.
std::vector<std::string> FileNames(std::string_view text) {
  std::vector<std::string> names;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.starts_with("weekdays ")) break;
    for (const std::string_view key : {"calendar ", "alias "}) {
      if (line.starts_with(key)) names.emplace_back(line.substr(key.size()));
    }
  }
  return names;
}

Error UnknownCalendar(std::string_view name) {
  std::vector<std::string> all, own;
  for (const auto& file : CalendarFiles()) {
    const auto names = FileNames(file.text);
    all.insert(all.end(), names.begin(), names.end());
    own.push_back(names.front());
  }
  return InvalidArgument("no calendar '" + std::string(name.substr(0, 60)) + "'" +
                         DidYouMean(name, all) + "; known: " + Join(own) +
                         " (aliases: `lamina calendars`)");
}

}  // namespace

Calendar::Calendar(std::shared_ptr<const CalendarData> data) : data_(std::move(data)) {}

const CalendarInfo& Calendar::info() const { return data_->info; }
const Zone& Calendar::zone() const { return *data_->zone; }
Interval Calendar::Known() const { return KnownSpan(*data_); }

Result<std::shared_ptr<const Calendar>> Calendar::Parse(std::string_view text,
                                                        std::string_view origin) {
  LAMINA_ASSIGN(CalendarData data, ParseCalendar(text, origin));
  return std::shared_ptr<const Calendar>(
      new Calendar(std::make_shared<const CalendarData>(std::move(data))));
}

Result<std::shared_ptr<const Calendar>> Calendar::Get(std::string_view name) {
  const std::string folded = FoldName(name);
  for (const auto& file : CalendarFiles()) {
    for (const auto& known : FileNames(file.text)) {
      if (FoldName(known) == folded) return Parse(file.text, file.name);
    }
  }
  return UnknownCalendar(name);
}

std::vector<CalendarInfo> Calendar::List() {
  std::vector<CalendarInfo> list;
  for (const auto& file : CalendarFiles()) {
    auto data = ParseCalendar(file.text, file.name);
    LAMINA_CHECK(data.ok());
    list.push_back(std::move(data->info));
  }
  return list;
}

Result<std::shared_ptr<const Calendar>> Calendar::WithTradingHours(
    const TradingHours& hours) const {
  auto data = std::make_shared<CalendarData>(*data_);
  for (const auto& day : hours.days) {
    LAMINA_TRY(CheckDay(*data, day.trading_day));
    for (const auto& span : day.spans) {
      LAMINA_ASSIGN(const Day open, LocalDay(*data, span.open));
      LAMINA_ASSIGN(const Day close, LocalDay(*data, Nanos{span.close.value - 1}));
      if (open < day.trading_day - 1 || close > day.trading_day + 1) {
        return InvalidArgument("the hours of " + FormatDay(day.trading_day) +
                               " lie more than a day away from it in zone " + data->info.zone);
      }
    }
    const auto place =
        std::lower_bound(data->overrides.begin(), data->overrides.end(), day.trading_day,
                         [](const DayHours& known, Day d) { return known.trading_day < d; });
    if (place != data->overrides.end() && place->trading_day == day.trading_day) {
      *place = day;
    } else {
      data->overrides.insert(place, day);
    }
  }
  for (const auto& day : hours.days) LAMINA_TRY(CheckApart(*data, day.trading_day));
  return std::shared_ptr<const Calendar>(new Calendar(std::move(data)));
}

std::shared_ptr<const Calendar> Calendar::InZone(std::shared_ptr<const Zone> zone) const {
  auto data = std::make_shared<CalendarData>(*data_);
  data->info.zone = zone->name();
  data->zone = std::move(zone);
  return std::shared_ptr<const Calendar>(new Calendar(std::move(data)));
}

Result<bool> Calendar::IsTradingDay(Day day, std::string_view session) const {
  LAMINA_ASSIGN(const SessionRule* rule, FindSession(*data_, session));
  LAMINA_TRY(CheckDay(*data_, day));
  return !IntervalsOf(*data_, day, rule).empty();
}

Result<Interval> Calendar::SessionBoundaries(Day day, std::string_view session) const {
  LAMINA_ASSIGN(const SessionRule* rule, FindSession(*data_, session));
  LAMINA_TRY(CheckDay(*data_, day));
  const auto intervals = IntervalsOf(*data_, day, rule);
  if (!intervals.empty()) return Span(intervals);
  std::string message = name() + " has no " + FoldName(session) + " session on " + FormatDay(day);
  for (Day next = day + 1; next <= data_->info.last; next = next + 1) {
    if (IntervalsOf(*data_, next, rule).empty()) continue;
    message += "; the next is on " + FormatDay(next);
    break;
  }
  return NotFound(std::move(message));
}

Result<std::vector<Interval>> Calendar::Sessions(Day first, Day last,
                                                 std::string_view session) const {
  LAMINA_ASSIGN(const SessionRule* rule, FindSession(*data_, session));
  LAMINA_TRY(CheckDay(*data_, first));
  LAMINA_TRY(CheckDay(*data_, last));
  if (last < first) {
    return InvalidArgument("the last day " + FormatDay(last) + " comes before the first, " +
                           FormatDay(first));
  }
  std::vector<Interval> found;
  for (Day day = first; day <= last; day = day + 1) {
    const auto intervals = IntervalsOf(*data_, day, rule);
    found.insert(found.end(), intervals.begin(), intervals.end());
  }
  return found;
}

Result<bool> Calendar::IsOpen(Nanos at, std::string_view session) const {
  LAMINA_ASSIGN(const SessionRule* rule, FindSession(*data_, session));
  LAMINA_ASSIGN(const Day local, LocalDay(*data_, at));
  for (std::int32_t shift = -kReach; shift <= kReach; ++shift) {
    for (const auto& interval : IntervalsOf(*data_, local + shift, rule)) {
      if (interval.open <= at && at < interval.close) return true;
    }
  }
  return false;
}

Result<Nanos> Calendar::NextOpen(Nanos at, std::string_view session) const {
  LAMINA_ASSIGN(const SessionRule* rule, FindSession(*data_, session));
  LAMINA_ASSIGN(const Day local, LocalDay(*data_, at));
  const Day begin = std::max(local - kReach, data_->info.first);
  for (Day day = begin; day <= data_->info.last; day = day + 1) {
    for (const auto& interval : IntervalsOf(*data_, day, rule)) {
      if (interval.open > at) return interval.open;
    }
  }
  return NotFound(name() + " opens no more before its last day; it knows " + Range(info()));
}

Result<Interval> Calendar::CurrentSession(Nanos at, std::string_view session) const {
  LAMINA_ASSIGN(const SessionRule* rule, FindSession(*data_, session));
  LAMINA_ASSIGN(const Day local, LocalDay(*data_, at));
  const Day begin = std::min(local + kReach, data_->info.last);
  for (Day day = begin; day >= data_->info.first; day = day - 1) {
    const auto intervals = IntervalsOf(*data_, day, rule);
    if (!intervals.empty() && intervals.front().open <= at) return Span(intervals);
  }
  return NotFound(name() + " has no session before that; it knows " + Range(info()));
}

Result<Interval> Calendar::PreviousSession(Nanos at, std::string_view session) const {
  LAMINA_ASSIGN(const Interval current, CurrentSession(at, session));
  LAMINA_ASSIGN(const SessionRule* rule, FindSession(*data_, session));
  for (Day day = current.trading_day - 1; day >= data_->info.first; day = day - 1) {
    const auto intervals = IntervalsOf(*data_, day, rule);
    if (!intervals.empty()) return Span(intervals);
  }
  return NotFound(name() + " has no session before that; it knows " + Range(info()));
}

Result<Day> Calendar::TradingDay(Nanos at) const {
  LAMINA_ASSIGN(const SessionRule* whole_day, FindSession(*data_, "overnight"));
  LAMINA_ASSIGN(const Day local, LocalDay(*data_, at));
  const Day begin = std::max(local - kReach, data_->info.first);
  for (Day day = begin; day <= data_->info.last; day = day + 1) {
    const auto window = IntervalsOf(*data_, day, whole_day);
    if (!window.empty() && at < window.back().close) return day;
  }
  return NotFound(name() + " has no trading day after that; it knows " + Range(info()));
}

}  // namespace lamina::market
