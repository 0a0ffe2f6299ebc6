#include "lamina/backtests/summary_metrics.h"

#include <cmath>

#include <gmock/gmock.h>

#include "lamina/backtests/json_pack.h"
#include "lamina/backtests/python_json.h"
#include "lamina/backtests/store_test_support.h"

namespace lamina::backtests {
namespace {

std::string SummaryOf(const std::string& runs, ReturnRule rule, std::string_view metric) {
  std::string packed;
  EXPECT_THAT(PackJson(runs, packed), IsOk());
  const auto document = bundle::Document::Parse(packed);
  EXPECT_THAT(document, IsOk());
  std::vector<bundle::Value> maps;
  for (const auto run : document->root().items()) maps.push_back(run);
  const auto summary = bundle::Document::Parse(EncodeSummaryOf(maps, rule));
  EXPECT_THAT(summary, IsOk());
  EXPECT_EQ(summary->root().size(), 55U);
  const auto value = summary->root().Find(metric);
  return value ? PythonJson(*value) : "(absent)";
}

/// By hand, from the definitions.
TEST(SummaryMetrics, OfRecordedMetrics) {
  const std::string runs = R"([
    {"backtest_metrics": {"backtest_start_date": "2023-01-01", "backtest_end_date": "2023-01-11",
      "initial_unallocated": 100, "total_net_gain": 10, "total_net_gain_percentage": 0.1,
      "total_loss": 2, "sharpe_ratio": 1.0, "max_drawdown": 0.5, "max_drawdown_duration": 3,
      "profit_factor": 2.0, "number_of_trades": 4, "number_of_trades_closed": 3, "win_rate": 0.5}},
    {"backtest_metrics": null}, {},
    {"backtest_metrics": {"backtest_start_date": "2023-01-11", "backtest_end_date": "2023-02-10",
      "initial_unallocated": 300, "total_net_gain": -2.5, "total_net_gain_percentage": -0.5,
      "total_loss": 1, "sharpe_ratio": 3.0, "max_drawdown": 0.2, "max_drawdown_duration": 9,
      "profit_factor": null, "number_of_trades": 1, "number_of_trades_closed": 1,
      "win_rate": 1.0}}])";
  struct Case {
    ReturnRule rule;
    const char* metric;
    const char* value;
  };
  const Case cases[] = {
      {ReturnRule::kCompound, "total_net_gain", "7.5"},
      {ReturnRule::kCompound, "total_loss", "3"},
      {ReturnRule::kCompound, "total_net_gain_percentage", "-0.44999999999999996"},
      {ReturnRule::kCapital, "total_net_gain_percentage", "0.01875"},
      {ReturnRule::kCompound, "total_growth_percentage", "null"},
      {ReturnRule::kCompound, "total_loss_percentage", "0.0075"},
      {ReturnRule::kCompound, "sharpe_ratio", "2.5"},
      {ReturnRule::kCompound, "max_drawdown", "0.2"},
      {ReturnRule::kCompound, "max_drawdown_duration", "9"},
      {ReturnRule::kCompound, "profit_factor", "2.0"},
      {ReturnRule::kCompound, "win_rate", "0.625"},
      {ReturnRule::kCompound, "number_of_trades", "5"},
      {ReturnRule::kCompound, "number_of_windows", "2"},
      {ReturnRule::kCompound, "number_of_profitable_windows", "1"},
      {ReturnRule::kCompound, "average_loss", "null"},
      {ReturnRule::kCompound, "sharpe_consistency", "0.2928932188134524"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(SummaryOf(runs, c.rule, c.metric), c.value) << c.metric;
  }
  EXPECT_EQ(SummaryOf("[{}]", ReturnRule::kCompound, "number_of_windows"), "null");
}

}  // namespace
}  // namespace lamina::backtests
