#pragma once

/// \file lamina/backtests/verify.h
/// Checks of the backtests of a store against each other. Reads only; thread-safe.

#include <cstdint>
#include <string>
#include <vector>

#include "lamina/backtests/backtest_store.h"
#include "lamina/base/parallel.h"

namespace lamina::backtests {

struct BacktestProblem {
  /// "row-count", "missing-chunk", "missing-run", "unused-run", "missing-backtest", "index",
  /// "document"
  std::string kind;
  std::string path;  ///< the handle, table or id
  std::string detail;
  auto operator<=>(const BacktestProblem&) const = default;
};

struct BacktestVerification {
  std::int64_t checked_backtests = 0, checked_runs = 0, checked_documents = 0;
  std::vector<BacktestProblem> problems;  ///< sorted
};

/// Rows counted per table against the runs, references against what they name, the chunks that each
/// skeleton names against the references, the rank table against the backtests. `deep` also counts
/// the rows of every run in every table, puts every document together and compares its hash.
/// Damage is in the report; RETURNS kCancelled. Uses all cores.
Result<BacktestVerification> VerifyBacktests(BacktestStore& store, bool deep,
                                             const CancelToken* cancel = nullptr);

}  // namespace lamina::backtests
