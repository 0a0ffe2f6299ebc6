#pragma once

/// \file lamina/tick_log/log_appender.h
/// LogAppender: the disk's side of a writer: segments that follow each other, the state page, the
/// lock. Append, Seal, Sync and Close one at a time; PrepareSpare, FinishSealed and what only looks
/// from any thread meanwhile.

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "lamina/base/result.h"
#include "lamina/base/uuid.h"
#include "lamina/io/env.h"
#include "lamina/tick_log/group_draft.h"
#include "lamina/tick_log/log_recovery.h"
#include "lamina/tick_log/segment_index.h"
#include "lamina/tick_log/tick_writer.h"

namespace lamina::tick_log {

class LogAppender {
 public:
  /// Takes the log's lock and repairs what is there.
  static Result<std::unique_ptr<LogAppender>> Open(io::Env& env, const std::string& root,
                                                   const Uuid& store_id, std::int64_t writer,
                                                   const LogOptions& options);
  ~LogAppender();

  /// Write groups whose first seqs follow each other from end_seq() on; with `sync` they are
  /// durable, and in any case published, when this returns. A segment that failed is given up and
  /// they are written to a new one; when that fails too, nothing of them counts.
  Status Append(std::span<DraftGroup* const> groups, bool sync);
  /// Everything written is durable when this returns.
  Status Sync();
  /// End the open segment; fine when there is none.
  Status Seal();
  Status Close();
  bool SealIsDue() const;

  /// Fill the next segment ahead, unless that is done. Any thread.
  Status PrepareSpare();
  /// Trim and index what was sealed. Any thread.
  void FinishSealed();
  bool has_housework() const;

  /// One past the last published seq; any thread.
  std::int64_t end_seq() const { return end_seq_; }
  std::int64_t recv_ns() const { return state_.recv_ns; }
  const std::string& recovered() const { return recovered_; }
  /// Of segments with ticks from `archived_end` on.
  std::int64_t UnarchivedBytes(std::int64_t archived_end) const;
  std::int64_t segments() const { return segments_; }
  std::int64_t syncs() const { return syncs_; }
  std::int64_t bytes() const { return bytes_; }

 private:
  struct Segment;
  struct Kept {
    std::int64_t end_seq = 0, bytes = 0;
  };

  LogAppender(io::Env& env, std::string folder, const Uuid& store_id, std::int64_t writer,
              const LogOptions& options);
  Result<std::unique_ptr<Segment>> Prepare(std::int64_t bytes);
  Status FillAhead(Segment& segment, std::int64_t bytes);
  Status Start(std::int64_t first_seq);
  Status WriteGroups(std::span<DraftGroup* const> groups, bool sync);
  Status SealOpen();
  void GiveUp();
  Status FindKept();

  io::Env& env_;
  std::string folder_;
  Uuid store_id_;
  std::int64_t writer_;
  LogOptions options_;
  std::unique_ptr<io::FileLock> lock_, ready_;
  std::string recovered_;
  StatePage page_;
  LogState state_;
  std::unique_ptr<Segment> open_;
  std::atomic<std::int64_t> open_end_{0};
  std::atomic<std::int64_t> end_seq_{0};
  std::atomic<std::int64_t> segments_{0}, syncs_{0}, bytes_{0};
  bool first_ = true;  ///< no segment was prepared yet

  mutable std::mutex mutex_;  ///< of what the housework shares
  std::mutex preparing_;      ///< held while a segment is filled
  std::int64_t next_number_ = 1;
  std::unique_ptr<Segment> spare_;
  std::vector<std::unique_ptr<Segment>> sealed_;
  std::vector<Kept> kept_;
};

}  // namespace lamina::tick_log
