#pragma once

/// \file lamina/tick_log/jsonl_group.h
/// Segments with readable payload: one JSON object a line for a tick, one `{"_commit":…}` line a
/// group. Pure functions.

#include <functional>
#include <string>

#include "lamina/base/bytes.h"
#include "lamina/base/result.h"
#include "lamina/tick_log/group_draft.h"
#include "lamina/tick_log/group_read.h"
#include "lamina/tick_log/segment_format.h"

namespace lamina::tick_log {

/// One line, filled up with blanks to kSegmentHeaderBytes.
std::string EncodeJsonlHeader(const SegmentHeader& header);
Result<SegmentHeader> DecodeJsonlHeader(ByteView bytes);

/// As DraftBinaryGroup: the lines of ticks.
Result<DraftGroup> DraftJsonlGroup(const TickBatches& ticks, const RowPositions& positions,
                                   const DraftOptions& options);
/// Adds the commit line; the group's length is known then.
void SeatJsonlGroup(DraftGroup& draft, std::int64_t offset, const Seat& seat);
/// kMore when there is no commit line yet: twice as much may show one.
Look LookAtJsonlGroup(ByteView bytes, std::int64_t offset, const Seat& seat, Group& group);
/// Every tick of a group, whose bytes these are. RETURNS kCorruption that names the line.
Status ForEachJsonlTick(const Group& group, ByteView bytes,
                        const std::function<void(const TickRow&)>& add);

/// What a group holds, from its lines: runs without place and columns.
Result<std::vector<Run>> JsonlRuns(const Group& group, ByteView bytes);

/// Where the line of a commit that begins at or after `from` ends; npos when none does.
std::size_t EndOfNextCommit(ByteView bytes, std::size_t from);

}  // namespace lamina::tick_log
