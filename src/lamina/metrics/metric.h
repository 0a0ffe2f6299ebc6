#pragma once

/// \file lamina/metrics/metric.h
/// The metrics that we compute ourselves: their names, and a value or the reason why there is none.
/// Constant data and values; thread-safe.

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace lamina::metrics {

/// Raised when a definition changes: values stored under another number are computed anew.
inline constexpr std::int64_t kDefinitions = 1;

enum class Metric : std::uint8_t {
  kTotalNetGain,
  kTotalNetGainPercentage,
  kCagr,
  kAnnualVolatility,
  kSharpeRatio,
  kSortinoRatio,
  kCalmarRatio,
  kMaxDrawdown,
  kVar95,
  kCvar95,
  kSkewness,
  kKurtosis,
  kDailyReturns,
  kTradesClosed,
  kWinRate,
  kProfitFactor,
  kAverageTradeDuration,
  kAverageWinDuration,
  kAverageLossDuration,
  kMaxConsecutiveWins,
  kMaxConsecutiveLosses,
};

struct MetricField {
  std::string_view name;
  bool integer = false;
};

/// By position of Metric; names as in bundles where a bundle has the metric.
inline constexpr std::array<MetricField, 21> kMetricFields = {{
    {"total_net_gain"},
    {"total_net_gain_percentage"},
    {"cagr"},
    {"annual_volatility"},
    {"sharpe_ratio"},
    {"sortino_ratio"},
    {"calmar_ratio"},
    {"max_drawdown"},
    {"var_95"},
    {"cvar_95"},
    {"skewness"},
    {"kurtosis"},
    {"number_of_daily_returns", true},
    {"number_of_trades_closed", true},
    {"win_rate"},
    {"profit_factor"},
    {"average_trade_duration"},
    {"average_win_duration"},
    {"average_loss_duration"},
    {"max_consecutive_wins", true},
    {"max_consecutive_losses", true},
}};
inline constexpr std::size_t kMetricCount = kMetricFields.size();

constexpr std::string_view NameOf(Metric metric) {
  return kMetricFields[static_cast<std::size_t>(metric)].name;
}
std::optional<Metric> FindMetric(std::string_view name);

/// Why a metric has no value.
enum class Reason : std::uint8_t {
  kNone,  ///< it has one
  kNoSnapshots,
  kOneSnapshot,
  kNoTime,
  kNotFinite,
  kNegativeEquity,
  kZeroEquity,
  kOneDay,
  kFewReturns,
  kConstant,
  kNoLosingDay,
  kNoDrawdown,
  kNoRiskFreeRate,
  kOutOfRange,
  kNoClosedTrades,
  kNoWins,
  kNoLosses,
  kTradeGain,
  kTradeTimes,
  kNoWindows,
  kNoWeight,
};

/// One short English phrase, "" for kNone.
std::string_view TextOf(Reason reason);

struct MetricValue {
  std::optional<double> value;         ///< finite
  Reason reason = Reason::kNoWindows;  ///< kNone exactly when there is a value

  static MetricValue None(Reason why) { return {std::nullopt, why}; }
  /// A value that is not finite becomes kOutOfRange.
  static MetricValue Of(double number);
};

/// One value for each Metric.
class MetricValues {
 public:
  MetricValue& operator[](Metric metric) { return values_[static_cast<std::size_t>(metric)]; }
  const MetricValue& operator[](Metric metric) const {
    return values_[static_cast<std::size_t>(metric)];
  }

 private:
  std::array<MetricValue, kMetricCount> values_{};
};

/// `index` below kMetricCount.
constexpr Metric MetricAt(std::size_t index) { return static_cast<Metric>(index); }

}  // namespace lamina::metrics
