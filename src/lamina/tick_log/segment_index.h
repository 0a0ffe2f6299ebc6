#pragma once

/// \file lamina/tick_log/segment_index.h
/// What a segment holds, by group, contract and type: so that reading a span of few contracts
/// touches only their bytes. Kept beside a sealed segment, rebuilt when it is missing.
/// Thread-compatible.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lamina/base/bytes.h"
#include "lamina/base/result.h"
#include "lamina/base/uuid.h"
#include "lamina/io/env.h"
#include "lamina/tick_log/log_files.h"
#include "lamina/tick_log/segment_format.h"

namespace lamina::tick_log {

struct IndexedGroup {
  std::int64_t offset = 0, first_seq = 0, recv_ns = 0;
  std::uint32_t length = 0, front = 0, rows = 0;
  std::uint32_t first_run = 0, run_count = 0;
  std::int64_t end_seq() const { return first_seq + rows; }
};
static_assert(sizeof(IndexedGroup) == 48);

struct IndexedRun {
  Run run;
  std::uint32_t group = 0;
};

/// An append of a producer: its ticks are first_seq .. first_seq + rows - 1.
struct ProducedGroup {
  std::string producer;
  std::int64_t producer_seq = 0, first_seq = 0;
  std::uint32_t rows = 0;
};

class SegmentIndex {
 public:
  /// Groups in their order.
  void Add(const GroupHeader& header, std::int64_t offset, std::span<const Run> runs);

  const std::vector<IndexedGroup>& groups() const { return groups_; }
  const std::vector<IndexedRun>& runs() const { return runs_; }
  const std::vector<ProducedGroup>& produced() const { return produced_; }
  /// Positions in runs() of one contract, ascending. REQUIRES sorted().
  std::span<const std::uint32_t> RunsOf(std::int64_t contract) const;
  /// Of a decoded index; one that is still added to is looked through.
  bool sorted() const { return !sorted_.empty(); }
  /// One past the last seq, of a segment that begins with `first_seq`.
  std::int64_t end_seq(std::int64_t first_seq) const {
    return groups_.empty() ? first_seq : groups_.back().end_seq();
  }
  /// Make room for groups up to offset `limit`, if they are like those there are.
  void ReserveUntil(std::int64_t limit);
  /// One past the last group: where the next one to be added begins.
  std::int64_t covered_end() const;

  /// The file beside a segment: of `header`'s salt.
  std::string Encode(const SegmentHeader& header) const;
  /// Absent for anything but the whole index of that segment: it is rebuilt then.
  static std::optional<SegmentIndex> Decode(ByteView bytes, const SegmentHeader& header);

 private:
  std::vector<IndexedGroup> groups_;
  std::vector<IndexedRun> runs_;
  std::vector<ProducedGroup> produced_;
  std::vector<std::uint32_t> sorted_;  ///< runs by contract
};

/// Add groups until `end_seq` is reached, reading nothing from offset `limit` on. RETURNS
/// kCorruption that names file and place when they are not there.
Status ExtendIndex(SegmentFile& file, std::int64_t end_seq, std::int64_t limit,
                   SegmentIndex& index);

}  // namespace lamina::tick_log
