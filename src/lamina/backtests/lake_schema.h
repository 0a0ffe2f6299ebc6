#pragma once

/// \file lamina/backtests/lake_schema.h
/// The lake tables of schema `backtests`. Constant data; thread-safe.

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "lamina/catalog/lake.h"

namespace lamina::backtests {

inline constexpr std::string_view kSchemaName = "backtests";

/// The eight series of a run, in the order of bundle blobs; the value of `metric` in metric_series.
inline constexpr std::array<std::string_view, 8> kSeriesNames = {
    "equity_curve",    "drawdown_series", "cumulative_return_series", "rolling_sharpe_ratio",
    "monthly_returns", "yearly_returns",  "twr_equity_curve",         "twr_drawdown_series"};

/// Scalar metrics of a run that are columns of `backtests.runs` (float64), named as in bundles.
const std::vector<std::string>& RunMetricNames();

/// Columns of one table, ids given by position from 1; `run_id` first.
struct TableDefinition {
  std::string name;
  std::vector<catalog::LakeColumn> columns;
  std::vector<std::string> sorted_by;
};
const TableDefinition& RunsTable();
const TableDefinition& SnapshotsTable();  ///< portfolio_snapshots
const TableDefinition& TradesTable();
const TableDefinition& OrdersTable();
const TableDefinition& PositionsTable();
const TableDefinition& SeriesTable();  ///< metric_series
const std::vector<const TableDefinition*>& AllTables();

/// How the rows of a table lie in the lake: orders and trades as `stored_orders` and
/// `stored_trades`, whose last column tells which NULL cells follow from others (derived_cells.h);
/// `orders` and `trades` are views then. The other tables as they are.
inline constexpr std::string_view kDerivedColumn = "derived";
const TableDefinition& StoredDefinition(const TableDefinition& table);
/// The lake's table with the rows of `table`. Stores made before catalog version 4 hold all cells.
struct StoredTable {
  catalog::LakeTable table;
  bool has_derived_cells = false;
};
Result<StoredTable> FindStoredTable(catalog::LakeReader& reader, const TableDefinition& table,
                                    std::int64_t snapshot);

/// The SELECT of view `all_metric_series`: stored rows and, by the mask in `runs`, derived ones.
std::string AllMetricSeriesSql();

}  // namespace lamina::backtests
