#pragma once

/// \file lamina/tick_log/group_draft.h
/// Ticks as the bytes of a group: runs of one contract and type, column by column. Pure functions.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lamina/base/result.h"
#include "lamina/tick_log/batch_runs.h"
#include "lamina/tick_log/segment_format.h"
#include "lamina/tick_log/tick.h"
#include "lamina/tick_log/tick_writer.h"

namespace lamina::tick_log {

/// The columns of a run that not every run has, in their order; bits of Run::columns. Texts are
/// codes of the group's texts, of 1, 2 or 4 bytes, or one code of 4 bytes for all rows (width 0).
enum RunColumn : std::uint8_t {
  kRunRecv = 1,
  kRunPositions = 2,
  kRunFlags = 4,
  kRunRequests = 8,
  kRunExchange = 16,
  kRunConditions = 32,
  kRunSource = 64,
  kRunExtra = 128,
};

/// A group that has no seq and no place yet.
struct DraftGroup {
  std::string bytes;
  GroupHeader header;
  std::vector<Run> runs;  ///< of jsonl too: then without place and columns
};

struct DraftOptions {
  LogPayload payload = LogPayload::kBinary;
  std::string_view source = {};  ///< of rows that have none
  std::string_view producer = {};
  std::optional<std::int64_t> producer_seq = {};
};

/// REQUIRES CheckTicks. RETURNS kInvalidArgument when the group would be too long.
Result<DraftGroup> DraftBinaryGroup(const TickBatches& ticks, const RowPositions& positions,
                                    const RunsByKind& runs, const DraftOptions& options);
/// The end of a segment.
DraftGroup DraftSeal(LogPayload payload);
/// Of a binary group's bytes from 8 to `front`, and of its place.
std::uint32_t FrontCrc(ByteView group, std::uint32_t front, std::int64_t offset,
                       std::uint64_t salt);
/// Give the group its place: the header's first_seq, synced_end and recv_ns are those to be
/// written.
void SeatGroup(DraftGroup& draft, std::int64_t offset, const Seat& seat);

}  // namespace lamina::tick_log
