#include "lamina/ticks/recorder.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include <unistd.h>

#include "lamina/io/env.h"
#include "lamina/ticks/archive.h"
#include "lamina/ticks/coverage_evidence.h"
#include "lamina/ticks/fold_days.h"
#include "lamina/ticks/retention.h"

namespace lamina::ticks {
namespace {

Result<std::vector<std::int64_t>> WritersOf(catalog::Catalog& catalog,
                                            const std::string& producer) {
  std::vector<std::int64_t> writers;
  LAMINA_TRY(catalog.Read([&](catalog::Database& database) -> Status {
    LAMINA_ASSIGN(auto read, database.Prepare("SELECT writer FROM tick_log WHERE producer=?1 ORDER "
                                              "BY writer DESC"));
    read.Bind(1, producer);
    for (;;) {
      LAMINA_ASSIGN(const bool row, read.Step());
      if (!row) return Ok();
      writers.push_back(read.Int(0));
    }
  }));
  return writers;
}

Result<std::int64_t> NewWriter(catalog::Catalog& catalog, const tick_log::LogOptions& options) {
  std::int64_t writer = 0;
  const std::int64_t now = catalog.env().Now().value / 1000;
  LAMINA_TRY(catalog.Transact([&](catalog::Database& database) -> Status {
    LAMINA_ASSIGN(auto put, database.Prepare(
                                "INSERT INTO tick_log(writer, source, producer, created_at) SELECT "
                                "coalesce(max(writer), 0) + 1, nullif(?1, ''), nullif(?2, ''), ?3 "
                                "FROM tick_log RETURNING writer"));
    put.Bind(1, options.source).Bind(2, options.producer).Bind(3, now);
    LAMINA_ASSIGN(const bool row, put.Step());
    if (!row) return Internal("a log of ticks without a number");
    writer = put.Int(0);
    return put.Run();
  }));
  return writer;
}

Result<std::int64_t> BeginRecording(catalog::Catalog& catalog, std::int64_t writer) {
  std::int64_t id = 0;
  const std::int64_t now = catalog.env().Now().value / 1000;
  LAMINA_TRY(catalog.Transact([&](catalog::Database& database) -> Status {
    LAMINA_ASSIGN(auto put,
                  database.Prepare("INSERT INTO tick_recording(writer, session_id, host, pid, "
                                   "opened_at) SELECT ?1, session_id, host, pid, ?2 FROM "
                                   "writer_session WHERE pid=?3 AND ended_at IS NULL ORDER BY "
                                   "writer DESC LIMIT 1 RETURNING recording_id"));
    put.Bind(1, writer).Bind(2, now).Bind(3, std::int64_t{getpid()});
    LAMINA_ASSIGN(const bool row, put.Step());
    if (!row) return Internal("a recording of ticks outside of a writer session");
    id = put.Int(0);
    return put.Run();
  }));
  return id;
}

Result<std::optional<std::int64_t>> ReadWatermark(catalog::Catalog& catalog, std::int64_t writer) {
  std::optional<std::int64_t> mark;
  LAMINA_TRY(catalog.Read([&](catalog::Database& database) -> Status {
    LAMINA_ASSIGN(auto read, database.Prepare("SELECT watermark FROM tick_log WHERE writer=?1"));
    LAMINA_ASSIGN(const bool row, read.Bind(1, writer).Step());
    if (row) mark = read.Int(0);
    return Ok();
  }));
  return mark;
}

Result<std::int64_t> UnarchivedBytes(catalog::Catalog& catalog, tick_log::LogReader& logs) {
  std::vector<Watermark> marks;
  LAMINA_TRY(catalog.Read([&](catalog::Database& database) -> Status {
    LAMINA_ASSIGN(marks, ReadWatermarks(database));
    return Ok();
  }));
  LAMINA_ASSIGN(const auto found, logs.Logs());
  std::int64_t bytes = 0;
  for (const tick_log::WriterLog& log : found) {
    std::int64_t archived = 0;
    for (const Watermark& mark : marks)
      if (mark.writer == log.writer) archived = mark.end_seq;
    for (const tick_log::SegmentInfo& segment : log.segments)
      if (segment.sealed && segment.end_seq > archived) bytes += segment.bytes;
  }
  return bytes;
}

}  // namespace

struct TickRecorder::State {
  State(catalog::Catalog& own_catalog, TickConfig own_config)
      : catalog(own_catalog), config(std::move(own_config)) {}

  catalog::Catalog& catalog;
  const TickConfig config;
  std::unique_ptr<tick_log::TickWriter> writer;
  std::int64_t recording = 0;

  mutable std::mutex mutex;
  std::condition_variable wake;
  bool stop = false, closed = false;
  std::string error;
  std::thread thread;

  void Note(const Status& status) {
    const std::lock_guard lock(mutex);
    error = status.ok() ? "" : std::string(status.error().message());
  }

