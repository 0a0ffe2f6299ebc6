#include "lamina/backtests/summary_metrics.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "lamina/base/time.h"
#include "lamina/bundle/map_writer.h"

namespace lamina::backtests {
namespace {

using Optional = std::optional<double>;

/// Windows with the weights that summaries use.
class Windows {
 public:
  explicit Windows(const std::vector<WindowMetrics>& metrics) : metrics_(metrics) {}

  /// Those that are there.
  template <class Get>
  std::vector<Figure> All(Get get) const {
    std::vector<Figure> figures;
    for (const WindowMetrics& window : metrics_) {
      const Figure figure = get(window);
      if (figure.value) figures.push_back(figure);
    }
    return figures;
  }
  template <class Get>
  Figure Sum(Get get) const {
    Figure sum(0.0, true);
    for (const Figure& figure : All(get)) {
      *sum.value += *figure.value;
      sum.whole = sum.whole && figure.whole;
    }
    return sum;
  }
  template <class Get, class Weight>
  Optional Weighted(Get get, Weight weight) const {
    double sum = 0;
    double weights = 0;
    for (const WindowMetrics& window : metrics_) {
      const Figure figure = get(window);
      const Optional w = weight(window).value;
      if (!figure.value || !w || !(*w > 0)) continue;
      sum += *figure.value * *w;
      weights += *w;
    }
    if (weights <= 0) return std::nullopt;
    return sum / weights;
  }
  template <class Get>
  Optional ByDays(Get get) const {
    return Weighted(get, [](const WindowMetrics& window) { return Figure(window.days); });
  }
  template <class Get>
  Optional ByClosed(Get get) const {
    return Weighted(get, [](const WindowMetrics& window) { return window.trades_closed; });
  }
  template <class Get>
  Figure Largest(Get get) const {
    const auto figures = All(get);
    if (figures.empty()) return {};
    return *std::max_element(figures.begin(), figures.end(), Less);
  }
  template <class Get>
  Figure Smallest(Get get) const {
    const auto figures = All(get);
    if (figures.empty()) return {};
    return *std::min_element(figures.begin(), figures.end(), Less);
  }

  const std::vector<WindowMetrics>& metrics() const { return metrics_; }

 private:
  static bool Less(const Figure& a, const Figure& b) { return *a.value < *b.value; }

