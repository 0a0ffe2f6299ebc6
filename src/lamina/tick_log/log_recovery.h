#pragma once

/// \file lamina/tick_log/log_recovery.h
/// What an unclean end leaves of a log, put in order. Functions are thread-safe; StatePage is
/// thread-compatible.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "lamina/base/result.h"
#include "lamina/base/uuid.h"
#include "lamina/io/env.h"
#include "lamina/tick_log/log_files.h"
#include "lamina/tick_log/segment_format.h"

namespace lamina::tick_log {

/// LockPath or ReadyPath, also when another looks at it for a moment, as readers do to see whether
/// the log's writer lives. RETURNS kConflict when it does.
Result<std::unique_ptr<io::FileLock>> TakeLogLock(io::Env& env, const std::string& path);

/// The state page being written. REQUIRES the log's lock.
class StatePage {
 public:
  StatePage(io::Env& env, std::string folder, const Uuid& store_id, std::int64_t writer);
  /// Give `state` the next counter and write it; not synced.
  Status Publish(LogState& state);
  Status Sync();

 private:
  Status Open();
  io::Env& env_;
  std::string folder_;
  Uuid store_id_;
  std::int64_t writer_;
  std::unique_ptr<io::PlacedFile> file_;  ///< absent before the first use, and after a failure
};

/// Where the last segment of a log ends, by its bytes and what its page says. Reads only.
Result<SegmentEnd> FindLogEnd(SegmentFile& file, const std::optional<LogState>& state);

struct RepairedLog {
  LogState state;
  std::int64_t last_number = 0;  ///< no segment with this number or below may be made
  std::string words;             ///< what was repaired; empty: nothing
};
/// Cut off a torn tail, seal the last segment, remove those filled ahead. Changes nothing in a log
/// that was closed. REQUIRES the log's lock. RETURNS kCorruption that names file and place.
Result<RepairedLog> RepairLog(io::Env& env, const std::string& folder, const Uuid& store_id,
                              std::int64_t writer);

/// The same for a log whose writer has died, so that it can be archived. RETURNS what was repaired,
/// in words; kConflict when its writer lives.
Result<std::string> RecoverLog(io::Env& env, const std::string& root, const Uuid& store_id,
                               std::int64_t writer);

}  // namespace lamina::tick_log
