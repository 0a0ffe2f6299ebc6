#pragma once

/// \file lamina/metrics/pooling.h
/// The metrics of several windows (runs) as those of one backtest. Pure functions; thread-safe.
///
/// | metrics | over the windows that have one |
/// |---|---|
/// | total_net_gain | sum; absent when a window lacks it |
/// | total_net_gain_percentage | total_net_gain / sum of first values; absent likewise |
/// | number_of_daily_returns, number_of_trades_closed | sum |
/// | cagr, annual_volatility, sharpe_ratio, sortino_ratio, calmar_ratio, var_95, cvar_95, skewness,
/// kurtosis | mean weighted by the whole days of the window (those of no whole day are left out;
/// when no window has a whole day, all weigh the same) |
/// | max_drawdown, max_consecutive_wins, max_consecutive_losses | largest |
/// | win_rate and the durations | mean weighted by closed trades |
/// | profit_factor | sum of gross profits / sum of gross losses; absent when a gain is not known |
///
/// Of one window they are its own. How many windows went into each is told.

#include <array>
#include <cstdint>
#include <vector>

#include "lamina/metrics/metric.h"
#include "lamina/metrics/trade_metrics.h"

namespace lamina::metrics {

struct WindowMetrics {
  MetricValues values;
  TradeSums trade_sums;
  double first_value = 0;  ///< of the earliest snapshot; 0 when there is none
  std::int64_t days = 0;   ///< whole days of the window
};

struct PooledMetrics {
  MetricValues values;
  std::array<std::uint32_t, kMetricCount> windows_used{};
  std::uint32_t windows = 0;  ///< all that were given
};

PooledMetrics Pool(const std::vector<WindowMetrics>& windows);

}  // namespace lamina::metrics
