#include "lamina/metrics/pooling.h"

#include <algorithm>

namespace lamina::metrics {
namespace {

class Pooling {
 public:
  explicit Pooling(const std::vector<WindowMetrics>& windows) : windows_(windows) {
    out_.windows = static_cast<std::uint32_t>(windows.size());
  }

  PooledMetrics Run() {
    AddGains();
    AddProfitFactor();
    for (const Metric metric : {Metric::kDailyReturns, Metric::kTradesClosed}) {
      double sum = 0;
      for (const WindowMetrics& window : windows_) sum += window.values[metric].value.value_or(0);
      Set(metric, MetricValue::Of(sum), windows_.size());
    }
    const bool whole_days = std::any_of(windows_.begin(), windows_.end(),
                                        [](const WindowMetrics& w) { return w.days > 0; });
    for (const Metric metric : {Metric::kCagr, Metric::kAnnualVolatility, Metric::kSharpeRatio,
                                Metric::kSortinoRatio, Metric::kCalmarRatio, Metric::kVar95,
                                Metric::kCvar95, Metric::kSkewness, Metric::kKurtosis}) {
      Weigh(metric, [&](const WindowMetrics& window) {
        return whole_days ? static_cast<double>(std::max<std::int64_t>(window.days, 0)) : 1.0;
      });
    }
    for (const Metric metric : {Metric::kWinRate, Metric::kAverageTradeDuration,
                                Metric::kAverageWinDuration, Metric::kAverageLossDuration}) {
      Weigh(metric, [](const WindowMetrics& window) {
        return window.values[Metric::kTradesClosed].value.value_or(0);
      });
    }
    for (const Metric metric :
         {Metric::kMaxDrawdown, Metric::kMaxConsecutiveWins, Metric::kMaxConsecutiveLosses}) {
      TakeLargest(metric);
    }
    return out_;
  }

 private:
  void Set(Metric metric, MetricValue value, std::size_t windows) {
    out_.values[metric] = value;
    out_.windows_used[static_cast<std::size_t>(metric)] =
        value.value ? static_cast<std::uint32_t>(windows) : 0;
  }

  /// Of the first window that lacks the metric.
  Reason WhyNone(Metric metric) const {
    for (const WindowMetrics& window : windows_) {
      if (!window.values[metric].value) return window.values[metric].reason;
    }
    return windows_.empty() ? Reason::kNoWindows : Reason::kNoWeight;
  }

  void AddGains() {
    double gain = 0;
    double capital = 0;
    for (const WindowMetrics& window : windows_) {
      const auto& value = window.values[Metric::kTotalNetGain];
      if (!value.value) {
        Set(Metric::kTotalNetGain, value, 0);
        Set(Metric::kTotalNetGainPercentage, value, 0);
        return;
      }
      gain += *value.value;
      capital += window.first_value;
    }
    if (windows_.empty()) return;
    Set(Metric::kTotalNetGain, MetricValue::Of(gain), windows_.size());
    Set(Metric::kTotalNetGainPercentage,
        capital > 0 ? MetricValue::Of(gain / capital) : MetricValue::None(Reason::kZeroEquity),
        windows_.size());
  }

  void AddProfitFactor() {
    double profit = 0;
    double loss = 0;
    for (const WindowMetrics& window : windows_) {
      if (!window.trade_sums.known) {
        Set(Metric::kProfitFactor, MetricValue::None(Reason::kTradeGain), 0);
        return;
      }
      profit += window.trade_sums.gross_profit;
      loss += window.trade_sums.gross_loss;
    }
    if (loss > 0) {
      Set(Metric::kProfitFactor, MetricValue::Of(profit / loss), windows_.size());
    } else {
      const Reason why = profit > 0 ? Reason::kNoLosses : WhyNone(Metric::kProfitFactor);
      Set(Metric::kProfitFactor, MetricValue::None(why), 0);
    }
  }

  template <class Weight>
  void Weigh(Metric metric, Weight weight_of) {
    double sum = 0;
    double weights = 0;
    double last = 0;
    std::size_t used = 0;
    for (const WindowMetrics& window : windows_) {
      const auto& value = window.values[metric].value;
      const double weight = weight_of(window);
      if (!value || weight <= 0) continue;
      sum += *value * weight;
      weights += weight;
      last = *value;
      ++used;
    }
    // One window keeps its bits: x w / w need not be x.
    Set(metric,
        used == 0   ? MetricValue::None(WhyNone(metric))
        : used == 1 ? MetricValue::Of(last)
                    : MetricValue::Of(sum / weights),
        used);
  }

  void TakeLargest(Metric metric) {
    double largest = 0;
    std::size_t used = 0;
    for (const WindowMetrics& window : windows_) {
      const auto& value = window.values[metric].value;
      if (!value) continue;
      largest = used == 0 ? *value : std::max(largest, *value);
      ++used;
    }
    Set(metric, used == 0 ? MetricValue::None(WhyNone(metric)) : MetricValue::Of(largest), used);
  }

  const std::vector<WindowMetrics>& windows_;
  PooledMetrics out_;
};

}  // namespace

PooledMetrics Pool(const std::vector<WindowMetrics>& windows) { return Pooling(windows).Run(); }

}  // namespace lamina::metrics
