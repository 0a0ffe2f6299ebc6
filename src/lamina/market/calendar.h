#pragma once

/// \file lamina/market/calendar.h
/// Calendar: when a market is open. Trading days, sessions, breaks, and the trading day of an
/// instant, 2000-01-01..2030-12-31. Immutable, thread-safe. Rules: docs/guide/calendars.md.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lamina/base/result.h"
#include "lamina/base/time.h"
#include "lamina/market/day.h"
#include "lamina/market/trading_hours.h"
#include "lamina/market/zone.h"

namespace lamina::market {

struct CalendarData;

/// [open, close), UTC. A trading day without breaks is one interval, with a break two.
struct Interval {
  Day trading_day;
  Nanos open, close;
  auto operator<=>(const Interval&) const = default;
};

/// What a list of calendars shows.
struct CalendarInfo {
  std::string name, title, zone, version, source;
  std::vector<std::string> aliases;
  std::vector<std::string> sessions;
  Day first, last;
};

class Calendar {
 public:
  static constexpr std::string_view kRegular = "regular";

  /// By name or alias (`XNYS`, `NYSE`, `CME_Equity`, `24/7`), letter case does not count.
  /// RETURNS kInvalidArgument, listing the known ones, near names first.
  static Result<std::shared_ptr<const Calendar>> Get(std::string_view name);
  /// Every calendar, by name.
  static std::vector<CalendarInfo> List();

  /// A calendar from text in the syntax of calendars/*.txt; `origin` names it in errors.
  static Result<std::shared_ptr<const Calendar>> Parse(std::string_view text,
                                                       std::string_view origin);

  /// The same calendar with the regular hours of the days that `hours` names replaced: trading
  /// hours of one instrument. The hours have their own zone. RETURNS kInvalidArgument when they
  /// overlap those of another day.
  Result<std::shared_ptr<const Calendar>> WithTradingHours(const TradingHours& hours) const;
  /// The same trading days and wall clock times in another zone.
  std::shared_ptr<const Calendar> InZone(std::shared_ptr<const Zone> zone) const;

  const CalendarInfo& info() const;
  const std::string& name() const { return info().name; }
  const Zone& zone() const;
  /// The stretch of time that the calendar knows, its first day as trading day.
  Interval Known() const;

  // Below: a `session` that the calendar does not know RETURNS kInvalidArgument, listing those it
  // has; a day or an instant outside first..last RETURNS kInvalidArgument, saying the range.

  /// Whether `day` has the session.
  Result<bool> IsTradingDay(Day day, std::string_view session = kRegular) const;

  /// First open to last close of the session of trading day `day`; breaks lie inside.
  /// RETURNS kNotFound when the market is closed that day, naming the next day that is not.
  Result<Interval> SessionBoundaries(Day day, std::string_view session = kRegular) const;

  /// Every interval of the trading days first..last, both included, in time order; a day with a
  /// break gives two, a closed day none.
  Result<std::vector<Interval>> Sessions(Day first, Day last,
                                         std::string_view session = kRegular) const;

  /// Whether `at` lies in [open, close) of an interval; false in a break.
  Result<bool> IsOpen(Nanos at, std::string_view session = kRegular) const;

  /// The first instant after `at` when an interval opens, be it after a night or after a break.
  /// RETURNS kNotFound after the last.
  Result<Nanos> NextOpen(Nanos at, std::string_view session = kRegular) const;

  /// The session that began last at or before `at`: the running one, or, when the market is closed,
  /// the one that ended last. (IsOpen tells which.) RETURNS kNotFound before the first.
  Result<Interval> CurrentSession(Nanos at, std::string_view session = kRegular) const;
  /// The session before CurrentSession.
  Result<Interval> PreviousSession(Nanos at, std::string_view session = kRegular) const;

  /// The trading day that `at` belongs to: the day whose whole-day window (session `overnight`)
  /// holds it, else, on weekends and holidays, the next trading day. RETURNS kNotFound after the
  /// last.
  Result<Day> TradingDay(Nanos at) const;

 private:
  explicit Calendar(std::shared_ptr<const CalendarData> data);
  std::shared_ptr<const CalendarData> data_;
};

}  // namespace lamina::market
