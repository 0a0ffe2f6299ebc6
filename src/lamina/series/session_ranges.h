#pragma once

/// \file lamina/series/session_ranges.h
/// Sessions of a calendar as the ranges that kernels take. Pure functions; thread-safe.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "lamina/base/result.h"
#include "lamina/series/bucket_grid.h"

namespace lamina::series {

/// Which stretches of time count. All empty: all of time, bars from the UTC epoch.
struct SessionChoice {
  std::string calendar;  ///< name or alias; empty with a zone: every day, all day (`24/7`)
  std::string session;   ///< empty: `regular`, or `overnight` (whole days) without a calendar
  std::string zone;      ///< IANA name: the calendar's clock times in another zone
  bool empty() const { return calendar.empty() && session.empty() && zone.empty(); }
};

/// Every session of the calendar. RETURNS kInvalidArgument, listing the known ones, for an unknown
/// calendar, session or zone.
Result<std::vector<SessionRange>> RangesOf(const SessionChoice& choice);

/// Sorted stamps lie within the years that the ranges cover. RETURNS kInvalidArgument that names
/// the row: outside them a closed market cannot be told from an unknown one.
Status CheckCovered(std::span<const SessionRange> ranges, std::span<const std::int64_t> ts_ns,
                    std::int64_t first_row);

}  // namespace lamina::series
