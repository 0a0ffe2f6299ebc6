#include "lamina/ticks/storage_report.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <vector>

#include "lamina/ticks/tick_tables.h"

namespace lamina::ticks {
namespace {

// Of a file with several contracts each row has the ratio of the whole file.
constexpr std::string_view kArchive =
    "SELECT count(*), coalesce(sum(bytes), 0), coalesce(sum(json), 0), (SELECT count(DISTINCT "
    "contract_id) FROM tick_archives WHERE end_snapshot IS NULL), (SELECT "
    "coalesce(sum(total_ticks), 0) FROM data_statistics) FROM (SELECT max(file_size_bytes) AS "
    "bytes, max(compression_ratio * file_size_bytes) AS json FROM tick_archives WHERE end_snapshot "
    "IS NULL GROUP BY data_file_id)";
constexpr std::string_view kLogs =
    "SELECT coalesce(sum(damaged_groups), 0), coalesce(sum(damaged_bytes), 0), max(archived_at) "
    "FROM tick_log";

Status ReadCatalog(catalog::Database& database, StorageReport& report,
                   std::vector<Watermark>& marks) {
  LAMINA_ASSIGN(auto archive, database.Prepare(kArchive));
  LAMINA_TRY(archive.Step());
  report.archive_files = archive.Int(0);
  report.archive_bytes = archive.Int(1);
  report.json_bytes = std::llround(archive.Double(2));
  report.contracts = archive.Int(3);
  report.archive_ticks = archive.Int(4);
  LAMINA_ASSIGN(auto logs, database.Prepare(kLogs));
  LAMINA_TRY(logs.Step());
  report.damaged_groups = logs.Int(0);
  report.damaged_bytes = logs.Int(1);
  if (!logs.IsNull(2)) report.archived_at = logs.Int(2);
  LAMINA_ASSIGN(marks, ReadWatermarks(database));
  return Ok();
}

}  // namespace

std::optional<double> StorageReport::compression_ratio() const {
  if (archive_bytes == 0) return std::nullopt;
  return static_cast<double>(json_bytes) / static_cast<double>(archive_bytes);
}

std::optional<double> StorageReport::bytes_per_tick() const {
  if (archive_ticks == 0) return std::nullopt;
  return static_cast<double>(archive_bytes) / static_cast<double>(archive_ticks);
}

Result<StorageReport> ReadStorage(catalog::Catalog& catalog, tick_log::LogReader& logs) {
  StorageReport report;
  std::vector<Watermark> marks;
  LAMINA_TRY(catalog.Read(
      [&](catalog::Database& database) { return ReadCatalog(database, report, marks); }));
  LAMINA_ASSIGN(const std::vector<tick_log::WriterLog> found, logs.Logs());
  for (const tick_log::WriterLog& log : found) {
    if (log.alive) ++report.open_logs;
    if (log.segments.empty()) continue;
    ++report.logs;
    report.log_segments += std::ssize(log.segments);
    for (const tick_log::SegmentInfo& segment : log.segments) report.log_bytes += segment.bytes;
    std::int64_t archived = 0;
    for (const Watermark& mark : marks)
      if (mark.writer == log.writer) archived = mark.end_seq;
    report.waiting_ticks += std::max<std::int64_t>(0, log.durable_end - archived);
  }
  return report;
}

}  // namespace lamina::ticks
