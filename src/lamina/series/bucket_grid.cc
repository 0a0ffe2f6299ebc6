#include "lamina/series/bucket_grid.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "lamina/base/time.h"

namespace lamina::series {
namespace {

__extension__ using Wide = __int128;  // every sum of two instants fits

constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kDayNanos = 86'400'000'000'000;
constexpr std::int64_t kMondayOffsetDays = 4;  // 1970-01-05

std::int64_t Clamp(Wide value) {
  return value < kMin ? kMin : value > kMax ? kMax : static_cast<std::int64_t>(value);
}

std::int64_t FloorDiv(std::int64_t value, std::int64_t by) {
  const std::int64_t quotient = value / by;
  return quotient - ((value % by != 0) && ((value < 0) != (by < 0)) ? 1 : 0);
}

Wide FloorTo(Wide value, std::int64_t step) {
  const Wide rest = value % step;
  return value - rest - (rest < 0 ? step : 0);
}

/// The bar [begin, end), which holds at least one instant of int64.
Bucket WholeBucket(Wide begin, Wide end) {
  return {.first = Clamp(begin),
          .last = Clamp(end - 1),
          .inside = true,
          .bar_begin = Clamp(begin),
          .bar_end = Clamp(end)};
}

Wide MonthBegin(std::int64_t month) {
  const std::int64_t year = FloorDiv(month, 12);
  return static_cast<Wide>(DaysFromCivil({.year = static_cast<int>(1970 + year),
                                          .month = static_cast<unsigned>(month - 12 * year + 1),
                                          .day = 1})) *
         kDayNanos;
}

std::int64_t MonthOf(std::int64_t day) {
  const CivilDate date = CivilFromDays(day);
  return (static_cast<std::int64_t>(date.year) - 1970) * 12 + static_cast<int>(date.month) - 1;
}

Bucket EpochBucket(const BarRule& rule, std::int64_t ts_ns) {
  if (rule.unit == BarUnit::kMonth) {
    const std::int64_t month =
        FloorDiv(MonthOf(FloorDiv(ts_ns, kDayNanos)), rule.count) * rule.count;
    return WholeBucket(MonthBegin(month), MonthBegin(month + rule.count));
  }
  if (!rule.by_clock()) return WholeBucket(kMin, static_cast<Wide>(kMax) + 1);
  const Wide anchor = rule.unit == BarUnit::kWeek ? kMondayOffsetDays * kDayNanos : 0;
  const Wide begin = FloorTo(static_cast<Wide>(ts_ns) - anchor, rule.period_ns) + anchor;
  return WholeBucket(begin, begin + rule.period_ns);
}

}  // namespace

BucketGrid::BucketGrid(BarRule rule, std::vector<SessionRange> ranges)
    : rule_(std::move(rule)), ranges_(std::move(ranges)) {
  if (rule_.unit == BarUnit::kTime) return;
  groups_.resize(ranges_.size());
  for (std::size_t begin = 0; begin < ranges_.size();) {
    std::size_t end = begin + 1;
    while (end < ranges_.size() && GroupOf(ranges_[end].day) == GroupOf(ranges_[begin].day)) ++end;
    std::fill(groups_.begin() + static_cast<std::ptrdiff_t>(begin),
              groups_.begin() + static_cast<std::ptrdiff_t>(end),
              Group{ranges_[begin].begin, ranges_[end - 1].end});
    begin = end;
  }
}

std::int64_t BucketGrid::GroupOf(std::int64_t day) const {
  switch (rule_.unit) {
    case BarUnit::kMonth:
      return FloorDiv(MonthOf(day), rule_.count);
    case BarUnit::kWeek:
      return FloorDiv(day - kMondayOffsetDays, 7 * rule_.count);
    case BarUnit::kDay:
      return FloorDiv(day, rule_.count);
    default:
      return day;
  }
}

Result<BucketGrid> BucketGrid::Make(const BarRule& rule, std::span<const SessionRange> ranges) {
  constexpr std::int64_t kDayMax = 200'000;  // int64 nanoseconds end in the year 2262
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    const std::string where = "session range " + std::to_string(i) + " ";
    if (ranges[i].begin >= ranges[i].end) {
      return InvalidArgument(where + "is empty: [" + std::to_string(ranges[i].begin) + ", " +
                             std::to_string(ranges[i].end) + ")");
    }
    if (ranges[i].day < -kDayMax || ranges[i].day > kDayMax) {
      return InvalidArgument(where + "has a trading day outside the calendar");
    }
    if (i == 0) continue;
    if (ranges[i].begin < ranges[i - 1].end) {
      return InvalidArgument(where + "begins before the one above it ends");
    }
    if (ranges[i].day < ranges[i - 1].day) {
      return InvalidArgument(where + "has an earlier trading day than the one above it");
    }
  }
  return BucketGrid(rule, {ranges.begin(), ranges.end()});
}

Bucket BucketGrid::FindInRange(std::size_t range, std::int64_t ts_ns) const {
  const SessionRange& session = ranges_[range];
  if (!groups_.empty()) {
    return {.first = session.begin,
            .last = session.end - 1,
            .inside = true,
            .bar_begin = groups_[range].begin,
            .bar_end = groups_[range].end};
  }
  const Wide begin =
      session.begin + FloorTo(static_cast<Wide>(ts_ns) - session.begin, rule_.period_ns);
  return WholeBucket(begin, std::min<Wide>(begin + rule_.period_ns, session.end));
}

Bucket BucketGrid::Find(std::int64_t ts_ns) const {
  if (ranges_.empty()) return EpochBucket(rule_, ts_ns);
  const auto after =
      std::partition_point(ranges_.begin(), ranges_.end(),
                           [&](const SessionRange& range) { return range.begin <= ts_ns; });
  const auto count = static_cast<std::size_t>(after - ranges_.begin());
  if (count > 0 && ts_ns < ranges_[count - 1].end) return FindInRange(count - 1, ts_ns);
  return {.first = count == 0 ? kMin : ranges_[count - 1].end,
          .last = after == ranges_.end() ? kMax : after->begin - 1,
          .inside = false,
          .bar_begin = 0,
          .bar_end = 0};
}

Bucket BucketGrid::Next(const Bucket& bucket) const {
  const Bucket none{.first = kMax, .last = kMax, .inside = false, .bar_begin = 0, .bar_end = 0};
  if (bucket.bar_end == kMax) return none;
  Bucket next = Find(bucket.bar_end);
  if (!next.inside && next.last != kMax) next = Find(next.last + 1);
  return next.inside ? next : none;
}

}  // namespace lamina::series
