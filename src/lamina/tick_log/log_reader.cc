#include "lamina/tick_log/log_reader.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <mutex>
#include <thread>
#include <unordered_set>
#include <utility>

#include "lamina/base/parallel.h"
#include "lamina/tick_log/group_read.h"
#include "lamina/tick_log/index_file.h"
#include "lamina/tick_log/jsonl_group.h"
#include "lamina/tick_log/log_files.h"
#include "lamina/tick_log/log_recovery.h"

namespace lamina::tick_log {
namespace {

constexpr std::size_t kCachedRunsMax = std::size_t{4} << 20;
constexpr int kLooksMax = 5;
/// Less is looked through sooner than threads have begun.
constexpr std::int64_t kBytesForThreads = std::int64_t{8} << 20;
/// A group that is not longer, or wanted by half, is read at once.
constexpr std::uint32_t kWholeGroupBytes = 16 << 10;

bool IsGone(const Error& error) { return error.code() == ErrorCode::kNotFound; }

/// A segment with its index as far as it was needed.
struct Cached {
  SegmentFile file;
  SegmentIndex index;               ///< as far as the segment was looked through
  std::optional<IndexFile> beside;  ///< instead of it
  std::map<std::int64_t, std::vector<IndexedRun>> runs_of = {};  ///< by contract, from there
  bool asked_whole = false;   ///< whether several contracts were asked for, one after the other too
  bool asked_beside = false;  ///< whether the index file was looked for
  std::int64_t used = 0;

  std::size_t kept_runs() const {
    std::size_t count = index.runs().size();
    for (const auto& [contract, runs] : runs_of) count += runs.size();
    return count;
  }
  /// Make the index one of all contracts, unless `contracts` is the one it has, or it was not
  /// begun.
  void Widen(const std::unordered_set<std::int64_t>& contracts) {
    const bool one = contracts.size() == 1 && !asked_whole;
    if (one && index.groups().empty()) index = SegmentIndex::OfContract(*contracts.begin());
    if (!index.only() || (one && contracts.contains(*index.only()))) return;
    asked_whole = true;
    index = SegmentIndex();
  }
  /// From now on the segment itself is looked through.
  void DropBeside() {
    beside.reset();
    runs_of.clear();
  }
};

/// What an index tells of the contracts that are asked for; parts of it, or its own.
struct Entries {
  std::span<const IndexedGroup> groups;
  std::span<const IndexedRun> runs;
  std::vector<IndexedRun> own = {};
};

/// Which runs are wanted.
class Wanted {
 public:
  explicit Wanted(const TickFilter& filter)
      : filter_(filter), contracts_(filter.contracts.begin(), filter.contracts.end()) {
    for (const TickType type : filter.types) types_ |= 1U << static_cast<unsigned>(type);
    if (filter.types.empty()) types_ = ~0U;
  }
  bool HasType(TickType type) const { return (types_ >> static_cast<unsigned>(type) & 1U) != 0; }
  bool HasRun(const Run& run) const {
    return HasType(run.type) && run.ts_max >= filter_.begin_ns && run.ts_min < filter_.end_ns;
  }
  bool HasContract(std::int64_t contract) const {
    return contracts_.empty() || contracts_.contains(contract);
  }
  const std::unordered_set<std::int64_t>& contracts() const { return contracts_; }

 private:
  const TickFilter& filter_;
  std::unordered_set<std::int64_t> contracts_;
  unsigned types_ = 0;
};

/// Positions of the wanted runs, ascending.
std::vector<std::uint32_t> WantedRuns(const Entries& index, const Wanted& wanted,
                                      const RowFilter& rows) {
  std::vector<std::uint32_t> found;
  const std::int64_t only =
      wanted.contracts().size() == 1 ? *wanted.contracts().begin() : INT64_MIN;
  for (std::uint32_t i = 0; i < index.runs.size(); ++i) {
    const Run& run = index.runs[i].run;
    const bool has =
        only != INT64_MIN ? run.contract_id == only : wanted.HasContract(run.contract_id);
    if (!has || !wanted.HasRun(run)) continue;
    const IndexedGroup& group = index.groups[index.runs[i].group];
    if (group.end_seq() > rows.from_seq && group.first_seq < rows.end_seq) found.push_back(i);
  }
  return found;
}

/// How many rows runs have, by kind: no more than `segment_bytes` can hold, whatever an index says.
std::array<std::size_t, 3> RowsOf(const Entries& index, std::span<const std::uint32_t> runs,
                                  std::int64_t segment_bytes) {
  constexpr std::size_t kRowBytesMin = 16;  // a time and a value
  std::array<std::size_t, 3> rows{};
  std::size_t left = static_cast<std::size_t>(segment_bytes) / kRowBytesMin;
  for (const std::uint32_t number : runs) {
    const Run& run = index.runs[number].run;
    const std::size_t count = std::min<std::size_t>({run.rows, run.bytes / kRowBytesMin, left});
    rows[static_cast<std::size_t>(KindOf(run.type))] += count;
    left -= count;
  }
  return rows;
}

/// Reads the wanted runs of one group after the other.
class GroupReader {
 public:
  GroupReader(const SegmentFile& file, const Entries& index, const Wanted& wanted,
              const RowFilter& rows, TickCollector& out)
      : file_(file), index_(index), wanted_(wanted), rows_(rows), out_(out) {}

