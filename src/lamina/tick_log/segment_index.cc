#include "lamina/tick_log/segment_index.h"

#include <algorithm>
#include <numeric>

#include "lamina/base/hash.h"
#include "lamina/tick_log/jsonl_group.h"

namespace lamina::tick_log {
namespace {

constexpr std::string_view kMagic = "LAMTIDX\n";
constexpr std::size_t kHeaderBytes = 56;
constexpr std::size_t kRunBytes = 56;
constexpr std::size_t kGroupBytes = 48;
/// So many groups tell how many runs the others will have.
constexpr std::size_t kGroupsBeforeReserve = 16;

void PutRun(const IndexedRun& indexed, std::string& out) {
  const Run& run = indexed.run;
  AppendLittleEndian(out, run.contract_id);
  AppendLittleEndian(out, run.ts_min);
  AppendLittleEndian(out, run.ts_max);
  AppendLittleEndian(out, run.rows);
  AppendLittleEndian(out, run.offset);
  AppendLittleEndian(out, run.bytes);
  AppendLittleEndian(out, run.crc);
  AppendLittleEndian(out, static_cast<std::uint8_t>(run.type));
  AppendLittleEndian(out, run.columns);
  AppendLittleEndian(out, run.text_widths);
  out.append(5, '\0');
  AppendLittleEndian(out, indexed.group);
  out.append(4, '\0');
}

/// Takes fixed-width values; the lengths are checked by the caller.
class Cursor {
 public:
  explicit Cursor(const char* at) : at_(at) {}
  template <std::integral T>
  T Take() {
    const T value = LoadLittleEndian<T>(at_);
    at_ += sizeof(T);
    return value;
  }
  void Skip(std::size_t bytes) { at_ += bytes; }

