#include "lamina/tick_log/tick_writer.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <utility>

#include "lamina/tick_log/gate.h"
#include "lamina/tick_log/group_draft.h"
#include "lamina/tick_log/jsonl_group.h"
#include "lamina/tick_log/live_buffer.h"
#include "lamina/tick_log/log_appender.h"
#include "lamina/tick_log/log_files.h"
#include "lamina/tick_log/log_reader.h"
#include "lamina/tick_log/tick_check.h"

namespace lamina::tick_log {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kRoundBytes = std::size_t{8} << 20;
constexpr std::size_t kProducedMax = std::size_t{1} << 20;
constexpr auto kHouseworkPause = std::chrono::milliseconds(200);
constexpr auto kRetryPause = std::chrono::milliseconds(100);
constexpr std::int64_t kOsSyncNs = 1'000'000'000;

/// An append on its way to the disk.
struct Pending {
  DraftGroup draft;
  TickBatches ticks;  ///< for the live buffer
  RowPositions positions;
  RunsByKind runs;
  std::vector<std::pair<std::int64_t, std::int64_t>> weights;  ///< rows by contract
  bool done = false;
  std::optional<Error> error;
};

std::vector<std::pair<std::int64_t, std::int64_t>> WeightsOf(const std::vector<Run>& runs) {
  std::vector<std::pair<std::int64_t, std::int64_t>> weights;
  weights.reserve(runs.size());
  for (const Run& run : runs) weights.emplace_back(run.contract_id, run.rows);
  if (weights.size() < 2) return weights;
  std::sort(weights.begin(), weights.end());
  std::size_t kept = 0;
  for (std::size_t i = 1; i < weights.size(); ++i) {
    if (weights[i].first == weights[kept].first) {
      weights[kept].second += weights[i].second;
    } else {
      weights[++kept] = weights[i];
    }
  }
  weights.resize(kept + 1);
  return weights;
}

}  // namespace

struct TickWriter::State {
  io::Env& env;
  std::int64_t writer;
  LogOptions options;
  std::unique_ptr<LogAppender> log;
  std::unique_ptr<LiveBuffer> live;

  mutable std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::shared_ptr<Pending>> queue;
  std::unordered_map<std::int64_t, std::int64_t> waiting;  ///< rows on their way, by contract
  std::map<std::int64_t, Ack> produced;                    ///< by producer_seq
  bool leading = false;                                    ///< someone is at the disk
  bool closed = false, stop = false;
  std::int64_t next_seq = 0, last_recv_ns = 0, archived_end = 0;
  std::int64_t last_os_sync_ns = 0;
  WriterCounts counts;
  std::optional<Error> failing;  ///< kMemory: why the queue is not written
  std::thread housekeeper, flusher;

  Gate drafting;

  State(io::Env& environment, const LogOptions& own_options)
      : env(environment), options(own_options), drafting(own_options.concurrent_appends) {}

  using Lock = std::unique_lock<std::mutex>;

  Status LearnProduced(const std::string& root, const Uuid& store_id);
  Result<std::shared_ptr<Pending>> Draft(TickBatches ticks, std::vector<RowRef> order,
                                         std::optional<std::int64_t> producer_seq);
  bool Fits(const Pending& pending) const;
  Status MakeRoom(Lock& lock, const Pending& pending);
  Result<std::optional<Ack>> FindRepeated(Lock& lock, std::int64_t producer_seq);
  Ack Enqueue(const std::shared_ptr<Pending>& pending);
  void Round(Lock& lock);
  void Fail(const Error& error);
  void Finish(Pending& pending);
  Status Lead(Lock& lock, const std::function<Status()>& work);
  Status Drain(Lock& lock);
  void Housework();
  void FlushLoop();
};

// ---- appending

Result<std::shared_ptr<Pending>> TickWriter::State::Draft(
    TickBatches ticks, std::vector<RowRef> order, std::optional<std::int64_t> producer_seq) {
  LAMINA_TRY(CheckTicks(ticks));
  auto pending = std::make_shared<Pending>();
  LAMINA_ASSIGN(pending->positions, PositionsOf(ticks, order));
  pending->runs = FindRuns(ticks, pending->positions);
  DraftOptions draft;
  draft.payload = options.payload;
  draft.source = options.source;
  if (producer_seq) {
    draft.producer = options.producer;
    draft.producer_seq = producer_seq;
  }
  if (options.payload == LogPayload::kBinary) {
    LAMINA_ASSIGN(pending->draft,
                  DraftBinaryGroup(ticks, pending->positions, pending->runs, draft));
  } else {
    LAMINA_ASSIGN(pending->draft, DraftJsonlGroup(ticks, pending->positions, draft));
  }
  pending->weights = WeightsOf(pending->draft.runs);
  pending->ticks = std::move(ticks);
  return pending;
}

