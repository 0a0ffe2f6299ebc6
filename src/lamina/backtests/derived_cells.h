#pragma once

/// \file lamina/backtests/derived_cells.h
/// Cells of orders and trades that follow from other cells of their run: left out of the lake,
/// filled in on reading. A recipe copies, or does + - x on doubles one operation at a time,
/// compiled without contraction; its bit in column `derived` is part of the lake format and never
/// changes its meaning (docs/format/lake_backtests.md). Pure functions; thread-safe.

#include <memory>
#include <string>

#include "lamina/base/result.h"

namespace arrow {
class Table;
}

namespace lamina::backtests {

using TablePtr = std::shared_ptr<arrow::Table>;

/// All take tables with `run_id`, sorted by (run_id, seq), of any number of runs. Trades need the
/// orders of their runs, whole.

/// Rows of OrdersTable() as rows of stored_orders. What would not come back bit for bit is kept.
Result<TablePtr> StripOrders(const TablePtr& orders);
Result<TablePtr> StripTrades(const TablePtr& trades, const TablePtr& orders);

/// Rows of stored_orders as rows of OrdersTable(). RETURNS kCorruption when orders are missing.
Result<TablePtr> FillOrders(const TablePtr& stored);
Result<TablePtr> FillTrades(const TablePtr& stored, const TablePtr& orders);

/// The SELECTs of views `orders` and `trades`: the same in SQL.
std::string OrdersViewSql();
std::string TradesViewSql();

}  // namespace lamina::backtests
