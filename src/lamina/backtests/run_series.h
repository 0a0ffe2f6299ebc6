#pragma once

/// \file lamina/backtests/run_series.h
/// The metric series of one run, stored or made again from its snapshots. Thread-safe.

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lamina/backtests/backtest_store.h"
#include "lamina/base/result.h"
#include "lamina/base/uuid.h"

namespace lamina::backtests {

/// Series `name` of kSeriesNames: columns ts (UTC microseconds) and value, in the bundle's order,
/// the same bits as in the bundle; no rows when the run has no such series. RETURNS
/// kInvalidArgument for an unknown name, naming near ones; kNotFound when the backtest has no such
/// run.
Result<std::shared_ptr<arrow::Table>> ReadRunSeries(BacktestStore& store,
                                                    const BacktestRecord& backtest,
                                                    const Uuid& run_id, std::string_view name);

/// The rows of the run in one table, with at least these columns.
using RunReader = std::function<Result<std::shared_ptr<arrow::Table>>(
    RunTable table, const std::vector<std::string>& columns)>;
/// The same of a run that is in no store; kNotFound with the text `absent` when it has no row.
Result<std::shared_ptr<arrow::Table>> ReadRunSeries(const RunReader& read,
                                                    const std::string& absent,
                                                    std::string_view name);

/// Series `name` of every run of these backtests in one table: run_id, handle and window (texts in
/// dictionaries), ts, value; in the order of `handles`, then of the bundle. The lake is read for
/// many runs at a time. RETURNS kNotFound for a handle, kInvalidArgument for an unknown name.
Result<std::shared_ptr<arrow::Table>> ReadSeriesOfMany(BacktestStore& store,
                                                       const std::vector<std::string>& handles,
                                                       std::string_view name, AsOf snapshot = {});

}  // namespace lamina::backtests