bool TickWriter::State::Fits(const Pending& pending) const {
  return std::all_of(pending.weights.begin(), pending.weights.end(), [&](const auto& weight) {
    const auto found = waiting.find(weight.first);
    // A batch that would never fit goes alone.
    return found == waiting.end() || found->second + weight.second <= options.queue_ticks;
  });
}

Status TickWriter::State::MakeRoom(Lock& lock, const Pending& pending) {
  while (!closed && !Fits(pending)) {
    if (options.full_queue == FullQueue::kRefuse) {
      counts.refused += pending.draft.header.rows;
      return ResourceExhausted("the queue of a contract is full: " +
                               std::to_string(options.queue_ticks) + " ticks wait for the disk");
    }
    if (failing) return failing->Clone().With("the queue of a contract is full");
    if (!leading && !queue.empty()) {
      Round(lock);
    } else {
      changed.wait(lock);
    }
  }
  if (closed) return IoError("the log of writer " + std::to_string(writer) + " is closed");
  const std::int64_t unarchived = log->UnarchivedBytes(archived_end);
  if (unarchived < options.log_max_bytes) return Ok();
  counts.refused += pending.draft.header.rows;
  return ResourceExhausted(
      "the log of writer " + std::to_string(writer) + " has " + std::to_string(unarchived >> 20) +
      " MiB that are not archived: the limit is " + std::to_string(options.log_max_bytes >> 20) +
      " MiB (log_max_bytes); archive it or raise the limit");
}

/// The former acknowledgement, once it holds.
Result<std::optional<Ack>> TickWriter::State::FindRepeated(Lock& lock, std::int64_t producer_seq) {
  while (true) {
    const auto found = produced.find(producer_seq);
    if (found == produced.end()) return std::optional<Ack>();
    Ack ack = found->second;
    ack.repeated = true;
    const bool there = ack.writer != writer || ack.seq_last < log->end_seq();
    if (there || options.durability == Durability::kMemory) return std::optional(ack);
    if (!leading && !queue.empty()) {
      Round(lock);
    } else {
      changed.wait(lock);
    }
  }
}

Ack TickWriter::State::Enqueue(const std::shared_ptr<Pending>& pending) {
  GroupHeader& header = pending->draft.header;
  last_recv_ns = std::max(last_recv_ns, env.Now().value);
  header.recv_ns = last_recv_ns;
  header.first_seq = next_seq;
  next_seq += header.rows;
  for (const auto& [contract, rows] : pending->weights) waiting[contract] += rows;
  queue.push_back(pending);
  counts.appended += header.rows;
  const Ack ack{writer, header.first_seq, next_seq - 1, false};
  if (header.producer_seq) {
    produced[*header.producer_seq] = ack;
    if (produced.size() > kProducedMax) produced.erase(produced.begin());
  }
  return ack;
}

void TickWriter::State::Finish(Pending& pending) {
  for (const auto& [contract, rows] : pending.weights) {
    const auto found = waiting.find(contract);
    if ((found->second -= rows) <= 0) waiting.erase(found);
  }
  pending.done = true;
}

/// Nothing that waits was acknowledged: its seqs are given again.
void TickWriter::State::Fail(const Error& error) {
  for (const std::shared_ptr<Pending>& pending : queue) {
    pending->error = error.Clone();
    Finish(*pending);
    counts.appended -= pending->draft.header.rows;
    if (pending->draft.header.producer_seq) produced.erase(*pending->draft.header.producer_seq);
  }
  queue.clear();
  next_seq = log->end_seq();
}

