#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "lamina/catalog/lost_race.h"
#include "lamina/tick_log/log_recovery.h"
#include "lamina/ticks/archive.h"

namespace lamina::ticks {
namespace {

constexpr std::int64_t kCopyBytes = std::int64_t{1} << 20;
// A group has fewer ticks than this; more that cannot be read are not one damaged place.
constexpr std::int64_t kDamagedTicksMax = 100'000;

Result<std::int64_t> WatermarkOf(catalog::Catalog& catalog, std::int64_t writer) {
  std::optional<std::int64_t> watermark;
  const auto find = [&](catalog::Database& database) -> Status {
    LAMINA_ASSIGN(auto read, database.Prepare("SELECT watermark FROM tick_log WHERE writer=?1"));
    LAMINA_ASSIGN(const bool row, read.Bind(1, writer).Step());
    if (row) watermark = read.Int(0);
    return Ok();
  };
  LAMINA_TRY(catalog.Read(find));
  if (watermark) return *watermark;
  // A log that was begun without this catalog.
  const std::int64_t now = catalog.env().Now().value / 1000;
  LAMINA_TRY(catalog.Transact([&](catalog::Database& database) -> Status {
    LAMINA_ASSIGN(auto put, database.Prepare("INSERT OR IGNORE INTO tick_log(writer, created_at) "
                                             "VALUES(?1, ?2)"));
    LAMINA_TRY(put.Bind(1, writer).Bind(2, now).Run());
    return find(database);
  }));
  return watermark.value_or(0);
}

/// One past the last tick that may be archived.
std::int64_t EndOf(const tick_log::WriterLog& log, bool open_segments) {
  if (open_segments) return log.durable_end;
  std::int64_t end = 0;
  for (const tick_log::SegmentInfo& segment : log.segments) {
    if (!segment.sealed) break;
    end = segment.end_seq;
  }
  return end;
}

/// A writer that died leaves a segment that nobody will seal.
Status SealDead(catalog::Catalog& catalog, std::vector<tick_log::WriterLog>& logs,
                tick_log::LogReader& reader) {
  bool sealed = false;
  for (const tick_log::WriterLog& log : logs) {
    if (log.alive || log.segments.empty() || log.segments.back().sealed) continue;
    const auto done =
        tick_log::RecoverLog(catalog.env(), catalog.root(), catalog.store_id(), log.writer);
    if (!done.ok() && done.error().code() != ErrorCode::kConflict) return done.error().Clone();
    sealed = true;
  }
  if (!sealed) return Ok();
  LAMINA_ASSIGN(logs, reader.Logs());
  return Ok();
}

/// A copy of the segment with `seq` in quarantine/, with the reason beside it. RETURNS its bytes.
Result<std::int64_t> SetAside(catalog::Catalog& catalog, const tick_log::WriterLog& log,
                              std::int64_t seq, std::string_view reason) {
  const auto segment = std::find_if(
      log.segments.begin(), log.segments.end(),
      [&](const auto& candidate) { return candidate.first_seq <= seq && seq < candidate.end_seq; });
  if (segment == log.segments.end()) return std::int64_t{0};
  io::Env& env = catalog.env();
  const std::string folder = io::JoinPath(catalog.root(), "quarantine");
  LAMINA_TRY(env.CreateDirectories(folder));
  const std::string copy =
      io::JoinPath(folder, "log-" + std::to_string(log.writer) + "-" + io::BaseName(segment->path));
  LAMINA_ASSIGN(const auto from, env.OpenReadable(segment->path));
  if (!env.Exists(copy)) {
    const std::string made = copy + ".new";
    const Status gone = env.Unlink(made);  // of a copy that was cut short
    if (!gone.ok() && gone.error().code() != ErrorCode::kNotFound) return gone.error().Clone();
    LAMINA_ASSIGN(const auto to, env.NewWritableFile(made));
    std::string bytes;
    for (std::int64_t at = 0; at < from->size(); at += kCopyBytes) {
      bytes.resize(static_cast<std::size_t>(std::min(kCopyBytes, from->size() - at)));
      LAMINA_TRY(from->ReadAt(at, bytes.size(), bytes.data()));
      LAMINA_TRY(to->Append(bytes));
    }
    LAMINA_TRY(to->Sync());
    LAMINA_TRY(to->Close());
    LAMINA_TRY(env.Rename(made, copy));
    LAMINA_TRY(env.SyncDirectory(folder));
  }
  LAMINA_TRY(env.WriteFileAtomically(copy + ".reason", std::string(reason) + "\n"));
  return from->size();
}

/// Where the damage lies that `error` tells: [from, end) cannot be read. Narrows `advance` to the
/// good ticks before it, or, when it is right at the front, to the damaged ones, which are counted
/// and set aside. RETURNS the error when what is behind the damage cannot be found.
Status GoRoundDamage(catalog::Catalog& catalog, tick_log::LogReader& reader,
                     const tick_log::WriterLog& log, Error error, LogAdvance& advance) {
  const auto readable = [&](std::int64_t from, std::int64_t end) -> Result<bool> {
    const auto ticks = reader.Read(log.writer, from, end);
    if (!ticks.ok() && ticks.error().code() != ErrorCode::kCorruption) return ticks.error().Clone();
    return ticks.ok();
  };
  std::int64_t good = advance.from_seq, bad = advance.end_seq;
  while (bad - good > 1) {
    const std::int64_t middle = good + (bad - good) / 2;
    LAMINA_ASSIGN(const bool fine, readable(good, middle));
    (fine ? good : bad) = middle;
  }
  if (good > advance.from_seq) {
    advance.end_seq = good;
    return Ok();
  }
  // One by one: ticks between two damaged places must not be passed over.
  std::int64_t behind = good + 1;
  for (; behind < advance.end_seq; ++behind) {
    if (behind - good > kDamagedTicksMax) return error;
    LAMINA_ASSIGN(const bool fine, readable(behind, behind + 1));
    if (fine) break;
  }
  LAMINA_ASSIGN(advance.damaged_bytes, SetAside(catalog, log, good, error.message()));
  advance.damaged_groups = 1;
  advance.end_seq = behind;
  return Ok();
}

/// One past the last tick of a log that may be archived, as it is told now.
Result<std::int64_t> EndNow(tick_log::LogReader& reader, std::int64_t writer, bool open_segments) {
  LAMINA_ASSIGN(const std::vector<tick_log::WriterLog> logs, reader.Logs());
  for (const tick_log::WriterLog& log : logs) {
    if (log.writer == writer) return EndOf(log, open_segments);
  }
  return std::int64_t{0};
}

Status ArchiveLog(catalog::Catalog& catalog, tick_log::LogReader& reader,
                  const tick_log::WriterLog& log, const ArchiveOptions& options,
                  ArchiveReport& report) {
  const std::int64_t end = EndOf(log, options.open_segments);
  for (;;) {
    if (options.cancel != nullptr && options.cancel->cancelled())
      return Cancelled("interrupted; what was archived stays");
    LAMINA_ASSIGN(const std::int64_t from, WatermarkOf(catalog, log.writer));
    if (from >= end) return Ok();
    LogAdvance advance{.writer = log.writer,
                       .from_seq = from,
                       .end_seq = std::min(end, from + options.commit_ticks),
                       .damaged_groups = 0,
                       .damaged_bytes = 0};
    auto ticks = reader.Read(log.writer, from, advance.end_seq);
    if (!ticks.ok()) {
      // Another session may have archived and removed it meanwhile.
      LAMINA_ASSIGN(const std::int64_t now, WatermarkOf(catalog, log.writer));
      if (ticks.error().code() == ErrorCode::kNotFound && now != from) continue;
      Error error = std::move(ticks).error().With("archiving log " + std::to_string(log.writer));
      if (error.code() != ErrorCode::kCorruption) return error;
      LAMINA_TRY(GoRoundDamage(catalog, reader, log, std::move(error), advance));
      ticks = TickBatches();
      if (advance.damaged_groups == 0) {
        ticks = reader.Read(log.writer, from, advance.end_seq);
        if (!ticks.ok()) return std::move(ticks).error();
      }
    }
    const auto found = static_cast<std::int64_t>(tick_log::CountTicks(*ticks));
    if (advance.damaged_groups == 0 && found != advance.end_seq - from) {
      // Never past ticks that were not read, whatever a log tells from one moment to the next.
      LAMINA_ASSIGN(const std::int64_t now, EndNow(reader, log.writer, options.open_segments));
      if (now < advance.end_seq) return Ok();
      return Corruption("log " + std::to_string(log.writer) + ": " + std::to_string(found) +
                        " ticks were read where its seqs go from " + std::to_string(from) + " to " +
                        std::to_string(advance.end_seq - 1));
    }
    auto done = ArchiveTicks(catalog, *std::move(ticks), advance, options);
    if (done.ok()) {
      report += *done;
      continue;
    }
    LAMINA_ASSIGN(const std::int64_t now, WatermarkOf(catalog, log.writer));
    const bool lost = done.error().code() == ErrorCode::kConflict &&
                      (now != from || catalog::LostRace(done.error()));
    if (!lost) return std::move(done).error();
  }
}

}  // namespace

Result<ArchiveReport> ArchiveLogs(catalog::Catalog& catalog, tick_log::LogReader& logs,
                                  const ArchiveOptions& options) {
  if (catalog.read_only()) return Unsupported("the store is open for reading only");
  ArchiveReport report;
  LAMINA_ASSIGN(std::vector<tick_log::WriterLog> found, logs.Logs());
  LAMINA_TRY(SealDead(catalog, found, logs));
  // A damaged log does not keep the others from being archived.
  std::optional<Error> damaged;
  for (const tick_log::WriterLog& log : found) {
    Status done = ArchiveLog(catalog, logs, log, options, report);
    if (done.ok()) continue;
    if (done.error().code() != ErrorCode::kCorruption) return std::move(done).error();
    if (!damaged) damaged = std::move(done).error();
  }
  if (damaged) return *std::move(damaged);
  return report;
}

}  // namespace lamina::ticks
