#include "lamina/metrics/trade_metrics.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace lamina::metrics {
namespace {

constexpr double kMicrosPerHour = 3.6e9;

struct MeanHours {
  double sum = 0;
  std::size_t count = 0;

  void Add(double hours) {
    sum += hours;
    ++count;
  }
  MetricValue Mean(Reason none) const {
    return count == 0 ? MetricValue::None(none) : MetricValue::Of(sum / static_cast<double>(count));
  }
};

void FillDurations(const std::vector<ClosedTrade>& trades, MetricValues& values) {
  MeanHours all, wins, losses;
  for (const ClosedTrade& trade : trades) {
    if (!trade.opened || !trade.closed || *trade.closed < *trade.opened) {
      for (const Metric metric : {Metric::kAverageTradeDuration, Metric::kAverageWinDuration,
                                  Metric::kAverageLossDuration}) {
        values[metric] = MetricValue::None(Reason::kTradeTimes);
      }
      return;
    }
    const double hours =
        static_cast<double>(trade.closed->value - trade.opened->value) / kMicrosPerHour;
    all.Add(hours);
    (trade.net_gain > 0 ? wins : losses).Add(hours);
  }
  values[Metric::kAverageTradeDuration] = all.Mean(Reason::kNoClosedTrades);
  values[Metric::kAverageWinDuration] = wins.Mean(Reason::kNoWins);
  values[Metric::kAverageLossDuration] = losses.Mean(Reason::kNoLosses);
}

void FillStreaks(const std::vector<ClosedTrade>& trades, MetricValues& values) {
  std::vector<const ClosedTrade*> by_close;
  by_close.reserve(trades.size());
  for (const ClosedTrade& trade : trades) {
    if (!trade.closed) {
      values[Metric::kMaxConsecutiveWins] = MetricValue::None(Reason::kTradeTimes);
      values[Metric::kMaxConsecutiveLosses] = MetricValue::None(Reason::kTradeTimes);
      return;
    }
    by_close.push_back(&trade);
  }
  std::stable_sort(
      by_close.begin(), by_close.end(),
      [](const ClosedTrade* a, const ClosedTrade* b) { return *a->closed < *b->closed; });
  std::int64_t wins = 0, losses = 0, most_wins = 0, most_losses = 0;
  for (const ClosedTrade* trade : by_close) {
    wins = trade->net_gain > 0 ? wins + 1 : 0;
    losses = trade->net_gain > 0 ? 0 : losses + 1;
    most_wins = std::max(most_wins, wins);
    most_losses = std::max(most_losses, losses);
  }
  values[Metric::kMaxConsecutiveWins] = MetricValue::Of(static_cast<double>(most_wins));
  values[Metric::kMaxConsecutiveLosses] = MetricValue::Of(static_cast<double>(most_losses));
}

void FillWith(Reason reason, MetricValues& values) {
  for (auto i = static_cast<std::size_t>(Metric::kWinRate); i < kMetricCount; ++i) {
    values[MetricAt(i)] = MetricValue::None(reason);
  }
}

}  // namespace

TradeSums ComputeTradeMetrics(const std::vector<ClosedTrade>& trades, MetricValues& values) {
  TradeSums sums;
  values[Metric::kTradesClosed] = MetricValue::Of(static_cast<double>(trades.size()));
  if (trades.empty()) {
    FillWith(Reason::kNoClosedTrades, values);
    values[Metric::kMaxConsecutiveWins] = MetricValue::Of(0);
    values[Metric::kMaxConsecutiveLosses] = MetricValue::Of(0);
    sums.known = true;
    return sums;
  }
  std::size_t wins = 0;
  for (const ClosedTrade& trade : trades) {
    if (!std::isfinite(trade.net_gain)) {
      FillWith(Reason::kTradeGain, values);
      return {};
    }
    if (trade.net_gain > 0) {
      ++wins;
      sums.gross_profit += trade.net_gain;
    } else {
      sums.gross_loss -= trade.net_gain;
    }
  }
  sums.known = true;
  values[Metric::kWinRate] =
      MetricValue::Of(static_cast<double>(wins) / static_cast<double>(trades.size()));
  values[Metric::kProfitFactor] = sums.gross_loss > 0
                                      ? MetricValue::Of(sums.gross_profit / sums.gross_loss)
                                      : MetricValue::None(Reason::kNoLosses);
  FillDurations(trades, values);
  FillStreaks(trades, values);
  return sums;
}

}  // namespace lamina::metrics
