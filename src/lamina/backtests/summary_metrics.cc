// SummarizeRuns of run_metrics.h: the 55 summary metrics, by the definitions of release 8.10 with
// their known oddities (the recorded max_drawdown is that of the mildest window).
#include <algorithm>
#include <cmath>

#include "lamina/backtests/run_metrics.h"

namespace lamina::backtests {
namespace {

using Optional = std::optional<double>;

/// Windows with the weights that summaries use.
class Windows {
 public:
  Windows(const std::vector<RunInput>& inputs, const std::vector<RunMetrics>& metrics,
          SummaryRules rules)
      : inputs_(inputs), metrics_(metrics), sound_(rules == SummaryRules::kSound) {}

  template <class Get>
  std::vector<double> All(Get get) const {
    std::vector<double> values;
    for (const RunMetrics& window : metrics_) values.push_back(static_cast<double>(get(window)));
    return values;
  }
  template <class Get>
  double Sum(Get get) const {
    double sum = 0;
    for (double value : All(get)) sum += value;
    return sum;
  }
  template <class Get, class Weight>
  Optional Weighted(Get get, Weight weight) const {
    double sum = 0;
    double weights = 0;
    for (const RunMetrics& window : metrics_) {
      const auto w = static_cast<double>(weight(window));
      const auto value = static_cast<double>(get(window));
      if (w <= 0 || (sound_ && std::isnan(value))) continue;
      sum += value * w;
      weights += w;
    }
    if (weights <= 0) return std::nullopt;
    return sum / weights;
  }
  template <class Get>
  Optional ByDays(Get get) const {
    return Weighted(get, [](const RunMetrics& window) { return window.days; });
  }
  template <class Get>
  Optional ByClosed(Get get) const {
    return Weighted(get, [](const RunMetrics& window) { return window.trades_closed; });
  }
  template <class Get>
  Optional Largest(Get get) const {
    const auto values = All(get);
    if (values.empty()) return std::nullopt;
    return *std::max_element(values.begin(), values.end());
  }

  const std::vector<RunInput>& inputs() const { return inputs_; }
  const std::vector<RunMetrics>& metrics() const { return metrics_; }
  bool sound() const { return sound_; }