 private:
  const char* at_;
};

IndexedRun TakeRun(Cursor& in) {
  IndexedRun indexed;
  Run& run = indexed.run;
  run.contract_id = in.Take<std::int64_t>();
  run.ts_min = in.Take<std::int64_t>();
  run.ts_max = in.Take<std::int64_t>();
  run.rows = in.Take<std::uint32_t>();
  run.offset = in.Take<std::uint32_t>();
  run.bytes = in.Take<std::uint32_t>();
  run.crc = in.Take<std::uint32_t>();
  run.type = static_cast<TickType>(in.Take<std::uint8_t>());
  run.columns = in.Take<std::uint8_t>();
  run.text_widths = in.Take<std::uint8_t>();
  in.Skip(5);
  indexed.group = in.Take<std::uint32_t>();
  in.Skip(4);
  return indexed;
}

}  // namespace

void SegmentIndex::Add(const GroupHeader& header, std::int64_t offset, std::span<const Run> runs) {
  const auto group = static_cast<std::uint32_t>(groups_.size());
  groups_.push_back({offset, header.first_seq, header.recv_ns, header.length, header.front,
                     header.rows, static_cast<std::uint32_t>(runs_.size()),
                     static_cast<std::uint32_t>(runs.size())});
  for (const Run& run : runs) runs_.push_back({run, group});
  sorted_.clear();
  if (header.producer_seq) {
    produced_.push_back({header.producer, *header.producer_seq, header.first_seq, header.rows});
  }
}

std::span<const std::uint32_t> SegmentIndex::RunsOf(std::int64_t contract) const {
  const auto id = [&](std::uint32_t run) { return runs_[run].run.contract_id; };
  const auto begin =
      std::lower_bound(sorted_.begin(), sorted_.end(), contract,
                       [&](std::uint32_t run, std::int64_t wanted) { return id(run) < wanted; });
  const auto end =
      std::upper_bound(begin, sorted_.end(), contract,
                       [&](std::int64_t wanted, std::uint32_t run) { return wanted < id(run); });
  return {begin, end};
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

std::string SegmentIndex::Encode(const SegmentHeader& header) const {
  std::string out;
  out.reserve(kHeaderBytes + groups_.size() * kGroupBytes + runs_.size() * (kRunBytes + 4));
  out += kMagic;
  AppendLittleEndian(out, kLogVersion);
  AppendLittleEndian(out, std::uint32_t{0});  // the checksum
  AppendLittleEndian(out, header.salt);
  AppendLittleEndian(out, header.number);
  AppendLittleEndian(out, static_cast<std::uint64_t>(groups_.size()));
  AppendLittleEndian(out, static_cast<std::uint64_t>(runs_.size()));
  AppendLittleEndian(out, static_cast<std::uint64_t>(produced_.size()));
  for (const IndexedGroup& group : groups_) {
    AppendLittleEndian(out, group.offset);
    AppendLittleEndian(out, group.first_seq);
    AppendLittleEndian(out, group.recv_ns);
    AppendLittleEndian(out, group.length);
    AppendLittleEndian(out, group.front);
    AppendLittleEndian(out, group.rows);
    AppendLittleEndian(out, group.first_run);
    AppendLittleEndian(out, group.run_count);
    out.append(4, '\0');
  }
  for (const IndexedRun& run : runs_) PutRun(run, out);
  std::vector<std::uint32_t> sorted(runs_.size());
  std::iota(sorted.begin(), sorted.end(), 0U);
  std::stable_sort(sorted.begin(), sorted.end(), [&](std::uint32_t a, std::uint32_t b) {
    return runs_[a].run.contract_id < runs_[b].run.contract_id;
  });
  for (const std::uint32_t run : sorted) AppendLittleEndian(out, run);
  for (const ProducedGroup& group : produced_) {
    AppendLittleEndian(out, group.producer_seq);
    AppendLittleEndian(out, group.first_seq);
    AppendLittleEndian(out, group.rows);
    AppendLittleEndian(out, static_cast<std::uint32_t>(group.producer.size()));
    out += group.producer;
  }
  const std::uint32_t crc = Crc32c(ByteView(out).substr(16));
  std::memcpy(out.data() + 12, &crc, 4);
  return out;
}

std::optional<SegmentIndex> SegmentIndex::Decode(ByteView bytes, const SegmentHeader& header) {
  if (bytes.size() < kHeaderBytes || !bytes.starts_with(kMagic)) return {};
  Cursor in(bytes.data() + 8);
  if (in.Take<std::uint32_t>() != kLogVersion) return {};
  if (in.Take<std::uint32_t>() != Crc32c(bytes.substr(16))) return {};
  if (in.Take<std::uint64_t>() != header.salt || in.Take<std::int64_t>() != header.number) {
    return {};
  }
  const auto groups = in.Take<std::uint64_t>();
  const auto runs = in.Take<std::uint64_t>();
  const auto produced = in.Take<std::uint64_t>();
  std::uint64_t left = bytes.size() - kHeaderBytes;
  if (groups > left / kGroupBytes) return {};
  left -= groups * kGroupBytes;
  if (runs > left / (kRunBytes + 4)) return {};
  left -= runs * (kRunBytes + 4);
  if (produced > left / 24) return {};
  SegmentIndex index;
  index.groups_.resize(groups);
  for (IndexedGroup& group : index.groups_) {
    group.offset = in.Take<std::int64_t>();
    group.first_seq = in.Take<std::int64_t>();
    group.recv_ns = in.Take<std::int64_t>();
    group.length = in.Take<std::uint32_t>();
    group.front = in.Take<std::uint32_t>();
    group.rows = in.Take<std::uint32_t>();
    group.first_run = in.Take<std::uint32_t>();
    group.run_count = in.Take<std::uint32_t>();
    in.Skip(4);
    if (group.first_run > runs || group.run_count > runs - group.first_run) return {};
  }
  index.runs_.resize(runs);
  for (IndexedRun& run : index.runs_) {
    run = TakeRun(in);
    if (run.group >= groups) return {};
  }
  index.sorted_.resize(runs);
  for (std::uint32_t& run : index.sorted_) {
    run = in.Take<std::uint32_t>();
    if (run >= runs) return {};
  }
  for (std::uint64_t i = 0; i < produced; ++i) {
    if (left < 24) return {};
    ProducedGroup group;
    group.producer_seq = in.Take<std::int64_t>();
    group.first_seq = in.Take<std::int64_t>();
    group.rows = in.Take<std::uint32_t>();
    const auto size = in.Take<std::uint32_t>();
    left -= 24;
    if (size > left) return {};
    group.producer = bytes.substr(bytes.size() - left, size);
    in.Skip(size);
    left -= size;
    index.produced_.push_back(std::move(group));
  }
  return index;
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
