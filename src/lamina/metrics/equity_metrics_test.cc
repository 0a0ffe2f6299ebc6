#include "lamina/metrics/equity_metrics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <string>

#include <gtest/gtest.h>

namespace lamina::metrics {
namespace {

constexpr std::int64_t kDay = 86'400'000'000;
constexpr std::int64_t kMonday = 19'723 * kDay;  // 2024-01-01
const double kNan = std::nan("");
const double kInfinity = std::numeric_limits<double>::infinity();

std::vector<Snapshot> Daily(const std::vector<double>& values, std::int64_t first = kMonday) {
  std::vector<Snapshot> snapshots;
  for (std::size_t i = 0; i < values.size(); ++i) {
    snapshots.push_back({Micros{first + static_cast<std::int64_t>(i) * kDay}, values[i], 0});
  }
  return snapshots;
}

MetricValues Compute(std::vector<Snapshot> snapshots, std::optional<double> rate = 0.0) {
  MetricValues values;
  ComputeEquityMetrics(std::move(snapshots), rate, values);
  return values;
}

/// Worked by hand: returns 0.1, -0.1, 0.1 from 100.
TEST(EquityMetrics, ByHand) {
  const MetricValues values = Compute(Daily({100, 110, 99, 108.9}), 0.365);
  const double mean = 0.1 / 3;
  const double deviation = std::sqrt((2 * std::pow(0.1 - mean, 2) + std::pow(-0.1 - mean, 2)) / 2);
  const double downside = std::sqrt(0.01 / 3);
  const auto near = [&](Metric metric, double expected) {
    ASSERT_TRUE(values[metric].value.has_value()) << NameOf(metric);
    EXPECT_NEAR(*values[metric].value, expected, 1e-12 * std::max(1.0, std::fabs(expected)))
        << NameOf(metric);
  };
  near(Metric::kTotalNetGain, 8.9);
  near(Metric::kTotalNetGainPercentage, 0.089);
  near(Metric::kCagr, std::pow(1.089, 365.25 / 3) - 1);
  near(Metric::kAnnualVolatility, deviation * std::sqrt(365.0));
  near(Metric::kSharpeRatio, (mean - 0.001) / deviation * std::sqrt(365.0));
  near(Metric::kSortinoRatio, (mean - 0.001) / downside * std::sqrt(365.0));
  near(Metric::kMaxDrawdown, 0.1);
  near(Metric::kCalmarRatio, (std::pow(1.089, 365.25 / 3) - 1) / 0.1);
  near(Metric::kVar95, -0.1 + 0.2 * 0.1);  // rank 0.1 of -0.1, 0.1, 0.1
  near(Metric::kCvar95, -0.1);
  near(Metric::kSkewness, -1 / std::sqrt(2.0));
  near(Metric::kKurtosis, 1.5);
  near(Metric::kDailyReturns, 3);
}

TEST(EquityMetrics, TheLastSnapshotOfADayCounts) {
  std::vector<Snapshot> snapshots;
  for (int hour = 0; hour < 72; ++hour) {
    snapshots.push_back({Micros{kMonday + hour * (kDay / 24)}, 100.0 + hour % 24, 0});
  }
  // Days end at 123: no return but zero, while the curve falls from 123 to 100 at midnight.
  const MetricValues values = Compute(snapshots);
  EXPECT_EQ(values[Metric::kDailyReturns].value, 2);
  EXPECT_EQ(values[Metric::kVar95].value, 0);
  EXPECT_EQ(values[Metric::kSharpeRatio].reason, Reason::kConstant);
  EXPECT_NEAR(*values[Metric::kMaxDrawdown].value, 23.0 / 123, 1e-15);
}

TEST(EquityMetrics, OrderOfRowsAndEqualTimes) {
  const auto sorted = Daily({100, 110, 99, 108.9, 120});
  auto shuffled = sorted;
  std::shuffle(shuffled.begin(), shuffled.end(), std::mt19937(7));
  const MetricValues expected = Compute(sorted, 0.02);
  const MetricValues found = Compute(shuffled, 0.02);
  for (std::size_t i = 0; i < kMetricCount; ++i) {
    EXPECT_EQ(expected[MetricAt(i)].value, found[MetricAt(i)].value) << kMetricFields[i].name;
  }
  auto doubled = sorted;
  doubled.insert(doubled.begin() + 2, doubled[1]);
  doubled[1].value = 5;  // the later of equal times is the day's last
  EXPECT_EQ(Compute(doubled)[Metric::kAnnualVolatility].value,
            Compute(sorted)[Metric::kAnnualVolatility].value);
}

TEST(EquityMetrics, PeriodsOfAYear) {
  const struct {
    const char* name;
    std::int64_t first;
    std::vector<int> days;
    double periods;
  } cases[] = {
      {"every day", kMonday, {0, 1, 2, 3, 4, 5, 6, 7}, 365},
      {"no weekends", kMonday, {0, 1, 2, 3, 4, 7, 8}, 252},
      {"a Sunday is there", kMonday, {0, 1, 2, 3, 4, 6, 7}, 365},
      {"within one week: not known, so 365", kMonday, {0, 1, 2, 3, 4}, 365},
      {"Friday to Monday", kMonday + 4 * kDay, {0, 3, 4}, 252},
      {"before 1970", -3 * kDay, {0, 1, 2}, 365},                    // Monday to Wednesday
      {"before 1970, no weekend", -7 * kDay, {0, 1, 4, 5, 6}, 252},  // Thursday, Friday, Monday
  };
  for (const auto& one : cases) {
    std::vector<Snapshot> snapshots;
    for (const int day : one.days) {
      snapshots.push_back({Micros{one.first + day * kDay}, 100.0 + day, 0});
    }
    EXPECT_EQ(ComputeDailyReturns(snapshots).periods_a_year, one.periods) << one.name;
  }
}

TEST(EquityMetrics, DepositsAreNoGain) {
  auto snapshots = Daily({100, 110, 160, 144});
  snapshots[0].cash_flow = 100;  // the start itself
  snapshots[2].cash_flow = 50;
  const MetricValues values = Compute(snapshots);
  // 110 to 160 with 50 paid in is no return; then -10 %.
  EXPECT_NEAR(*values[Metric::kTotalNetGain].value, -6, 1e-12);
  EXPECT_NEAR(*values[Metric::kMaxDrawdown].value, 0.1, 1e-12);
  EXPECT_NEAR(*values[Metric::kCagr].value, std::pow(1.1 * 0.9, 365.25 / 3) - 1, 1e-12);
  const DailyReturns returns = ComputeDailyReturns(snapshots);
  ASSERT_EQ(returns.returns.size(), 3u);
  EXPECT_NEAR(returns.returns[1], 0, 1e-15);
}

TEST(EquityMetrics, NoNumberIsBetterThanAWrongOne) {
  auto no_time = Daily({100, 110, 120});
  no_time[1].time.reset();
  auto flow_nan = Daily({100, 110, 120});
  flow_nan[2].cash_flow = kNan;
  auto too_much_paid_in = Daily({100, 110, 120});
  too_much_paid_in[2].cash_flow = 500;
  std::vector<Snapshot> one_day = Daily({100, 110});
  one_day[1].time = Micros{kMonday + 1};
  const struct {
    const char* name;
    std::vector<Snapshot> snapshots;
    Metric metric;
    Reason reason;
  } cases[] = {
      {"none", {}, Metric::kSharpeRatio, Reason::kNoSnapshots},
      {"none", {}, Metric::kMaxDrawdown, Reason::kNoSnapshots},
      {"one", Daily({100}), Metric::kMaxDrawdown, Reason::kOneSnapshot},
      {"one", Daily({100}), Metric::kTotalNetGain, Reason::kOneSnapshot},
      {"NaN", Daily({100, kNan, 110}), Metric::kCagr, Reason::kNotFinite},
      {"infinite", Daily({100, kInfinity, 110}), Metric::kMaxDrawdown, Reason::kNotFinite},
      {"flow", flow_nan, Metric::kVar95, Reason::kNotFinite},
      {"flow", too_much_paid_in, Metric::kVar95, Reason::kNegativeEquity},
      {"time", no_time, Metric::kCagr, Reason::kNoTime},
      {"negative", Daily({100, -1, 110}), Metric::kMaxDrawdown, Reason::kNegativeEquity},
      {"zero first", Daily({0, 1, 2}), Metric::kCagr, Reason::kZeroEquity},
      {"zero first", Daily({0, 1, 2}), Metric::kMaxDrawdown, Reason::kZeroEquity},
      {"zero first", Daily({0, 1, 2}), Metric::kTotalNetGainPercentage, Reason::kZeroEquity},
      {"zero between", Daily({1, 0, 2}), Metric::kSharpeRatio, Reason::kZeroEquity},
      {"one day", one_day, Metric::kCagr, Reason::kOneDay},
      {"one day", one_day, Metric::kCalmarRatio, Reason::kOneDay},
      {"one day", one_day, Metric::kKurtosis, Reason::kOneDay},
      {"two days", Daily({100, 101}), Metric::kAnnualVolatility, Reason::kFewReturns},
      {"constant", Daily({100, 100, 100}), Metric::kSharpeRatio, Reason::kConstant},
      {"constant", Daily({100, 100, 100}), Metric::kSkewness, Reason::kConstant},
      {"constant", Daily({100, 100, 100}), Metric::kSortinoRatio, Reason::kNoLosingDay},
      {"constant", Daily({100, 100, 100}), Metric::kCalmarRatio, Reason::kNoDrawdown},
      {"constant growth", Daily({1, 1.01, 1.0201, 1.030301}), Metric::kSharpeRatio,
       Reason::kConstant},
      {"rises", Daily({100, 101, 103}), Metric::kSortinoRatio, Reason::kNoLosingDay},
      {"overflow", Daily({1e-300, 1e300}), Metric::kCagr, Reason::kOutOfRange},
  };
  for (const auto& one : cases) {
    const MetricValues values = Compute(one.snapshots);
    EXPECT_FALSE(values[one.metric].value.has_value()) << one.name << " " << NameOf(one.metric);
    EXPECT_EQ(TextOf(values[one.metric].reason), TextOf(one.reason))
        << one.name << " " << NameOf(one.metric);
  }
}

TEST(EquityMetrics, WhatHasAnswersAllTheSame) {
  EXPECT_EQ(Compute(Daily({100, 100, 100}))[Metric::kAnnualVolatility].value, 0);
  EXPECT_EQ(Compute(Daily({100, 100, 100}))[Metric::kCagr].value, 0);
  EXPECT_EQ(Compute(Daily({100, 100, 100}))[Metric::kMaxDrawdown].value, 0);
  const MetricValues lost = Compute(Daily({100, 50, 0}));
  EXPECT_EQ(lost[Metric::kCagr].value, -1) << "everything is lost";
  EXPECT_EQ(lost[Metric::kMaxDrawdown].value, 1);
  EXPECT_EQ(lost[Metric::kDailyReturns].value, 2);
}

TEST(EquityMetrics, WithoutARiskFreeRate) {
  for (const auto rate : {std::optional<double>(), std::optional(kNan), std::optional(kInfinity)}) {
    const MetricValues values = Compute(Daily({100, 110, 99, 120}), rate);
    EXPECT_EQ(values[Metric::kSharpeRatio].reason, Reason::kNoRiskFreeRate);
    EXPECT_EQ(values[Metric::kSortinoRatio].reason, Reason::kNoRiskFreeRate);
    EXPECT_TRUE(values[Metric::kAnnualVolatility].value.has_value());
    EXPECT_TRUE(values[Metric::kCalmarRatio].value.has_value());
  }
}

TEST(EquityMetrics, QuantilesAreOfType7) {
  const std::vector<double> sorted = {1, 2, 4, 8};
  EXPECT_EQ(SortedQuantile(sorted, 0), 1);
  EXPECT_EQ(SortedQuantile(sorted, 1), 8);
  EXPECT_EQ(SortedQuantile(sorted, 0.5), 3);
  EXPECT_DOUBLE_EQ(SortedQuantile(sorted, 0.05), 1.15);
  EXPECT_EQ(SortedQuantile({5}, 0.05), 5);
}

/// Numbers of any kind give values that are finite, or a reason.
TEST(EquityMetrics, AnyNumbers) {
  std::mt19937_64 random(1);
  const double odd[] = {0,         -0.0,       1e-308, 1e308,  -1,    kNan,
                        kInfinity, -kInfinity, 1000,   5e-324, 1e-14, 3};
  for (int round = 0; round < 20000; ++round) {
    std::vector<Snapshot> snapshots(random() % 7);
    const bool tame = random() % 2 == 0;
    for (Snapshot& snapshot : snapshots) {
      if (random() % 20 != 0) {
        snapshot.time = Micros{static_cast<std::int64_t>(random() % 5) * kDay / 2 - kDay};
      }
      snapshot.value = tame ? static_cast<double>(random() % 100) : odd[random() % 12];
      if (random() % 4 == 0) snapshot.cash_flow = odd[random() % 12];
    }
    const MetricValues values = Compute(snapshots, 0.02);
    for (std::size_t i = 0; i <= static_cast<std::size_t>(Metric::kDailyReturns); ++i) {
      const MetricValue& value = values[MetricAt(i)];
      ASSERT_EQ(value.value.has_value(), value.reason == Reason::kNone) << kMetricFields[i].name;
      ASSERT_TRUE(std::isfinite(value.value.value_or(0))) << kMetricFields[i].name;
    }
  }
}

}  // namespace
}  // namespace lamina::metrics
