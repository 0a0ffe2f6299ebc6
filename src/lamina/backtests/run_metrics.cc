#include "lamina/backtests/run_metrics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace lamina::backtests {
namespace {

constexpr std::int64_t kMicrosPerDay = 86'400'000'000;
constexpr double kHoursPerMicro = 1.0 / 3.6e9;
constexpr double kDaysPerYear = 365;
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::int64_t DayOf(Micros time) {
  const std::int64_t day = time.value / kMicrosPerDay;
  return time.value % kMicrosPerDay < 0 ? day - 1 : day;
}

double Mean(const std::vector<double>& values) {
  if (values.empty()) return 0;
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

/// Sample standard deviation; NaN below two values.
double SampleDeviation(const std::vector<double>& values) {
  if (values.size() < 2) return kNan;
  const double mean = Mean(values);
  double squares = 0;
  for (double value : values) squares += (value - mean) * (value - mean);
  return std::sqrt(squares / static_cast<double>(values.size() - 1));
}

/// The value and return of each UTC day, forward-filled over days without a snapshot.
struct DailySeries {
  std::vector<std::int64_t> days;
  std::vector<double> values;
  std::vector<double> returns;  ///< of days[1..], deposits taken out
  double worst_change = 0;      ///< smallest change of a day, deposits left in
};

DailySeries Daily(const std::vector<EquityPoint>& equity) {
  DailySeries daily;
  std::vector<double> flows;
  const EquityPoint* before = nullptr;
  for (const EquityPoint& point : equity) {
    if (before != nullptr && point.time == before->time) continue;  // the first of equal times
    before = &point;
    const std::int64_t day = DayOf(point.time);
    while (!daily.days.empty() && daily.days.back() < day - 1) {
      daily.days.push_back(daily.days.back() + 1);
      daily.values.push_back(daily.values.back());
      flows.push_back(0);
    }
    if (daily.days.empty() || daily.days.back() != day) {
      daily.days.push_back(day);
      daily.values.push_back(point.total_value);
      flows.push_back(point.cash_flow);
    } else {
      daily.values.back() = point.total_value;
      flows.back() += point.cash_flow;
    }
  }
  for (std::size_t i = 1; i < daily.values.size(); ++i) {
    daily.returns.push_back((daily.values[i] - flows[i]) / daily.values[i - 1] - 1);
    daily.worst_change = std::min(daily.worst_change, daily.values[i] / daily.values[i - 1] - 1);
  }
  return daily;
}

void ComputeCurves(const RunInput& input, RunMetrics& metrics) {
  double peak = -kInfinity;
  double twr = 1;
  double twr_peak = 1;
  for (std::size_t i = 0; i < input.equity.size(); ++i) {
    const EquityPoint& point = input.equity[i];
    const double value = point.total_value;
    peak = std::max(peak, value);
    if (i > 0) {
      const double before = input.equity[i - 1].total_value;
      if (before != 0) twr *= 1 + ((value - point.cash_flow) / before - 1);
    }
    twr_peak = std::max(twr_peak, twr);
    metrics.equity_curve.push_back({point.time, value});
    metrics.drawdown.push_back({point.time, peak > 0 ? (value - peak) / peak : 0});
    metrics.cumulative_return_series.push_back(
        {point.time, value / input.equity.front().total_value - 1});
    metrics.twr_equity_curve.push_back({point.time, twr});
    metrics.twr_drawdown.push_back({point.time, (twr - twr_peak) / twr_peak});
    metrics.max_drawdown_absolute = std::max(metrics.max_drawdown_absolute, peak - value);
  }
}

double Deepest(const Series& drawdown) {
  double deepest = 0;
  for (const SeriesPoint& point : drawdown) deepest = std::min(deepest, point.value);
  return std::fabs(deepest);
}

/// Longest stretch below a former peak, in whole days.
std::int64_t LongestBelowPeak(const Series& curve) {
  if (curve.empty()) return 0;
  double peak = curve.front().value;
  bool below = false;
  std::int64_t since = 0;
  std::int64_t longest = 0;
  const auto end_stretch = [&](Micros time) {
    if (below) longest = std::max(longest, (time.value - since) / kMicrosPerDay);
  };
  for (const SeriesPoint& point : curve) {
    if (point.value < peak) {
      if (!below) since = point.time.value;
      below = true;
      continue;
    }
    end_stretch(point.time);
    below = false;
    peak = point.value;
  }
  end_stretch(curve.back().time);
  return longest;
}

void ComputeReturns(const RunInput& input, const DailySeries& daily, RunMetrics& metrics) {
  const auto& equity = input.equity;
  if (equity.empty()) return;
  const double first = equity.front().total_value;
  metrics.final_value = equity.back().total_value;
  metrics.cumulative_return = metrics.final_value / first - 1;
  if (equity.size() >= 2 && first != 0) {
    metrics.total_net_gain = metrics.final_value - first;
    metrics.total_net_gain_percentage = metrics.total_net_gain / first;
  }
  const std::int64_t span = (equity.back().time.value - equity.front().time.value) / kMicrosPerDay;
  double growth = 1;
  for (std::size_t i = 1; i < equity.size(); ++i) {
    const double before = equity[i - 1].total_value;
    growth *= 1 + (equity[i].total_value - equity[i].cash_flow - before) / before;
  }
  if (equity.size() >= 2 && span > 0) {
    metrics.cagr =
        growth <= 0 ? -1 : std::pow(growth, kDaysPerYear / static_cast<double>(span)) - 1;
  }
  // Below a year the mean daily return is the geometric one.
  const double mean_daily = static_cast<double>(span) < kDaysPerYear
                                ? std::pow(1 + metrics.cagr, 1 / kDaysPerYear) - 1
                                : Mean(daily.returns);
  const double excess = mean_daily * kDaysPerYear - input.risk_free_rate;
  const double deviation = daily.returns.size() > 1 ? SampleDeviation(daily.returns) : 0;
  metrics.sharpe_ratio = deviation == 0 ? kNan : excess / (deviation * std::sqrt(kDaysPerYear));
  std::vector<double> negative;
  std::vector<double> logarithms;
  for (double value : daily.returns) {
    if (value < 0) negative.push_back(value);
    if (value > -1) logarithms.push_back(std::log(1 + value));
  }
  metrics.max_daily_drawdown = std::fabs(daily.worst_change);
  const double downside = negative.size() > 1 ? SampleDeviation(negative) : 0;
  metrics.sortino_ratio = downside == 0 ? 0 : excess / (downside * std::sqrt(kDaysPerYear));
  metrics.annual_volatility =
      logarithms.size() > 1 ? SampleDeviation(logarithms) * std::sqrt(kDaysPerYear) : 0;
}

void ComputeDrawdowns(RunMetrics& metrics) {
  metrics.max_drawdown = Deepest(metrics.drawdown);
  metrics.max_drawdown_duration = LongestBelowPeak(metrics.equity_curve);
  metrics.twr_max_drawdown = Deepest(metrics.twr_drawdown);
  metrics.twr_max_drawdown_duration = LongestBelowPeak(metrics.twr_equity_curve);
  metrics.calmar_ratio = metrics.max_drawdown == 0 ? 0 : metrics.cagr / metrics.max_drawdown;
}

/// Window of 365 days, at least 30; a row without value is kept, one with a value only when the
/// equity curve has a point at that midnight.
void ComputeRollingSharpe(const RunInput& input, const DailySeries& daily, RunMetrics& metrics) {
  constexpr std::size_t kWindow = 365;
  constexpr std::size_t kMinimum = 30;
  std::vector<std::int64_t> midnights;
  for (const EquityPoint& point : input.equity) {
    if (point.time.value % kMicrosPerDay == 0) midnights.push_back(DayOf(point.time));
  }
  for (std::size_t i = 0; i < daily.returns.size(); ++i) {
    const std::size_t begin = i + 1 > kWindow ? i + 1 - kWindow : 0;
    const std::vector<double> window(daily.returns.begin() + static_cast<std::ptrdiff_t>(begin),
                                     daily.returns.begin() + static_cast<std::ptrdiff_t>(i) + 1);
    const std::int64_t day = daily.days[i + 1];
    double value = kNan;
    if (window.size() >= kMinimum) {
      const double deviation = SampleDeviation(window);
      if (deviation > 0) value = std::sqrt(kDaysPerYear) * (Mean(window) / deviation);
    }
    if (!std::isnan(value) && !std::binary_search(midnights.begin(), midnights.end(), day))
      continue;
    metrics.rolling_sharpe.push_back({Micros{day * kMicrosPerDay}, value});
  }
}

/// Change of the last value from one period to the next, stamped by `stamp`.
template <class PeriodOf, class StampOf>
Series PeriodReturns(const DailySeries& daily, PeriodOf period_of, StampOf stamp_of) {
  std::vector<std::int64_t> periods;
  std::vector<double> values;
  for (std::size_t i = 0; i < daily.days.size(); ++i) {
    const std::int64_t period = period_of(CivilFromDays(daily.days[i]));
    if (periods.empty() || periods.back() != period) {
      periods.push_back(period);
      values.push_back(daily.values[i]);
    } else {
      values.back() = daily.values[i];
    }
  }
  Series series;
  for (std::size_t i = 1; i < values.size(); ++i) {
    series.push_back({Micros{stamp_of(periods[i]) * kMicrosPerDay}, values[i] / values[i - 1] - 1});
  }
  return series;
}

std::vector<double> ValuesOf(const Series& series) {
  std::vector<double> values;
  for (const SeriesPoint& point : series) values.push_back(point.value);
  return values;
}

/// The share of values above 0, and the points with the largest and smallest value.
double SummarizePeriods(const Series& series, std::optional<SeriesPoint>& best,
                        std::optional<SeriesPoint>& worst) {
  std::int64_t winning = 0;
  for (const SeriesPoint& point : series) {
    if (point.value > 0) ++winning;
    if (!best || point.value > best->value) best = point;
    if (!worst || point.value < worst->value) worst = point;
  }
  return series.empty() ? 0 : static_cast<double>(winning) / static_cast<double>(series.size());
}

void ComputePeriods(const DailySeries& daily, RunMetrics& metrics) {
  metrics.monthly_returns = PeriodReturns(
      daily, [](CivilDate date) { return std::int64_t{date.year} * 12 + date.month - 1; },
      [](std::int64_t month) {  // the month's last day
        const std::int64_t next = month + 1;
        return DaysFromCivil(
                   {static_cast<int>(next / 12), static_cast<unsigned>(next % 12 + 1), 1}) -
               1;
      });
  metrics.yearly_returns = PeriodReturns(
      daily, [](CivilDate date) { return std::int64_t{date.year}; },
      [](std::int64_t year) { return DaysFromCivil({static_cast<int>(year), 1, 1}); });
  metrics.percentage_winning_months =
      SummarizePeriods(metrics.monthly_returns, metrics.best_month, metrics.worst_month);
  metrics.percentage_winning_years =
      SummarizePeriods(metrics.yearly_returns, metrics.best_year, metrics.worst_year);
  std::vector<double> months = ValuesOf(metrics.monthly_returns);
  std::vector<double> losing;
  std::vector<double> winning;
  for (double value : months) (value > 0 ? winning : losing).push_back(value);
  std::erase_if(losing, [](double value) { return value >= 0; });
  metrics.average_monthly_return = Mean(months);
  metrics.average_monthly_return_losing_months = Mean(losing);
  metrics.average_monthly_return_winning_months = Mean(winning);
  if (months.size() < 3) return;
  std::sort(months.begin(), months.end());
  const double rank = (1 - 0.95) * static_cast<double>(months.size() - 1);
  const auto below = static_cast<std::size_t>(rank);
  const double fraction = rank - static_cast<double>(below);
  metrics.var_95 = months[below] + (months[below + 1] - months[below]) * fraction;
  std::erase_if(months, [&](double value) { return value > metrics.var_95; });
  metrics.cvar_95 = Mean(months);
}

double Hours(const TradeResult& trade) {
  return static_cast<double>(trade.closed->value - trade.opened.value) * kHoursPerMicro;
}

/// Realised gain, and for an open trade what it is worth at its last price.
double MarkedGain(const TradeResult& trade) {
  if (trade.closed) return trade.net_gain;
  return trade.amount * (trade.last_price - trade.open_price) + trade.net_gain;
}

double WinLossRatio(const std::vector<double>& wins, const std::vector<double>& losses) {
  if (wins.empty()) return 0;
  const double loss = std::fabs(Mean(losses));
  return losses.empty() || loss == 0 ? kInfinity : Mean(wins) / loss;
}

void ComputeExposure(const RunInput& input, RunMetrics& metrics) {
  std::vector<std::pair<std::int64_t, std::int64_t>> spans;
  for (const TradeResult& trade : input.trades) {
    spans.emplace_back(trade.opened.value, trade.closed.value_or(input.end).value);
  }
  std::sort(spans.begin(), spans.end());
  std::int64_t covered = 0;
  std::int64_t total = 0;
  std::int64_t until = std::numeric_limits<std::int64_t>::min();
  for (const auto& [begin, end] : spans) {
    if (end <= begin) continue;
    total += end - begin;
    const std::int64_t from = std::max(begin, until);
    if (end > from) covered += end - from;
    until = std::max(until, end);
  }
  const std::int64_t window = input.end.value - input.start.value;
  if (window <= 0) return;
  metrics.exposure_ratio = static_cast<double>(covered) / static_cast<double>(window);
  metrics.cumulative_exposure = static_cast<double>(total) / static_cast<double>(window);
}

void ComputeStreaks(std::vector<const TradeResult*> closed, RunMetrics& metrics) {
  std::stable_sort(closed.begin(), closed.end(), [](const TradeResult* a, const TradeResult* b) {
    return *a->closed < *b->closed;
  });
  std::int64_t wins = 0;
  std::int64_t losses = 0;
  for (const TradeResult* trade : closed) {
    wins = trade->net_gain > 0 ? wins + 1 : 0;
    losses = trade->net_gain > 0 ? 0 : losses + 1;
    metrics.max_consecutive_wins = std::max(metrics.max_consecutive_wins, wins);
    metrics.max_consecutive_losses = std::max(metrics.max_consecutive_losses, losses);
  }
}

void ComputeMarked(const RunInput& input, RunMetrics& metrics) {
  std::vector<double> marked;
  std::vector<double> wins;
  std::vector<double> losses;
  std::vector<double> gain_shares;
  for (std::size_t i = 0; i < input.trades.size(); ++i) {
    const double gain = MarkedGain(input.trades[i]);
    if (!metrics.best_trade || gain > MarkedGain(input.trades[*metrics.best_trade])) {
      metrics.best_trade = i;
    }
    if (!metrics.worst_trade || gain < MarkedGain(input.trades[*metrics.worst_trade])) {
      metrics.worst_trade = i;
    }
    marked.push_back(gain);
    if (gain > 0) {
      wins.push_back(gain);
      gain_shares.push_back(gain / input.trades[i].cost);
      metrics.gross_profit += gain;
    } else if (gain < 0) {
      losses.push_back(gain);
      metrics.gross_loss += -gain;
    }
  }
  const auto count = static_cast<double>(marked.size());
  metrics.total_loss = metrics.gross_loss;
  if (input.initial_unallocated > 0) {
    metrics.total_loss_percentage = metrics.total_loss / input.initial_unallocated;
  }
  metrics.positive_trades = static_cast<std::int64_t>(wins.size());
  metrics.negative_trades = static_cast<std::int64_t>(losses.size());
  if (!marked.empty()) {
    metrics.percentage_positive_trades = static_cast<double>(wins.size()) / count * 100;
    metrics.percentage_negative_trades = static_cast<double>(losses.size()) / count * 100;
    metrics.current_win_rate = static_cast<double>(wins.size()) / count;
    std::sort(marked.begin(), marked.end());
    const std::size_t middle = marked.size() / 2;
    metrics.median_trade_return =
        marked.size() % 2 == 1 ? marked[middle] : (marked[middle - 1] + marked[middle]) / 2;
  }
  metrics.average_trade_gain = Mean(wins);
  metrics.average_trade_gain_percentage = Mean(gain_shares);
  metrics.current_win_loss_ratio = WinLossRatio(wins, losses);
  metrics.profit_factor = metrics.gross_loss > 0     ? metrics.gross_profit / metrics.gross_loss
                          : metrics.gross_profit > 0 ? kInfinity
                                                     : 0;
}

void ComputeTrades(const RunInput& input, RunMetrics& metrics) {
  std::vector<const TradeResult*> closed;
  std::vector<double> returns, return_shares, losses, loss_shares, wins, sizes;
  std::vector<double> hours, win_hours, loss_hours;
  for (const TradeResult& trade : input.trades) {
    sizes.push_back(trade.cost);
    if (!trade.closed) continue;
    closed.push_back(&trade);
    returns.push_back(trade.net_gain);
    return_shares.push_back(trade.net_gain / trade.cost);
    hours.push_back(Hours(trade));
    (trade.net_gain > 0 ? win_hours : loss_hours).push_back(Hours(trade));
    if (trade.net_gain > 0) wins.push_back(trade.net_gain);
    if (trade.net_gain < 0) {
      losses.push_back(trade.net_gain);
      loss_shares.push_back(trade.net_gain / trade.cost);
    }
  }
  metrics.trades = static_cast<std::int64_t>(input.trades.size());
  metrics.trades_closed = static_cast<std::int64_t>(closed.size());
  metrics.trades_open = metrics.trades - metrics.trades_closed;
  metrics.average_trade_return = Mean(returns);
  metrics.average_trade_return_percentage = Mean(return_shares);
  metrics.average_trade_loss = Mean(losses);
  metrics.average_trade_loss_percentage = Mean(loss_shares);
  metrics.average_trade_duration = Mean(hours);
  metrics.average_win_duration = Mean(win_hours);
  metrics.average_loss_duration = Mean(loss_hours);
  metrics.average_trade_size = Mean(sizes);
  if (!closed.empty()) {
    metrics.win_rate = static_cast<double>(wins.size()) / static_cast<double>(closed.size());
  }
  metrics.win_loss_ratio = WinLossRatio(wins, losses);
  metrics.days = (input.end.value - input.start.value) / kMicrosPerDay;
  if (metrics.days > 0) {
    const auto count = static_cast<double>(metrics.trades);
    const auto days = static_cast<double>(metrics.days);
    metrics.trades_per_year = count / (days / 365.25);
    metrics.trades_per_month = count / (days / 30.44);
    metrics.trades_per_week = count / (days / 7);
  }
  ComputeMarked(input, metrics);
  ComputeStreaks(std::move(closed), metrics);
  ComputeExposure(input, metrics);
}

}  // namespace

RunMetrics ComputeRunMetrics(const RunInput& input) {
  RunMetrics metrics;
  const DailySeries daily = Daily(input.equity);
  ComputeCurves(input, metrics);
  ComputeReturns(input, daily, metrics);
  ComputeDrawdowns(metrics);
  ComputeRollingSharpe(input, daily, metrics);
  ComputePeriods(daily, metrics);
  ComputeTrades(input, metrics);
  return metrics;
}

}  // namespace lamina::backtests
