#pragma once

/// \file lamina/series/rolling_table.h
/// Rolling statistics, running VWAP and volume profile of Arrow tables. Thread-safe.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "lamina/base/result.h"
#include "lamina/series/session_ranges.h"

namespace arrow {
class Table;
}

namespace lamina::series {

struct RollingTableOptions {
  std::string window;                ///< `20tick` (rows) or a span: `500ms`, `5m`, `1d`
  std::vector<std::string> columns;  ///< of numbers
  std::vector<std::string> stats;    ///< names of windows.h
  std::string time;                  ///< empty: the usual ones
  std::vector<std::string> by;       ///< windows hold rows of one key alone
  std::int64_t values_min = 1;       ///< fewer values in a window give NULL
};

/// The table with columns `<column>_<stat>` behind it. RETURNS kInvalidArgument as the parts do.
Result<std::shared_ptr<arrow::Table>> RollingTable(const arrow::Table& table,
                                                   const RollingTableOptions& options);

struct TradeTableOptions {
  std::string time, price, size;  ///< empty: the usual ones
  SessionChoice sessions;         ///< running VWAP begins anew with each trading day
};

/// The table with a column `vwap` behind it. RETURNS kInvalidArgument as RunningVwap.
Result<std::shared_ptr<arrow::Table>> RunningVwapTable(const arrow::Table& table,
                                                       const TradeTableOptions& options);
/// Columns price (lower end of the level), volume, n_ticks; in the order of prices.
Result<std::shared_ptr<arrow::Table>> VolumeProfileTable(const arrow::Table& table, double width,
                                                         const TradeTableOptions& options);

}  // namespace lamina::series
