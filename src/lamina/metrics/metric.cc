#include "lamina/metrics/metric.h"

#include <cmath>

namespace lamina::metrics {

std::optional<Metric> FindMetric(std::string_view name) {
  for (std::size_t i = 0; i < kMetricCount; ++i) {
    if (kMetricFields[i].name == name) return MetricAt(i);
  }
  return std::nullopt;
}

std::string_view TextOf(Reason reason) {
  switch (reason) {
    case Reason::kNone:
      return "";
    case Reason::kNoSnapshots:
      return "no snapshots";
    case Reason::kOneSnapshot:
      return "only one snapshot";
    case Reason::kNoTime:
      return "a snapshot has no time";
    case Reason::kNotFinite:
      return "a snapshot's value or cash flow is missing, NaN or infinite";
    case Reason::kNegativeEquity:
      return "equity is negative";
    case Reason::kZeroEquity:
      return "equity is zero at the start of a period";
    case Reason::kOneDay:
      return "all snapshots are of one UTC day";
    case Reason::kFewReturns:
      return "fewer than two daily returns";
    case Reason::kConstant:
      return "daily returns do not vary";
    case Reason::kNoLosingDay:
      return "no negative daily return";
    case Reason::kNoDrawdown:
      return "no drawdown";
    case Reason::kNoRiskFreeRate:
      return "no risk-free rate is recorded";
    case Reason::kOutOfRange:
      return "too large for a number";
    case Reason::kNoClosedTrades:
      return "no closed trades";
    case Reason::kNoWins:
      return "no winning trade";
    case Reason::kNoLosses:
      return "no losing trade";
    case Reason::kTradeGain:
      return "a closed trade's net gain is missing, NaN or infinite";
    case Reason::kTradeTimes:
      return "a closed trade has no opening or closing time, or closed before it opened";
    case Reason::kNoWindows:
      return "no runs";
    case Reason::kNoWeight:
      return "no window of at least a whole day";
  }
  return "";
}

MetricValue MetricValue::Of(double number) {
  if (!std::isfinite(number)) return None(Reason::kOutOfRange);
  return {number, Reason::kNone};
}

}  // namespace lamina::metrics
