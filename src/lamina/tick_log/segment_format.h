#pragma once

/// \file lamina/tick_log/segment_format.h
/// The bytes of segments and of the state page: docs/format/tick_log.md. Pure functions.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lamina/base/bytes.h"
#include "lamina/base/result.h"
#include "lamina/base/uuid.h"
#include "lamina/tick_log/tick.h"
#include "lamina/tick_log/tick_writer.h"

namespace lamina::tick_log {

inline constexpr std::uint32_t kLogVersion = 1;
inline constexpr std::int64_t kSegmentHeaderBytes = 4096;
inline constexpr std::int64_t kGroupHeaderBytes = 64;
inline constexpr std::int64_t kRunEntryBytes = 48;
inline constexpr std::int64_t kStatePageBytes = 4096;
/// A group is at most so long; sizes in files are checked against it before anything is allocated.
inline constexpr std::int64_t kGroupBytesMax = std::int64_t{512} << 20;

struct SegmentHeader {
  Uuid store_id;
  std::int64_t writer = 0, number = 0, first_seq = 0, created_ns = 0;
  std::uint64_t salt = 0;
  LogPayload payload = LogPayload::kBinary;
};
/// kSegmentHeaderBytes of them.
std::string EncodeSegmentHeader(const SegmentHeader& header);
/// RETURNS kCorruption; kUnsupported for a version to come.
Result<SegmentHeader> DecodeSegmentHeader(ByteView bytes);
/// A segment that was filled ahead and not begun.
bool IsUnused(ByteView header_bytes);

/// Ticks of one contract and type within a group: its columns are `bytes` bytes at `offset` of the
/// group.
struct Run {
  std::int64_t contract_id = 0;
  std::int64_t ts_min = 0, ts_max = 0;
  std::uint32_t rows = 0, offset = 0, bytes = 0, crc = 0;
  TickType type = TickType::kLast;
  std::uint8_t columns = 0;      ///< bits of RunColumn
  std::uint8_t text_widths = 0;  ///< two bits a text column
};

/// What stands in front of a group, or behind it as its commit line.
struct GroupHeader {
  std::int64_t first_seq = 0;
  std::int64_t synced_end = 0;  ///< all before this offset was durable when the group was written
  std::int64_t recv_ns = 0;     ///< of rows without one of their own
  std::uint32_t rows = 0;
  std::uint32_t length = 0;  ///< of the whole group
  std::uint32_t front = 0;   ///< of header, directory, producer and texts; jsonl: of the tick lines
  std::string producer;
  std::optional<std::int64_t> producer_seq;
  bool seal = false;  ///< not ticks, but the end of the segment
};

/// A group as found at some place.
struct Group {
  std::int64_t offset = 0;  ///< in the segment
  GroupHeader header;
  std::vector<Run> runs;  ///< binary only
  std::int64_t end() const { return offset + header.length; }
  std::int64_t end_seq() const { return header.first_seq + header.rows; }
};

/// What makes a group belong to its place.
struct Seat {
  std::uint64_t salt = 0;
  LogPayload payload = LogPayload::kBinary;
};

/// What begins at a place of a segment.
enum class Found : std::uint8_t {
  kGroup,
  kMore,     ///< perhaps a group: `needed` bytes from its start would tell
  kNothing,  ///< zeros, or the end
  kBad,
};
struct Look {
  Found found = Found::kNothing;
  std::size_t needed = 0;
  const char* reason = "";  ///< of kBad
};

/// `bytes`: from `offset` of the segment on. With `whole` the runs are checked too (kMore when they
/// are not all there), else only the front. Of jsonl always all.
Look LookAtGroup(ByteView bytes, std::int64_t offset, const Seat& seat, bool whole, Group& group);

/// The run's bytes are those that were written.
bool RunIsWhole(ByteView group_bytes, const Run& run);

/// What a state page says; each field was true when it was published, and what is durable stays so.
struct LogState {
  std::int64_t counter = 0;      ///< of publications
  std::int64_t segment = 0;      ///< being written, or last written
  std::int64_t durable_end = 0;  ///< offset in that segment
  std::int64_t end_seq = 0;      ///< one past the last durable seq
  std::int64_t recv_ns = 0;      ///< the last receive time that was set here
  bool sealed = false;           ///< the segment is
  bool failed = false;           ///< behind durable_end nothing counts
};
/// One of the two slots of a page; slot counter % 2 is to be written, at StateSlotOffset.
std::string EncodeState(const LogState& state, const Uuid& store_id, std::int64_t writer);
std::int64_t StateSlotOffset(std::int64_t counter);
/// The newer of the whole slots; absent when there is none.
std::optional<LogState> DecodeStatePage(ByteView page, const Uuid& store_id, std::int64_t writer);

}  // namespace lamina::tick_log
