#include "lamina/ticks/tick_store.h"

#include <algorithm>
#include <map>
#include <utility>

#include "lamina/market/day.h"
#include "lamina/ticks/coverage_evidence.h"

namespace lamina::ticks {

struct TickStore::State {
  State(catalog::Catalog& own_catalog, TickConfig own_config)
      : catalog(own_catalog),
        config(std::move(own_config)),
        logs(own_catalog.env(), own_catalog.root(), own_catalog.store_id()) {}

  catalog::Catalog& catalog;
  const TickConfig config;
  tick_log::LogReader logs;
};

TickStore::TickStore(catalog::Catalog& catalog, TickConfig config)
    : state_(std::make_unique<State>(catalog, std::move(config))) {}
TickStore::~TickStore() = default;

const TickConfig& TickStore::config() const { return state_->config; }
catalog::Catalog& TickStore::catalog() { return state_->catalog; }
tick_log::LogReader& TickStore::logs() { return state_->logs; }

RecorderOptions TickStore::DefaultRecorder() const {
  return {.log = LogOptionsOf(state_->config), .archive_in_background = true};
}

Result<std::unique_ptr<TickRecorder>> TickStore::OpenRecorder(const RecorderOptions& options) {
  LAMINA_TRY(CheckTickConfig(state_->config));
  return TickRecorder::Open(state_->catalog, state_->config, options);
}

Result<ArchiveReport> TickStore::ArchiveAll(bool open_segments, const CancelToken* cancel) {
  LAMINA_TRY(CheckTickConfig(state_->config));
  ArchiveOptions options;
  options.zstd_level = ZstdLevelOf(state_->config);
  options.open_segments = open_segments;
  options.cancel = cancel;
  return ArchiveLogs(state_->catalog, state_->logs, options);
}

Result<FoldReport> TickStore::FoldDays(FoldOptions options) {
  LAMINA_TRY(CheckTickConfig(state_->config));
  options.zstd_level = ZstdLevelOf(state_->config);
  return FoldTickDays(state_->catalog, options);
}

Result<std::vector<CoverageSpan>> TickStore::Coverage(std::int64_t contract_id, TickType type,
                                                      std::int64_t begin_ns, std::int64_t end_ns,
                                                      const market::Calendar* calendar) {
  LAMINA_ASSIGN(CoverageEvidence evidence,
                GatherEvidence(state_->catalog, state_->logs, contract_id, type, begin_ns, end_ns));
  evidence.calendar = calendar;
  return Cover(evidence, begin_ns, end_ns);
}

Result<std::int64_t> TickStore::Event(const TickEvent& event) {
  return StoreEvent(state_->catalog, event);
}

Result<std::vector<TickEvent>> TickStore::Events(std::int64_t begin_ns, std::int64_t end_ns) {
  std::vector<TickEvent> events;
  LAMINA_TRY(state_->catalog.Read([&](catalog::Database& database) -> Status {
    LAMINA_ASSIGN(events, ReadEvents(database, begin_ns, end_ns));
    return Ok();
  }));
  return events;
}

Result<std::vector<StatisticsRow>> TickStore::Statistics(const StatisticsFilter& filter) {
  std::string where = "1";
  if (filter.contract_id) where += " AND contract_id = " + std::to_string(*filter.contract_id);
  if (filter.type)
    where += " AND tick_type = '" + std::string(tick_log::TickTypeName(*filter.type)) + "'";
  const auto date = [](std::int32_t day) { return market::FormatDay(market::Day{day}); };
  if (filter.first_day) where += " AND date >= '" + date(*filter.first_day) + "'";
  if (filter.last_day) where += " AND date <= '" + date(*filter.last_day) + "'";
  std::vector<StatisticsRow> rows;
  LAMINA_TRY(state_->catalog.Read([&](catalog::Database& database) -> Status {
    LAMINA_ASSIGN(rows, ReadStatistics(database, where));
    return Ok();
  }));
  return rows;
}

Result<VoidReport> TickStore::Void(const VoidRequest& request) {
  // A tick that is stored by now is meant, also when it is still in a log.
  if (!request.dry_run) LAMINA_TRY(ArchiveAll(true));
  return VoidTicks(state_->catalog, request);
}

Result<std::vector<VoidRow>> TickStore::Voids() { return ReadVoids(state_->catalog); }

Result<VoidReport> TickStore::Unvoid(std::int64_t void_id, const std::string& reason) {
  return UndoVoid(state_->catalog, void_id, reason);
}

Result<StorageReport> TickStore::Storage() { return ReadStorage(state_->catalog, state_->logs); }

Result<RetentionReport> TickStore::ApplyRetention(bool dry_run) {
  return ApplyTickRetention(state_->catalog, state_->logs, state_->config, dry_run);
}

}  // namespace lamina::ticks
