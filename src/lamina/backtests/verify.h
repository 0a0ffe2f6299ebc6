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
  std::string kind;  ///< "row-count", "missing-chunk", "document", "index"
  std::string path;  ///< the handle or table
  std::string detail;
};

struct BacktestVerification {
  std::int64_t checked_backtests = 0, checked_runs = 0, checked_documents = 0;
  std::vector<BacktestProblem> problems;
};

/// Rows counted per table against the runs, references against what they name. `deep` also puts
/// every document together and compares its hash, on all cores.
Result<BacktestVerification> VerifyBacktests(BacktestStore& store, bool deep,
                                             const CancelToken* cancel = nullptr);

}  // namespace lamina::backtests
