#include "lamina/ticks/tick_tail.h"

#include <algorithm>
#include <map>
#include <utility>

#include <arrow/table.h>

#include "lamina/ticks/tick_tables.h"

namespace lamina::ticks {
namespace {

using ArrowTable = std::shared_ptr<arrow::Table>;

/// Ticks of one writer that one Poll goes through.
constexpr std::int64_t kSeqsMax = 500'000;
constexpr TimeSpan kAllTime{0, std::int64_t{1} << 62};

}  // namespace

Result<std::vector<ArrowTable>> TickTail::FromArchive(std::int64_t writer, std::int64_t from,
                                                      std::int64_t end) {
  TickSelection selection = selection_;
  selection.seqs = SeqSpan{writer, from, end};
  ArchivePlan plan;
  catalog::Catalog& catalog = source_->catalog();
  LAMINA_TRY(catalog.Read([&](catalog::Database& database) -> Status {
    LAMINA_ASSIGN(const std::int64_t latest, catalog::LakeReader(database).LatestSnapshot());
    LAMINA_ASSIGN(plan, PlanArchive(database, latest, selection, kAllTime));
    return Ok();
  }));
  ScanCounts counts;
  return LoadArchive(catalog, plan, selection, kAllTime, *result_, source_->workers(), counts);
}

Result<ArrowTable> TickTail::TryPoll(LogCursor& seen) {
  LAMINA_ASSIGN(const std::vector<tick_log::WriterLog> logs, source_->logs().Logs());
  std::map<std::int64_t, const tick_log::WriterLog*> by_writer;
  for (const tick_log::WriterLog& log : logs) by_writer[log.writer] = &log;
  // After the logs were looked at: what they had lost by then is archived by now.
  std::map<std::int64_t, std::int64_t> archived;
  LAMINA_TRY(source_->catalog().Read([&](catalog::Database& database) -> Status {
    LAMINA_ASSIGN(const std::vector<Watermark> watermarks, ReadWatermarks(database));
    for (const Watermark& one : watermarks) {
      archived[one.writer] = one.end_seq;
      by_writer.try_emplace(one.writer, nullptr);
    }
    return Ok();
  }));
  std::vector<ArrowTable> runs;
  const tick_log::TickFilter filter{.contracts = selection_.contracts, .types = selection_.types};
  for (const auto& [writer, log] : by_writer) {
    const std::int64_t from = seen.contains(writer) ? seen[writer] : 0;
    const bool in_log = log != nullptr && !log->segments.empty();
    const std::int64_t log_begin = in_log ? log->segments.front().first_seq : archived[writer];
    const std::int64_t log_end = in_log ? log->durable_end : log_begin;
    const std::int64_t end = std::min(std::max(log_end, log_begin), from + kSeqsMax);
    if (from >= end) {
      seen.try_emplace(writer, from);
      continue;
    }
    if (from < log_begin) {
      LAMINA_ASSIGN(auto some, FromArchive(writer, from, std::min(end, log_begin)));
      std::move(some.begin(), some.end(), std::back_inserter(runs));
    }
    if (log_begin < end) {
      LAMINA_ASSIGN(TickBatches ticks,
                    source_->logs().Read(writer, std::max(from, log_begin), end, filter));
      for (TickBatch& batch : ticks) {
        if (batch.size() == 0) continue;
        const std::vector<std::string> columns = RunColumns(batch.kind, *result_);
        LAMINA_ASSIGN(runs.emplace_back(), RunOfBatch(std::move(batch), columns));
      }
    }
    seen[writer] = end;
  }
  return MergeRuns(std::move(runs), result_);
}

Result<ArrowTable> TickTail::Poll() {
  for (int attempt = 0;; ++attempt) {
    LogCursor seen = seen_;
    auto rows = TryPoll(seen);
    if (rows.ok()) {
      seen_ = std::move(seen);
      return rows;
    }
    if (!ReadAgain(rows.error(), attempt)) return rows;
  }
}

}  // namespace lamina::ticks
