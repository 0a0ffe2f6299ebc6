#include "lamina/ticks/tick_source.h"

#include <algorithm>
#include <string>
#include <utility>

#include <arrow/table.h>

#include "lamina/tick_log/live_buffer.h"
#include "lamina/ticks/tick_tables.h"

namespace lamina::ticks {
namespace {

using ArrowTable = std::shared_ptr<arrow::Table>;

constexpr std::int64_t kDay = 86'400'000'000'000;

/// The files of partitions (UTC days) that overlap `span`.
ArchivePlan Narrowed(const ArchivePlan& plan, TimeSpan span) {
  ArchivePlan narrow{
      .snapshot = plan.snapshot, .tables = plan.tables, .files = {}, .files_live = plan.files_live};
  const auto day_of = [](std::int64_t ts) { return ts / kDay - (ts % kDay < 0 ? 1 : 0); };
  const std::int64_t first = day_of(span.begin), last = day_of(span.end - 1);
  for (std::size_t kind = 0; kind < plan.files.size(); ++kind) {
    for (const catalog::LakeFile& file : plan.files[kind]) {
      if (!file.partition_values.empty()) {
        const auto day = ParseTime(file.partition_values.front());
        const std::int64_t number = day.ok() ? day_of(day->value * 1000) : first;
        if (number < first || number > last) continue;
      }
      narrow.files[kind].push_back(file);
    }
  }
  return narrow;
}

std::string SeqText(std::int64_t from, std::int64_t end) {
  return std::to_string(from) + " to " + std::to_string(end - 1);
}

/// Leave out rows from seq `end` on: memory may hold what is not durable yet. Rows are in seq
/// order.
void Truncate(TickBatch& ticks, std::int64_t end) {
  const auto rows = static_cast<std::size_t>(
      std::lower_bound(ticks.seq.begin(), ticks.seq.end(), end) - ticks.seq.begin());
  if (rows == ticks.size()) return;
  const auto cut = [&](auto& column) {
    if (column.size() > rows) column.resize(rows);
  };
  cut(ticks.contract_id);
  cut(ticks.type);
  cut(ticks.ts_ns);
  cut(ticks.recv_ns);
  cut(ticks.writer);
  cut(ticks.seq);
  for (auto& values : ticks.values) cut(values);
  cut(ticks.flags);
  cut(ticks.request_id);
  for (auto* texts : {&ticks.exchange, &ticks.conditions, &ticks.source, &ticks.extra}) {
    cut(texts->codes);
  }
}

}  // namespace

TickSource::TickSource(catalog::Catalog& catalog, std::size_t workers)
    : catalog_(&catalog),
      logs_(catalog.env(), catalog.root(), catalog.store_id()),
      workers_(workers) {}

TickSource::~TickSource() = default;

Result<std::optional<ReadPoint>> TickSource::TryTake(const TickSelection& selection, TimeSpan span,
                                                     std::optional<std::int64_t> snapshot) {
  ReadPoint point;
  std::vector<Watermark> archived;
  LAMINA_TRY(catalog_->Read([&](catalog::Database& database) -> Status {
    std::int64_t at = snapshot.value_or(0);
    if (!snapshot) {
      LAMINA_ASSIGN(at, catalog::LakeReader(database).LatestSnapshot());
      LAMINA_ASSIGN(archived, ReadWatermarks(database));
    }
    LAMINA_ASSIGN(point.plan, PlanArchive(database, at, selection, span));
    return Ok();
  }));
  if (snapshot) return std::optional(std::move(point));
  LAMINA_ASSIGN(const std::vector<tick_log::WriterLog> logs, logs_.Logs());
  for (const tick_log::WriterLog& log : logs) {
    std::int64_t watermark = 0;
    for (const Watermark& one : archived) {
      if (one.writer == log.writer) watermark = one.end_seq;
    }
    point.durable[log.writer] = log.durable_end;
    if (log.durable_end <= watermark) continue;
    // What lies below the first segment was archived after the snapshot: then begin anew.
    const bool whole = !log.segments.empty() && (log.segments.front().number <= 1 ||
                                                 log.segments.front().first_seq <= watermark);
    if (!whole) return std::optional<ReadPoint>();
    const std::int64_t from = std::max(watermark, log.segments.front().first_seq);
    if (from < log.durable_end) point.logs.push_back({log.writer, from, log.durable_end});
  }
  return std::optional(std::move(point));
}

Result<ReadPoint> TickSource::Take(const TickSelection& selection, TimeSpan span,
                                   std::optional<std::int64_t> snapshot) {
  for (int attempt = 0; attempt < kReadAttempts; ++attempt) {
    LAMINA_ASSIGN(auto point, TryTake(selection, span, snapshot));
    if (point) return *std::move(point);
  }
  return Corruption("a log below " + catalog_->root() +
                    "/log lacks ticks that are not archived; see `lamina verify`");
}

Result<ArrowTable> TickSource::Load(const ReadPoint& point, const TickSelection& selection,
                                    TimeSpan span, const std::shared_ptr<arrow::Schema>& result,
                                    ScanCounts& counts) {
  ScanCounts read{.slices = 1};
  if (span.empty() || selection.contracts.empty()) return MergeRuns({}, result);
  const ArchivePlan plan = Narrowed(point.plan, span);
  LAMINA_ASSIGN(std::vector<ArrowTable> runs,
                LoadArchive(*catalog_, plan, selection, span, *result, workers_, read));
  for (const ReadPoint::LogSpan& log : point.logs) {
    LAMINA_ASSIGN(std::vector<TickBatch> ticks, ReadLog(log, selection, span));
    for (TickBatch& batch : ticks) {
      if (batch.size() == 0) continue;
      read.log_rows += static_cast<std::int64_t>(batch.size());
      const std::vector<std::string> columns = RunColumns(batch.kind, *result);
      LAMINA_ASSIGN(runs.emplace_back(), RunOfBatch(std::move(batch), columns));
    }
  }
  counts.Add(read);
  return MergeRuns(std::move(runs), result);
}

void TickSource::AddLive(std::shared_ptr<const tick_log::TickWriter> writer) {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::erase_if(live_, [](const auto& one) { return one.second.expired(); });
  live_[writer->writer()] = writer;
}

std::optional<std::vector<TickBatch>> TickSource::ReadLive(const ReadPoint::LogSpan& log,
                                                           const TickSelection& selection,
                                                           TimeSpan span) {
  std::shared_ptr<const tick_log::TickWriter> writer;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = live_.find(log.writer);
    if (found != live_.end()) writer = found->second.lock();
  }
  if (writer == nullptr) return {};
  std::vector<TickBatch> batches;
  for (const std::int64_t contract : selection.contracts) {
    for (const TickType type : selection.types) {
      tick_log::LiveTicks ticks =
          writer->live().Read(contract, type, span.begin, span.end, log.from_seq);
      if (ticks.complete_from > log.from_seq) return {};
      Truncate(ticks.ticks, log.end_seq);
      if (ticks.ticks.size() > 0) batches.push_back(std::move(ticks.ticks));
    }
  }
  return batches;
}

