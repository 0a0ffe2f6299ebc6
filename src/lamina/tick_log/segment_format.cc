#include "lamina/tick_log/segment_format.h"

#include <algorithm>
#include <charconv>
#include <cstdio>

#include "lamina/base/hash.h"
#include "lamina/base/json.h"
#include "lamina/tick_log/group_read.h"
#include "lamina/tick_log/jsonl_group.h"

namespace lamina::tick_log {
namespace {

constexpr std::string_view kSegmentMagic = "LAMTLOG\n";
constexpr std::string_view kStateMagic = "LAMSTAT\n";
constexpr std::size_t kHeaderUsed = 96;
constexpr std::size_t kSlotBytes = 96;
constexpr std::int64_t kSlotStride = 512;  // a sector: a torn one cannot take both slots

static_assert(kSlotBytes <= kSlotStride && 2 * kSlotStride <= kStatePageBytes);

template <std::integral T>
void Put(std::string& bytes, std::size_t at, T value) {
  if constexpr (std::endian::native == std::endian::big) value = ByteSwap(value);
  std::memcpy(bytes.data() + at, &value, sizeof(T));
}
template <std::integral T>
T Get(ByteView bytes, std::size_t at) {
  return LoadLittleEndian<T>(bytes.data() + at);
}

std::string EncodeBinaryHeader(const SegmentHeader& header) {
  std::string bytes(kSegmentHeaderBytes, '\0');
  bytes.replace(0, 8, kSegmentMagic);
  Put(bytes, 8, kLogVersion);
  bytes.replace(16, 16, header.store_id.View());
  Put(bytes, 32, header.writer);
  Put(bytes, 40, header.number);
  Put(bytes, 48, header.first_seq);
  Put(bytes, 56, header.salt);
  Put(bytes, 64, header.created_ns);
  Put(bytes, 12, Crc32c(ByteView(bytes).substr(16, kHeaderUsed - 16)));
  return bytes;
}

Result<SegmentHeader> DecodeBinaryHeader(ByteView bytes) {
  if (Get<std::uint32_t>(bytes, 8) > kLogVersion) {
    return Unsupported("the segment is of version " + std::to_string(Get<std::uint32_t>(bytes, 8)) +
                       ", written by a later release");
  }
  if (Get<std::uint32_t>(bytes, 12) != Crc32c(bytes.substr(16, kHeaderUsed - 16))) {
    return Corruption("the checksum of the segment's header at byte 0 is wrong");
  }
  SegmentHeader header;
  std::memcpy(header.store_id.bytes.data(), bytes.data() + 16, 16);
  header.writer = Get<std::int64_t>(bytes, 32);
  header.number = Get<std::int64_t>(bytes, 40);
  header.first_seq = Get<std::int64_t>(bytes, 48);
  header.salt = Get<std::uint64_t>(bytes, 56);
  header.created_ns = Get<std::int64_t>(bytes, 64);
  return header;
}

}  // namespace

std::string EncodeSegmentHeader(const SegmentHeader& header) {
  return header.payload == LogPayload::kBinary ? EncodeBinaryHeader(header)
                                               : EncodeJsonlHeader(header);
}

Result<SegmentHeader> DecodeSegmentHeader(ByteView bytes) {
  if (std::ssize(bytes) < kSegmentHeaderBytes) {
    return Corruption("the segment ends within its header");
  }
  bytes = bytes.substr(0, kSegmentHeaderBytes);
  if (bytes.starts_with(kSegmentMagic)) return DecodeBinaryHeader(bytes);
  if (bytes.starts_with('{')) return DecodeJsonlHeader(bytes);
  return Corruption("no segment of ticks: bad magic at byte 0");
}

bool IsUnused(ByteView header_bytes) {
  return std::all_of(header_bytes.begin(), header_bytes.end(), [](char c) { return c == 0; });
}

Look LookAtGroup(ByteView bytes, std::int64_t offset, const Seat& seat, bool whole, Group& group) {
  return seat.payload == LogPayload::kBinary ? LookAtBinaryGroup(bytes, offset, seat, whole, group)
                                             : LookAtJsonlGroup(bytes, offset, seat, group);
}

// ---- state

std::int64_t StateSlotOffset(std::int64_t counter) { return (counter % 2) * kSlotStride; }

std::string EncodeState(const LogState& state, const Uuid& store_id, std::int64_t writer) {
  std::string bytes(kSlotBytes, '\0');
  bytes.replace(0, 8, kStateMagic);
  Put(bytes, 12, kLogVersion);
  bytes.replace(16, 16, store_id.View());
  Put(bytes, 32, writer);
  Put(bytes, 40, state.counter);
  Put(bytes, 48, state.segment);
  Put(bytes, 56, state.durable_end);
  Put(bytes, 64, state.end_seq);
  Put(bytes, 72, state.recv_ns);
  Put(bytes, 80, std::int64_t{state.sealed ? 1 : 0} + (state.failed ? 2 : 0));
  Put(bytes, 8, Crc32c(ByteView(bytes).substr(12)));
  return bytes;
}

std::optional<LogState> DecodeStatePage(ByteView page, const Uuid& store_id, std::int64_t writer) {
  std::optional<LogState> newest;
  for (const std::size_t at : {std::size_t{0}, std::size_t{kSlotStride}}) {
    if (page.size() < at + kSlotBytes) continue;
    const ByteView slot = page.substr(at, kSlotBytes);
    if (!slot.starts_with(kStateMagic) || Get<std::uint32_t>(slot, 12) != kLogVersion ||
        Get<std::uint32_t>(slot, 8) != Crc32c(slot.substr(12)) ||
        slot.substr(16, 16) != store_id.View() || Get<std::int64_t>(slot, 32) != writer) {
      continue;
    }
    LogState state;
    state.counter = Get<std::int64_t>(slot, 40);
    state.segment = Get<std::int64_t>(slot, 48);
    state.durable_end = Get<std::int64_t>(slot, 56);
    state.end_seq = Get<std::int64_t>(slot, 64);
    state.recv_ns = Get<std::int64_t>(slot, 72);
    const auto flags = Get<std::int64_t>(slot, 80);
    state.sealed = (flags & 1) != 0;
    state.failed = (flags & 2) != 0;
    if (!newest || newest->counter < state.counter) newest = state;
  }
  return newest;
}

}  // namespace lamina::tick_log