  Status ReadGroup(std::uint32_t number, std::span<const std::uint32_t> runs) {
    const IndexedGroup& indexed = index_.groups[number];
    if (file_.header().payload == LogPayload::kJsonl) return ReadJsonl(indexed);
    std::uint64_t bytes = 0;
    bool texts = false;
    for (const std::uint32_t run : runs) {
      bytes += index_.runs[run].run.bytes;
      texts |= index_.runs[run].run.columns >= 16;  // the text columns
    }
    const bool whole = indexed.length <= kWholeGroupBytes || 2 * bytes >= indexed.length;
    Group group = GroupOf(indexed);
    ByteView all, front;
    if (whole) {
      LAMINA_ASSIGN(all, file_.Read(indexed.offset, indexed.length, buffer_));
      front = all.substr(0, indexed.front);
    } else if (texts) {
      LAMINA_ASSIGN(front, file_.Read(indexed.offset, indexed.front, front_buffer_));
    }
    if (!front.empty()) {
      const Look look = LookAtGroup(front, indexed.offset, file_.seat(), false, group);
      if (look.found != Found::kGroup) return file_.Damage(indexed.offset, look.reason);
    }
    if (!whole) buffer_.resize(std::max<std::size_t>(buffer_.size(), bytes));
    chosen_.clear();
    std::size_t at = 0;
    for (const std::uint32_t run_number : runs) {
      const Run& run = index_.runs[run_number].run;
      ByteView run_bytes;
      if (whole) {
        run_bytes = all.substr(run.offset, run.bytes);
      } else {
        LAMINA_ASSIGN(const ByteView read,
                      file_.Read(indexed.offset + run.offset, run.bytes, run_buffer_));
        std::copy(read.begin(), read.end(), buffer_.begin() + static_cast<std::ptrdiff_t>(at));
        run_bytes = ByteView(buffer_).substr(at, run.bytes);
        at += run.bytes;
      }
      if (!RunIsWhole(run_bytes, {.offset = 0, .bytes = run.bytes, .crc = run.crc})) {
        return file_.Damage(indexed.offset, "wrong checksum of its ticks");
      }
      chosen_.push_back({&run, run_bytes});
    }
    Status added = out_.AddRuns(group, front, chosen_, rows_);
    if (!added.ok()) return file_.Damage(indexed.offset, added.error().message());
    return Ok();
  }

 private:
  static Group GroupOf(const IndexedGroup& indexed) {
    Group group;
    group.offset = indexed.offset;
    group.header.first_seq = indexed.first_seq;
    group.header.recv_ns = indexed.recv_ns;
    group.header.rows = indexed.rows;
    group.header.length = indexed.length;
    group.header.front = indexed.front;
    return group;
  }

  Status ReadJsonl(const IndexedGroup& indexed) {
    LAMINA_ASSIGN(const ByteView bytes, file_.Read(indexed.offset, indexed.length, buffer_));
    Group group;
    const Look look = LookAtGroup(bytes, indexed.offset, file_.seat(), true, group);
    if (look.found != Found::kGroup) return file_.Damage(indexed.offset, look.reason);
    Status read = ForEachJsonlTick(group, bytes, [&](const TickRow& row) {
      if (wanted_.HasContract(row.contract_id) && wanted_.HasType(row.type) &&
          rows_.Has(row.seq, row.ts_ns)) {
        out_.AddRow(row);
      }
    });
    if (!read.ok()) return file_.Damage(indexed.offset, read.error().message());
    return Ok();
  }

