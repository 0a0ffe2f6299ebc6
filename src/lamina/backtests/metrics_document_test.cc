#include "lamina/backtests/metrics_document.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "lamina/backtests/series_blob.h"
#include "lamina/base/matchers.h"
#include "lamina/bundle/map_writer.h"
#include "lamina/bundle/msgpack.h"

namespace lamina::backtests {
namespace {

constexpr std::int64_t kDay = 86'400'000'000;

RunInput Input() {
  RunInput input;
  for (int day = 0; day < 90; ++day) {
    input.equity.push_back({Micros{day * kDay}, 1000.0 + day * (day % 3), 0});
  }
  input.trades.push_back({Micros{kDay}, Micros{5 * kDay}, 1, 100, 110, 100, 10});
  input.trades.push_back({Micros{2 * kDay}, Micros{3 * kDay}, 1, 100, 90, 100, -10});
  input.end = Micros{89 * kDay};
  input.initial_unallocated = 1000;
  return input;
}

bundle::Document Parse(std::string map) {
  auto document = bundle::Document::Parse(std::move(map));
  EXPECT_THAT(document, IsOk());
  return *std::move(document);
}

TEST(MetricsDocument, EveryKeyOfTheFormat) {
  const RunInput input = Input();
  const RunMetrics metrics = ComputeRunMetrics(input);
  MetricsFrame frame;
  frame.end = input.end;
  frame.window = "w";
  frame.trading_symbol = "EUR";
  bundle::MapWriter trade;
  trade.Text("id", "1");
  frame.best_trade = trade.Finish();
  const auto document = Parse(MetricsMap(frame, 3, metrics));
  const auto map = document.root();
  EXPECT_EQ(map.size(), 77U);
  EXPECT_EQ(map.Find("backtest_date_range_name")->AsString(), "w");
  EXPECT_DOUBLE_EQ(map.Find("win_rate")->AsDouble(), 0.5);
  EXPECT_EQ(map.Find("best_trade")->Find("id")->AsString(), "1");
  EXPECT_TRUE(map.Find("worst_trade")->is_nil());
  EXPECT_EQ(map.Find("equity_curve")->Find("@blob")->AsString(),
            "runs/3/metrics/equity_curve.parquet");
  EXPECT_EQ(map.Find("yearly_returns")->size(), 0U);  // within one year: inline and empty

  const auto blobs = BlobsMap({metrics, metrics});
  ASSERT_THAT(blobs, IsOk());
  const auto parsed = Parse(*blobs);
  EXPECT_EQ(parsed.root().size(), 14U);
  const auto curve =
      DecodeBlob(parsed.root().Find("runs/1/metrics/equity_curve.parquet")->AsBinary());
  ASSERT_THAT(curve, IsOk());
  EXPECT_EQ(curve->points.values.size(), 90U);
}

TEST(MetricsDocument, WhatIsNotKnownIsNil) {
  const RunInput input = Input();
  const RunMetrics metrics = ComputeRunMetrics(input);
  struct Case {
    const char* without;
    KnownParts known;
    std::vector<const char*> nil, there;
  };
  const Case cases[] = {
      {"rate", {.risk_free_rate = false}, {"sharpe_ratio", "sortino_ratio"}, {"cagr", "win_rate"}},
      {"trades", {.trades = false}, {"win_rate", "number_of_trades"}, {"sharpe_ratio"}},
      {"gains", {.gains = false}, {"win_rate", "best_trade"}, {"exposure_ratio"}},
      {"marks", {.marks = false}, {"profit_factor", "number_of_positive_trades"}, {"win_rate"}},
      {"costs", {.costs = false}, {"average_trade_size"}, {"average_trade_return"}},
  };
  for (const Case& one : cases) {
    SCOPED_TRACE(one.without);
    MetricsFrame frame;
    frame.known = one.known;
    frame.best_trade = std::string(1, '\x80');  // an empty map
    const auto document = Parse(MetricsMap(frame, 0, metrics));
    EXPECT_EQ(document.root().size(), 77U);
    const auto summary = Parse(SummaryMap(SummarizeRuns({input}, {metrics}), one.known));
    EXPECT_EQ(summary.root().size(), 55U);
    for (const char* name : one.nil) {
      EXPECT_TRUE(document.root().Find(name)->is_nil()) << name;
      const auto pooled = summary.root().Find(name);
      EXPECT_TRUE(!pooled || pooled->is_nil()) << name;
    }
    for (const char* name : one.there) EXPECT_FALSE(document.root().Find(name)->is_nil()) << name;
  }
}

TEST(MetricsDocument, SoundSummaryTakesTheDeepestWindowAndSkipsNaN) {
  RunInput flat = Input();
  for (EquityPoint& point : flat.equity) point.total_value = 1000;
  const std::vector<RunInput> inputs = {Input(), flat};
  const std::vector<RunMetrics> windows = {ComputeRunMetrics(inputs[0]),
                                           ComputeRunMetrics(inputs[1])};
  ASSERT_TRUE(std::isnan(windows[1].sharpe_ratio));
  ASSERT_GT(windows[0].max_drawdown, 0);
  const auto value = [&](SummaryRules rules, std::string_view name) {
    for (const auto& [metric, figure] : SummarizeRuns(inputs, windows, rules)) {
      if (metric == name) return figure.value.value_or(-1);
    }
    return -2.0;
  };
  EXPECT_EQ(value(SummaryRules::kRelease, "max_drawdown"), 0);
  EXPECT_EQ(value(SummaryRules::kSound, "max_drawdown"), windows[0].max_drawdown);
  EXPECT_TRUE(std::isnan(value(SummaryRules::kRelease, "sharpe_ratio")));
  EXPECT_EQ(value(SummaryRules::kSound, "sharpe_ratio"), windows[0].sharpe_ratio);
  EXPECT_EQ(value(SummaryRules::kSound, "cagr"), value(SummaryRules::kRelease, "cagr"));
}

}  // namespace
}  // namespace lamina::backtests
