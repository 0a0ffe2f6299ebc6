#pragma once

/// \file lamina/backtests/query_guard.h
/// The room a user's query has in SQLite: it reads the rank table, calls a handful of functions,
/// and takes a bounded number of steps. As thread-compatible as its Database.

#include <cstdint>

#include "lamina/base/result.h"
#include "lamina/catalog/database.h"

namespace lamina::backtests {

struct QueryLimits {
  /// Instructions of SQLite's machine; a plain scan takes about 30 a row.
  std::int64_t max_steps = 2'000'000'000;
};

/// While it lives, nothing but SELECT on `backtest_index` can be compiled on its
/// Database, and statements stop after the limit. One at a time per Database.
class QueryGuard {
 public:
  QueryGuard(catalog::Database& database, const QueryLimits& limits);
  ~QueryGuard();
  QueryGuard(const QueryGuard&) = delete;
  QueryGuard& operator=(const QueryGuard&) = delete;

  /// Make the functions of filter.h known to the Database.
  Status AddFunctions();

  /// An error of a statement that ran under the guard: kResourceExhausted when the guard stopped
  /// it.
  Error Explain(Error error) const;

 private:
  static int OnProgress(void* self);
  static constexpr int kStepsPerCall = 10000;

  catalog::Database& database_;
  std::int64_t steps_left_;
  bool stopped_ = false;
};

}  // namespace lamina::backtests