  void Work() {
    using Clock = std::chrono::steady_clock;
    const auto pause = std::chrono::seconds(config.index_update_interval_seconds);
    const auto interval = std::chrono::minutes(config.archive_interval_minutes);
    auto last = Clock::now();
    std::unique_lock lock(mutex);
    while (!wake.wait_for(lock, pause, [&] { return stop; })) {
      lock.unlock();
      const bool due = Clock::now() - last >= interval;
      if (due) last = Clock::now();
      Note(RunTickUpkeep(catalog, config, {.due = due}));
      auto mark = ReadWatermark(catalog, writer->writer());
      if (mark.ok() && *mark) writer->SetArchivedEnd(**mark);
      lock.lock();
    }
  }

  void StopThread() {
    {
      const std::lock_guard lock(mutex);
      stop = true;
    }
    wake.notify_all();
    if (thread.joinable()) thread.join();
  }
};

Status RunTickUpkeep(catalog::Catalog& catalog, const TickConfig& config,
                     const UpkeepRound& round) {
  io::Env& env = catalog.env();
  tick_log::LogReader logs(env, catalog.root(), catalog.store_id());
  if (!round.due) {
    LAMINA_ASSIGN(const std::int64_t waiting, UnarchivedBytes(catalog, logs));
    if (waiting < config.archive_max_bytes) return Ok();
  }
  const std::string folder = io::JoinPath(catalog.root(), "cache");
  LAMINA_TRY(env.CreateDirectories(folder));
  auto lock = env.TryLock(io::JoinPath(folder, "tick_upkeep.lock"));
  if (!lock.ok() && lock.error().code() == ErrorCode::kConflict) return Ok();
  if (!lock.ok()) return std::move(lock).error();
  ArchiveOptions archive;
  archive.zstd_level = ZstdLevelOf(config);
  LAMINA_TRY(ArchiveLogs(catalog, logs, archive));
  FoldOptions fold;
  fold.zstd_level = archive.zstd_level;
  LAMINA_TRY(FoldTickDays(catalog, fold));
  LAMINA_TRY(ApplyLogRetention(catalog, logs, config, false));
  return Ok();
}

TickRecorder::TickRecorder(std::unique_ptr<State> state) : state_(std::move(state)) {}

TickRecorder::~TickRecorder() {
  const Status closed = Close();
  static_cast<void>(closed);
}

Result<std::unique_ptr<TickRecorder>> TickRecorder::Open(catalog::Catalog& catalog,
                                                         const TickConfig& config,
                                                         const RecorderOptions& options) {
  auto state = std::make_unique<State>(catalog, config);
  const auto open = [&](std::int64_t writer) -> Status {
    LAMINA_ASSIGN(state->writer,
                  tick_log::TickWriter::Open(catalog.env(), catalog.root(), catalog.store_id(),
                                             writer, options.log));
    return Ok();
  };
  if (!options.log.producer.empty()) {
    LAMINA_ASSIGN(const auto writers, WritersOf(catalog, options.log.producer));
    for (const std::int64_t writer : writers) {
      Status opened = open(writer);
      if (opened.ok()) break;
      if (opened.error().code() != ErrorCode::kConflict) return std::move(opened).error();
    }
  }
  if (!state->writer) {
    LAMINA_ASSIGN(const std::int64_t writer, NewWriter(catalog, options.log));
    LAMINA_TRY(open(writer));
  }
  LAMINA_ASSIGN(const auto mark, ReadWatermark(catalog, state->writer->writer()));
  if (mark) state->writer->SetArchivedEnd(*mark);
  LAMINA_ASSIGN(state->recording, BeginRecording(catalog, state->writer->writer()));
  if (options.archive_in_background) {
    State* shared = state.get();
    state->thread = std::thread([shared] { shared->Work(); });
  }
  return std::unique_ptr<TickRecorder>(new TickRecorder(std::move(state)));
}

tick_log::TickWriter& TickRecorder::writer() { return *state_->writer; }
const tick_log::TickWriter& TickRecorder::writer() const { return *state_->writer; }

Result<std::int64_t> TickRecorder::Event(TickEvent event) {
  event.writer = state_->writer->writer();
  return StoreEvent(state_->catalog, event);
}

std::string TickRecorder::archive_error() const {
  const std::lock_guard lock(state_->mutex);
  return state_->error;
}

Status TickRecorder::Close() {
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->closed) return Ok();
    state_->closed = true;
  }
  state_->StopThread();
  LAMINA_TRY(state_->writer->Close());
  const std::int64_t now = state_->catalog.env().Now().value / 1000;
  return state_->catalog.Transact([&](catalog::Database& database) -> Status {
    LAMINA_ASSIGN(auto end, database.Prepare("UPDATE tick_recording SET closed_at=?1 WHERE "
                                             "recording_id=?2"));
    return end.Bind(1, now).Bind(2, state_->recording).Run();
  });
}

}  // namespace lamina::ticks
