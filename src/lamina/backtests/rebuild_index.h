#pragma once

/// \file lamina/backtests/rebuild_index.h
/// The rank table made anew from the stored documents. Thread-safe.

#include <cstdint>

#include "lamina/backtests/backtest_store.h"
#include "lamina/base/parallel.h"
#include "lamina/base/result.h"

namespace lamina::backtests {

/// Replace the rows of every live backtest in `backtest_index` by what an import of its document
/// gives; tags and notes stay as far as a row holds them. Committed in batches: it can be
/// interrupted and run again. RETURNS how many backtests were done; kCorruption naming the backtest
/// whose document cannot be put together.
Result<std::int64_t> RebuildIndex(BacktestStore& store, const CancelToken* cancel = nullptr);

}  // namespace lamina::backtests
