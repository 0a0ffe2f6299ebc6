#include "lamina/metrics/equity_metrics.h"

#include <algorithm>
#include <cmath>
#include <span>

namespace lamina::metrics {
namespace {

constexpr std::int64_t kMicrosPerDay = 86'400'000'000;
constexpr double kDaysPerYear = 365.25;
constexpr double kRounding = 1e-14;

std::int64_t DayOf(Micros time) {
  const std::int64_t day = time.value / kMicrosPerDay;
  return time.value % kMicrosPerDay < 0 ? day - 1 : day;
}

/// 1970-01-01 was a Thursday: day 2 a Saturday, day 3 a Sunday.
bool IsWeekend(std::int64_t day) {
  const std::int64_t weekday = (day % 7 + 7) % 7;
  return weekday == 2 || weekday == 3;
}

bool SpansWeekend(std::int64_t first, std::int64_t last) {
  for (std::int64_t day = first; day <= last && day < first + 7; ++day) {
    if (IsWeekend(day)) return true;
  }
  return false;
}

/// Whether the snapshots can be computed with at all; kNone: yes, and they are then by time.
Reason Prepare(std::vector<Snapshot>& snapshots) {
  if (snapshots.empty()) return Reason::kNoSnapshots;
  for (const Snapshot& snapshot : snapshots) {
    if (!snapshot.time) return Reason::kNoTime;
    if (!std::isfinite(snapshot.value) || !std::isfinite(snapshot.cash_flow)) {
      return Reason::kNotFinite;
    }
    if (snapshot.value < 0) return Reason::kNegativeEquity;
  }
  if (snapshots.size() < 2) return Reason::kOneSnapshot;
  const auto earlier = [](const Snapshot& a, const Snapshot& b) { return *a.time < *b.time; };
  if (!std::is_sorted(snapshots.begin(), snapshots.end(), earlier)) {
    std::stable_sort(snapshots.begin(), snapshots.end(), earlier);
  }
  return Reason::kNone;
}

/// The values, or with flows the time-weighted index from the same start. kNone unless a growth
/// would start at zero or the index leaves the numbers.
Reason ComputeIndex(const std::vector<Snapshot>& snapshots, std::vector<double>& index) {
  index.reserve(snapshots.size());
  bool flows = false;
  for (std::size_t i = 0; i < snapshots.size(); ++i) {
    index.push_back(snapshots[i].value);
    flows = flows || (i > 0 && snapshots[i].cash_flow != 0);
  }
  if (!flows) return Reason::kNone;
  for (std::size_t i = 1; i < snapshots.size(); ++i) {
    const double before = snapshots[i - 1].value;
    if (before == 0) return Reason::kZeroEquity;
    const double kept = snapshots[i].value - snapshots[i].cash_flow;
    if (kept < 0) return Reason::kNegativeEquity;
    index[i] = index[i - 1] * (kept / before);
    if (!std::isfinite(index[i])) return Reason::kOutOfRange;
  }
  return Reason::kNone;
}

struct Days {
  std::vector<std::int64_t> days;
  std::vector<double> values;  ///< the last of each day
};

Days LastOfDays(const std::vector<Snapshot>& snapshots, const std::vector<double>& index) {
  Days daily;
  for (std::size_t i = 0; i < snapshots.size(); ++i) {
    const std::int64_t day = DayOf(*snapshots[i].time);
    if (daily.days.empty() || daily.days.back() != day) {
      daily.days.push_back(day);
      daily.values.push_back(index[i]);
    } else {
      daily.values.back() = index[i];
    }
  }
  return daily;
}

DailyReturns ReturnsOf(Days daily) {
  DailyReturns out;
  out.days = std::move(daily.days);
  const bool has_weekend = std::any_of(out.days.begin(), out.days.end(), IsWeekend);
  if (!has_weekend && SpansWeekend(out.days.front(), out.days.back())) out.periods_a_year = 252;
  if (out.days.size() < 2) {
    out.reason = Reason::kOneDay;
    return out;
  }
  out.returns.reserve(out.days.size() - 1);
  for (std::size_t i = 1; i < daily.values.size(); ++i) {
    if (daily.values[i - 1] == 0) {
      out.reason = Reason::kZeroEquity;
    } else {
      out.returns.push_back(daily.values[i] / daily.values[i - 1] - 1);
      if (!std::isfinite(out.returns.back())) out.reason = Reason::kOutOfRange;
    }
  }
  if (out.reason != Reason::kNone) out.returns.clear();
  return out;
}

constexpr std::array<Metric, 8> kOfReturns = {
    Metric::kAnnualVolatility, Metric::kSharpeRatio, Metric::kSortinoRatio, Metric::kVar95,
    Metric::kCvar95,           Metric::kSkewness,    Metric::kKurtosis,     Metric::kDailyReturns};

void FillGains(const std::vector<Snapshot>& snapshots, MetricValues& values) {
  const double first = snapshots.front().value;
  double gain = snapshots.back().value - first;
  for (std::size_t i = 1; i < snapshots.size(); ++i) gain -= snapshots[i].cash_flow;
  values[Metric::kTotalNetGain] = MetricValue::Of(gain);
  values[Metric::kTotalNetGainPercentage] =
      first == 0 ? MetricValue::None(Reason::kZeroEquity) : MetricValue::Of(gain / first);
}

MetricValue MaxDrawdown(const std::vector<double>& index) {
  double peak = index.front();
  double deepest = 0;
  for (const double value : index) {
    peak = std::max(peak, value);
    if (peak == 0) return MetricValue::None(Reason::kZeroEquity);
    deepest = std::max(deepest, (peak - value) / peak);
  }
  return MetricValue::Of(deepest);
}

MetricValue Cagr(const Days& daily) {
  if (daily.days.size() < 2) return MetricValue::None(Reason::kOneDay);
  if (daily.values.front() == 0) return MetricValue::None(Reason::kZeroEquity);
  const auto days = static_cast<double>(daily.days.back() - daily.days.front());
  const double growth = daily.values.back() / daily.values.front();
  return MetricValue::Of(std::pow(growth, kDaysPerYear / days) - 1);
}

/// Volatility, Sharpe, Sortino, skewness and kurtosis of at least two returns.
void FillMoments(const DailyReturns& daily, std::optional<double> rate, MetricValues& values) {
  const auto& returns = daily.returns;
  const auto count = static_cast<double>(returns.size());
  double sum = 0;
  for (const double r : returns) sum += r;
  const double mean = sum / count;
  double second = 0, third = 0, fourth = 0, below = 0;
  for (const double r : returns) {
    const double distance = r - mean;
    const double square = distance * distance;
    second += square;
    third += square * distance;
    fourth += square * square;
    if (r < 0) below += r * r;
  }
  const double deviation = std::sqrt(second / (count - 1));
  const double downside = std::sqrt(below / count);
  const double root = std::sqrt(daily.periods_a_year);
  values[Metric::kAnnualVolatility] = MetricValue::Of(deviation * root);
  const bool has_rate = rate && std::isfinite(*rate);
  const double excess = has_rate ? mean - *rate / daily.periods_a_year : 0;
  const auto ratio = [&](double risk, Reason no_risk) {
    if (!has_rate) return MetricValue::None(Reason::kNoRiskFreeRate);
    if (risk <= kRounding) return MetricValue::None(no_risk);
    return MetricValue::Of(excess / risk * root);
  };
  values[Metric::kSharpeRatio] = ratio(deviation, Reason::kConstant);
  values[Metric::kSortinoRatio] = ratio(downside, Reason::kNoLosingDay);
  if (deviation <= kRounding) {
    values[Metric::kSkewness] = MetricValue::None(Reason::kConstant);
    values[Metric::kKurtosis] = MetricValue::None(Reason::kConstant);
    return;
  }
  const double variance = second / count;
  values[Metric::kSkewness] = MetricValue::Of(third / count / (variance * std::sqrt(variance)));
  values[Metric::kKurtosis] = MetricValue::Of(fourth / count / (variance * variance));
}

void FillReturns(const DailyReturns& daily, std::optional<double> rate, MetricValues& values) {
  Reason reason = daily.reason;
  if (reason == Reason::kNone && daily.returns.size() < 2) reason = Reason::kFewReturns;
  if (reason != Reason::kNone) {
    for (const Metric metric : kOfReturns) values[metric] = MetricValue::None(reason);
  } else {
    FillMoments(daily, rate, values);
    std::vector<double> sorted = daily.returns;
    std::sort(sorted.begin(), sorted.end());
    const double quantile = SortedQuantile(sorted, 0.05);
    double tail = 0;
    std::size_t count = 0;
    while (count < sorted.size() && sorted[count] <= quantile) tail += sorted[count++];
    values[Metric::kVar95] = MetricValue::Of(quantile);
    values[Metric::kCvar95] = MetricValue::Of(tail / static_cast<double>(count));
  }
  values[Metric::kDailyReturns] = MetricValue::Of(static_cast<double>(daily.returns.size()));
}

}  // namespace

double SortedQuantile(const std::vector<double>& sorted, double share) {
  const double rank = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(rank);
  if (below + 1 >= sorted.size()) return sorted.back();
  return sorted[below] + (sorted[below + 1] - sorted[below]) * (rank - static_cast<double>(below));
}

DailyReturns ComputeDailyReturns(std::vector<Snapshot> snapshots) {
  DailyReturns out;
  std::vector<double> index;
  out.reason = Prepare(snapshots);
  if (out.reason == Reason::kNone) out.reason = ComputeIndex(snapshots, index);
  if (out.reason != Reason::kNone) return out;
  return ReturnsOf(LastOfDays(snapshots, index));
}

void ComputeEquityMetrics(std::vector<Snapshot> snapshots, std::optional<double> risk_free_rate,
                          MetricValues& values) {
  Reason reason = Prepare(snapshots);
  std::vector<double> index;
  if (reason == Reason::kNone) FillGains(snapshots, values);
  if (reason == Reason::kNone) {
    reason = ComputeIndex(snapshots, index);
  } else {
    values[Metric::kTotalNetGain] = MetricValue::None(reason);
    values[Metric::kTotalNetGainPercentage] = MetricValue::None(reason);
  }
  if (reason != Reason::kNone) {
    for (const Metric metric : {Metric::kCagr, Metric::kCalmarRatio, Metric::kMaxDrawdown}) {
      values[metric] = MetricValue::None(reason);
    }
    for (const Metric metric : kOfReturns) values[metric] = MetricValue::None(reason);
    values[Metric::kDailyReturns] = MetricValue::Of(0);
    return;
  }
  values[Metric::kMaxDrawdown] = MaxDrawdown(index);
  Days daily = LastOfDays(snapshots, index);
  values[Metric::kCagr] = Cagr(daily);
  const MetricValue& drawdown = values[Metric::kMaxDrawdown];
  const MetricValue& cagr = values[Metric::kCagr];
  if (!cagr.value || !drawdown.value) {
    values[Metric::kCalmarRatio] = MetricValue::None(cagr.value ? drawdown.reason : cagr.reason);
  } else if (*drawdown.value <= kRounding) {
    values[Metric::kCalmarRatio] = MetricValue::None(Reason::kNoDrawdown);
  } else {
    values[Metric::kCalmarRatio] = MetricValue::Of(*cagr.value / *drawdown.value);
  }
  FillReturns(ReturnsOf(std::move(daily)), risk_free_rate, values);
}

}  // namespace lamina::metrics
