#pragma once

/// \file lamina/tick_log/segment_index.h
/// What a segment holds, by group, contract and type: so that reading a span of few contracts
/// touches only their bytes. Of sealed segments it is kept in a file (index_file.h).
/// Thread-compatible.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "lamina/base/result.h"
#include "lamina/tick_log/log_files.h"
#include "lamina/tick_log/segment_format.h"

namespace lamina::tick_log {

struct IndexedGroup {
  std::int64_t offset = 0, first_seq = 0, recv_ns = 0;
  std::uint32_t length = 0, front = 0, rows = 0;
  std::int64_t end_seq() const { return first_seq + rows; }
};

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
  SegmentIndex() = default;
  /// Runs in the order of their groups.
  SegmentIndex(std::vector<IndexedGroup> groups, std::vector<IndexedRun> runs,
               std::vector<ProducedGroup> produced)
      : groups_(std::move(groups)), runs_(std::move(runs)), produced_(std::move(produced)) {}

  /// One that keeps the runs of `only` and leaves out all others: most of what a look at a segment
  /// of many contracts costs.
  static SegmentIndex OfContract(std::int64_t only) {
    SegmentIndex index;
    index.only_ = only;
    return index;
  }
  /// The contract whose runs alone are kept; absent: those of all.
  const std::optional<std::int64_t>& only() const { return only_; }

  /// Groups in their order.
  void Add(const GroupHeader& header, std::int64_t offset, std::span<const Run> runs);

  const std::vector<IndexedGroup>& groups() const { return groups_; }
  const std::vector<IndexedRun>& runs() const { return runs_; }
  const std::vector<ProducedGroup>& produced() const { return produced_; }
  /// One past the last seq, of a segment that begins with `first_seq`.
  std::int64_t end_seq(std::int64_t first_seq) const {
    return groups_.empty() ? first_seq : groups_.back().end_seq();
  }
  /// Groups of the same segment that follow. REQUIRES the same only().
  void Append(SegmentIndex rest);
  /// Make room for groups up to offset `limit`, if they are like those there are.
  void ReserveUntil(std::int64_t limit);
  /// One past the last group: where the next one to be added begins.
  std::int64_t covered_end() const;

 private:
  std::vector<IndexedGroup> groups_;
  std::vector<IndexedRun> runs_;
  std::vector<ProducedGroup> produced_;
  std::optional<std::int64_t> only_;
};

/// Add groups until `end_seq` is reached, reading nothing from offset `limit` on. RETURNS
/// kCorruption that names file and place when they are not there.
Status ExtendIndex(SegmentFile& file, std::int64_t end_seq, std::int64_t limit,
                   SegmentIndex& index);

}  // namespace lamina::tick_log