  const SegmentFile& file_;
  const Entries& index_;
  const Wanted& wanted_;
  const RowFilter& rows_;
  TickCollector& out_;
  std::string buffer_, front_buffer_, run_buffer_;
  std::vector<TickCollector::RunBytes> chosen_;
};

}  // namespace

struct LogReader::State {
  io::Env& env;
  std::string root;
  Uuid store_id;
  std::mutex mutex;
  std::map<std::pair<std::int64_t, std::int64_t>, Cached> segments;
  struct Settled {
    std::int64_t number = 0, counter = 0;
    SegmentEnd end;
  };
  std::map<std::int64_t, Settled> settled;
  std::int64_t uses = 0;

  /// A log with what only reading it needs.
  struct Known {
    WriterLog log;
    std::int64_t last_offset = 0;  ///< where the durable groups of the last segment end
  };

  Result<Cached*> Find(std::int64_t writer, std::int64_t number, const std::string& path);
  Result<SegmentEnd> Settle(std::int64_t writer, SegmentFile& file,
                            const std::optional<LogState>& state);
  Result<Known> Look(std::int64_t writer);
  Result<Known> LookOnce(std::int64_t writer);
  /// Open the index file, or look through the segment, as far as that is still to be done.
  Status LoadIndex(const Known& known, std::size_t segment, Cached& cached) const;
  /// Everything there is to know, in cached.index.
  Status LoadWholeIndex(const Known& known, std::size_t segment, Cached& cached) const;
  Result<Entries> FindEntries(const Known& known, std::size_t segment, Cached& cached,
                              const Wanted& wanted, const RowFilter& rows) const;
  Status LoadIndexes(const Known& known, std::span<const std::size_t> touched,
                     const Wanted& wanted);
  Status ReadSegment(const Known& known, std::size_t segment, const Wanted& wanted,
                     const RowFilter& rows, TickCollector& out);
  void DropOld(std::int64_t writer, const std::vector<SegmentInfo>& kept);
};

LogReader::LogReader(io::Env& env, std::string root, const Uuid& store_id)
    : state_(new State{env, std::move(root), store_id, {}, {}, {}, 0}) {}
LogReader::~LogReader() = default;

/// Null when it was not begun.
Result<Cached*> LogReader::State::Find(std::int64_t writer, std::int64_t number,
                                       const std::string& path) {
  const auto found = segments.find({writer, number});
  if (found != segments.end()) {
    found->second.used = ++uses;
    return &found->second;
  }
  LAMINA_ASSIGN(std::optional<SegmentFile> file,
                SegmentFile::Open(env, path, store_id, writer, number));
  if (!file) return nullptr;
  Cached made{.file = *std::move(file), .index = {}, .beside = {}, .used = ++uses};
  return &segments.emplace(std::pair(writer, number), std::move(made)).first->second;
}

/// What a dead writer left may be in the system's memory only: nothing is told of it before it is
/// on the disk.
Result<SegmentEnd> LogReader::State::Settle(std::int64_t writer, SegmentFile& file,
                                            const std::optional<LogState>& state) {
  Settled& known = settled[writer];
  const std::int64_t counter = state ? state->counter : -1;
  if (known.number == file.header().number && known.counter == counter) return known.end;
  const auto writable = env.OpenPlaced(file.path(), io::Env::Place::kExisting);
  if (writable.ok()) LAMINA_TRY((*writable)->Sync());
  LAMINA_ASSIGN(SegmentEnd end, FindLogEnd(file, state));
  known = {file.header().number, counter, end};
  return end;
}

Result<LogReader::State::Known> LogReader::State::Look(std::int64_t writer) {
  // A successor that repairs the log cuts its tail off: what was seen of it is not damage. And what
  // it has begun to write since the look at its lock may not be durable. A segment that goes while
  // it is looked at was archived.
  for (int attempt = 1;; ++attempt) {
    Result<Known> known = LookOnce(writer);
    const bool begun =
        known.ok() && !known->log.alive && LogIsAlive(env, WriterFolder(root, writer));
    const bool torn = !known.ok() && known.error().code() == ErrorCode::kCorruption;
    const bool gone = !known.ok() && IsGone(known.error());
    if ((!begun && !torn && !gone) || attempt >= kLooksMax) return known;
    if (torn) std::this_thread::sleep_for(std::chrono::milliseconds(2 * attempt));
  }
}

Result<LogReader::State::Known> LogReader::State::LookOnce(std::int64_t writer) {
  const std::string folder = WriterFolder(root, writer);
  Known known;
  WriterLog& log = known.log;
  log.writer = writer;
  // In this order: what is published later only adds to it.
  log.alive = LogIsAlive(env, folder);
  LAMINA_ASSIGN(const std::optional<LogState> state, ReadLogState(env, folder, store_id, writer));
  LAMINA_ASSIGN(const std::vector<std::int64_t> numbers, ListSegments(env, folder));
  Cached* last = nullptr;
  bool gone = false;  // the segment before
  for (const std::int64_t number : numbers) {
    if (log.alive && (!state || number > state->segment)) break;  // begun, not published
    const std::string path = SegmentPath(folder, number);
    Result<Cached*> found = Find(writer, number, path);
    if (found.ok() && *found == nullptr) continue;
    const Result<std::int64_t> size =
        found.ok() ? (*found)->file.Size() : Result<std::int64_t>(found.error().Clone());
    gone |= !size.ok() && IsGone(size.error());
    if (!size.ok() && IsGone(size.error())) continue;
    if (!size.ok()) return size.error().Clone();
    // Archived and removed since the folder was listed: then so were all before it.
    if (gone) log.segments.clear();
    gone = false;
    last = *found;
    const std::int64_t first_seq = last->file.header().first_seq;
    if (!log.segments.empty()) log.segments.back().end_seq = first_seq;
    log.segments.push_back({writer, number, first_seq, first_seq, true,
                            std::max<std::int64_t>(0, *size - kSegmentHeaderBytes), path});
  }
  if (state) log.durable_end = state->end_seq;
  if (last == nullptr) return known;
  SegmentInfo& info = log.segments.back();
  SegmentEnd end;
  if (state && state->segment == info.number && (log.alive || state->sealed)) {
    end.offset = state->durable_end;
    end.end_seq = state->end_seq;
    end.sealed = state->sealed;
  } else if (state && state->segment > info.number) {
    end.end_seq = state->end_seq;  // the later ones were archived and removed
    end.sealed = true;
    LAMINA_ASSIGN(end.offset, last->file.Size());
  } else {
    LAMINA_ASSIGN(end, Settle(writer, last->file, state));
  }
  info.end_seq = log.durable_end = end.end_seq;
  info.sealed = end.sealed;
  info.bytes = std::max<std::int64_t>(0, end.offset - kSegmentHeaderBytes);
  known.last_offset = end.offset;
  return known;
}

Result<std::vector<WriterLog>> LogReader::Logs() {
  const std::lock_guard lock(state_->mutex);
  LAMINA_ASSIGN(const std::vector<std::int64_t> writers, ListLogWriters(state_->env, state_->root));
  std::vector<WriterLog> logs;
  for (const std::int64_t writer : writers) {
    LAMINA_ASSIGN(State::Known known, state_->Look(writer));
    state_->DropOld(writer, known.log.segments);
    logs.push_back(std::move(known.log));
  }
  return logs;
}

/// Forget segments that have gone, and the longest unused ones when there is too much.
void LogReader::State::DropOld(std::int64_t writer, const std::vector<SegmentInfo>& kept) {
  std::erase_if(segments, [&](const auto& entry) {
    return entry.first.first == writer &&
           std::none_of(kept.begin(), kept.end(),
                        [&](const SegmentInfo& info) { return info.number == entry.first.second; });
  });
  std::size_t runs = 0;
  for (const auto& [place, cached] : segments) runs += cached.kept_runs();
  while (runs > kCachedRunsMax && segments.size() > 1) {
    const auto oldest = std::min_element(
        segments.begin(), segments.end(),
        [](const auto& a, const auto& b) { return a.second.used < b.second.used; });
    runs -= oldest->second.kept_runs();
    segments.erase(oldest);
  }
}

Status LogReader::State::LoadIndex(const Known& known, std::size_t segment, Cached& cached) const {
  const SegmentInfo& info = known.log.segments[segment];
  const bool last = segment + 1 == known.log.segments.size();
  if (cached.beside || cached.index.end_seq(info.first_seq) >= info.end_seq) return Ok();
  if (info.sealed && !cached.asked_beside && cached.index.groups().empty()) {
    cached.asked_beside = true;
    std::optional<IndexFile> beside =
        IndexFile::Open(env, IndexPath(info.path), cached.file.header());
    const bool whole =
        beside && !beside->groups().empty() && beside->groups().back().end_seq() == info.end_seq;
    if (whole) {
      cached.beside = std::move(beside);
      return Ok();
    }
  }
  std::int64_t limit = known.last_offset;
  if (!last) {
    LAMINA_ASSIGN(limit, cached.file.Size());
  }
  return ExtendIndex(cached.file, info.end_seq, limit, cached.index);
}

Status LogReader::State::LoadWholeIndex(const Known& known, std::size_t segment,
                                        Cached& cached) const {
  cached.Widen({});
  LAMINA_TRY(LoadIndex(known, segment, cached));
  if (!cached.beside) return Ok();
  std::optional<SegmentIndex> all = cached.beside->ReadAll();
  cached.DropBeside();
  if (all) cached.index = *std::move(all);
  return LoadIndex(known, segment, cached);
}

Result<Entries> LogReader::State::FindEntries(const Known& known, std::size_t segment,
                                              Cached& cached, const Wanted& wanted,
                                              const RowFilter& rows) const {
  cached.Widen(wanted.contracts());
  LAMINA_TRY(LoadIndex(known, segment, cached));
  if (cached.beside && !wanted.contracts().empty()) {
    Entries entries{.groups = cached.beside->groups(), .runs = {}};
    std::vector<const std::vector<IndexedRun>*> blocks;
    bool sound = true;
    for (const std::int64_t contract : wanted.contracts()) {
      if (!cached.beside->MayHold(contract, rows.begin_ns, rows.end_ns)) continue;
      auto block = cached.runs_of.find(contract);
      if (block == cached.runs_of.end()) {
        std::optional<std::vector<IndexedRun>> read = cached.beside->RunsOf(contract);
        sound = read.has_value();
        if (!sound) break;
        block = cached.runs_of.emplace(contract, *std::move(read)).first;
      }
      blocks.push_back(&block->second);
    }
    if (sound && blocks.size() == 1) entries.runs = *blocks.front();
    if (sound && blocks.size() > 1) {
      for (const auto* block : blocks) {
        entries.own.insert(entries.own.end(), block->begin(), block->end());
      }
      std::stable_sort(entries.own.begin(), entries.own.end(),
                       [](const IndexedRun& a, const IndexedRun& b) { return a.group < b.group; });
      entries.runs = entries.own;
    }
    if (sound) return entries;
    cached.DropBeside();
  }
  LAMINA_TRY(wanted.contracts().empty() ? LoadWholeIndex(known, segment, cached)
                                        : LoadIndex(known, segment, cached));
  return Entries{.groups = cached.index.groups(), .runs = cached.index.runs()};
}

/// Of segments that were not looked at yet, side by side: that is what a first read waits for.
Status LogReader::State::LoadIndexes(const Known& known, std::span<const std::size_t> touched,
                                     const Wanted& wanted) {
  std::vector<std::pair<std::size_t, Cached*>> missing;
  std::int64_t bytes = 0;
  for (const std::size_t segment : touched) {
    const SegmentInfo& info = known.log.segments[segment];
    LAMINA_ASSIGN(Cached* const cached, Find(info.writer, info.number, info.path));
    if (cached == nullptr) return NotFound(info.path + " has gone");
    cached->Widen(wanted.contracts());
    if (cached->beside || cached->index.end_seq(info.first_seq) >= info.end_seq) continue;
    missing.emplace_back(segment, cached);
    bytes += info.bytes;
  }
  const std::size_t workers = bytes < kBytesForThreads ? 1 : 0;
  return ParallelFor(missing.size(), workers, [&](std::size_t i, std::size_t) {
    return LoadIndex(known, missing[i].first, *missing[i].second);
  });
}

Status LogReader::State::ReadSegment(const Known& known, std::size_t segment, const Wanted& wanted,
                                     const RowFilter& rows, TickCollector& out) {
  const SegmentInfo& info = known.log.segments[segment];
  LAMINA_ASSIGN(Cached* const cached, Find(info.writer, info.number, info.path));
  if (cached == nullptr) return NotFound(info.path + " has gone");
  LAMINA_ASSIGN(const Entries index, FindEntries(known, segment, *cached, wanted, rows));
  const std::vector<std::uint32_t> runs = WantedRuns(index, wanted, rows);
  out.Reserve(RowsOf(index, runs, info.bytes));
  GroupReader reader(cached->file, index, wanted, rows, out);
  for (std::size_t begin = 0; begin < runs.size();) {
    const std::uint32_t group = index.runs[runs[begin]].group;
    std::size_t end = begin;
    while (end < runs.size() && index.runs[runs[end]].group == group) ++end;
    LAMINA_TRY(reader.ReadGroup(group, std::span(runs).subspan(begin, end - begin)));
    begin = end;
  }
  return Ok();
}

Result<TickBatches> LogReader::Read(std::int64_t writer, std::int64_t from_seq,
                                    std::int64_t end_seq, const TickFilter& filter) {
  const std::lock_guard lock(state_->mutex);
  LAMINA_ASSIGN(const State::Known known, state_->Look(writer));
  state_->DropOld(writer, known.log.segments);
  TickCollector out(writer);
  RowFilter rows{from_seq, std::min(end_seq, known.log.durable_end), filter.begin_ns,
                 filter.end_ns};
  if (rows.from_seq >= rows.end_seq) return out.Take();
  const std::vector<SegmentInfo>& segments = known.log.segments;
  if (segments.empty() || segments.front().first_seq > from_seq) {
    return NotFound("ticks from seq " + std::to_string(from_seq) + " on are no longer in the log " +
                    "of writer " + std::to_string(writer));
  }
  const Wanted wanted(filter);
  std::vector<std::size_t> touched;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    if (segments[i].end_seq <= rows.from_seq || segments[i].first_seq >= rows.end_seq) continue;
    touched.push_back(i);
  }
  LAMINA_TRY(state_->LoadIndexes(known, touched, wanted));
  for (const std::size_t i : touched) {
    // Of a segment that failed only what came before the next one counts.
    RowFilter own = rows;
    own.end_seq = std::min(own.end_seq, segments[i].end_seq);
    LAMINA_TRY(state_->ReadSegment(known, i, wanted, own, out));
  }
  return out.Take();
}