/// Write what waits, up to a limit; the first waiter does it for all.
void TickWriter::State::Round(Lock& lock) {
  std::vector<std::shared_ptr<Pending>> round;
  std::vector<DraftGroup*> groups;
  std::size_t bytes = 0;
  for (const std::shared_ptr<Pending>& pending : queue) {
    if (!round.empty() && bytes + pending->draft.bytes.size() > kRoundBytes) break;
    bytes += pending->draft.bytes.size();
    round.push_back(pending);
    groups.push_back(&pending->draft);
  }
  leading = true;
  lock.unlock();
  const Status written = log->Append(groups, options.durability != Durability::kOs);
  if (written.ok()) {
    for (const std::shared_ptr<Pending>& pending : round) {
      live->Add(pending->ticks, pending->positions, pending->runs, pending->draft.header,
                options.source);
    }
  }
  lock.lock();
  leading = false;
  if (written.ok()) {
    failing.reset();
    for (const std::shared_ptr<Pending>& pending : round) {
      Finish(*pending);
      counts.durable += pending->draft.header.rows;
      ++counts.groups;
    }
    queue.erase(queue.begin(), queue.begin() + std::ssize(round));
  } else if (options.durability == Durability::kMemory) {
    failing = written.error().Clone();  // acknowledged: it stays until the disk takes it
  } else {
    Fail(written.error());
  }
  changed.notify_all();
}

Result<Ack> TickWriter::Append(TickBatches ticks, std::vector<RowRef> order,
                               std::optional<std::int64_t> producer_seq) {
  State& state = *state_;
  if (producer_seq && state.options.producer.empty()) {
    return InvalidArgument("producer_seq needs a log that was opened with the producer's name");
  }
  if (CountTicks(ticks) == 0) {
    const std::lock_guard lock(state.mutex);
    return Ack{state.writer, state.next_seq, state.next_seq - 1, false};
  }
  // Only what takes a processor and memory; who waits for the disk does not keep others out.
  const auto draft = [&] {
    const Gate::Place place(state.drafting);
    return state.Draft(std::move(ticks), std::move(order), producer_seq);
  };
  LAMINA_ASSIGN(const std::shared_ptr<Pending> pending, draft());
  State::Lock lock(state.mutex);
  if (producer_seq) {
    LAMINA_ASSIGN(const std::optional<Ack> repeated, state.FindRepeated(lock, *producer_seq));
    if (repeated) return *repeated;
  }
  LAMINA_TRY(state.MakeRoom(lock, *pending));
  if (producer_seq) {  // while waiting for room another may have sent the same
    LAMINA_ASSIGN(const std::optional<Ack> repeated, state.FindRepeated(lock, *producer_seq));
    if (repeated) return *repeated;
  }
  const Ack ack = state.Enqueue(pending);
  if (state.options.durability == Durability::kMemory) {
    state.changed.notify_all();
    return ack;
  }
  while (!pending->done) {
    if (!state.leading) {
      state.Round(lock);
    } else {
      state.changed.wait(lock);
    }
  }
  if (pending->error) return std::move(*pending->error);
  return ack;
}

// ---- the rest

/// Be alone at the disk.
Status TickWriter::State::Lead(Lock& lock, const std::function<Status()>& work) {
  changed.wait(lock, [&] { return !leading; });
  leading = true;
  lock.unlock();
  Status done = work();
  lock.lock();
  leading = false;
  changed.notify_all();
  return done;
}

/// What was appended before this call is written when it returns.
Status TickWriter::State::Drain(Lock& lock) {
  const std::int64_t target = next_seq;
  while (log->end_seq() < target && !queue.empty()) {
    if (leading) {
      changed.wait(lock);
      continue;
    }
    Round(lock);
    if (failing) return failing->Clone();
  }
  return Ok();
}

Status TickWriter::Flush() {
  State::Lock lock(state_->mutex);
  LAMINA_TRY(state_->Drain(lock));
  return state_->Lead(lock, [&] { return state_->log->Sync(); });
}

Status TickWriter::Seal() {
  State::Lock lock(state_->mutex);
  LAMINA_TRY(state_->Drain(lock));
  Status sealed = state_->Lead(lock, [&] { return state_->log->Seal(); });
  return sealed;
}

Status TickWriter::Close() {
  State& state = *state_;
  Status drained;
  {
    State::Lock lock(state.mutex);
    if (state.closed) return Ok();
    drained = state.Drain(lock);
    state.closed = state.stop = true;
    state.changed.notify_all();
  }
  if (state.housekeeper.joinable()) state.housekeeper.join();
  if (state.flusher.joinable()) state.flusher.join();
  State::Lock lock(state.mutex);
  if (drained.ok()) drained = state.Drain(lock);
  Status closed = state.Lead(lock, [&] { return state.log->Close(); });
  return drained.ok() ? std::move(closed) : std::move(drained);
}

