#pragma once

/// \file lamina/series/session_ranges.h
/// Sessions of a calendar as the ranges that kernels take. Pure functions; thread-safe.

#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "lamina/base/result.h"
#include "lamina/series/bucket_grid.h"

namespace lamina::market {
class Calendar;
}

namespace lamina::series {

/// Which stretches of time count. All empty: all of time, bars from the UTC epoch.
struct SessionChoice {
  std::string calendar;  ///< name or alias; empty with a zone: every day, all day (`24/7`)
  std::string session;   ///< empty: `regular`, or `overnight` (whole days) without a calendar
  std::string zone;      ///< IANA name: the calendar's clock times in another zone
  std::shared_ptr<const market::Calendar> own = nullptr;  ///< in the place of `calendar`
  bool empty() const { return calendar.empty() && session.empty() && zone.empty() && !own; }
};

/// The stretch of time, in UTC nanoseconds, of which it is known when sessions are.
struct KnownTime {
  std::int64_t begin = std::numeric_limits<std::int64_t>::min();
  std::int64_t end = std::numeric_limits<std::int64_t>::max();  ///< exclusive, but for the default

  /// Sorted stamps lie within. RETURNS kInvalidArgument that names the row: outside, a closed
  /// market cannot be told from an unknown one.
  Status Check(std::span<const std::int64_t> ts_ns, std::int64_t first_row) const;
};

struct ChosenSessions {
  std::vector<SessionRange> ranges;
  KnownTime known;
};

/// Every session of the calendar; of a zone alone every day of 1900 to 2100. RETURNS
/// kInvalidArgument, listing the known ones, for an unknown calendar, session or zone.
Result<ChosenSessions> RangesOf(const SessionChoice& choice);

}  // namespace lamina::series
