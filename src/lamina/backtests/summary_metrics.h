#pragma once

/// \file lamina/backtests/summary_metrics.h
/// The 55 summary metrics over the windows of one backtest, by the framework's definitions, with
/// their known oddities or without. Pure functions; thread-safe.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lamina/backtests/run_metrics.h"
#include "lamina/bundle/msgpack.h"

namespace lamina::backtests {

/// A number or its absence. `whole`: an integer in the document, and to be one again.
struct Figure {
  Figure() = default;
  Figure(double number, bool is_whole = false) : value(number), whole(is_whole) {}
  Figure(std::optional<double> number) : value(number) {}
  std::optional<double> value;
  bool whole = false;
};

/// What a summary takes of one window; named as in its `backtest_metrics`.
struct WindowMetrics {
  double days = 0;  ///< whole days
  Figure initial_unallocated, total_net_gain, total_net_gain_percentage, total_growth,
      total_growth_percentage, total_loss, total_loss_percentage, gross_profit, gross_loss, cagr,
      sharpe_ratio, sortino_ratio, calmar_ratio, profit_factor, annual_volatility, max_drawdown,
      max_drawdown_duration, trades_per_year, exposure_ratio, cumulative_exposure,
      average_trade_return, average_trade_return_percentage, average_trade_loss,
      average_trade_loss_percentage, average_trade_gain, average_trade_gain_percentage,
      average_trade_duration, average_win_duration, average_loss_duration, trades, trades_closed,
      win_rate, current_win_rate, win_loss_ratio, current_win_loss_ratio, var_95, cvar_95,
      max_consecutive_wins, max_consecutive_losses;
};

WindowMetrics WindowOf(const RunInput& input, const RunMetrics& metrics);
/// Of a `backtest_metrics` map; what is no number is absent. A map does not hold gross profit and
/// loss.
WindowMetrics WindowOf(const bundle::Value& metrics);

/// How returns of windows become one.
enum class ReturnRule : std::uint8_t {
  kCompound,  ///< release 8.10 and older: the product of (1 + return), less 1
  kCapital,   ///< release 9.0: gain over capital; by days where no capital is known
};

/// In the bundle's order; absent = nil.
struct SummaryMetric {
  std::string_view name;
  Figure figure;
};
using SummaryMetrics = std::vector<SummaryMetric>;
SummaryMetrics Summarize(const std::vector<WindowMetrics>& windows, ReturnRule rule);

enum class SummaryRules : std::uint8_t {
  kRelease,  ///< as release 8.10: max_drawdown of the mildest window, NaN of one window spreads
  kSound,    ///< max_drawdown of the deepest window; over the windows that have a number
};
/// That of computed metrics, returns compounded. `windows` and `inputs` go together.
SummaryMetrics SummarizeRuns(const std::vector<RunInput>& inputs,
                             const std::vector<RunMetrics>& windows,
                             SummaryRules rules = SummaryRules::kRelease);

/// The summary map of a document, encoded.
std::string EncodeSummary(const SummaryMetrics& summary);

/// The same over the runs of an array of run maps, those without metrics left out; all 55 nil when
/// none has any.
std::string EncodeSummaryOf(const std::vector<bundle::Value>& runs, ReturnRule rule);

}  // namespace lamina::backtests
