#pragma once

/// \file lamina/ticks/retention.h
/// What the policy lets go: archived segments of the log, and days of the archive. Free functions;
/// thread-safe.

#include <cstdint>
#include <string>
#include <vector>

#include "lamina/base/result.h"
#include "lamina/catalog/catalog.h"
#include "lamina/tick_log/log_reader.h"
#include "lamina/ticks/tick_config.h"

namespace lamina::ticks {

struct RetentionReport {
  std::int64_t segments = 0, segment_bytes = 0;  ///< unlinked, or (dry run) due
  std::int64_t waiting_segments = 0;             ///< sealed, but not archived or not long enough
  std::int64_t files = 0, ticks = 0, file_bytes = 0;  ///< retired; gc unlinks them later
  std::vector<std::string> paths;                     ///< of all that
  std::int64_t snapshot = 0;                          ///< of the commit, 0 for none
  bool dry_run = false;
};

/// A segment goes when it is sealed, all its ticks are archived, and they were at least
/// buffer_retention_hours ago. A day goes from the archive when it ended archive_retention_days
/// ago: its files are retired in one commit; snapshots and pins keep seeing them.
Result<RetentionReport> ApplyTickRetention(catalog::Catalog& catalog, tick_log::LogReader& logs,
                                           const TickConfig& config, bool dry_run);

/// The part of the log only: safe to run by itself at any time.
Result<RetentionReport> ApplyLogRetention(catalog::Catalog& catalog, tick_log::LogReader& logs,
                                          const TickConfig& config, bool dry_run);

}  // namespace lamina::ticks
