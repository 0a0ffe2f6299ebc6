#pragma once

/// \file lamina/tick_log/log_reader.h
/// Reads the logs below <root>/log of all writers, of this process and of others, never beyond what
/// is durable. Of a log whose writer has died that is what its segments hold, made durable first.
/// Thread-safe.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lamina/base/result.h"
#include "lamina/base/uuid.h"
#include "lamina/io/env.h"
#include "lamina/tick_log/tick.h"

namespace lamina::tick_log {

struct SegmentInfo {
  std::int64_t writer = 0;
  std::int64_t number = 0;     ///< of the segment in its writer's log, from 1
  std::int64_t first_seq = 0;  ///< of the first tick that it has, or would have
  std::int64_t end_seq = 0;    ///< one past the last durable tick
  bool sealed = false;         ///< nothing will be added
  std::int64_t bytes = 0;      ///< of groups, without the zeros ahead
  std::string path;
};

/// One writer's log.
struct WriterLog {
  std::int64_t writer = 0;
  std::int64_t durable_end = 0;       ///< one past the last durable seq: no reader goes beyond
  bool alive = false;                 ///< its lock is held; else an unsealed end wants RecoverLog
  std::vector<SegmentInfo> segments;  ///< by first_seq, without gaps between them
};

/// Which ticks are wanted; empty spans: all.
struct TickFilter {
  std::span<const std::int64_t> contracts = {};
  std::span<const TickType> types = {};
  std::int64_t begin_ns = INT64_MIN, end_ns = INT64_MAX;  ///< [begin, end) by event time
};

class LogReader {
 public:
  /// `root`: of the store; its logs must be of store `store_id`.
  LogReader(io::Env& env, std::string root, const Uuid& store_id);
  ~LogReader();

  /// All logs, by writer. Reads the state pages anew. RETURNS kCorruption that names file and
  /// place.
  Result<std::vector<WriterLog>> Logs();

  /// Durable ticks of `writer` with from_seq <= seq < end_seq that pass the filter, in seq order
  /// within each kind. Segments whose index shows nothing wanted are not read. RETURNS kNotFound
  /// when a segment of that span has gone meanwhile (it was archived and removed: start again),
  /// kCorruption that names file and place.
  Result<TickBatches> Read(std::int64_t writer, std::int64_t from_seq, std::int64_t end_seq,
                           const TickFilter& filter = {});

  /// An append with a producer_seq that is still in some log.
  struct Produced {
    std::int64_t producer_seq = 0, writer = 0, seq_first = 0, seq_last = -1;
  };
  Result<std::vector<Produced>> ProducedBy(const std::string& producer);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Remove a sealed segment with its index. REQUIRES that every tick of it is archived. RETURNS
/// kConflict when the log's page does not tell yet that it goes on behind the segment: RecoverLog
/// first (log_recovery.h).
Status RemoveSegment(io::Env& env, const SegmentInfo& segment);

}  // namespace lamina::tick_log
