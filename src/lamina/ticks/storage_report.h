#pragma once

/// \file lamina/ticks/storage_report.h
/// What the ticks of a store take: logs, what waits in them, the archive and its compression. Free
/// function; thread-safe.

#include <cstdint>
#include <optional>

#include "lamina/base/result.h"
#include "lamina/catalog/catalog.h"
#include "lamina/tick_log/log_reader.h"

namespace lamina::ticks {

struct StorageReport {
  std::int64_t logs = 0, open_logs = 0;  ///< with segments; of living writers
  std::int64_t log_segments = 0, log_bytes = 0;
  std::int64_t waiting_ticks = 0;  ///< durable, and not archived yet
  std::int64_t contracts = 0;      ///< of the archive
  std::int64_t archive_files = 0, archive_ticks = 0, archive_bytes = 0;
  std::int64_t json_bytes = 0;  ///< that the archive's ticks take as JSON lines of recorders
  std::int64_t damaged_groups = 0, damaged_bytes = 0;  ///< of logs, left out by archiving
  std::optional<std::int64_t> archived_at;             ///< last, microseconds since 1970 UTC

  /// JSON bytes by bytes of the archive; absent without an archive.
  std::optional<double> compression_ratio() const;
  std::optional<double> bytes_per_tick() const;
};

Result<StorageReport> ReadStorage(catalog::Catalog& catalog, tick_log::LogReader& logs);

}  // namespace lamina::ticks
