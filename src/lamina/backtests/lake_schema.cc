#include "lamina/backtests/lake_schema.h"

#include <utility>

#include "lamina/backtests/record_schema.h"

namespace lamina::backtests {

namespace {

using table::LakeType;

/// Column ids by position; a list takes a second one for its element.
TableDefinition Define(std::string name, std::vector<std::pair<std::string, LakeType>> columns,
                       std::vector<std::string> sorted_by) {
  TableDefinition definition;
  definition.name = std::move(name);
  definition.sorted_by = std::move(sorted_by);
  std::int64_t id = 1;
  for (auto& [column, type] : columns) {
    const bool required = column == "run_id" || column == "seq" || column == "metric";
    definition.columns.push_back({std::move(column), type, !required, id});
    id += type == LakeType::kInt32List ? 2 : 1;
  }
  return definition;
}

TableDefinition DefineRecords(RecordTable table) {
  std::vector<std::pair<std::string, LakeType>> columns = {{"run_id", LakeType::kUuid}};
  for (const ColumnRule& rule : ColumnRules(table)) columns.emplace_back(rule.column, rule.type);
  return Define(std::string(RecordTableName(table)), std::move(columns), {"run_id", "seq"});
}

TableDefinition DefineRuns() {
  std::vector<std::pair<std::string, LakeType>> columns = {
      {"run_id", LakeType::kUuid},
      {"content_hash", LakeType::kVarchar},
      {"algorithm_id", LakeType::kVarchar},
      {"tag", LakeType::kVarchar},
      {"engine", LakeType::kVarchar},
      {"study", LakeType::kVarchar},
      {"window_name", LakeType::kVarchar},
      {"start_ts", LakeType::kTimestampTz},
      {"end_ts", LakeType::kTimestampTz},
      {"trading_symbol", LakeType::kVarchar},
      {"initial_unallocated", LakeType::kDouble},
      {"parameters", LakeType::kVarchar},
      {"snapshot_count", LakeType::kInt64},
      {"trade_count", LakeType::kInt64},
      {"order_count", LakeType::kInt64},
      {"position_count", LakeType::kInt64},
      {"derived_series_mask", LakeType::kInt32},
      {"created_at", LakeType::kTimestampTz},
  };
  for (const std::string& metric : RunMetricNames()) {
    columns.emplace_back(metric, LakeType::kDouble);
  }
  return Define("runs", std::move(columns), {"run_id"});
}

}  // namespace

const std::vector<std::string>& RunMetricNames() {
  static const std::vector<std::string> kNames = {
      "final_value",
      "total_net_gain",
      "total_net_gain_percentage",
      "total_growth",
      "total_growth_percentage",
      "total_loss",
      "total_loss_percentage",
      "cumulative_return",
      "cagr",
      "sharpe_ratio",
      "sortino_ratio",
      "calmar_ratio",
      "omega_ratio",
      "profit_factor",
      "annual_volatility",
      "ulcer_index",
      "max_drawdown",
      "max_drawdown_absolute",
      "max_daily_drawdown",
      "max_drawdown_duration",
      "twr_max_drawdown",
      "twr_max_drawdown_duration",
      "trades_per_year",
      "trades_per_week",
      "trades_per_month",
      "trade_per_day",
      "exposure_ratio",
      "cumulative_exposure",
      "average_trade_gain",
      "average_trade_gain_percentage",
      "average_trade_loss",
      "average_trade_loss_percentage",
      "average_trade_return",
      "average_trade_return_percentage",
      "average_mae",
      "average_mae_percentage",
      "average_mfe",
      "average_mfe_percentage",
      "max_mae",
      "max_mfe",
      "mfe_mae_ratio",
      "median_trade_return",
      "median_trade_return_percentage",
      "number_of_positive_trades",
      "percentage_positive_trades",
      "number_of_negative_trades",
      "percentage_negative_trades",
      "average_trade_duration",
      "average_win_duration",
      "average_loss_duration",
      "average_trade_size",
      "number_of_trades",
      "number_of_trades_closed",
      "number_of_trades_opened",
      "number_of_long_trades",
      "number_of_long_trades_closed",
      "number_of_winning_long_trades",
      "number_of_losing_long_trades",
      "long_win_rate",
      "number_of_short_trades",
      "number_of_short_trades_closed",
      "number_of_winning_short_trades",
      "number_of_losing_short_trades",
      "short_win_rate",
      "win_rate",
      "current_win_rate",
      "win_loss_ratio",
      "current_win_loss_ratio",
      "percentage_winning_months",
      "percentage_winning_years",
      "average_monthly_return",
      "average_monthly_return_losing_months",
      "average_monthly_return_winning_months",
      "best_month",
      "best_year",
      "worst_month",
      "worst_year",
      "var_95",
      "cvar_95",
      "max_consecutive_wins",
      "max_consecutive_losses",
  };
  return kNames;
}

const TableDefinition& RunsTable() {
  static const TableDefinition kTable = DefineRuns();
  return kTable;
}

const TableDefinition& SnapshotsTable() {
  static const TableDefinition kTable = DefineRecords(RecordTable::kSnapshots);
  return kTable;
}

const TableDefinition& TradesTable() {
  static const TableDefinition kTable = DefineRecords(RecordTable::kTrades);
  return kTable;
}

const TableDefinition& OrdersTable() {
  static const TableDefinition kTable = DefineRecords(RecordTable::kOrders);
  return kTable;
}

const TableDefinition& PositionsTable() {
  static const TableDefinition kTable = DefineRecords(RecordTable::kPositions);
  return kTable;
}

const TableDefinition& SeriesTable() {
  static const TableDefinition kTable = Define("metric_series",
                                               {{"run_id", LakeType::kUuid},
                                                {"metric", LakeType::kVarchar},
                                                {"seq", LakeType::kInt32},
                                                {"ts", LakeType::kTimestampTz},
                                                {"value", LakeType::kDouble}},
                                               {"run_id", "metric", "seq"});
  return kTable;
}

const std::vector<const TableDefinition*>& AllTables() {
  static const std::vector<const TableDefinition*> kTables = {
      &RunsTable(),   &SnapshotsTable(), &TradesTable(),
      &OrdersTable(), &PositionsTable(), &SeriesTable()};
  return kTables;
}

}  // namespace lamina::backtests
