#pragma once

/// \file lamina/backtests/validate_stored.h
/// Validated metrics of backtests that are stored already: those that an earlier program imported.
/// Free function; the BacktestStore may be used by others meanwhile.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "lamina/backtests/backtest_store.h"
#include "lamina/base/parallel.h"

namespace lamina::backtests {

struct ValidateOptions {
  std::vector<std::string> handles;  ///< empty: every backtest
  bool again = false;                ///< also those that have metrics of the current definitions
  std::size_t workers = 0;           ///< 0: all cores
  const CancelToken* cancel = nullptr;
  /// Called from worker threads, one at a time.
  std::function<void(std::int64_t done, std::int64_t total)> progress;
};

struct ValidateReport {
  std::int64_t validated = 0;   ///< computed now
  std::int64_t up_to_date = 0;  ///< left alone
  /// Over the backtests that were asked for, after this call.
  std::int64_t with_disagreements = 0, disagreements = 0;
};

/// Documents are put together again, computed with in parallel and written in commits of a few
/// hundred. RETURNS kNotFound naming near handles, kCorruption, kCancelled (what was committed
/// stays; run it again to go on). A backtest that is deleted or replaced meanwhile is left out.
Result<ValidateReport> ValidateStored(BacktestStore& store, const ValidateOptions& options = {});

}  // namespace lamina::backtests
