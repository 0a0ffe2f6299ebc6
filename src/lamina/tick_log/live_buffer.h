#pragma once

/// \file lamina/tick_log/live_buffer.h
/// LiveBuffer: the last ticks of a writer in memory, by contract and type, column by column.
/// Thread-safe: one adds while any number read.

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "lamina/tick_log/batch_runs.h"
#include "lamina/tick_log/segment_format.h"
#include "lamina/tick_log/tick.h"

namespace lamina::tick_log {

struct LiveOptions {
  std::int64_t keep_ns = std::int64_t{120} * 60 * 1'000'000'000;  ///< of receive time
  std::int64_t max_bytes = std::int64_t{1} << 30;
};

struct LiveTicks {
  TickBatch ticks;  ///< in seq order
  /// Every tick of the contract and type from this seq on is in the buffer: earlier ones may be
  /// missing from `ticks`.
  std::int64_t complete_from = 0;
};

struct LiveCounts {
  std::int64_t rows = 0, bytes = 0, series = 0;
  std::int64_t complete_from = 0;  ///< of all contracts and types
};

class LiveBuffer {
 public:
  /// `first_seq`: of the first tick that will be added.
  LiveBuffer(std::int64_t writer, std::int64_t first_seq, const LiveOptions& options);
  ~LiveBuffer();

  /// Ticks of one group, in the places that `positions` gives them behind header.first_seq; rows
  /// without receive time or source get these. `runs` are those of FindRuns.
  void Add(const TickBatches& ticks, const RowPositions& positions, const RunsByKind& runs,
           const GroupHeader& header, std::string_view source);

  /// Ticks of a contract and type with begin_ns <= ts_ns < end_ns and from_seq <= seq.
  LiveTicks Read(std::int64_t contract_id, TickType type, std::int64_t begin_ns,
                 std::int64_t end_ns, std::int64_t from_seq = 0) const;
  /// The contracts and types that it holds, ascending.
  std::vector<std::pair<std::int64_t, TickType>> Contracts() const;
  LiveCounts counts() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace lamina::tick_log
