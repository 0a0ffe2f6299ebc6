#include "lamina/backtests/series_recipes.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "lamina/base/time.h"

namespace lamina::backtests {

namespace {

constexpr std::int64_t kMicrosPerDay = 86'400'000'000;

constexpr std::uint32_t kEquity = 0, kDrawdown = 1, kCumulative = 2, kMonthly = 4, kYearly = 5,
                        kTwrEquity = 6, kTwrDrawdown = 7;

constexpr std::uint32_t kSorted =
    2;  ///< of snapshots sorted by time, stable; 1 takes them as they stand
constexpr std::uint32_t kYearsLessCashFlow = 2;  ///< release 9; 1 is that of release 8

std::int64_t FloorDay(std::int64_t micros) {
  const std::int64_t day = micros / kMicrosPerDay;
  return micros % kMicrosPerDay < 0 ? day - 1 : day;
}

/// Snapshots in order of time.
SnapshotSeries Sorted(const SnapshotSeries& in) {
  std::vector<std::size_t> order(in.times.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return in.times[a] < in.times[b]; });
  SnapshotSeries out;
  out.complete = in.complete;
  for (const std::size_t i : order) {
    out.times.push_back(in.times[i]);
    out.total_value.push_back(in.total_value[i]);
    out.cash_flow.push_back(in.cash_flow[i]);
  }
  return out;
}

/// (v - running maximum) / running maximum; 0 while the maximum is not positive.
std::vector<double> Drawdown(const std::vector<double>& values) {
  std::vector<double> out(values.size());
  double peak = -std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i] > peak) peak = values[i];
    out[i] = peak > 0 ? (values[i] - peak) / peak : 0.0;
  }
  return out;
}

std::vector<double> Cumulative(const std::vector<double>& values) {
  std::vector<double> out(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) out[i] = values[i] / values[0] - 1;
  return out;
}

/// 1, then times 1 + ((v - cash flow) / v before - 1).
std::vector<double> TimeWeighted(const SnapshotSeries& in) {
  std::vector<double> out(in.total_value.size());
  double product = 1.0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (i > 0 && in.total_value[i - 1] != 0) {
      const double change = (in.total_value[i] - in.cash_flow[i]) / in.total_value[i - 1] - 1;
      product = product * (1 + change);
    }
    out[i] = product;
  }
  return out;
}

/// The last value of each calendar period that has any, times that repeat counted once (the first).
struct Period {
  std::int64_t number = 0;  ///< months or years since year 0
  double last = 0, cash_flow = 0;
};
std::vector<Period> Periods(const SnapshotSeries& in, bool years) {
  std::vector<Period> periods;
  std::int64_t day_before = std::numeric_limits<std::int64_t>::min(), number = 0;
  for (std::size_t i = 0; i < in.times.size(); ++i) {
    const std::int64_t day = FloorDay(in.times[i]);
    if (day != day_before) {
      const CivilDate date = CivilFromDays(day);
      number = years ? date.year : date.year * std::int64_t{12} + (date.month - 1);
      day_before = day;
    }
    if (periods.empty() || periods.back().number != number) periods.push_back({number, 0, 0});
    periods.back().cash_flow = periods.back().cash_flow + in.cash_flow[i];
    if (i > 0 && in.times[i] == in.times[i - 1]) continue;
    periods.back().last = in.total_value[i];
  }
  return periods;
}

/// Midnight of the first day of a month, counted in months.
std::int64_t MonthStart(std::int64_t month) {
  const CivilDate date{static_cast<int>(month / 12), static_cast<unsigned>(month % 12 + 1), 1};
  return DaysFromCivil(date) * kMicrosPerDay;
}

SeriesPoints MonthlyReturns(const SnapshotSeries& in) {
  SeriesPoints points;
  const std::vector<Period> months = Periods(in, /*years=*/false);
  for (std::size_t i = 1; i < months.size(); ++i) {
    const double before = months[i - 1].last;
    // Months without a snapshot keep the value of the last one that had any.
    for (std::int64_t month = months[i - 1].number + 1; month <= months[i].number; ++month) {
      const bool has_any = month == months[i].number;
      points.times.push_back(MonthStart(month + 1) - kMicrosPerDay);
      points.values.push_back((has_any ? months[i].last : before) / before - 1);
      if (points.times.size() > in.times.size() * 4 + 12) return {};  // centuries of nothing
    }
  }
  return points;
}

SeriesPoints YearlyReturns(const SnapshotSeries& in, bool less_cash_flow) {
  SeriesPoints points;
  const std::vector<Period> years = Periods(in, /*years=*/true);
  for (std::size_t i = less_cash_flow ? 0 : 1; i < years.size(); ++i) {
    const double before = i == 0 ? in.total_value[0] : years[i - 1].last;
    const double after = less_cash_flow ? years[i].last - years[i].cash_flow : years[i].last;
    points.times.push_back(MonthStart(years[i].number * 12));
    points.values.push_back(after / before - 1);
  }
  return points;
}

}  // namespace

SnapshotSeries SnapshotSeriesOf(const ColumnView& ts, const ColumnView& total_value,
                                const ColumnView& cash_flow) {
  SnapshotSeries series;
  const auto rows = static_cast<std::size_t>(ts.rows);
  series.times.resize(rows);
  series.total_value.resize(rows);
  series.cash_flow.resize(rows);
  series.complete = true;
  for (std::size_t i = 0; i < rows; ++i) {
    const auto row = static_cast<std::int64_t>(i);
    if (ts.IsNull(row) || total_value.IsNull(row) || cash_flow.IsNull(row)) {
      series.complete = false;
      return series;
    }
    series.times[i] = ts.integers[i];
    series.total_value[i] = total_value.doubles[i];
    series.cash_flow[i] = cash_flow.doubles[i];
    if (i > 0 && series.times[i] < series.times[i - 1]) series.sorted = false;
  }
  return series;
}

std::span<const std::uint32_t> RecipesOf(std::uint32_t series) {
  static constexpr std::uint32_t kTwo[] = {1, 2};
  switch (series) {
    case kEquity:
    case kDrawdown:
    case kCumulative:
    case kTwrEquity:
    case kTwrDrawdown:
    case kYearly:
      return kTwo;
    case kMonthly:
      return std::span(kTwo).first(1);
    default:
      return {};
  }
}

std::optional<SeriesPoints> CookSeries(std::uint32_t series, std::uint32_t recipe,
                                       const SnapshotSeries& snapshots) {
  const auto recipes = RecipesOf(series);
  if (std::find(recipes.begin(), recipes.end(), recipe) == recipes.end()) return std::nullopt;
  if (!snapshots.complete) return std::nullopt;
  const bool by_period = series == kMonthly || series == kYearly;
  std::optional<SnapshotSeries> sorted;
  if ((by_period || recipe == kSorted) && !snapshots.sorted) sorted = Sorted(snapshots);
  const SnapshotSeries& in = sorted ? *sorted : snapshots;
  if (series == kMonthly) return MonthlyReturns(in);
  if (series == kYearly) return YearlyReturns(in, recipe == kYearsLessCashFlow);
  SeriesPoints points;
  points.times = in.times;
  switch (series) {
    case kEquity:
      points.values = in.total_value;
      break;
    case kDrawdown:
      points.values = Drawdown(in.total_value);
      break;
    case kCumulative:
      points.values = Cumulative(in.total_value);
      break;
    case kTwrEquity:
      points.values = TimeWeighted(in);
      break;
    case kTwrDrawdown:
      points.values = Drawdown(TimeWeighted(in));
      break;
    default:
      return std::nullopt;
  }
  return points;
}

}  // namespace lamina::backtests
