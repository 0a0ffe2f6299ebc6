#pragma once

/// \file lamina/ticks/tick_store.h
/// TickStore: all that a store does with ticks but querying: recorders, archive, coverage,
/// statistics, voids, retention. Thread-safe.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lamina/base/parallel.h"
#include "lamina/base/result.h"
#include "lamina/catalog/catalog.h"
#include "lamina/tick_log/log_reader.h"
#include "lamina/tick_log/tick_writer.h"
#include "lamina/ticks/archive.h"
#include "lamina/ticks/coverage.h"
#include "lamina/ticks/day_statistics.h"
#include "lamina/ticks/fold_days.h"
#include "lamina/ticks/recorder.h"
#include "lamina/ticks/retention.h"
#include "lamina/ticks/storage_report.h"
#include "lamina/ticks/tick_config.h"
#include "lamina/ticks/tick_tables.h"
#include "lamina/ticks/void_ticks.h"

namespace lamina::ticks {

/// Rows to list; absent: all.
struct StatisticsFilter {
  std::optional<std::int64_t> contract_id = {};
  std::optional<TickType> type = {};
  std::optional<std::int32_t> first_day = {}, last_day = {};  ///< UTC days since 1970, included
};

class TickStore {
 public:
  TickStore(catalog::Catalog& catalog, TickConfig config);
  ~TickStore();

  const TickConfig& config() const;
  catalog::Catalog& catalog();
  tick_log::LogReader& logs();

  RecorderOptions DefaultRecorder() const;
  /// Open a log with a fresh writer number; with `options.log.producer`, the log of that producer
  /// again when no living process has it, so that its repeats are known.
  Result<std::unique_ptr<TickRecorder>> OpenRecorder(const RecorderOptions& options);

  /// Everything sealed, by this call. With `open_segments`, every tick durable by now.
  Result<ArchiveReport> ArchiveAll(bool open_segments = false, const CancelToken* cancel = nullptr);
  /// Fold the files of sealed days.
  Result<FoldReport> FoldDays(FoldOptions options = {});

  /// `calendar` may be null. Sees the log and the archive.
  Result<std::vector<CoverageSpan>> Coverage(std::int64_t contract_id, TickType type,
                                             std::int64_t begin_ns, std::int64_t end_ns,
                                             const market::Calendar* calendar);
  Result<std::int64_t> Event(const TickEvent& event);
  /// Events that touch [begin, end), by time.
  Result<std::vector<TickEvent>> Events(std::int64_t begin_ns, std::int64_t end_ns);

  /// Of archived ticks, by contract, type and day.
  Result<std::vector<StatisticsRow>> Statistics(const StatisticsFilter& filter = {});

  /// Take bad prints out of the archive; ticks still in a log are archived first.
  Result<VoidReport> Void(const VoidRequest& request);
  Result<std::vector<VoidRow>> Voids();
  /// Put back what a void took out. RETURNS kNotFound, also when the snapshot before it has
  /// expired.
  Result<VoidReport> Unvoid(std::int64_t void_id, const std::string& reason);

  /// What logs and archive take.
  Result<StorageReport> Storage();
  /// What the policy says is due; a dry run only tells.
  Result<RetentionReport> ApplyRetention(bool dry_run);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace lamina::ticks
