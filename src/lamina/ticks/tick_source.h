#pragma once

/// \file lamina/ticks/tick_source.h
/// TickSource: archive and logs as one body of rows in which each tick is once. Thread-safe.

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "lamina/catalog/catalog.h"
#include "lamina/tick_log/log_reader.h"
#include "lamina/tick_log/tick_writer.h"
#include "lamina/ticks/archive_scan.h"
#include "lamina/ticks/tick_cursor.h"

namespace lamina::ticks {

/// What is read: the archive at one snapshot, and of each log the durable ticks that are not in it.
struct ReadPoint {
  ArchivePlan plan;
  struct LogSpan {
    std::int64_t writer = 0, from_seq = 0, end_seq = 0;
  };
  std::vector<LogSpan> logs;
  /// One past the last durable tick of each log; empty for a read as of a snapshot.
  LogCursor durable;
};

/// Reads rows of ticks at a ReadPoint. The point is taken so: one read transaction gives a snapshot
/// and how far each log is archived in it, then the logs say how far they are durable. Ticks below
/// the one are read from the archive, ticks between the two from the log, so that none is read
/// twice or left out, whatever archivers do meanwhile. A log segment that they removed shows as
/// kNotFound: take a new point and start again (ReadAgain).
class TickSource {
 public:
  /// `workers`: threads of one read, as ParallelFor.
  TickSource(catalog::Catalog& catalog, std::size_t workers);
  ~TickSource();

  /// `snapshot`: read the archive as of then, and no logs. RETURNS kNotFound for a snapshot that is
  /// not kept, kCorruption when a log lacks ticks that are not archived.
  Result<ReadPoint> Take(const TickSelection& selection, TimeSpan span,
                         std::optional<std::int64_t> snapshot);

  /// Rows of the selection in `span`, all in the one order, as `result`. `span` lies within the
  /// point's. RETURNS kNotFound when a segment has gone.
  Result<std::shared_ptr<arrow::Table>> Load(const ReadPoint& point, const TickSelection& selection,
                                             TimeSpan span,
                                             const std::shared_ptr<arrow::Schema>& result,
                                             ScanCounts& counts);

  /// At most how many rows Load finds in the archive.
  Result<std::int64_t> Candidates(const ReadPoint& point, const TickSelection& selection,
                                  TimeSpan span);

  /// Whether no log has a row of the selection in `span`. Errors as Load.
  Result<bool> NothingInLogs(const ReadPoint& point, const TickSelection& selection, TimeSpan span);

  /// Ticks of this process's own writer are read from its memory as long as it lives, where that
  /// holds them.
  void AddLive(std::shared_ptr<const tick_log::TickWriter> writer);

  catalog::Catalog& catalog() { return *catalog_; }
  tick_log::LogReader& logs() { return logs_; }
  std::size_t workers() const { return workers_; }

 private:
  Result<std::optional<ReadPoint>> TryTake(const TickSelection& selection, TimeSpan span,
                                           std::optional<std::int64_t> snapshot);
  Result<std::vector<TickBatch>> ReadLog(const ReadPoint::LogSpan& log,
                                         const TickSelection& selection, TimeSpan span);
  std::optional<std::vector<TickBatch>> ReadLive(const ReadPoint::LogSpan& log,
                                                 const TickSelection& selection, TimeSpan span);
  catalog::Catalog* catalog_;
  tick_log::LogReader logs_;
  std::size_t workers_;
  std::mutex mutex_;
  std::map<std::int64_t, std::weak_ptr<const tick_log::TickWriter>> live_;
};

/// Archivers may overtake a reader this often before it gives up.
inline constexpr int kReadAttempts = 50;

/// Whether a read that failed so is to start again with a new point.
inline bool ReadAgain(const Error& error, int attempt) {
  return error.code() == ErrorCode::kNotFound && attempt < kReadAttempts;
}

}  // namespace lamina::ticks