Result<std::vector<TickBatch>> TickSource::ReadLog(const ReadPoint::LogSpan& log,
                                                   const TickSelection& selection, TimeSpan span) {
  if (auto live = ReadLive(log, selection, span)) return *std::move(live);
  const tick_log::TickFilter filter{.contracts = selection.contracts,
                                    .types = selection.types,
                                    .begin_ns = span.begin,
                                    .end_ns = span.end};
  auto ticks = logs_.Read(log.writer, log.from_seq, log.end_seq, filter);
  if (!ticks.ok()) {
    return std::move(ticks).error().With("reading ticks " + SeqText(log.from_seq, log.end_seq) +
                                         " of writer " + std::to_string(log.writer));
  }
  std::vector<TickBatch> batches;
  for (TickBatch& batch : *ticks) {
    if (batch.size() > 0) batches.push_back(std::move(batch));
  }
  return batches;
}

Result<bool> TickSource::NothingInLogs(const ReadPoint& point, const TickSelection& selection,
                                       TimeSpan span) {
  if (span.empty() || selection.contracts.empty()) return true;
  for (const ReadPoint::LogSpan& log : point.logs) {
    LAMINA_ASSIGN(const std::vector<TickBatch> ticks, ReadLog(log, selection, span));
    for (const TickBatch& batch : ticks) {
      if (batch.size() > 0) return false;
    }
  }
  return true;
}

Result<std::int64_t> TickSource::Candidates(const ReadPoint& point, const TickSelection& selection,
                                            TimeSpan span) {
  if (span.empty()) return std::int64_t{0};
  return CountArchive(*catalog_, Narrowed(point.plan, span), selection, span);
}

}  // namespace lamina::ticks