  const std::vector<WindowMetrics>& metrics_;
};

double Count(std::size_t count) { return static_cast<double>(count); }

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
  double sum = 0;
  double weights = 0;
  for (const auto& [value, weight] :
       {std::pair{scores.returns, 0.35}, std::pair{scores.win_rate, 0.25},
        std::pair{scores.sharpe, 0.20}, std::pair{Optional(profitable_share), 0.20}}) {
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
  std::vector<double> returns, win_rates, sharpes;
  for (const WindowMetrics& window : windows.metrics()) {
    if (const Optional share = window.total_net_gain_percentage.value) returns.push_back(*share);
    const Optional rate = window.win_rate.value, sharpe = window.sharpe_ratio.value;
    if (rate && window.trades_closed.value.value_or(0) > 0) win_rates.push_back(*rate);
    if (sharpe && std::isfinite(*sharpe)) sharpes.push_back(*sharpe);
  }
  steadiness.consistency = {Consistency(returns), Consistency(win_rates), Consistency(sharpes), {}};
  steadiness.stability = {
      Stability(returns, 100), Stability(win_rates, 50), Stability(sharpes, 2), {}};
  const double share = profitable / Count(count);
  ComputeScore(steadiness.consistency, share);
  ComputeScore(steadiness.stability, share);
  return steadiness;
}

/// The product of (1 + share), less 1; absent when no window has one.
Optional Compounded(const std::vector<Figure>& shares) {
  if (shares.empty()) return std::nullopt;
  double product = 1;
  for (const Figure& share : shares) product *= 1 + *share.value;
  return product - 1;
}

void AddMoney(const Windows& windows, ReturnRule rule, SummaryMetrics& summary) {
  double capital = 0;
  for (const WindowMetrics& window : windows.metrics()) {
    const double initial = window.initial_unallocated.value.value_or(0);
    if (initial > 0) capital += initial;
  }
  const auto gain_of = [](const WindowMetrics& window) { return window.total_net_gain; };
  const auto growth_of = [](const WindowMetrics& window) { return window.total_growth; };
  const auto gain_share_of = [](const WindowMetrics& w) { return w.total_net_gain_percentage; };
  const auto growth_share_of = [](const WindowMetrics& w) { return w.total_growth_percentage; };
  const auto total_share = [&](const Figure& total, const auto& share_of) {
    if (rule == ReturnRule::kCompound) return Compounded(windows.All(share_of));
    return capital > 0 ? Optional(*total.value / capital) : windows.ByDays(share_of);
  };
  const Figure gain = windows.Sum(gain_of), growth = windows.Sum(growth_of);
  const Figure loss = windows.Sum([](const WindowMetrics& window) { return window.total_loss; });
  summary.push_back({"total_net_gain", gain});
  summary.push_back({"total_net_gain_percentage", total_share(gain, gain_share_of)});
  summary.push_back({"total_growth", growth});
  summary.push_back({"total_growth_percentage", total_share(growth, growth_share_of)});
  summary.push_back({"total_loss", loss});
  summary.push_back(
      {"total_loss_percentage", capital > 0 ? Optional(*loss.value / capital) : std::nullopt});
  summary.push_back({"average_loss", windows.ByDays([](const WindowMetrics& window) {
                       return window.gross_loss;
                     })});
  summary.push_back({"average_loss_percentage", windows.ByDays([](const WindowMetrics& window) {
                       return window.total_loss_percentage;
                     })});
  summary.push_back({"average_net_gain", windows.ByDays(gain_of)});
  summary.push_back({"average_net_gain_percentage", windows.ByDays(gain_share_of)});
  summary.push_back({"average_growth", windows.ByDays(growth_of)});
  summary.push_back({"average_growth_percentage", windows.ByDays(growth_share_of)});
}

void AddTradeMeans(const Windows& windows, SummaryMetrics& summary) {
  // The framework divides a 0..1 rate by 100 here; recorded summaries are compared with ours.
  const auto share_of_closed = [](const WindowMetrics& window, bool won) -> Figure {
    const Optional closed = window.trades_closed.value, rate = window.win_rate.value;
    if (!closed || !rate) return closed.value_or(0);
    return *closed * (won ? *rate / 100 : 1 - *rate / 100);
  };
  const auto losing = [&](const WindowMetrics& w) { return share_of_closed(w, false); };
  const auto winning = [&](const WindowMetrics& w) { return share_of_closed(w, true); };
  summary.push_back({"average_trade_return", windows.ByClosed([](const WindowMetrics& window) {
                       return window.average_trade_return;
                     })});
  summary.push_back(
      {"average_trade_return_percentage", windows.ByClosed([](const WindowMetrics& window) {
         return window.average_trade_return_percentage;
       })});
  summary.push_back(
      {"average_trade_loss",
       windows.Weighted([](const WindowMetrics& window) { return window.average_trade_loss; },
                        losing)});
  summary.push_back(
      {"average_trade_loss_percentage",
       windows.Weighted(
           [](const WindowMetrics& window) { return window.average_trade_loss_percentage; },
           losing)});
  summary.push_back(
      {"average_trade_gain",
       windows.Weighted([](const WindowMetrics& window) { return window.average_trade_gain; },
                        winning)});
  summary.push_back(
      {"average_trade_gain_percentage",
       windows.Weighted(
           [](const WindowMetrics& window) { return window.average_trade_gain_percentage; },
           winning)});
}

void AddRatios(const Windows& windows, SummaryMetrics& summary) {
  const double profit =
      *windows.Sum([](const WindowMetrics& window) { return window.gross_profit; }).value;
  const double loss =
      std::fabs(*windows.Sum([](const WindowMetrics& window) { return window.gross_loss; }).value);
  summary.push_back({"cagr", windows.ByDays([](const WindowMetrics& w) { return w.cagr; })});
  summary.push_back(
      {"sharpe_ratio", windows.ByDays([](const WindowMetrics& w) { return w.sharpe_ratio; })});
  summary.push_back(
      {"sortino_ratio", windows.ByDays([](const WindowMetrics& w) { return w.sortino_ratio; })});
  summary.push_back(
      {"calmar_ratio", windows.ByDays([](const WindowMetrics& w) { return w.calmar_ratio; })});
  summary.push_back({"profit_factor", loss > 0 ? Optional(profit / loss)
                                               : windows.ByDays([](const WindowMetrics& w) {
                                                   return w.profit_factor;
                                                 })});
  summary.push_back({"annual_volatility",
                     windows.ByDays([](const WindowMetrics& w) { return w.annual_volatility; })});
  // The mildest window's, as the framework has it.
  summary.push_back(
      {"max_drawdown", windows.Smallest([](const WindowMetrics& w) { return w.max_drawdown; })});
  summary.push_back({"max_drawdown_duration", windows.Largest([](const WindowMetrics& w) {
                       return w.max_drawdown_duration;
                     })});
}

void AddTrading(const Windows& windows, double profitable, SummaryMetrics& summary) {
  const Optional per_year =
      windows.ByDays([](const WindowMetrics& w) { return w.trades_per_year; });
  const auto divided = [&](double by) {
    return per_year ? Optional(*per_year / by) : std::nullopt;
  };
  double with_trades = 0;
  for (const WindowMetrics& window : windows.metrics())
    with_trades += window.trades_closed.value.value_or(0) > 0 ? 1 : 0;
  summary.push_back({"trades_per_year", per_year});
  summary.push_back({"trades_per_month", divided(12)});
  summary.push_back({"trades_per_week", divided(52)});
  summary.push_back(
      {"win_rate", windows.ByClosed([](const WindowMetrics& w) { return w.win_rate; })});
  summary.push_back({"current_win_rate",
                     windows.ByClosed([](const WindowMetrics& w) { return w.current_win_rate; })});
  summary.push_back({"win_loss_ratio",
                     windows.ByClosed([](const WindowMetrics& w) { return w.win_loss_ratio; })});
  summary.push_back({"current_win_loss_ratio", windows.ByClosed([](const WindowMetrics& w) {
                       return w.current_win_loss_ratio;
                     })});
  summary.push_back(
      {"number_of_trades", windows.Sum([](const WindowMetrics& w) { return w.trades; })});
  summary.push_back({"number_of_trades_closed",
                     windows.Sum([](const WindowMetrics& w) { return w.trades_closed; })});
  summary.push_back({"cumulative_exposure",
                     windows.ByDays([](const WindowMetrics& w) { return w.cumulative_exposure; })});
  summary.push_back(
      {"exposure_ratio", windows.ByDays([](const WindowMetrics& w) { return w.exposure_ratio; })});
  summary.push_back({"number_of_windows", Figure(Count(windows.metrics().size()), true)});
  summary.push_back({"number_of_profitable_windows", Figure(profitable, true)});
  summary.push_back({"number_of_windows_with_trades", Figure(with_trades, true)});
  summary.push_back({"average_trade_duration", windows.ByClosed([](const WindowMetrics& w) {
                       return w.average_trade_duration;
                     })});
  summary.push_back({"average_win_duration", windows.ByClosed([](const WindowMetrics& w) {
                       return w.average_win_duration;
                     })});
  summary.push_back({"average_loss_duration", windows.ByClosed([](const WindowMetrics& w) {
                       return w.average_loss_duration;
                     })});
  summary.push_back({"var_95", windows.ByDays([](const WindowMetrics& w) { return w.var_95; })});
  summary.push_back({"cvar_95", windows.ByDays([](const WindowMetrics& w) { return w.cvar_95; })});
  summary.push_back({"max_consecutive_wins", windows.Largest([](const WindowMetrics& w) {
                       return w.max_consecutive_wins;
                     })});
  summary.push_back({"max_consecutive_losses", windows.Largest([](const WindowMetrics& w) {
                       return w.max_consecutive_losses;
                     })});
}

Figure Whole(std::int64_t count) { return {static_cast<double>(count), true}; }

struct MetricField {
  std::string_view name;
  Figure WindowMetrics::* field;
};

constexpr std::array<MetricField, 37> kMetricFields = {{
    {"total_net_gain", &WindowMetrics::total_net_gain},
    {"total_net_gain_percentage", &WindowMetrics::total_net_gain_percentage},
    {"total_growth", &WindowMetrics::total_growth},
    {"total_growth_percentage", &WindowMetrics::total_growth_percentage},
    {"total_loss", &WindowMetrics::total_loss},
    {"total_loss_percentage", &WindowMetrics::total_loss_percentage},
    {"cagr", &WindowMetrics::cagr},
    {"sharpe_ratio", &WindowMetrics::sharpe_ratio},
    {"sortino_ratio", &WindowMetrics::sortino_ratio},
    {"calmar_ratio", &WindowMetrics::calmar_ratio},
    {"profit_factor", &WindowMetrics::profit_factor},
    {"annual_volatility", &WindowMetrics::annual_volatility},
    {"max_drawdown", &WindowMetrics::max_drawdown},
    {"max_drawdown_duration", &WindowMetrics::max_drawdown_duration},
    {"trades_per_year", &WindowMetrics::trades_per_year},
    {"exposure_ratio", &WindowMetrics::exposure_ratio},
    {"cumulative_exposure", &WindowMetrics::cumulative_exposure},
    {"average_trade_return", &WindowMetrics::average_trade_return},
    {"average_trade_return_percentage", &WindowMetrics::average_trade_return_percentage},
    {"average_trade_loss", &WindowMetrics::average_trade_loss},
    {"average_trade_loss_percentage", &WindowMetrics::average_trade_loss_percentage},
    {"average_trade_gain", &WindowMetrics::average_trade_gain},
    {"average_trade_gain_percentage", &WindowMetrics::average_trade_gain_percentage},
    {"average_trade_duration", &WindowMetrics::average_trade_duration},
    {"average_win_duration", &WindowMetrics::average_win_duration},
    {"average_loss_duration", &WindowMetrics::average_loss_duration},
    {"win_rate", &WindowMetrics::win_rate},
    {"current_win_rate", &WindowMetrics::current_win_rate},
    {"win_loss_ratio", &WindowMetrics::win_loss_ratio},
    {"current_win_loss_ratio", &WindowMetrics::current_win_loss_ratio},
    {"var_95", &WindowMetrics::var_95},
    {"cvar_95", &WindowMetrics::cvar_95},
    {"max_consecutive_wins", &WindowMetrics::max_consecutive_wins},
    {"max_consecutive_losses", &WindowMetrics::max_consecutive_losses},
    {"initial_unallocated", &WindowMetrics::initial_unallocated},
    {"number_of_trades", &WindowMetrics::trades},
    {"number_of_trades_closed", &WindowMetrics::trades_closed},
}};

/// Whole days between the two dates, as Python's timedelta counts them.
double DaysOf(const bundle::Value& metrics) {
  constexpr std::int64_t kDay = 86'400'000'000;
  std::array<std::int64_t, 2> times{};
  std::size_t i = 0;
  for (const std::string_view key : {"backtest_start_date", "backtest_end_date"}) {
    const auto text = metrics.Find(key);
    if (!text || !text->is_string()) return 0;
    const auto time = ParseTime(text->AsString());
    if (!time.ok()) return 0;
    times[i++] = time->value;
  }
  const std::int64_t span = times[1] - times[0];
  return static_cast<double>(span / kDay - (span % kDay < 0 ? 1 : 0));
}

}  // namespace

WindowMetrics WindowOf(const RunInput& input, const RunMetrics& metrics) {
  WindowMetrics window;
  window.days = static_cast<double>(metrics.days);
  window.total_net_gain = metrics.total_net_gain;
  window.total_net_gain_percentage = metrics.total_net_gain_percentage;
  window.total_growth = metrics.total_net_gain;
  window.total_growth_percentage = metrics.total_net_gain_percentage;
  window.total_loss = metrics.total_loss;
  window.total_loss_percentage = metrics.total_loss_percentage;
  window.cagr = metrics.cagr;
  window.sharpe_ratio = metrics.sharpe_ratio;
  window.sortino_ratio = metrics.sortino_ratio;
  window.calmar_ratio = metrics.calmar_ratio;
  window.profit_factor = metrics.profit_factor;
  window.annual_volatility = metrics.annual_volatility;
  window.max_drawdown = metrics.max_drawdown;
  window.max_drawdown_duration = Whole(metrics.max_drawdown_duration);
  window.trades_per_year = metrics.trades_per_year;
  window.exposure_ratio = metrics.exposure_ratio;
  window.cumulative_exposure = metrics.cumulative_exposure;
  window.average_trade_return = metrics.average_trade_return;
  window.average_trade_return_percentage = metrics.average_trade_return_percentage;
  window.average_trade_loss = metrics.average_trade_loss;
  window.average_trade_loss_percentage = metrics.average_trade_loss_percentage;
  window.average_trade_gain = metrics.average_trade_gain;
  window.average_trade_gain_percentage = metrics.average_trade_gain_percentage;
  window.average_trade_duration = metrics.average_trade_duration;
  window.average_win_duration = metrics.average_win_duration;
  window.average_loss_duration = metrics.average_loss_duration;
  window.win_rate = metrics.win_rate;
  window.current_win_rate = metrics.current_win_rate;
  window.win_loss_ratio = metrics.win_loss_ratio;
  window.current_win_loss_ratio = metrics.current_win_loss_ratio;
  window.var_95 = metrics.var_95;
  window.cvar_95 = metrics.cvar_95;
  window.max_consecutive_wins = Whole(metrics.max_consecutive_wins);
  window.max_consecutive_losses = Whole(metrics.max_consecutive_losses);
  window.initial_unallocated = input.initial_unallocated;
  window.gross_profit = metrics.gross_profit;
  window.gross_loss = metrics.gross_loss;
  window.trades = Whole(metrics.trades);
  window.trades_closed = Whole(metrics.trades_closed);
  return window;
}

WindowMetrics WindowOf(const bundle::Value& metrics) {
  WindowMetrics window;
  window.days = DaysOf(metrics);
  for (const MetricField& field : kMetricFields) {
    const auto value = metrics.Find(field.name);
    if (!value || !value->is_number()) continue;
    window.*field.field = Figure(value->AsDouble(), value->kind() == bundle::Kind::kInt);
  }
  return window;
}

SummaryMetrics Summarize(const std::vector<WindowMetrics>& windows, ReturnRule rule) {
  const Windows all(windows);
  double profitable = 0;
  for (const WindowMetrics& window : windows) {
    profitable += window.total_net_gain.value.value_or(0) > 0 ? 1 : 0;
  }
  const Steadiness steadiness = ComputeSteadiness(all, profitable);
  SummaryMetrics summary;
  AddMoney(all, rule, summary);
  AddTradeMeans(all, summary);
  AddRatios(all, summary);
  AddTrading(all, profitable, summary);
  summary.push_back({"return_consistency", steadiness.consistency.returns});
  summary.push_back({"win_rate_consistency", steadiness.consistency.win_rate});
  summary.push_back({"sharpe_consistency", steadiness.consistency.sharpe});
  summary.push_back({"consistency_score", steadiness.consistency.score});
  summary.push_back({"return_stability", steadiness.stability.returns});
  summary.push_back({"win_rate_stability", steadiness.stability.win_rate});
  summary.push_back({"sharpe_stability", steadiness.stability.sharpe});
  summary.push_back({"stability_score", steadiness.stability.score});
  return summary;
}

SummaryMetrics SummarizeRuns(const std::vector<RunInput>& inputs,
                             const std::vector<RunMetrics>& windows, SummaryRules rules) {
  std::vector<WindowMetrics> all;
  for (std::size_t i = 0; i < windows.size(); ++i) all.push_back(WindowOf(inputs[i], windows[i]));
  if (rules == SummaryRules::kRelease) return Summarize(all, ReturnRule::kCompound);
  for (WindowMetrics& window : all) {
    for (const MetricField& field : kMetricFields) {
      Figure& figure = window.*field.field;
      if (figure.value && std::isnan(*figure.value)) figure = {};
    }
  }
  SummaryMetrics summary = Summarize(all, ReturnRule::kCompound);
  for (SummaryMetric& metric : summary) {
    if (metric.name != "max_drawdown") continue;
    metric.figure = Windows(all).Largest([](const WindowMetrics& w) { return w.max_drawdown; });
  }
  return summary;
}

std::string EncodeSummary(const SummaryMetrics& summary) {
  bundle::MapWriter map;
  for (const auto& [name, figure] : summary) {
    bundle::Writer& writer = map.Key(name);
    if (!figure.value) {
      writer.Nil();
    } else if (figure.whole) {
      writer.Int(static_cast<std::int64_t>(*figure.value));
    } else {
      writer.Double(*figure.value);
    }
  }
  return map.Finish();
}

std::string EncodeSummaryOf(const std::vector<bundle::Value>& runs, ReturnRule rule) {
  std::vector<WindowMetrics> windows;
  for (const bundle::Value& run : runs) {
    const auto metrics = run.Find("backtest_metrics");
    if (metrics && metrics->is_map()) windows.push_back(WindowOf(*metrics));
  }
  SummaryMetrics summary = Summarize(windows, rule);
  if (windows.empty()) {
    for (SummaryMetric& metric : summary) metric.figure = {};
  }
  return EncodeSummary(summary);
}

}  // namespace lamina::backtests
