#pragma once

/// \file lamina/tick_log/log_test_support.h
/// Segments made byte by byte, with nothing random in them. For tests only.

#include <string>
#include <utility>
#include <vector>

#include "lamina/io/env.h"
#include "lamina/tick_log/group_draft.h"
#include "lamina/tick_log/jsonl_group.h"
#include "lamina/tick_log/log_files.h"
#include "lamina/tick_log/tick_test_support.h"

namespace lamina::tick_log::test {

inline SegmentHeader Header(LogPayload payload, std::int64_t number = 1,
                            std::int64_t first_seq = 0) {
  return {StoreId(), 1, number, first_seq, kStart, 0x0123456789abcdef, payload};
}

inline DraftGroup Draft(const TicksAndOrder& made, const DraftOptions& options) {
  const RowPositions positions = *PositionsOf(made.ticks, made.order);
  return options.payload == LogPayload::kBinary
             ? *DraftBinaryGroup(made.ticks, positions, FindRuns(made.ticks, positions), options)
             : *DraftJsonlGroup(made.ticks, positions, options);
}

/// A segment in memory: each group is durable before the next one is written.
class SegmentBuilder {
 public:
  explicit SegmentBuilder(const SegmentHeader& header)
      : header_(header), bytes_(EncodeSegmentHeader(header)), next_seq_(header.first_seq) {}

  SegmentBuilder& Add(const TicksAndOrder& made, DraftOptions options = {}) {
    options.payload = header_.payload;
    return Append(Draft(made, options), std::ssize(bytes_));
  }
  /// In one write with the group before it.
  SegmentBuilder& AddInSameWrite(const TicksAndOrder& made) {
    DraftOptions options;
    options.payload = header_.payload;
    return Append(Draft(made, options), starts_.back());
  }
  SegmentBuilder& Seal() { return Append(DraftSeal(header_.payload), std::ssize(bytes_)); }

  std::string& bytes() { return bytes_; }
  const std::vector<std::int64_t>& starts() const { return starts_; }  ///< of groups
  std::int64_t next_seq() const { return next_seq_; }

 private:
  SegmentBuilder& Append(DraftGroup draft, std::int64_t synced_end) {
    draft.header.first_seq = next_seq_;
    draft.header.synced_end = synced_end;
    draft.header.recv_ns = kStart + next_seq_;
    SeatGroup(draft, std::ssize(bytes_), {header_.salt, header_.payload});
    starts_.push_back(std::ssize(bytes_));
    bytes_ += draft.bytes;
    next_seq_ += draft.header.rows;
    return *this;
  }

  SegmentHeader header_;
  std::string bytes_;
  std::vector<std::int64_t> starts_;
  std::int64_t next_seq_;
};

/// Writes a segment into the log of writer 1 of a store. RETURNS its path.
inline std::string Place(const std::string& root, std::int64_t number, ByteView bytes) {
  const std::string folder = WriterFolder(root, 1);
  const std::string path = SegmentPath(folder, number);
  static_cast<void>(io::PosixEnv().CreateDirectories(folder));
  const auto file = *io::PosixEnv().NewWritableFile(path);
  static_cast<void>(file->Append(bytes));
  static_cast<void>(file->Close());
  return path;
}

}  // namespace lamina::tick_log::test