Result<std::vector<LogReader::Produced>> LogReader::ProducedBy(const std::string& producer) {
  const std::lock_guard lock(state_->mutex);
  LAMINA_ASSIGN(const std::vector<std::int64_t> writers, ListLogWriters(state_->env, state_->root));
  std::vector<Produced> all;
  for (const std::int64_t writer : writers) {
    LAMINA_ASSIGN(const State::Known known, state_->Look(writer));
    for (std::size_t i = 0; i < known.log.segments.size(); ++i) {
      const SegmentInfo& info = known.log.segments[i];
      Result<Cached*> cached = state_->Find(writer, info.number, info.path);
      if (!cached.ok() && IsGone(cached.error())) continue;
      if (!cached.ok()) return std::move(cached).error();
      if (*cached == nullptr) continue;
      LAMINA_TRY(state_->LoadWholeIndex(known, i, **cached));
      for (const ProducedGroup& group : (*cached)->index.produced()) {
        if (group.producer != producer || group.first_seq >= info.end_seq) continue;
        all.push_back(
            {group.producer_seq, writer, group.first_seq, group.first_seq + group.rows - 1});
      }
    }
    state_->DropOld(writer, known.log.segments);
  }
  return all;
}

Status RemoveSegment(io::Env& env, const SegmentInfo& segment) {
  const std::string folder = io::ParentPath(segment.path);
  LAMINA_ASSIGN(const auto file, env.OpenReadable(segment.path));
  std::string head(static_cast<std::size_t>(kSegmentHeaderBytes), '\0');
  LAMINA_TRY(file->ReadAt(0, head.size(), head.data()));
  LAMINA_ASSIGN(const SegmentHeader header, DecodeSegmentHeader(head));
  LAMINA_ASSIGN(const std::optional<LogState> state,
                ReadLogState(env, folder, header.store_id, segment.writer));
  const bool told =
      state && state->end_seq >= segment.end_seq &&
      (state->segment > segment.number || (state->segment == segment.number && state->sealed));
  if (!segment.sealed || !told) {
    return Conflict(segment.path + " is not known to be sealed: recover its log first");
  }
  // Else a power cut could bring an older page back, and with it seqs that were given already.
  LAMINA_ASSIGN(const auto page, env.OpenPlaced(StatePath(folder), io::Env::Place::kExisting));
  LAMINA_TRY(page->Sync());
  const Status unindexed = env.Unlink(IndexPath(segment.path));
  if (!unindexed.ok() && !IsGone(unindexed.error())) return unindexed.error().Clone();
  LAMINA_TRY(env.Unlink(segment.path));
  return env.SyncDirectory(folder);
}

}  // namespace lamina::tick_log