 private:
  const std::vector<RunInput>& inputs_;
  const std::vector<RunMetrics>& metrics_;
  bool sound_;
};

struct Spread {
  double mean = 0, deviation = 0;
};

Spread SpreadOf(const std::vector<double>& values) {
  Spread spread;
  for (double value : values) spread.mean += value;
  spread.mean /= static_cast<double>(values.size());
  double squares = 0;
  for (double value : values) squares += (value - spread.mean) * (value - spread.mean);
  spread.deviation = std::sqrt(squares / static_cast<double>(values.size() - 1));
  return spread;
}

double Clamp01(double value) { return std::max(0.0, std::min(1.0, value)); }

Optional Consistency(const std::vector<double>& values) {
  if (values.size() < 2) return std::nullopt;
  const Spread spread = SpreadOf(values);
  if (std::fabs(spread.mean) < 1e-9) return 0.0;
  return Clamp01(1 - spread.deviation / std::fabs(spread.mean));
}

Optional Stability(const std::vector<double>& values, double limit) {
  if (values.size() < 2) return std::nullopt;
  return Clamp01(1 - SpreadOf(values).deviation / limit);
}

struct Scores {
  Optional returns, win_rate, sharpe, score;
};

/// Weights 35/25/20/20, renormalised over the parts that exist.
void ComputeScore(Scores& scores, double profitable_share) {
  double sum = 0.20 * profitable_share;
  double weights = 0.20;
  for (const auto& [value, weight] :
       {std::pair{scores.returns, 0.35}, std::pair{scores.win_rate, 0.25},
        std::pair{scores.sharpe, 0.20}}) {
    if (!value) continue;
    sum += *value * weight;
    weights += weight;
  }
  scores.score = sum / weights;
}

struct Steadiness {
  Scores consistency, stability;
};

Steadiness ComputeSteadiness(const Windows& windows, double profitable) {
  Steadiness steadiness;
  const auto count = windows.metrics().size();
  if (count < 2) return steadiness;
  const auto returns =
      windows.All([](const RunMetrics& window) { return window.total_net_gain_percentage; });
  std::vector<double> win_rates;
  std::vector<double> sharpes;
  for (const RunMetrics& window : windows.metrics()) {
    if (window.trades_closed > 0) win_rates.push_back(window.win_rate);
    if (std::isfinite(window.sharpe_ratio)) sharpes.push_back(window.sharpe_ratio);
  }
  steadiness.consistency = {Consistency(returns), Consistency(win_rates), Consistency(sharpes), {}};
  steadiness.stability = {
      Stability(returns, 100), Stability(win_rates, 50), Stability(sharpes, 2), {}};
  const double share = profitable / static_cast<double>(count);
  ComputeScore(steadiness.consistency, share);
  ComputeScore(steadiness.stability, share);
  return steadiness;
}

void AddMoney(const Windows& windows, SummaryMetrics& summary) {
  double compounded = 1;
  double capital = 0;
  for (std::size_t i = 0; i < windows.metrics().size(); ++i) {
    compounded *= 1 + windows.metrics()[i].total_net_gain_percentage;
    capital += std::max(0.0, windows.inputs()[i].initial_unallocated);
  }
  const double gain = windows.Sum([](const RunMetrics& window) { return window.total_net_gain; });
  const double loss = windows.Sum([](const RunMetrics& window) { return window.total_loss; });
  const Optional average_gain =
      windows.ByDays([](const RunMetrics& window) { return window.total_net_gain; });
  const Optional average_share =
      windows.ByDays([](const RunMetrics& window) { return window.total_net_gain_percentage; });
  summary.emplace_back("total_net_gain", gain);
  summary.emplace_back("total_net_gain_percentage", compounded - 1);
  summary.emplace_back("total_growth", gain);
  summary.emplace_back("total_growth_percentage", compounded - 1);
  summary.emplace_back("total_loss", loss);
  summary.emplace_back("total_loss_percentage",
                       capital > 0 ? Optional(loss / capital) : std::nullopt);
  summary.emplace_back("average_loss",
                       windows.ByDays([](const RunMetrics& window) { return window.gross_loss; }));
  summary.emplace_back("average_loss_percentage", windows.ByDays([](const RunMetrics& window) {
    return window.total_loss_percentage;
  }));
  summary.emplace_back("average_net_gain", average_gain);
  summary.emplace_back("average_net_gain_percentage", average_share);
  summary.emplace_back("average_growth", average_gain);
  summary.emplace_back("average_growth_percentage", average_share);
}

void AddTradeMeans(const Windows& windows, SummaryMetrics& summary) {
  // The framework divides a 0..1 rate by 100 here; recorded summaries are compared with ours.
  const auto losing = [](const RunMetrics& window) {
    return static_cast<double>(window.trades_closed) * (1 - window.win_rate / 100);
  };
  const auto winning = [](const RunMetrics& window) {
    return static_cast<double>(window.trades_closed) * (window.win_rate / 100);
  };
  summary.emplace_back("average_trade_return", windows.ByClosed([](const RunMetrics& window) {
    return window.average_trade_return;
  }));
  summary.emplace_back("average_trade_return_percentage",
                       windows.ByClosed([](const RunMetrics& window) {
                         return window.average_trade_return_percentage;
                       }));
  summary.emplace_back(
      "average_trade_loss",
      windows.Weighted([](const RunMetrics& window) { return window.average_trade_loss; }, losing));
  summary.emplace_back(
      "average_trade_loss_percentage",
      windows.Weighted(
          [](const RunMetrics& window) { return window.average_trade_loss_percentage; }, losing));
  summary.emplace_back(
      "average_trade_gain",
      windows.Weighted([](const RunMetrics& window) { return window.average_trade_gain; },
                       winning));
  summary.emplace_back(
      "average_trade_gain_percentage",
      windows.Weighted(
          [](const RunMetrics& window) { return window.average_trade_gain_percentage; }, winning));
}

void AddRatios(const Windows& windows, SummaryMetrics& summary) {
  const double profit = windows.Sum([](const RunMetrics& window) { return window.gross_profit; });
  const double loss = windows.Sum([](const RunMetrics& window) { return window.gross_loss; });
  const auto drawdowns = windows.All([](const RunMetrics& window) { return window.max_drawdown; });
  const auto [mildest, deepest] = std::minmax_element(drawdowns.begin(), drawdowns.end());
  summary.emplace_back("cagr", windows.ByDays([](const RunMetrics& w) { return w.cagr; }));
  summary.emplace_back("sharpe_ratio",
                       windows.ByDays([](const RunMetrics& w) { return w.sharpe_ratio; }));
  summary.emplace_back("sortino_ratio",
                       windows.ByDays([](const RunMetrics& w) { return w.sortino_ratio; }));
  summary.emplace_back("calmar_ratio",
                       windows.ByDays([](const RunMetrics& w) { return w.calmar_ratio; }));
  summary.emplace_back("profit_factor",
                       loss > 0 ? Optional(profit / loss) : windows.ByDays([](const RunMetrics& w) {
                         return w.profit_factor;
                       }));
  summary.emplace_back("annual_volatility",
                       windows.ByDays([](const RunMetrics& w) { return w.annual_volatility; }));
  summary.emplace_back("max_drawdown", drawdowns.empty()
                                           ? std::nullopt
                                           : Optional(windows.sound() ? *deepest : *mildest));
  summary.emplace_back("max_drawdown_duration", windows.Largest([](const RunMetrics& w) {
    return w.max_drawdown_duration;
  }));
}

void AddTrading(const Windows& windows, double profitable, SummaryMetrics& summary) {
  const Optional per_year = windows.ByDays([](const RunMetrics& w) { return w.trades_per_year; });
  const auto divided = [&](double by) {
    return per_year ? Optional(*per_year / by) : std::nullopt;
  };
  double with_trades = 0;
  for (const RunMetrics& window : windows.metrics())
    with_trades += window.trades_closed > 0 ? 1 : 0;
  summary.emplace_back("trades_per_year", per_year);
  summary.emplace_back("trades_per_month", divided(12));
  summary.emplace_back("trades_per_week", divided(52));
  summary.emplace_back("win_rate",
                       windows.ByClosed([](const RunMetrics& w) { return w.win_rate; }));
  summary.emplace_back("current_win_rate",
                       windows.ByClosed([](const RunMetrics& w) { return w.current_win_rate; }));
  summary.emplace_back("win_loss_ratio",
                       windows.ByClosed([](const RunMetrics& w) { return w.win_loss_ratio; }));
  summary.emplace_back("current_win_loss_ratio", windows.ByClosed([](const RunMetrics& w) {
    return w.current_win_loss_ratio;
  }));
  summary.emplace_back("number_of_trades",
                       windows.Sum([](const RunMetrics& w) { return w.trades; }));
  summary.emplace_back("number_of_trades_closed",
                       windows.Sum([](const RunMetrics& w) { return w.trades_closed; }));
  summary.emplace_back("cumulative_exposure",
                       windows.ByDays([](const RunMetrics& w) { return w.cumulative_exposure; }));
  summary.emplace_back("exposure_ratio",
                       windows.ByDays([](const RunMetrics& w) { return w.exposure_ratio; }));
  summary.emplace_back("number_of_windows", static_cast<double>(windows.metrics().size()));
  summary.emplace_back("number_of_profitable_windows", profitable);
  summary.emplace_back("number_of_windows_with_trades", with_trades);
  summary.emplace_back("average_trade_duration", windows.ByClosed([](const RunMetrics& w) {
    return w.average_trade_duration;
  }));
  summary.emplace_back("average_win_duration", windows.ByClosed([](const RunMetrics& w) {
    return w.average_win_duration;
  }));
  summary.emplace_back("average_loss_duration", windows.ByClosed([](const RunMetrics& w) {
    return w.average_loss_duration;
  }));
  summary.emplace_back("var_95", windows.ByDays([](const RunMetrics& w) { return w.var_95; }));
  summary.emplace_back("cvar_95", windows.ByDays([](const RunMetrics& w) { return w.cvar_95; }));
  summary.emplace_back("max_consecutive_wins",
                       windows.Largest([](const RunMetrics& w) { return w.max_consecutive_wins; }));
  summary.emplace_back("max_consecutive_losses", windows.Largest([](const RunMetrics& w) {
    return w.max_consecutive_losses;
  }));
}

}  // namespace

SummaryMetrics SummarizeRuns(const std::vector<RunInput>& inputs,
                             const std::vector<RunMetrics>& windows, SummaryRules rules) {
  const Windows all(inputs, windows, rules);
  double profitable = 0;
  for (const RunMetrics& window : windows) profitable += window.total_net_gain > 0 ? 1 : 0;
  const Steadiness steadiness = ComputeSteadiness(all, profitable);
  SummaryMetrics summary;
  AddMoney(all, summary);
  AddTradeMeans(all, summary);
  AddRatios(all, summary);
  AddTrading(all, profitable, summary);
  summary.emplace_back("return_consistency", steadiness.consistency.returns);
  summary.emplace_back("win_rate_consistency", steadiness.consistency.win_rate);
  summary.emplace_back("sharpe_consistency", steadiness.consistency.sharpe);
  summary.emplace_back("consistency_score", steadiness.consistency.score);
  summary.emplace_back("return_stability", steadiness.stability.returns);
  summary.emplace_back("win_rate_stability", steadiness.stability.win_rate);
  summary.emplace_back("sharpe_stability", steadiness.stability.sharpe);
  summary.emplace_back("stability_score", steadiness.stability.score);
  return summary;
}

}  // namespace lamina::backtests
