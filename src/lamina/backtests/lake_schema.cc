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
    const bool required =
        column == "run_id" || column == "seq" || column == "metric" || column == kDerivedColumn;
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
  static const std::vector<const TableDefinition*> kTables = {&RunsTable(),      &SnapshotsTable(),
                                                              &TradesTable(),    &OrdersTable(),
                                                              &PositionsTable(), &SeriesTable()};
  return kTables;
}

namespace {

TableDefinition Stored(const TableDefinition& table) {
  std::vector<std::pair<std::string, LakeType>> columns;
  for (const auto& column : table.columns) columns.emplace_back(column.name, column.type);
  columns.emplace_back(kDerivedColumn, LakeType::kInt32);
  return Define("stored_" + table.name, std::move(columns), table.sorted_by);
}

}  // namespace

const TableDefinition& StoredDefinition(const TableDefinition& table) {
  static const TableDefinition kOrders = Stored(OrdersTable()), kTrades = Stored(TradesTable());
  if (&table == &OrdersTable()) return kOrders;
  if (&table == &TradesTable()) return kTrades;
  return table;
}

Result<StoredTable> FindStoredTable(catalog::LakeReader& reader, const TableDefinition& table,
                                    std::int64_t snapshot) {
  const TableDefinition& stored = StoredDefinition(table);
  auto found = reader.FindTable(kSchemaName, stored.name, snapshot);
  if (found.ok()) return StoredTable{*std::move(found), &stored != &table};
  if (&stored == &table || found.error().code() != ErrorCode::kNotFound) {
    return std::move(found).error();
  }
  LAMINA_ASSIGN(auto plain, reader.FindTable(kSchemaName, table.name, snapshot));
  return StoredTable{std::move(plain), false};
}

std::string AllMetricSeriesSql() {
  // `pos` is the order that the run's recipes take: by time when bit 8 says so, else as stored.
  return R"sql(
WITH snapshots AS (
  SELECT s.run_id, s.ts, s.total_value AS v, s.cash_flow AS c, r.derived_series_mask AS mask,
         CASE WHEN r.derived_series_mask & 256 <> 0
              THEN row_number() OVER (PARTITION BY s.run_id ORDER BY s.ts, s.seq) - 1
              ELSE s.seq END AS pos
  FROM backtests.portfolio_snapshots s JOIN backtests.runs r ON r.run_id = s.run_id
  WHERE r.derived_series_mask <> 0
), paths AS (
  SELECT run_id, mask, pos, ts, v, max(v) OVER run AS peak, first_value(v) OVER run AS first_v,
         coalesce((v - c) / nullif(lag(v) OVER (PARTITION BY run_id ORDER BY pos), 0), 1.0)
           AS factor
  FROM snapshots
  WINDOW run AS (PARTITION BY run_id ORDER BY pos ROWS UNBOUNDED PRECEDING)
), weighted AS (
  SELECT run_id, mask, pos, ts,
         product(factor) OVER (PARTITION BY run_id ORDER BY pos ROWS UNBOUNDED PRECEDING) AS w
  FROM paths WHERE mask & 192 <> 0
), weighted_peaks AS (
  SELECT *, max(w) OVER (PARTITION BY run_id ORDER BY pos ROWS UNBOUNDED PRECEDING) AS peak
  FROM weighted
), months AS (
  SELECT run_id, date_trunc('month', make_timestamp(epoch_us(ts))) AS month,
         last(v ORDER BY ts, pos DESC) AS v
  FROM snapshots WHERE mask & 16 <> 0 GROUP BY run_id, month
), month_pairs AS (
  SELECT *, lag(month) OVER w AS month_before, lag(v) OVER w AS v_before
  FROM months WINDOW w AS (PARTITION BY run_id ORDER BY month)
), month_returns AS (
  SELECT run_id, month, v, v_before,
         unnest(generate_series(month_before + INTERVAL 1 MONTH, month, INTERVAL 1 MONTH)) AS each
  FROM month_pairs WHERE month_before IS NOT NULL
), years AS (
  SELECT run_id, mask, date_trunc('year', make_timestamp(epoch_us(ts))) AS year, sum(c) AS c,
         first(v ORDER BY ts, pos) AS first_v, last(v ORDER BY ts, pos DESC) AS v
  FROM snapshots WHERE mask & 32 <> 0 GROUP BY run_id, mask, year
), year_pairs AS (
  SELECT *, lag(v) OVER (PARTITION BY run_id ORDER BY year) AS v_before FROM years
), year_returns AS (
  SELECT run_id, year,
         CASE WHEN mask & 8192 <> 0 THEN (v - c) / coalesce(v_before, first_v) - 1
              ELSE v / v_before - 1 END AS value
  FROM year_pairs WHERE mask & 8192 <> 0 OR v_before IS NOT NULL
)
SELECT run_id, metric, seq, ts, value FROM backtests.metric_series
UNION ALL SELECT run_id, 'equity_curve', pos, ts, v FROM paths WHERE mask & 1 <> 0
UNION ALL SELECT run_id, 'drawdown_series', pos, ts,
                 CASE WHEN peak > 0 THEN (v - peak) / peak ELSE 0.0 END
          FROM paths WHERE mask & 2 <> 0
UNION ALL SELECT run_id, 'cumulative_return_series', pos, ts, v / first_v - 1
          FROM paths WHERE mask & 4 <> 0
UNION ALL SELECT run_id, 'monthly_returns',
                 row_number() OVER (PARTITION BY run_id ORDER BY each) - 1,
                 to_timestamp(epoch(each + INTERVAL 1 MONTH - INTERVAL 1 DAY)),
                 CASE WHEN each = month THEN v / v_before - 1 ELSE 0.0 END
          FROM month_returns
UNION ALL SELECT run_id, 'yearly_returns',
                 row_number() OVER (PARTITION BY run_id ORDER BY year) - 1,
                 to_timestamp(epoch(year)), value
          FROM year_returns
UNION ALL SELECT run_id, 'twr_equity_curve', pos, ts, w FROM weighted_peaks WHERE mask & 64 <> 0
UNION ALL SELECT run_id, 'twr_drawdown_series', pos, ts,
                 CASE WHEN peak > 0 THEN (w - peak) / peak ELSE 0.0 END
          FROM weighted_peaks WHERE mask & 128 <> 0
)sql";
}

}  // namespace lamina::backtests
