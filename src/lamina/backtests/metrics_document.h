#pragma once

/// \file lamina/backtests/metrics_document.h
/// Computed metrics as a bundle of version 2 writes them: the metrics map of a run, the summary,
/// the embedded series. Keys in the order of release 8.10. Pure functions; thread-safe.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lamina/backtests/run_metrics.h"
#include "lamina/backtests/summary_metrics.h"
#include "lamina/base/result.h"

namespace lamina::backtests {

/// What is known of a run beside its snapshots. A metric that needs more is nil.
struct KnownParts {
  bool risk_free_rate = true;
  bool trades = true;  ///< their times
  bool gains = true;   ///< net gains of the closed trades
  bool marks = true;   ///< last prices of the open ones
  bool costs = true;   ///< amounts and opening prices
};

/// Whether `metric`, of a run or of a summary, has all that it needs.
bool IsKnown(std::string_view metric, const KnownParts& known);

/// What the metrics map says of its run.
struct MetricsFrame {
  Micros start, end;
  std::optional<std::string> window;
  std::string trading_symbol;
  double initial_unallocated = 0;
  KnownParts known;
  std::string best_trade, worst_trade;  ///< MessagePack; empty: nil
};

/// The map `backtest_metrics` (77 keys). Series are references to the blobs of run `index`.
std::string MetricsMap(const MetricsFrame& frame, std::size_t index, const RunMetrics& metrics);

/// The summary of a document, nil where something is not known.
std::string SummaryMap(SummaryMetrics summary, const KnownParts& known);

/// The map `blobs` of all series of all runs, by run and then in the order of kSeriesNames.
Result<std::string> BlobsMap(const std::vector<RunMetrics>& runs);

}  // namespace lamina::backtests
