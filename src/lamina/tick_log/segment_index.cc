#include "lamina/tick_log/segment_index.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <optional>

#include "lamina/base/parallel.h"
#include "lamina/tick_log/jsonl_group.h"

namespace lamina::tick_log {
namespace {

/// So many groups tell how many runs the others will have.
constexpr std::size_t kGroupsBeforeReserve = 16;
constexpr std::int64_t kNoStop = std::numeric_limits<std::int64_t>::max();
/// Less is looked through sooner than a thread has begun.
constexpr std::int64_t kBytesForTwo = std::int64_t{8} << 20;

}  // namespace

void SegmentIndex::Add(const GroupHeader& header, std::int64_t offset, std::span<const Run> runs) {
  const auto group = static_cast<std::uint32_t>(groups_.size());
  groups_.push_back(
      {offset, header.first_seq, header.recv_ns, header.length, header.front, header.rows});
  for (const Run& run : runs) {
    if (!only_ || run.contract_id == *only_) runs_.push_back({run, group});
  }
  if (header.producer_seq) {
    produced_.push_back({header.producer, *header.producer_seq, header.first_seq, header.rows});
  }
}

std::int64_t SegmentIndex::covered_end() const {
  return groups_.empty() ? kSegmentHeaderBytes : groups_.back().offset + groups_.back().length;
}

void SegmentIndex::ReserveUntil(std::int64_t limit) {
  if (groups_.size() < groups_.capacity() || groups_.size() < kGroupsBeforeReserve) return;
  const std::int64_t begin = groups_.front().offset;
  const double growth =
      static_cast<double>(limit - begin) / static_cast<double>(covered_end() - begin) * 1.02;
  if (growth < 1.5) return;  // else each look at a log that grows would copy it
  groups_.reserve(static_cast<std::size_t>(static_cast<double>(groups_.size()) * growth) + 1);
  runs_.reserve(static_cast<std::size_t>(static_cast<double>(runs_.size()) * growth) + 1);
}

void SegmentIndex::Append(SegmentIndex rest) {
  const auto before = static_cast<std::uint32_t>(groups_.size());
  groups_.insert(groups_.end(), rest.groups_.begin(), rest.groups_.end());
  for (IndexedRun& run : rest.runs_) run.group += before;
  runs_.insert(runs_.end(), rest.runs_.begin(), rest.runs_.end());
  std::move(rest.produced_.begin(), rest.produced_.end(), std::back_inserter(produced_));
}

namespace {

/// Where a group begins, and its first seq.
struct Place {
  std::int64_t offset = 0, seq = 0;
};

/// Add groups from `place` on until seq `end_seq` or byte `stop` is reached.
Status AddGroups(SegmentFile& file, Place& place, std::int64_t end_seq, std::int64_t stop,
                 std::int64_t limit, SegmentIndex& index) {
  Group group;
  ByteView bytes;
  while (place.seq < end_seq && place.offset < stop) {
    LAMINA_ASSIGN(const Look look, file.LookAt(place.offset, limit, false, group, bytes));
    if (look.found != Found::kGroup || group.header.seal || group.header.first_seq != place.seq) {
      return file.Damage(
          place.offset,
          std::string(look.found == Found::kBad ? look.reason : "not the one that follows") +
              ", and its ticks were durable");
    }
    if (file.header().payload == LogPayload::kJsonl) {
      LAMINA_ASSIGN(group.runs, JsonlRuns(group, bytes));
    }
    index.Add(group.header, place.offset, group.runs);
    place = {place.offset + group.header.length, group.end_seq()};
    index.ReserveUntil(limit);
  }
  return Ok();
}

/// The second half is looked through beside the first, if its groups are those that follow.
Status AddHalves(SegmentFile& file, Place& place, std::int64_t end_seq, std::int64_t limit,
                 SegmentIndex& index) {
  const std::int64_t half = (place.offset + (limit - place.offset) / 2) / 8 * 8;
  LAMINA_ASSIGN(const std::optional<Group> middle, FindGroupBehind(file, half, limit));
  if (!middle || middle->header.first_seq >= end_seq) return Ok();
  LAMINA_ASSIGN(SegmentFile again, file.Again());
  SegmentIndex rest = index.only() ? SegmentIndex::OfContract(*index.only()) : SegmentIndex();
  const Place at{middle->offset, middle->header.first_seq};
  Place behind = at;
  Status second = Ok();
  LAMINA_TRY(ParallelFor(2, 2, [&](std::size_t part, std::size_t) -> Status {
    if (part == 0) return AddGroups(file, place, end_seq, at.offset, limit, index);
    second = AddGroups(again, behind, end_seq, kNoStop, limit, rest);
    return Ok();  // who comes there from the front will name what is wrong
  }));
  if (!second.ok() || place.offset != at.offset || place.seq != at.seq) return Ok();
  index.Append(std::move(rest));
  place = behind;
  return Ok();
}

}  // namespace

Status ExtendIndex(SegmentFile& file, std::int64_t end_seq, std::int64_t limit,
                   SegmentIndex& index) {
  Place place{index.covered_end(), index.end_seq(file.header().first_seq)};
  const bool worth_two = file.header().payload == LogPayload::kBinary &&
                         limit - place.offset >= kBytesForTwo && AvailableCores() > 1;
  if (worth_two) LAMINA_TRY(AddHalves(file, place, end_seq, limit, index));
  return AddGroups(file, place, end_seq, kNoStop, limit, index);
}

}  // namespace lamina::tick_log
