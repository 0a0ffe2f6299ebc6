#pragma once

/// \file lamina/metrics/equity_metrics.h
/// The performance of one run from its portfolio snapshots. Pure functions; thread-safe.
///
/// Definitions (docs/guide/metrics.md has them with examples). Snapshots are taken in the order of
/// time, equal times in the order given; V is their total value. Where snapshots carry deposits or
/// withdrawals F, V is the time-weighted index V[i] = V[i-1] (value[i] - F[i]) / value[i-1], so
/// that
/// money paid in is no gain; the first snapshot's flow is the start and is not taken out.
///
/// | metric | definition | source |
/// |---|---|---|
/// | day | the last snapshot of each UTC day that has one; no day is filled in | |
/// | r | V[d] / V[d-1] - 1 of one such day to the next, n of them | simple returns |
/// | P | 252 when the days span a Saturday or Sunday but have none, else 365 | |
/// | total_net_gain | value[last] - value[first] less the flows after the first | |
/// | total_net_gain_percentage | total_net_gain / value[first], a fraction | |
/// | cagr | (V[last day] / V[first day]) ^ (365.25 / days between) - 1 | Bacon 2008, 2.3 |
/// | annual_volatility | s sqrt(P), s = sqrt(sum (r - mean)^2 / (n - 1)) | Bacon 2008, 4.1 |
/// | sharpe_ratio | (mean - rf / P) / s sqrt(P), rf per year, simple | Sharpe 1994 |
/// | sortino_ratio | (mean - rf / P) / d sqrt(P), d = sqrt(sum min(r, 0)^2 / n) | Sortino 1994 |
/// | max_drawdown | max over all snapshots of 1 - V / running maximum; positive | Magdon-Ismail
/// 2004 | | calmar_ratio | cagr / max_drawdown | Young 1991 | | var_95 | 5 % quantile of r, linear
/// between order statistics (type 7) | Hyndman, Fan 1996 | | cvar_95 | mean of the r <= var_95;
/// both negative for a loss | Rockafellar, Uryasev 2000 | | skewness | m3 / m2^1.5, m_k = sum (r -
/// mean)^k / n (population) | Bailey, Lopez de Prado 2012 | | kurtosis | m4 / m2^2, 3 for a normal
/// distribution (not excess) | the same |
///
/// No value, and a reason: fewer than two snapshots; a snapshot without time; a value or flow that
/// is missing, NaN or infinite; negative equity anywhere; equity of zero where a return starts; one
/// day only (all but gains and drawdown); fewer than two returns; s, d or the drawdown not above
/// 1e-14, which is rounding (ratios over it, and the moments); no risk-free rate (Sharpe, Sortino).

#include <cstdint>
#include <optional>
#include <vector>

#include "lamina/base/time.h"
#include "lamina/metrics/metric.h"

namespace lamina::metrics {

struct Snapshot {
  std::optional<Micros> time;  ///< UTC
  double value = 0;            ///< total value of the portfolio; NaN where there is none
  double cash_flow = 0;        ///< deposits (+) and withdrawals (-) since the one before
};

/// Fills the metrics from kTotalNetGain to kDailyReturns of `values`.
/// `risk_free_rate` per year, a fraction; absent or not finite: there is none.
void ComputeEquityMetrics(std::vector<Snapshot> snapshots, std::optional<double> risk_free_rate,
                          MetricValues& values);

/// Simple returns of one UTC day to the next, as above; `days` are days since 1970-01-01 (one more
/// than returns). Empty with a reason when they are not defined.
struct DailyReturns {
  std::vector<std::int64_t> days;
  std::vector<double> returns;
  Reason reason = Reason::kNone;
  double periods_a_year = 365;
};
DailyReturns ComputeDailyReturns(std::vector<Snapshot> snapshots);

/// The quantile `share` of values sorted upwards, not empty: linear interpolation (type 7).
double SortedQuantile(const std::vector<double>& sorted, double share);

}  // namespace lamina::metrics
