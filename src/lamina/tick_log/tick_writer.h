#pragma once

/// \file lamina/tick_log/tick_writer.h
/// TickWriter: appends ticks to the log of one writer, durably, with a queue for each contract.
/// Thread-safe: any thread may append.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "lamina/base/result.h"
#include "lamina/base/uuid.h"
#include "lamina/io/env.h"
#include "lamina/tick_log/tick.h"

namespace lamina::tick_log {

class LiveBuffer;

/// What an acknowledgement stands for.
enum class Durability : std::uint8_t {
  kMemory,  ///< it is in this process
  kOs,      ///< the operating system has it: survives a kill of the process
  kFsync,   ///< it is on stable storage: survives a power cut
};
enum class FullQueue : std::uint8_t { kBlock, kRefuse };  ///< refuse: kResourceExhausted, counted
enum class LogPayload : std::uint8_t { kBinary, kJsonl };

struct LogOptions {
  Durability durability = Durability::kFsync;
  LogPayload payload = LogPayload::kBinary;
  FullQueue full_queue = FullQueue::kBlock;
  std::int64_t queue_ticks = 100'000;    ///< waiting, for each contract
  std::int64_t concurrent_appends = 10;  ///< checked and encoded at once; more wait their turn
  std::int64_t segment_bytes = std::int64_t{64} << 20;  ///< a segment seals at this size
  std::int64_t segment_seconds = 15 * 60;               ///< or at this age
  std::int64_t log_max_bytes = std::int64_t{8} << 30;   ///< of unarchived log: then refused
  std::string source = {};                              ///< into `source` of ticks that have none
  /// What the live buffer holds: so many minutes of receive time, and bytes. 0: none.
  std::int64_t buffer_minutes = 120;
  std::int64_t buffer_max_bytes = std::int64_t{1} << 30;
  /// Fill segments ahead, seal by age and index in a thread of its own. Without: all in the thread
  /// that appends, always in the same order; kMemory writes at Flush, Seal, Close and when full.
  bool background = true;
  std::string producer = {};  ///< with producer_seq of Append: a retry is not stored twice
};

/// Where ticks went: seq_first..seq_last of `writer`, both included.
struct Ack {
  std::int64_t writer = 0, seq_first = 0, seq_last = -1;
  bool repeated = false;  ///< the producer had sent them before; nothing was stored again
};

struct WriterCounts {
  std::int64_t appended = 0, durable = 0, refused = 0, groups = 0, syncs = 0, bytes = 0;
  std::int64_t segments = 0;
};

class TickWriter {
 public:
  /// Begins or goes on with the log of `writer` below <root>/log. `writer` is a number of the
  /// catalog that no living process uses (kConflict when its lock is held). A torn tail of an
  /// unclean end is cut off and told in `recovered`.
  static Result<std::unique_ptr<TickWriter>> Open(io::Env& env, const std::string& root,
                                                  const Uuid& store_id, std::int64_t writer,
                                                  const LogOptions& options);
  /// Flushes and seals; errors are lost here: call Close.
  ~TickWriter();

  /// Store ticks; returns when they are as durable as asked for. `writer` and `seq` of the batches
  /// are ignored and given; an empty recv_ns is stamped (never decreasing). `order`: how rows of
  /// several kinds follow each other, as (kind, row) in sequence; empty: kind after kind. All or
  /// nothing: on an error nothing is stored. RETURNS kInvalidArgument naming the row (stamps before
  /// 1971 or after 2199, negative sizes, contract ids below 1), kResourceExhausted (queue,
  /// log_max_bytes, disk), kIo.
  struct RowRef {
    TickKind kind = TickKind::kTrades;
    std::uint32_t row = 0;
  };
  Result<Ack> Append(TickBatches ticks, std::vector<RowRef> order = {},
                     std::optional<std::int64_t> producer_seq = {});
  /// Everything appended so far is durable when this returns.
  Status Flush();
  /// Seal the open segment, so that it can be archived.
  Status Seal();
  Status Close();

  std::int64_t writer() const;
  WriterCounts counts() const;
  /// What Open had to repair, in words; empty: nothing.
  const std::string& recovered() const;
  /// The last ticks by contract and type, as appended through this writer.
  const LiveBuffer& live() const;
  /// Tell the writer how much of its log is archived (one past the last archived seq).
  void SetArchivedEnd(std::int64_t end_seq);

 private:
  struct State;
  explicit TickWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace lamina::tick_log
