#pragma once

/// \file lamina/metrics/trade_metrics.h
/// What the closed trades of one run say. Pure functions; thread-safe.
///
/// A closed trade wins when its net gain is above 0; a gain of zero counts as a loss, as the bundle
/// format has it. Open trades are not looked at.
///
/// | metric | definition |
/// |---|---|
/// | number_of_trades_closed | closed trades |
/// | win_rate | winning / closed, a fraction |
/// | profit_factor | sum of gains above 0 / |sum of gains below 0| |
/// | average_trade_duration, average_win_duration, average_loss_duration | mean of closing -
/// opening time in hours, of all closed, winning, losing trades | | max_consecutive_wins,
/// max_consecutive_losses | longest row by closing time; equal times in the order given |
///
/// No value, and a reason: no closed trade (counts and rows are 0 then); a net gain that is
/// missing, NaN or infinite (all but the count); times that are missing or run backwards (durations
/// and, when a closing time is missing, rows); no loss (profit factor, loss duration); no win (win
/// duration).

#include <optional>
#include <vector>

#include "lamina/base/time.h"
#include "lamina/metrics/metric.h"

namespace lamina::metrics {

struct ClosedTrade {
  std::optional<Micros> opened, closed;
  double net_gain = 0;  ///< realised, after fees; NaN where there is none
};

struct TradeSums {
  double gross_profit = 0, gross_loss = 0;  ///< both >= 0
  bool known = false;                       ///< every gain is a number
};

/// Fills the metrics from kTradesClosed on of `values`.
TradeSums ComputeTradeMetrics(const std::vector<ClosedTrade>& trades, MetricValues& values);

}  // namespace lamina::metrics
