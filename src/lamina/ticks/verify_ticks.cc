#include "lamina/ticks/verify_ticks.h"

#include <algorithm>
#include <cstdint>

#include "lamina/market/day.h"
#include "lamina/tick_log/log_reader.h"
#include "lamina/ticks/count_days.h"

namespace lamina::ticks {
namespace {

// Rows of files that do not fit: their own file's life, its number of rows.
constexpr const char* kBadRows[] = {
    "SELECT 'lake/' || a.file_path, 'its rows in tick_archives live from ' || a.begin_snapshot || "
    "' to ' || coalesce(a.end_snapshot, 'now') || ', the file does not' FROM tick_archives a LEFT "
    "JOIN ducklake_data_file f ON f.data_file_id = a.data_file_id WHERE f.data_file_id IS NULL OR "
    "f.begin_snapshot <> a.begin_snapshot OR f.end_snapshot IS NOT a.end_snapshot GROUP BY "
    "a.data_file_id",
    "SELECT 'lake/' || max(a.file_path), 'it has ' || max(f.record_count) || ' ticks, "
    "tick_archives counts ' || sum(a.tick_count) FROM tick_archives a JOIN ducklake_data_file f ON "
    "f.data_file_id = a.data_file_id GROUP BY a.data_file_id HAVING sum(a.tick_count) <> "
    "max(f.record_count)",
    "SELECT 'ticks.' || t.table_name || '/' || f.path, 'tick_archives has no row of it' FROM "
    "ducklake_data_file f JOIN ducklake_table t ON t.table_id = f.table_id JOIN ducklake_schema s "
    "ON s.schema_id = t.schema_id WHERE s.schema_name = 'ticks' AND f.end_snapshot IS NULL AND NOT "
    "EXISTS (SELECT 1 FROM tick_archives a WHERE a.data_file_id = f.data_file_id)"};

Status CheckArchives(catalog::Catalog& catalog, std::vector<TickProblem>& problems) {
  return catalog.Read([&](catalog::Database& database) -> Status {
    for (const char* sql : kBadRows) {
      LAMINA_ASSIGN(auto read, database.Prepare(sql));
      for (;;) {
        LAMINA_ASSIGN(const bool row, read.Step());
        if (!row) break;
        problems.push_back({"tick-archive", std::string(read.Text(0)), std::string(read.Text(1))});
      }
    }
    return Ok();
  });
}

Status CheckLogs(catalog::Catalog& catalog, const CancelToken* cancel,
                 std::vector<TickProblem>& problems) {
  tick_log::LogReader reader(catalog.env(), catalog.root(), catalog.store_id());
  auto logs = reader.Logs();
  if (!logs.ok()) {
    if (logs.error().code() != ErrorCode::kCorruption) return std::move(logs).error();
    problems.push_back({"tick-log", "log", std::string(logs.error().message())});
    return Ok();
  }
  for (const tick_log::WriterLog& log : *logs) {
    for (const tick_log::SegmentInfo& segment : log.segments) {
      if (cancel != nullptr && cancel->cancelled()) return Cancelled("interrupted");
      const auto ticks = reader.Read(log.writer, segment.first_seq, segment.end_seq);
      if (ticks.ok() || ticks.error().code() == ErrorCode::kNotFound) continue;
      if (ticks.error().code() != ErrorCode::kCorruption) return ticks.error().Clone();
      problems.push_back({"tick-log", segment.path, std::string(ticks.error().message())});
    }
  }
  return Ok();
}

}  // namespace

Result<std::vector<TickProblem>> VerifyTicks(catalog::Catalog& catalog, bool deep,
                                             const CancelToken* cancel) {
  std::vector<TickProblem> problems;
  LAMINA_TRY(CheckArchives(catalog, problems));
  LAMINA_TRY(CheckLogs(catalog, cancel, problems));
  if (!deep) return problems;
  auto statistics = CheckStatistics(catalog, cancel);
  if (!statistics.ok()) {
    // A damaged file is named by the check of files.
    if (statistics.error().code() != ErrorCode::kCorruption) return std::move(statistics).error();
    problems.push_back({"tick-archive", "ticks", std::string(statistics.error().message())});
    return problems;
  }
  for (const StatisticsProblem& problem : *statistics)
    problems.push_back({"tick-statistics",
                        "contract " + std::to_string(problem.key.contract_id) + " " +
                            std::string(tick_log::TickTypeName(problem.key.type)) + " " +
                            market::FormatDay(market::Day{problem.key.day}),
                        problem.what});
  return problems;
}

}  // namespace lamina::ticks