void TickWriter::State::Housework() {
  Lock lock(mutex);
  while (!stop) {
    changed.wait_for(lock, kHouseworkPause, [&] { return stop; });
    if (stop) return;
    lock.unlock();
    log->FinishSealed();
    // A failure shows at the next segment's start, where someone can be told.
    static_cast<void>(log->PrepareSpare());
    lock.lock();
    if (leading || stop) continue;
    const std::int64_t now = env.Monotonic().value;
    if (options.durability == Durability::kOs && now - last_os_sync_ns > kOsSyncNs) {
      last_os_sync_ns = now;
      static_cast<void>(Lead(lock, [&] { return log->Sync(); }));
    }
    static_cast<void>(Lead(lock, [&] { return log->SealIsDue() ? log->Seal() : Ok(); }));
  }
}

void TickWriter::State::FlushLoop() {
  Lock lock(mutex);
  while (!stop) {
    changed.wait(lock, [&] { return stop || (!leading && !queue.empty()); });
    if (stop) return;
    Round(lock);
    if (failing) changed.wait_for(lock, kRetryPause, [&] { return stop; });
  }
}

/// What the producer's name has sent before, to this log or another.
Status TickWriter::State::LearnProduced(const std::string& root, const Uuid& store_id) {
  LogReader reader(env, root, store_id);
  LAMINA_ASSIGN(const std::vector<LogReader::Produced> all, reader.ProducedBy(options.producer));
  for (const LogReader::Produced& each : all) {
    produced[each.producer_seq] = {each.writer, each.seq_first, each.seq_last, false};
    if (produced.size() > kProducedMax) produced.erase(produced.begin());
  }
  return Ok();
}

Result<std::unique_ptr<TickWriter>> TickWriter::Open(io::Env& env, const std::string& root,
                                                     const Uuid& store_id, std::int64_t writer,
                                                     const LogOptions& options) {
  if (writer < 0) return InvalidArgument("writers are numbered from 0");
  if (options.queue_ticks < 1 || options.segment_bytes < 1 || options.segment_seconds < 1 ||
      options.log_max_bytes < 1 || options.concurrent_appends < 1) {
    return InvalidArgument("limits of the log must be positive");
  }
  if (options.producer.size() > 255 || options.source.size() > 255) {
    return InvalidArgument("names of producers and sources have at most 255 bytes");
  }
  auto state = std::make_unique<State>(env, options);
  state->writer = writer;
  LAMINA_ASSIGN(state->log, LogAppender::Open(env, root, store_id, writer, options));
  if (!options.producer.empty()) LAMINA_TRY(state->LearnProduced(root, store_id));
  state->next_seq = state->log->end_seq();
  state->last_recv_ns = state->log->recv_ns();
  state->live = std::make_unique<LiveBuffer>(
      writer, state->next_seq,
      LiveOptions{options.buffer_minutes * 60 * 1'000'000'000, options.buffer_max_bytes});
  State* const running = state.get();
  std::unique_ptr<TickWriter> opened(new TickWriter(std::move(state)));
  if (options.background) {
    running->housekeeper = std::thread([running] { running->Housework(); });
    if (options.durability == Durability::kMemory) {
      running->flusher = std::thread([running] { running->FlushLoop(); });
    }
  }
  return opened;
}

TickWriter::TickWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}

TickWriter::~TickWriter() { static_cast<void>(Close()); }

std::int64_t TickWriter::writer() const { return state_->writer; }

WriterCounts TickWriter::counts() const {
  const std::lock_guard lock(state_->mutex);
  WriterCounts counts = state_->counts;
  counts.syncs = state_->log->syncs();
  counts.bytes = state_->log->bytes();
  counts.segments = state_->log->segments();
  return counts;
}

const std::string& TickWriter::recovered() const { return state_->log->recovered(); }

const LiveBuffer& TickWriter::live() const { return *state_->live; }

void TickWriter::SetArchivedEnd(std::int64_t end_seq) {
  const std::lock_guard lock(state_->mutex);
  state_->archived_end = std::max(state_->archived_end, end_seq);
}

}  // namespace lamina::tick_log
