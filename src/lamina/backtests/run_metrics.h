#pragma once

/// \file lamina/backtests/run_metrics.h
/// The metrics of one run, computed from its snapshots and trades by the definitions of the bundle
/// format's release 8.10 (docs/format/bundle.md names each). Pure functions; thread-safe.

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "lamina/base/time.h"

namespace lamina::backtests {

struct EquityPoint {
  Micros time;             ///< UTC
  double total_value = 0;  ///< in the trading currency
  double cash_flow = 0;    ///< deposits (+) and withdrawals (-) since the point before
};

struct TradeResult {
  Micros opened;
  std::optional<Micros> closed;  ///< absent: still open at the end of the run
  double amount = 0, open_price = 0, last_price = 0;
  double cost = 0;      ///< amount x open_price
  double net_gain = 0;  ///< realised, after fees
};

struct RunInput {
  std::vector<EquityPoint> equity;  ///< by time; the first two may have the same time
  std::vector<TradeResult> trades;  ///< in the order they were opened
  Micros start, end;                ///< of the window
  double initial_unallocated = 0;
  double risk_free_rate = 0;  ///< per year, a fraction
};

struct SeriesPoint {
  Micros time;
  double value = 0;
};
using Series = std::vector<SeriesPoint>;

/// All percentages are fractions (0.12 = 12 %) unless the name says 0..100. A year has 365 days.
struct RunMetrics {
  double final_value = 0, total_net_gain = 0, total_net_gain_percentage = 0;
  double total_loss = 0, total_loss_percentage = 0, gross_profit = 0, gross_loss = 0;
  double cumulative_return = 0, cagr = 0;
  double sharpe_ratio = 0, sortino_ratio = 0, calmar_ratio = 0;
  double profit_factor = 0, annual_volatility = 0;
  double max_drawdown = 0, max_drawdown_absolute = 0, max_daily_drawdown = 0;
  std::int64_t max_drawdown_duration = 0;  ///< whole days
  double twr_max_drawdown = 0;
  std::int64_t twr_max_drawdown_duration = 0;
  double trades_per_year = 0, trades_per_week = 0, trades_per_month = 0;
  double exposure_ratio = 0, cumulative_exposure = 0;
  double average_trade_gain = 0, average_trade_gain_percentage = 0;
  double average_trade_loss = 0, average_trade_loss_percentage = 0;
  double average_trade_return = 0, average_trade_return_percentage = 0;
  double median_trade_return = 0;
  std::int64_t positive_trades = 0, negative_trades = 0;
  double percentage_positive_trades = 0, percentage_negative_trades = 0;  ///< 0..100
  std::optional<std::size_t> best_trade, worst_trade;                     ///< index into trades
  double average_trade_duration = 0, average_win_duration = 0,
         average_loss_duration = 0;  ///< hours
  double average_trade_size = 0;
  std::int64_t trades = 0, trades_closed = 0, trades_open = 0;
  double win_rate = 0, current_win_rate = 0, win_loss_ratio = 0, current_win_loss_ratio = 0;
  double percentage_winning_months = 0, percentage_winning_years = 0;
  double average_monthly_return = 0, average_monthly_return_losing_months = 0,
         average_monthly_return_winning_months = 0;
  std::optional<SeriesPoint> best_month, worst_month, best_year, worst_year;
  double var_95 = 0, cvar_95 = 0;  ///< of monthly returns
  std::int64_t max_consecutive_wins = 0, max_consecutive_losses = 0;
  std::int64_t days = 0;  ///< whole days of the window

  Series equity_curve, drawdown, cumulative_return_series, rolling_sharpe, monthly_returns,
      yearly_returns, twr_equity_curve, twr_drawdown;
};

RunMetrics ComputeRunMetrics(const RunInput& input);

/// The 55 summary metrics over the windows of one backtest, in the bundle's order; absent = nil.
/// Names as in bundles; integers are whole doubles. `windows` and `inputs` go together.
using SummaryMetrics = std::vector<std::pair<std::string_view, std::optional<double>>>;
enum class SummaryRules : std::uint8_t {
  kRelease,  ///< as release 8.10: max_drawdown of the mildest window, NaN of one window spreads
  kSound,    ///< max_drawdown of the deepest window; means over the windows that have a number
};
SummaryMetrics SummarizeRuns(const std::vector<RunInput>& inputs,
                             const std::vector<RunMetrics>& windows,
                             SummaryRules rules = SummaryRules::kRelease);

}  // namespace lamina::backtests
