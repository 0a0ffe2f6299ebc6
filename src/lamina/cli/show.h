#pragma once

/// \file lamina/cli/show.h
/// `lamina show`: one backtest in text or JSON. Reads only.

#include <cstdint>
#include <optional>
#include <string>

#include "lamina/backtests/backtest_store.h"

namespace lamina::cli {

Result<std::string> ShowBacktest(backtests::BacktestStore& store, const std::string& handle,
                                 std::optional<std::int64_t> snapshot, bool json);

}  // namespace lamina::cli
