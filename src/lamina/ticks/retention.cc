#include "lamina/ticks/retention.h"

#include <map>
#include <optional>
#include <utility>

#include "lamina/market/day.h"
#include "lamina/tick_log/log_recovery.h"
#include "lamina/ticks/day_statistics.h"
#include "lamina/ticks/file_facts.h"
#include "lamina/ticks/tick_tables.h"

namespace lamina::ticks {
namespace {

constexpr std::int64_t kHourUs = 3'600'000'000;

/// When everything of the log before `end_seq` was archived; absent: it is not.
Result<std::optional<std::int64_t>> ArchivedAt(catalog::Catalog& catalog, std::int64_t writer,
                                               std::int64_t end_seq) {
  std::optional<std::int64_t> at;
  LAMINA_TRY(catalog.Read([&](catalog::Database& database) -> Status {
    LAMINA_ASSIGN(auto read, database.Prepare("SELECT archived_at FROM tick_archiving WHERE "
                                              "writer=?1 AND end_seq>=?2 ORDER BY end_seq LIMIT "
                                              "1"));
    LAMINA_ASSIGN(const bool row, read.Bind(1, writer).Bind(2, end_seq).Step());
    if (row) at = read.Int(0);
    return Ok();
  }));
  return at;
}

Status RemoveOld(catalog::Catalog& catalog, const tick_log::SegmentInfo& segment) {
  Status gone = tick_log::RemoveSegment(catalog.env(), segment);
  if (!gone.ok() && gone.error().code() == ErrorCode::kConflict) {
    LAMINA_TRY(
        tick_log::RecoverLog(catalog.env(), catalog.root(), catalog.store_id(), segment.writer));
    gone = tick_log::RemoveSegment(catalog.env(), segment);
  }
  if (!gone.ok() && gone.error().code() != ErrorCode::kNotFound) return gone;
  // The row of the end itself stays: it says when what is before the next segment was archived.
  return catalog.Transact([&](catalog::Database& database) -> Status {
    LAMINA_ASSIGN(auto drop,
                  database.Prepare("DELETE FROM tick_archiving WHERE writer=?1 AND end_seq<?2"));
    return drop.Bind(1, segment.writer).Bind(2, segment.end_seq).Run();
  });
}

Status RetireSegments(catalog::Catalog& catalog, tick_log::LogReader& logs,
                      const TickConfig& config, RetentionReport& report) {
  const std::int64_t now = catalog.env().Now().value / 1000;
  LAMINA_ASSIGN(const std::vector<tick_log::WriterLog> found, logs.Logs());
  for (const tick_log::WriterLog& log : found) {
    bool waiting = false;  // segments go from the front only
    for (const tick_log::SegmentInfo& segment : log.segments) {
      if (!segment.sealed) break;
      LAMINA_ASSIGN(const std::optional<std::int64_t> at,
                    ArchivedAt(catalog, log.writer, segment.end_seq));
      waiting = waiting || !at || now - *at < config.buffer_retention_hours * kHourUs;
      if (waiting) {
        ++report.waiting_segments;
        continue;
      }
      ++report.segments;
      report.segment_bytes += segment.bytes;
      report.paths.push_back(segment.path);
      if (!report.dry_run) LAMINA_TRY(RemoveOld(catalog, segment));
    }
  }
  return Ok();
}

struct OldFiles {
  catalog::LakeTable table;
  std::vector<catalog::LakeFile> files;
};

Result<std::vector<OldFiles>> FindOld(catalog::Catalog& catalog, std::int32_t first_kept,
                                      std::int64_t& snapshot) {
  std::vector<OldFiles> old;
  LAMINA_TRY(catalog.Read([&](catalog::Database& database) -> Status {
    catalog::LakeReader reader(database);
    LAMINA_ASSIGN(snapshot, reader.LatestSnapshot());
    for (const TickKind kind : tick_log::kTickKinds) {
      LAMINA_ASSIGN(std::optional<catalog::LakeTable> table, FindTickTable(reader, kind, snapshot));
      if (!table) continue;
      LAMINA_ASSIGN(std::vector<catalog::LakeFile> files, reader.Plan(*table, snapshot));
      OldFiles& found = old.emplace_back();
      found.table = *std::move(table);
      for (catalog::LakeFile& file : files) {
        LAMINA_ASSIGN(const market::Day day, market::ParseDay(file.partition_values.at(0)));
        if (day.value < first_kept) found.files.push_back(std::move(file));
      }
    }
    return Ok();
  }));
  return old;
}

Status DropStatistics(catalog::Database& database, std::int32_t first_kept) {
  const std::string date = market::FormatDay(market::Day{first_kept});
  LAMINA_ASSIGN(auto drop, database.Prepare("DELETE FROM data_statistics WHERE date < ?1"));
  return drop.Bind(1, date).Run();
}

Status RetireDays(catalog::Catalog& catalog, const TickConfig& config, RetentionReport& report) {
  if (config.archive_retention_days == 0) return Ok();
  const std::int32_t first_kept =
      TickDay(catalog.env().Now().value) - static_cast<std::int32_t>(config.archive_retention_days);
  std::int64_t snapshot = 0;
  LAMINA_ASSIGN(const std::vector<OldFiles> old, FindOld(catalog, first_kept, snapshot));
  for (const OldFiles& found : old) {
    for (const catalog::LakeFile& file : found.files) {
      ++report.files;
      report.ticks += file.rows - (file.deletes ? file.deletes->rows : 0);
      report.file_bytes += file.size_bytes;
      report.paths.push_back("lake/" + file.path);
    }
  }
  if (report.files == 0 || report.dry_run) return Ok();
  LAMINA_ASSIGN(
      const auto commit,
      catalog.BeginCommit("retire " + std::to_string(report.files) + " files of ticks before " +
                              market::FormatDay(market::Day{first_kept}),
                          catalog::SpaceUse::kFrees));
  std::vector<std::int64_t> all;
  for (const OldFiles& found : old) {
    std::vector<std::int64_t> ids;
    for (const catalog::LakeFile& file : found.files) ids.push_back(file.data_file_id);
    all.insert(all.end(), ids.begin(), ids.end());
    if (!ids.empty()) LAMINA_TRY(commit->RetireLakeFiles(found.table, std::move(ids)));
  }
  LAMINA_ASSIGN(report.snapshot, commit->Finish([&](catalog::Database& database,
                                                    catalog::LakeWriter& writer) -> Status {
    LAMINA_TRY(EndArchives(database, writer.snapshot_id(), all));
    // Ticks of such a day that came meanwhile keep their files: their statistics too.
    LAMINA_ASSIGN(auto later, database.Prepare("SELECT 1 FROM tick_archives WHERE end_snapshot "
                                               "IS NULL AND begin_snapshot > ?1 AND start_time < "
                                               "?2 LIMIT 1"));
    later.Bind(1, snapshot);
    later.Bind(2, std::int64_t{first_kept} * 86'400'000'000'000);
    LAMINA_ASSIGN(const bool came, later.Step());
    if (came) return Conflict("old ticks were archived meanwhile; run it again");
    return DropStatistics(database, first_kept);
  }));
  return Ok();
}

}  // namespace

Result<RetentionReport> ApplyLogRetention(catalog::Catalog& catalog, tick_log::LogReader& logs,
                                          const TickConfig& config, bool dry_run) {
  if (catalog.read_only() && !dry_run) return Unsupported("the store is open for reading only");
  LAMINA_TRY(CheckTickConfig(config));
  RetentionReport report;
  report.dry_run = dry_run;
  LAMINA_TRY(RetireSegments(catalog, logs, config, report));
  return report;
}

Result<RetentionReport> ApplyTickRetention(catalog::Catalog& catalog, tick_log::LogReader& logs,
                                           const TickConfig& config, bool dry_run) {
  LAMINA_ASSIGN(RetentionReport report, ApplyLogRetention(catalog, logs, config, dry_run));
  LAMINA_TRY(RetireDays(catalog, config, report));
  return report;
}

}  // namespace lamina::ticks
