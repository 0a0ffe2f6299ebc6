#include "lamina/ticks/archive.h"

#include <algorithm>
#include <memory>
#include <span>
#include <utility>

#include <arrow/record_batch.h>
#include <arrow/table.h>

#include "lamina/catalog/lost_race.h"
#include "lamina/market/day.h"
#include "lamina/table/arrow_status.h"
#include "lamina/ticks/file_facts.h"
#include "lamina/ticks/tick_order.h"

namespace lamina::ticks {
namespace {

/// Fewer are written sooner than threads have begun.
constexpr std::size_t kTicksForThreads = 1 << 15;

struct NewFile {
  const catalog::LakeTable* table = nullptr;
  std::string name;
  std::int32_t day = 0;
  FileFacts facts;
};

using Tables = std::array<std::optional<catalog::LakeTable>, 3>;

Result<Tables> FindTables(catalog::Catalog& catalog) {
  Tables tables;
  LAMINA_TRY(catalog.Read([&](catalog::Database& database) -> Status {
    catalog::LakeReader reader(database);
    LAMINA_ASSIGN(const std::int64_t snapshot, reader.LatestSnapshot());
    for (const TickKind kind : tick_log::kTickKinds) {
      LAMINA_ASSIGN(tables[static_cast<std::size_t>(kind)], FindTickTable(reader, kind, snapshot));
    }
    return Ok();
  }));
  return tables;
}

/// Rows that become one file.
struct Part {
  const TickBatch* ticks = nullptr;
  std::int32_t day = 0;
  std::span<const std::uint32_t> rows;
  std::string staged;
  FileFacts facts;
  table::WrittenFile written;
};

std::vector<Part> CutIntoParts(const TickBatch& ticks, const std::vector<DayRows>& days,
                               std::int64_t file_ticks) {
  std::vector<Part> parts;
  for (const DayRows& day : days) {
    const std::span<const std::uint32_t> rows(day.rows);
    const std::size_t most = static_cast<std::size_t>(std::max<std::int64_t>(1, file_ticks));
    for (std::size_t begin = 0; begin < rows.size(); begin += most) {
      const std::size_t count = std::min(most, rows.size() - begin);
      parts.push_back({.ticks = &ticks,
                       .day = day.day,
                       .rows = rows.subspan(begin, count),
                       .staged = {},
                       .facts = {},
                       .written = {}});
    }
  }
  return parts;
}

Status WritePart(io::Env& env, const ArchiveOptions& options, Part& part) {
  if (options.cancel != nullptr && options.cancel->cancelled())
    return Cancelled("interrupted; what was archived stays");
  part.facts = FactsOf(*part.ticks, part.rows);
  LAMINA_ASSIGN(const auto batch, ToArrow(*part.ticks, part.rows));
  LAMINA_ARROW_ASSIGN(const auto rows, arrow::Table::FromRecordBatches({batch}), "archiving ticks");
  LAMINA_ASSIGN(part.written,
                table::WriteParquet(env, part.staged, *rows, TickWriteOptions(options.zstd_level)));
  return Ok();
}

/// The files of one kind, written side by side.
Status WriteKind(catalog::Catalog& catalog, catalog::Commit& commit,
                 const catalog::LakeTable& table, const TickBatch& ticks,
                 const ArchiveOptions& options, std::vector<NewFile>& files,
                 ArchiveReport& report) {
  const std::vector<DayRows> days = ArchiveOrder(ticks);
  std::vector<Part> parts = CutIntoParts(ticks, days, options.file_ticks);
  for (Part& part : parts) {
    LAMINA_ASSIGN(part.staged, commit.StageLakeFile());
  }
  const bool few = options.workers == 0 && ticks.size() < kTicksForThreads;
  LAMINA_TRY(
      ParallelFor(parts.size(), few ? 1 : options.workers, [&](std::size_t number, std::size_t) {
        return WritePart(catalog.env(), options, parts[number]);
      }));
  for (Part& part : parts) {
    ++report.files;
    report.ticks += part.written.rows;
    report.bytes += part.written.size_bytes;
    LAMINA_TRY(commit.AddLakeFile(table, part.staged, std::move(part.written),
                                  {market::FormatDay(market::Day{part.day})}));
    files.push_back({.table = &table,
                     .name = io::BaseName(part.staged),
                     .day = part.day,
                     .facts = std::move(part.facts)});
  }
  return Ok();
}

Status MoveWatermark(catalog::Database& database, const LogAdvance& advance, std::int64_t ticks,
                     Nanos now) {
  LAMINA_ASSIGN(
      auto move,
      database.Prepare("UPDATE tick_log SET watermark=?1, archived_at=?2, archived_ticks="
                       "archived_ticks+?3, damaged_groups=damaged_groups+?4, damaged_bytes="
                       "damaged_bytes+?5 WHERE writer=?6 AND watermark=?7 RETURNING writer"));
  move.Bind(1, advance.end_seq).Bind(2, now.value / 1000).Bind(3, ticks);
  move.Bind(4, advance.damaged_groups).Bind(5, advance.damaged_bytes);
  move.Bind(6, advance.writer).Bind(7, advance.from_seq);
  LAMINA_ASSIGN(const bool moved, move.Step());
  if (moved) {
    LAMINA_TRY(move.Run());
    LAMINA_ASSIGN(auto note, database.Prepare("INSERT OR REPLACE INTO tick_archiving(writer, "
                                              "end_seq, archived_at) VALUES(?1, ?2, ?3)"));
    return note.Bind(1, advance.writer).Bind(2, advance.end_seq).Bind(3, now.value / 1000).Run();
  }
  return Conflict("ticks " + std::to_string(advance.from_seq) + " to " +
                  std::to_string(advance.end_seq) + " of log " + std::to_string(advance.writer) +
                  " were archived by another session");
}

Status InsertFile(catalog::Database& database, std::int64_t snapshot, const NewFile& file,
                  bool add_coverage) {
  LAMINA_TRY(InsertArchives(database, snapshot, *file.table, file.name, file.facts));
  if (add_coverage) LAMINA_TRY(AddCoverage(database, file.facts));
  for (const auto& [key, contract] : file.facts.contracts)
    LAMINA_TRY(MergeStatistics(database, snapshot, {key.first, key.second, file.day},
                               contract.statistics));
  return Ok();
}

}  // namespace

ArchiveReport& ArchiveReport::operator+=(const ArchiveReport& other) {
  ticks += other.ticks;
  files += other.files;
  bytes += other.bytes;
  commits += other.commits;
  damaged_groups += other.damaged_groups;
  damaged_bytes += other.damaged_bytes;
  snapshot = std::max(snapshot, other.snapshot);
  return *this;
}

Status CreateTickTables(catalog::Catalog& catalog) {
  LAMINA_ASSIGN(const Tables tables, FindTables(catalog));
  if (std::all_of(tables.begin(), tables.end(), [](const auto& table) { return !!table; }))
    return Ok();
  LAMINA_ASSIGN(const auto commit, catalog.BeginCommit("make the tables of ticks"));
  Result<std::int64_t> made =
      commit->Finish([](catalog::Database& database, catalog::LakeWriter& writer) -> Status {
        for (const TickKind kind : tick_log::kTickKinds)
          LAMINA_TRY(FindOrCreateTickTable(database, writer, kind));
        return Ok();
      });
  if (!made.ok()) return std::move(made).error();
  return Ok();
}

Result<ArchiveReport> ArchiveTicks(
    catalog::Catalog& catalog, TickBatches ticks, const std::optional<LogAdvance>& advance,
    const ArchiveOptions& options,
    const std::function<Status(catalog::Database&, std::int64_t snapshot)>& also) {
  ArchiveReport report;
  LAMINA_TRY(CreateTickTables(catalog));
  LAMINA_ASSIGN(const Tables tables, FindTables(catalog));
  LAMINA_ASSIGN(const auto commit, catalog.BeginCommit("archive ticks"));
  std::vector<NewFile> files;
  for (TickBatch& batch : ticks) {
    const auto kind = static_cast<std::size_t>(batch.kind);
    if (batch.size() == 0) continue;
    LAMINA_TRY(WriteKind(catalog, *commit, *tables[kind], batch, options, files, report));
    batch = TickBatch();  // its memory
  }
  if (files.empty() && !advance) return report;
  if (advance) {
    report.damaged_groups = advance->damaged_groups;
    report.damaged_bytes = advance->damaged_bytes;
  }
  const Nanos now = catalog.env().Now();
  LAMINA_ASSIGN(report.snapshot, commit->Finish([&](catalog::Database& database,
                                                    catalog::LakeWriter& writer) -> Status {
    if (advance) LAMINA_TRY(MoveWatermark(database, *advance, report.ticks, now));
    for (const NewFile& file : files)
      LAMINA_TRY(InsertFile(database, writer.snapshot_id(), file, options.add_coverage));
    return also ? also(database, writer.snapshot_id()) : Ok();
  }));
  report.commits = 1;
  return report;
}

}  // namespace lamina::ticks
