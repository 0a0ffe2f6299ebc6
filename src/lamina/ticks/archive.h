#pragma once

/// \file lamina/ticks/archive.h
/// Ticks into the archive: sorted Parquet files, their rows in the catalog, and the watermark of
/// the log they come from, in one commit. Free functions; thread-safe.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "lamina/base/parallel.h"
#include "lamina/base/result.h"
#include "lamina/catalog/catalog.h"
#include "lamina/tick_log/log_reader.h"
#include "lamina/ticks/tick_tables.h"

namespace lamina::ticks {

/// What of whose log is archived by a commit.
struct LogAdvance {
  std::int64_t writer = 0, from_seq = 0, end_seq = 0;  ///< [from, end)
  /// Left out among them, and bytes set aside for them.
  std::int64_t damaged_groups = 0, damaged_bytes = 0;
};

struct ArchiveOptions {
  int zstd_level = 3;
  std::int64_t commit_ticks = 1 << 19;  ///< at most so many in one commit: bounds the memory
  std::int64_t file_ticks = 1 << 18;    ///< at most so many in a file
  /// Files written side by side; 0: as many as cores, or one when there are few ticks.
  std::size_t workers = 0;
  /// Also durable ticks of segments that are not sealed.
  bool open_segments = false;
  bool add_coverage = true;  ///< false for ticks that had been archived before
  const CancelToken* cancel = nullptr;
};

struct ArchiveReport {
  std::int64_t ticks = 0, files = 0, bytes = 0, commits = 0;
  std::int64_t damaged_groups = 0, damaged_bytes = 0;
  std::int64_t snapshot = 0;  ///< of the last commit
  ArchiveReport& operator+=(const ArchiveReport& other);
};

/// Make the three tables; no-op when they are there.
Status CreateTickTables(catalog::Catalog& catalog);

/// One commit. With `advance`, RETURNS kConflict when the log's watermark is not `from_seq` any
/// more: another session archived it, and nothing of ours is there. Without: ticks that come from
/// no log (imports). `also` writes rows of its own in the same commit, when there are ticks.
Result<ArchiveReport> ArchiveTicks(
    catalog::Catalog& catalog, TickBatches ticks, const std::optional<LogAdvance>& advance,
    const ArchiveOptions& options = {},
    const std::function<Status(catalog::Database&, std::int64_t snapshot)>& also = {});

/// Everything that is sealed in any log, of living and dead writers, commit by commit. What another
/// session archives meanwhile is its own. A damaged group is counted and left out, its segment is
/// copied to quarantine/, the rest is archived. RETURNS kCorruption when a log cannot be read
/// behind the damage; the other logs are archived then, too.
Result<ArchiveReport> ArchiveLogs(catalog::Catalog& catalog, tick_log::LogReader& logs,
                                  const ArchiveOptions& options = {});

}  // namespace lamina::ticks
