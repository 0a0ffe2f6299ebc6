#pragma once

/// \file lamina/series/bucket_grid.h
/// Which bar an instant falls into: a grid of time, from the UTC epoch or from session opens.
/// Immutable after Make; thread-safe. No instant of the int64 range overflows.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "lamina/base/result.h"
#include "lamina/series/bar_rule.h"

namespace lamina::series {

/// One stretch of trading, half open, in UTC nanoseconds, and the trading day it belongs to. A
/// session, a part of one (before and after a lunch break: two ranges of one day), or a whole
/// trading day.
struct SessionRange {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  std::int64_t day = 0;  ///< civil date as days since 1970-01-01
  bool operator==(const SessionRange&) const = default;
};

/// A stretch of instants that all belong to one bar, or to none.
struct Bucket {
  std::int64_t first = 0;      ///< first instant of the stretch
  std::int64_t last = 0;       ///< its last instant: both inclusive, so that int64 suffices
  bool inside = true;          ///< false: in no session; rows here belong to no bar
  std::int64_t bar_begin = 0;  ///< first instant of the bar: its label, and what tells bars apart
  std::int64_t bar_end = 0;    ///< instant after the bar, or the largest int64
};

/// Without ranges a bar of n units begins at the whole multiples of n units since
/// 1970-01-01T00:00:00Z; weeks since Monday 1970-01-05; months since January 1970.
/// With ranges, a bar of seconds, minutes, hours begins at a whole multiple since the begin of its
/// range, and ends at the latest with it (the last one is shorter when the rule does not divide
/// the range); bars of days, weeks and months hold whole trading days, grouped by their civil
/// dates, and begin with their first range. Rows outside all ranges belong to no bar. For rules
/// that rows end (ticks, volume, notional) the bucket is the whole trading day.
class BucketGrid {
 public:
  /// RETURNS kInvalidArgument for ranges that are empty, overlap, are not sorted, or whose days go
  /// back.
  static Result<BucketGrid> Make(const BarRule& rule, std::span<const SessionRange> ranges);

  Bucket Find(std::int64_t ts_ns) const;
  /// The next bar in time; `inside` is false when there is none.
  Bucket Next(const Bucket& bucket) const;
  bool has_ranges() const { return !ranges_.empty(); }

 private:
  struct Group {  ///< trading days that make one bar
    std::int64_t begin, end;
  };
  BucketGrid(BarRule rule, std::vector<SessionRange> ranges);
  Bucket FindInRange(std::size_t range, std::int64_t ts_ns) const;
  std::int64_t GroupOf(std::int64_t day) const;

  BarRule rule_;
  std::vector<SessionRange> ranges_;
  std::vector<Group> groups_;  ///< of each range, for rules of days and longer and for row rules
};

}  // namespace lamina::series
