#include "lamina/backtests/disagreements.h"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lamina/backtests/index_row.h"

namespace lamina::backtests {
namespace {

using metrics::Metric;
using metrics::MetricValue;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

CheckedRun MakeRun(double gain, double drawdown, double win_rate, double closed) {
  CheckedRun run;
  run.has_metrics = true;
  run.gain = gain;
  run.gain_percentage = gain / 1000;
  run.drawdown = drawdown;
  run.initial_capital = 1000;
  run.window.first_value = 1000;
  run.window.days = 10;
  run.window.trade_sums = {30, 10, true};
  auto& values = run.window.values;
  values[Metric::kTotalNetGain] = MetricValue::Of(gain);
  values[Metric::kTotalNetGainPercentage] = MetricValue::Of(gain / 1000);
  values[Metric::kMaxDrawdown] = MetricValue::Of(drawdown);
  values[Metric::kWinRate] = MetricValue::Of(win_rate);
  values[Metric::kTradesClosed] = MetricValue::Of(closed);
  values[Metric::kProfitFactor] = MetricValue::Of(3);
  values[Metric::kSharpeRatio] = MetricValue::Of(1.25);
  values[Metric::kMaxConsecutiveWins] = MetricValue::Of(2);
  return run;
}

/// "metric kind", in order.
std::vector<std::string> Found(const std::vector<std::pair<const char*, Number>>& recorded,
                               const std::vector<CheckedRun>& runs) {
  IndexRow row;
  for (const auto& [name, number] : recorded) row.summary[*FindSummaryField(name)] = number;
  std::vector<metrics::WindowMetrics> windows;
  std::vector<const CheckedRun*> pointers;
  for (const CheckedRun& run : runs) {
    windows.push_back(run.window);
    pointers.push_back(&run);
  }
  ValidatedMetrics validated;
  validated.pooled = metrics::Pool(windows);
  validated.disagreements = FindDisagreements(row, pointers, validated.pooled);
  row.validated = validated;
  std::vector<std::string> found;
  for (const Disagreement& one : AllDisagreements(row)) {
    found.push_back(one.metric + (one.run ? "@" + std::to_string(*one.run) : "") + " " +
                    std::string(NameOf(one.kind)));
    EXPECT_FALSE(one.Explanation().empty());
  }
  return found;
}

TEST(Disagreements, OneWindow) {
  const std::vector<CheckedRun> run = {MakeRun(50, 0.1, 0.25, 4)};
  const double nan = std::nan("");
  const struct {
    const char* name;
    const char* metric;
    Number recorded;
    std::vector<std::string> expected;
  } cases[] = {
      {"same", "max_drawdown", 0.1, {}},
      {"rounding", "max_drawdown", 0.1 * (1 + 5e-7), {}},
      {"beyond", "max_drawdown", 0.1 * (1 + 5e-6), {"max_drawdown differs"}},
      {"percent", "max_drawdown", 10.0, {"max_drawdown percent"}},
      {"percent", "win_rate", std::int64_t{25}, {"win_rate percent"}},
      {"percent", "total_net_gain_percentage", 5.0, {"total_net_gain_percentage percent"}},
      {"percent of a percent", "win_rate", 0.0025, {"win_rate percent"}},
      {"money is never percent", "total_net_gain", 5000.0, {"total_net_gain differs"}},
      {"sign", "max_drawdown", -0.1, {"max_drawdown sign"}},
      {"NaN", "win_rate", nan, {"win_rate not_a_number"}},
      {"infinite", "profit_factor", HUGE_VAL, {"profit_factor not_a_number"}},
      {"also as growth", "total_growth", 51.0, {"total_growth differs"}},
      {"another definition", "sharpe_ratio", 1.5, {"sharpe_ratio definition"}},
      {"by chance the same", "sharpe_ratio", 1.25, {}},
      {"integer", "number_of_trades_closed", std::int64_t{5}, {"number_of_trades_closed differs"}},
      {"not recorded", "win_rate", Number(), {}},
      {"we have none", "var_95", 0.3, {}},
  };
  for (const auto& one : cases) {
    EXPECT_EQ(Found({{one.metric, one.recorded}}, run), one.expected)
        << one.name << " " << one.metric;
  }
}

TEST(Disagreements, KnownDefinitionsOfSummariesAreNoErrors) {
  const std::vector<CheckedRun> runs = {MakeRun(50, 0.1, 0.25, 4), MakeRun(-20, 0.3, 0.75, 12)};
  const struct {
    const char* metric;
    Number recorded;
    std::vector<std::string> expected;
  } cases[] = {
      {"max_drawdown", 0.1, {"max_drawdown definition"}},  // the mildest window
      {"max_drawdown", 0.3, {"max_drawdown differs"}},     // ours, but not as they define it
      {"max_drawdown", 0.2, {"max_drawdown differs"}},
      {"total_net_gain_percentage", 1.05 * 0.98 - 1, {"total_net_gain_percentage definition"}},
      {"total_net_gain_percentage", 0.015, {}},  // sum of gains over capital, mean over days
      {"total_net_gain_percentage", 0.02, {"total_net_gain_percentage differs"}},
      {"win_rate", 0.625, {}},
      {"profit_factor", 3.0, {}},
      {"max_consecutive_wins", std::int64_t{3}, {"max_consecutive_wins differs"}},
  };
  for (const auto& one : cases) {
    EXPECT_EQ(Found({{one.metric, one.recorded}}, runs), one.expected) << one.metric;
  }
}

TEST(Disagreements, CountedOnesComeFirstAndRunsAreNamed) {
  std::vector<CheckedRun> runs = {MakeRun(50, 0.1, 0.25, 4), MakeRun(-20, 0.3, 0.75, 12)};
  runs[1].slot = 1;
  runs[1].recorded[static_cast<std::size_t>(Metric::kWinRate)] = 75;
  runs[1].recorded[static_cast<std::size_t>(Metric::kSharpeRatio)] = 99;  // other definition
  EXPECT_THAT(Found({{"sharpe_ratio", 1.5}, {"max_drawdown", 0.1}, {"win_rate", 0.1}}, runs),
              ElementsAre("win_rate differs", "win_rate@1 percent", "max_drawdown definition",
                          "sharpe_ratio definition"));
}

TEST(Disagreements, OpenTradesMakeTheRecordedProfitFactorAnother) {
  std::vector<CheckedRun> runs = {MakeRun(50, 0.1, 0.25, 4)};
  EXPECT_THAT(Found({{"profit_factor", 2.0}}, runs), ElementsAre("profit_factor differs"));
  runs[0].trades_open = 1;
  EXPECT_THAT(Found({{"profit_factor", 2.0}}, runs), ElementsAre("profit_factor definition"));
}

TEST(Disagreements, WindowsWithoutMetricsMayOrMayNotCount) {
  std::vector<CheckedRun> runs = {MakeRun(50, 0.1, 0.25, 4), MakeRun(-20, 0.3, 0.75, 12)};
  runs[1].has_metrics = false;
  EXPECT_THAT(Found({{"total_net_gain", 30.0}}, runs), IsEmpty());
  EXPECT_THAT(Found({{"total_net_gain", 50.0}}, runs), ElementsAre("total_net_gain definition"));
  EXPECT_THAT(Found({{"total_net_gain", 40.0}}, runs), ElementsAre("total_net_gain differs"));
}

TEST(Disagreements, NothingToCompare) {
  EXPECT_THAT(Found({{"win_rate", 0.5}, {"sharpe_ratio", 2.0}}, {}), IsEmpty());
  EXPECT_THAT(AllDisagreements(IndexRow()), IsEmpty());
}

TEST(Disagreements, RelativeDifferences) {
  const auto of = [](double recorded, double ours) {
    return Disagreement{"x", {}, DisagreementKind::kDiffers, recorded, ours}.relative_difference();
  };
  EXPECT_EQ(of(1, 2), 0.5);
  EXPECT_EQ(of(-1, 1), 2);
  EXPECT_EQ(of(0, 0), 0);
  EXPECT_TRUE(std::isnan(of(std::nan(""), 1)));
  EXPECT_TRUE(std::isnan(of(std::numeric_limits<double>::infinity(), 1)));
}

}  // namespace
}  // namespace lamina::backtests
