#include "lamina/tick_log/index_file.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <string_view>
#include <utility>

#include "lamina/base/bytes.h"
#include "lamina/base/hash.h"

// Layout: docs/format/tick_log.md.

namespace lamina::tick_log {
namespace {

constexpr std::string_view kMagic = "LAMTIDX\n";
constexpr std::uint32_t kVersion = 2;
constexpr std::size_t kCheckedFrom = 16;
constexpr std::size_t kHeaderBytes = 80;
constexpr std::size_t kGroupBytes = 40;
constexpr std::size_t kContractBytes = 32;
constexpr std::size_t kRunBytes = 56;
constexpr std::size_t kProducedBytesMin = 24;

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

bool ByGroup(const IndexedRun& a, const IndexedRun& b) { return a.group < b.group; }

}  // namespace

std::string EncodeIndexFile(const SegmentIndex& index, const SegmentHeader& header) {
  const std::vector<IndexedRun>& runs = index.runs();
  std::vector<std::uint32_t> order(runs.size());
  std::iota(order.begin(), order.end(), 0U);
  std::stable_sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return runs[a].run.contract_id < runs[b].run.contract_id;
  });
  std::string contracts, blocks, produced;
  blocks.reserve(runs.size() * kRunBytes);
  std::uint64_t contract_count = 0;
  for (std::size_t begin = 0; begin < order.size(); ++contract_count) {
    const Run& first = runs[order[begin]].run;
    std::int64_t ts_min = first.ts_min, ts_max = first.ts_max;
    const std::size_t block = blocks.size();
    std::size_t end = begin;
    for (; end < order.size() && runs[order[end]].run.contract_id == first.contract_id; ++end) {
      ts_min = std::min(ts_min, runs[order[end]].run.ts_min);
      ts_max = std::max(ts_max, runs[order[end]].run.ts_max);
      PutRun(runs[order[end]], blocks);
    }
    AppendLittleEndian(contracts, first.contract_id);
    AppendLittleEndian(contracts, ts_min);
    AppendLittleEndian(contracts, ts_max);
    AppendLittleEndian(contracts, static_cast<std::uint32_t>(end - begin));
    AppendLittleEndian(contracts, Crc32c(ByteView(blocks).substr(block)));
    begin = end;
  }
  for (const ProducedGroup& group : index.produced()) {
    AppendLittleEndian(produced, group.producer_seq);
    AppendLittleEndian(produced, group.first_seq);
    AppendLittleEndian(produced, group.rows);
    AppendLittleEndian(produced, static_cast<std::uint32_t>(group.producer.size()));
    produced += group.producer;
  }
  std::string out;
  out.reserve(kHeaderBytes + index.groups().size() * kGroupBytes + contracts.size() +
              blocks.size() + produced.size());
  out += kMagic;
  AppendLittleEndian(out, kVersion);
  AppendLittleEndian(out, std::uint32_t{0});  // the checksum
  AppendLittleEndian(out, header.salt);
  AppendLittleEndian(out, header.number);
  AppendLittleEndian(out, static_cast<std::uint64_t>(index.groups().size()));
  AppendLittleEndian(out, contract_count);
  AppendLittleEndian(out, static_cast<std::uint64_t>(runs.size()));
  AppendLittleEndian(out, static_cast<std::uint64_t>(index.produced().size()));
  AppendLittleEndian(out, static_cast<std::uint64_t>(produced.size()));
  AppendLittleEndian(out, Crc32c(produced));
  out.append(4, '\0');
  for (const IndexedGroup& group : index.groups()) {
    AppendLittleEndian(out, group.offset);
    AppendLittleEndian(out, group.first_seq);
    AppendLittleEndian(out, group.recv_ns);
    AppendLittleEndian(out, group.length);
    AppendLittleEndian(out, group.front);
    AppendLittleEndian(out, group.rows);
    out.append(4, '\0');
  }
  out += contracts;
  const std::uint32_t crc = Crc32c(ByteView(out).substr(kCheckedFrom));
  std::memcpy(out.data() + 12, &crc, 4);
  out += blocks;
  out += produced;
  return out;
}

std::optional<IndexFile> IndexFile::Open(io::Env& env, const std::string& path,
                                         const SegmentHeader& header) {
  auto opened = env.OpenReadable(path);
  if (!opened.ok()) return {};
  return Read(*std::move(opened), header);
}

