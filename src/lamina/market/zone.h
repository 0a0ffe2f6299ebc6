#pragma once

/// \file lamina/market/zone.h
/// Zone: a time zone of the IANA database that is built into the library (docs/decisions/0010), so
/// that the same input gives the same answer on every machine. Immutable, thread-safe.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lamina/base/result.h"

namespace lamina::market {

class Zone {
 public:
  /// An IANA name (`America/New_York`, `US/Eastern`, `UTC`), or a name as Interactive Brokers
  /// writes it, `EST (Eastern Standard Time)`. RETURNS kInvalidArgument, with near names.
  static Result<std::shared_ptr<const Zone>> Get(std::string_view name);
  /// Release of the database, `2026f`.
  static std::string DatabaseVersion();
  /// Every name, sorted.
  static std::vector<std::string> Names();

  /// The name that was asked for.
  const std::string& name() const { return name_; }

  /// Seconds east of UTC at `utc` (seconds since 1970-01-01T00:00:00Z).
  std::int64_t OffsetAt(std::int64_t utc) const;

  /// The instant, in seconds since 1970 UTC, of a wall clock; `local` is the wall clock as if it
  /// were UTC. A time that comes twice (clocks set back) is the first of the two; one that does not
  /// exist (clocks set forward) is taken with the offset before the change, so that 02:30 becomes
  /// 03:30. (As fold=0 of Python's datetime.)
  std::int64_t ToUtc(std::int64_t local) const;

 private:
  struct Change {
    std::int64_t at;
    std::int64_t offset;
  };
  struct YearlyDay {
    unsigned month = 0, week = 0, weekday = 0;  ///< week 5: the last; weekday 0: Sunday
    std::int64_t second = 0;                    ///< of local time
  };
  struct Rule {
    std::int64_t standard = 0, summer = 0;
    YearlyDay begin, end;
  };

  Zone() = default;
  static Result<Zone> Parse(std::string_view lines);
  static Result<YearlyDay> ParseYearlyDay(std::string_view text);
  std::int64_t RuleOffsetAt(std::int64_t utc) const;

  std::string name_;
  std::int64_t first_offset_ = 0;
  std::vector<Change> changes_;
  bool has_rule_ = false;
  Rule rule_;
};

}  // namespace lamina::market
