#include "lamina/tick_log/segment_index.h"

#include "lamina/tick_log/jsonl_group.h"

namespace lamina::tick_log {
namespace {

/// So many groups tell how many runs the others will have.
constexpr std::size_t kGroupsBeforeReserve = 16;

}  // namespace

void SegmentIndex::Add(const GroupHeader& header, std::int64_t offset, std::span<const Run> runs) {
  const auto group = static_cast<std::uint32_t>(groups_.size());
  groups_.push_back(
      {offset, header.first_seq, header.recv_ns, header.length, header.front, header.rows});
  for (const Run& run : runs) runs_.push_back({run, group});
  if (header.producer_seq) {
    produced_.push_back({header.producer, *header.producer_seq, header.first_seq, header.rows});
  }
}

std::int64_t SegmentIndex::covered_end() const {
  return groups_.empty() ? kSegmentHeaderBytes : groups_.back().offset + groups_.back().length;
}

void SegmentIndex::ReserveUntil(std::int64_t limit) {
  if (groups_.size() < groups_.capacity() || groups_.size() < kGroupsBeforeReserve) return;
  const double whole = static_cast<double>(limit - kSegmentHeaderBytes);
  const double growth = whole / static_cast<double>(covered_end() - kSegmentHeaderBytes) * 1.02;
  if (growth < 1.5) return;  // else each look at a log that grows would copy it
  groups_.reserve(static_cast<std::size_t>(static_cast<double>(groups_.size()) * growth) + 1);
  runs_.reserve(static_cast<std::size_t>(static_cast<double>(runs_.size()) * growth) + 1);
}

Status ExtendIndex(SegmentFile& file, std::int64_t end_seq, std::int64_t limit,
                   SegmentIndex& index) {
  Group group;
  ByteView bytes;
  const std::int64_t first_seq = file.header().first_seq;
  while (index.end_seq(first_seq) < end_seq) {
    const std::int64_t at = index.covered_end();
    LAMINA_ASSIGN(const Look look, file.LookAt(at, limit, false, group, bytes));
    if (look.found != Found::kGroup || group.header.seal ||
        group.header.first_seq != index.end_seq(first_seq)) {
      return file.Damage(
          at, std::string(look.found == Found::kBad ? look.reason : "not the one that follows") +
                  ", and its ticks were durable");
    }
    if (file.header().payload == LogPayload::kJsonl) {
      LAMINA_ASSIGN(group.runs, JsonlRuns(group, bytes));
    }
    index.Add(group.header, at, group.runs);
    index.ReserveUntil(limit);
  }
  return Ok();
}

}  // namespace lamina::tick_log