std::optional<IndexFile> IndexFile::Read(std::unique_ptr<io::ReadableFile> file,
                                         const SegmentHeader& header) {
  IndexFile index;
  index.file_ = std::move(file);
  const auto size = static_cast<std::uint64_t>(std::max<std::int64_t>(0, index.file_->size()));
  std::string head(kHeaderBytes, '\0');
  if (size < kHeaderBytes || !index.file_->ReadAt(0, head.size(), head.data()).ok()) return {};
  if (!head.starts_with(kMagic)) return {};
  Cursor in(head.data() + kMagic.size());
  if (in.Take<std::uint32_t>() != kVersion) return {};
  const auto crc = in.Take<std::uint32_t>();
  if (in.Take<std::uint64_t>() != header.salt || in.Take<std::int64_t>() != header.number) {
    return {};
  }
  const auto groups = in.Take<std::uint64_t>();
  const auto contracts = in.Take<std::uint64_t>();
  const auto runs = in.Take<std::uint64_t>();
  index.produced_ = in.Take<std::uint64_t>();
  index.produced_bytes_ = in.Take<std::uint64_t>();
  index.produced_crc_ = in.Take<std::uint32_t>();
  std::uint64_t left = size - kHeaderBytes;
  const auto takes = [&left](std::uint64_t count, std::uint64_t bytes) {
    if (count > left / bytes) return false;
    left -= count * bytes;
    return true;
  };
  const bool fits = takes(groups, kGroupBytes) && takes(contracts, kContractBytes) &&
                    takes(runs, kRunBytes) && left == index.produced_bytes_ &&
                    index.produced_ <= left / kProducedBytesMin;
  if (!fits) return {};
  const std::size_t tables = groups * kGroupBytes + contracts * kContractBytes;
  head.resize(kHeaderBytes + tables);
  if (!index.file_->ReadAt(kHeaderBytes, tables, head.data() + kHeaderBytes).ok()) return {};
  if (Crc32c(ByteView(head).substr(kCheckedFrom)) != crc) return {};
  in = Cursor(head.data() + kHeaderBytes);
  index.groups_.resize(groups);
  for (IndexedGroup& group : index.groups_) {
    group.offset = in.Take<std::int64_t>();
    group.first_seq = in.Take<std::int64_t>();
    group.recv_ns = in.Take<std::int64_t>();
    group.length = in.Take<std::uint32_t>();
    group.front = in.Take<std::uint32_t>();
    group.rows = in.Take<std::uint32_t>();
    in.Skip(4);
  }
  index.contracts_.resize(contracts);
  std::uint64_t first = 0;
  for (Contract& contract : index.contracts_) {
    contract.id = in.Take<std::int64_t>();
    contract.ts_min = in.Take<std::int64_t>();
    contract.ts_max = in.Take<std::int64_t>();
    contract.runs = in.Take<std::uint32_t>();
    contract.crc = in.Take<std::uint32_t>();
    contract.first = first;
    first += contract.runs;
  }
  if (first != runs) return {};
  index.runs_begin_ = static_cast<std::int64_t>(head.size());
  index.produced_begin_ = index.runs_begin_ + static_cast<std::int64_t>(runs * kRunBytes);
  return index;
}

const IndexFile::Contract* IndexFile::Find(std::int64_t contract) const {
  const auto found =
      std::lower_bound(contracts_.begin(), contracts_.end(), contract,
                       [](const Contract& one, std::int64_t wanted) { return one.id < wanted; });
  return found == contracts_.end() || found->id != contract ? nullptr : &*found;
}

bool IndexFile::MayHold(std::int64_t contract, std::int64_t begin_ns, std::int64_t end_ns) const {
  const Contract* const found = Find(contract);
  return found != nullptr && found->ts_max >= begin_ns && found->ts_min < end_ns;
}

bool IndexFile::AppendRuns(const Contract& contract, std::vector<IndexedRun>& runs) const {
  std::string bytes(contract.runs * kRunBytes, '\0');
  const auto offset = runs_begin_ + static_cast<std::int64_t>(contract.first * kRunBytes);
  if (!file_->ReadAt(offset, bytes.size(), bytes.data()).ok()) return false;
  if (Crc32c(bytes) != contract.crc) return false;
  Cursor in(bytes.data());
  for (std::uint32_t i = 0; i < contract.runs; ++i) {
    const IndexedRun& run = runs.emplace_back(TakeRun(in));
    if (run.group >= groups_.size() || run.run.contract_id != contract.id) return false;
  }
  return true;
}

std::optional<std::vector<IndexedRun>> IndexFile::RunsOf(std::int64_t contract) const {
  std::vector<IndexedRun> runs;
  const Contract* const found = Find(contract);
  if (found == nullptr) return runs;
  runs.reserve(found->runs);
  if (!AppendRuns(*found, runs) || !std::is_sorted(runs.begin(), runs.end(), ByGroup)) return {};
  return runs;
}

std::optional<std::vector<ProducedGroup>> IndexFile::ReadProduced() const {
  std::string bytes(produced_bytes_, '\0');
  if (!file_->ReadAt(produced_begin_, bytes.size(), bytes.data()).ok()) return {};
  if (Crc32c(bytes) != produced_crc_) return {};
  std::vector<ProducedGroup> produced;
  std::size_t at = 0;
  for (std::uint64_t i = 0; i < produced_; ++i) {
    if (bytes.size() - at < kProducedBytesMin) return {};
    Cursor in(bytes.data() + at);
    ProducedGroup group;
    group.producer_seq = in.Take<std::int64_t>();
    group.first_seq = in.Take<std::int64_t>();
    group.rows = in.Take<std::uint32_t>();
    const auto length = in.Take<std::uint32_t>();
    at += kProducedBytesMin;
    if (length > bytes.size() - at) return {};
    group.producer = bytes.substr(at, length);
    at += length;
    produced.push_back(std::move(group));
  }
  return produced;
}

std::optional<SegmentIndex> IndexFile::ReadAll() const {
  std::vector<IndexedRun> runs;
  runs.reserve(contracts_.empty() ? 0 : contracts_.back().first + contracts_.back().runs);
  for (const Contract& contract : contracts_) {
    if (!AppendRuns(contract, runs)) return {};
  }
  std::stable_sort(runs.begin(), runs.end(), ByGroup);
  auto produced = ReadProduced();
  if (!produced) return {};
  return SegmentIndex(groups_, std::move(runs), *std::move(produced));
}

}  // namespace lamina::tick_log
