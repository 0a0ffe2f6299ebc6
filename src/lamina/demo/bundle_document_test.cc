#include "lamina/demo/bundle_document.h"

#include <bit>
#include <cmath>

#include <gtest/gtest.h>

#include "lamina/backtests/decompose.h"
#include "lamina/backtests/index_row.h"
#include "lamina/backtests/summary_metrics.h"
#include "lamina/base/matchers.h"
#include "lamina/bundle/layout.h"

namespace lamina::demo {
namespace {

constexpr std::size_t kDay = 24;

/// Two windows of the market by point `index` of the grid.
SimulatedBacktest BacktestOf(const Market& market, std::size_t index) {
  SimulatedBacktest backtest;
  backtest.algorithm_id = "alg_" + std::to_string(index);
  backtest.tag = "a tag";
  backtest.parameters = SweepGrid()[index];
  std::vector<std::vector<bool>> wants;
  for (const auto& closes : market.closes) {
    wants.push_back(WantsPosition(backtest.parameters, closes));
  }
  Random random(index);
  for (const Window& window :
       {Window{"first", 20 * kDay, 50 * kDay}, Window{"second", 50 * kDay, 80 * kDay}}) {
    backtest.runs.push_back(Simulate(market, backtest.parameters, wants, window, random));
  }
  return backtest;
}

TEST(BundleDocument, ReadsAsABundleOfVersion2) {
  const Market market = MakeMarket(7, 80 * kDay);
  const SimulatedBacktest backtest = BacktestOf(market, 10);
  auto bytes = MakeDocument(backtest);
  ASSERT_THAT(bytes, IsOk());
  const auto document = bundle::Document::Parse(*std::move(bytes));
  ASSERT_THAT(document, IsOk());
  const auto layout = bundle::ReadLayout(2, *document);
  ASSERT_THAT(layout, IsOk());
  EXPECT_TRUE(layout->warnings.empty());
  EXPECT_EQ(layout->algorithm_id->AsString(), "alg_10");
  EXPECT_EQ(layout->tag->AsString(), "a tag");
  ASSERT_EQ(layout->runs.size(), 2U);
  for (std::size_t r = 0; r < 2; ++r) {
    const auto& part = layout->runs[r];
    const SimulatedRun& run = backtest.runs[r];
    EXPECT_EQ(part.engine, "vector");
    EXPECT_EQ(part.run.Find("portfolio_snapshots")->size(), run.snapshots.size());
    EXPECT_EQ(part.run.Find("trades")->size(), run.trades.size());
    EXPECT_EQ(part.run.Find("orders")->size(), run.orders.size());
    EXPECT_EQ(part.run.Find("backtest_date_range_name")->AsString(), run.window.name);
    EXPECT_EQ(part.run.Find("number_of_orders")->AsInt(),
              static_cast<std::int64_t>(run.orders.size()));
  }
}

TEST(BundleDocument, IndexRowIsTheSummaryOfTheRuns) {
  const Market market = MakeMarket(7, 80 * kDay);
  for (std::size_t index : {10U, 130U}) {
    const SimulatedBacktest backtest = BacktestOf(market, index);
    auto bytes = MakeDocument(backtest);
    ASSERT_THAT(bytes, IsOk());
    const auto document = bundle::Document::Parse(*std::move(bytes));
    ASSERT_THAT(document, IsOk());
    const auto layout = bundle::ReadLayout(2, *document);
    ASSERT_THAT(layout, IsOk());
    const auto rows = backtests::IndexRowsOf(*layout, "h");
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_TRUE(rows[0].has_summary);
    EXPECT_EQ(rows[0].number_of_runs, 2);
    EXPECT_FALSE(rows[0].summary_extras_json) << *rows[0].summary_extras_json;

    std::vector<backtests::RunInput> inputs;
    std::vector<backtests::RunMetrics> metrics;
    for (const SimulatedRun& run : backtest.runs) {
      inputs.push_back(MetricsInput(run, backtest.risk_free_rate));
      metrics.push_back(backtests::ComputeRunMetrics(inputs.back()));
    }
    const auto summary = backtests::SummarizeRuns(inputs, metrics);
    EXPECT_EQ(summary.size(), backtests::kSummaryFieldCount);
    for (const auto& [name, figure] : summary) {
      const std::optional<double> value = figure.value;
      const auto field = backtests::FindSummaryField(name);
      ASSERT_TRUE(field) << name;
      const backtests::Number& stored = rows[0].summary[*field];
      if (!value) {
        EXPECT_TRUE(std::holds_alternative<std::monostate>(stored)) << name;
      } else if (backtests::kSummaryFields[*field].integer) {
        ASSERT_TRUE(std::holds_alternative<std::int64_t>(stored)) << name;
        EXPECT_EQ(static_cast<double>(std::get<std::int64_t>(stored)), *value) << name;
      } else {
        ASSERT_TRUE(std::holds_alternative<double>(stored)) << name;
        EXPECT_EQ(std::bit_cast<std::uint64_t>(std::get<double>(stored)),
                  std::bit_cast<std::uint64_t>(*value))
            << name;
      }
    }
  }
}

/// The store finds that nearly all series follow from the snapshots, as with the framework's files.
TEST(BundleDocument, DecomposesWithoutRemainder) {
  const Market market = MakeMarket(7, 80 * kDay);
  for (std::size_t index : {0U, 77U, 120U, 239U}) {
    auto bytes = MakeDocument(BacktestOf(market, index));
    ASSERT_THAT(bytes, IsOk());
    const std::string original = *bytes;
    const auto document = bundle::Document::Parse(*std::move(bytes));
    ASSERT_THAT(document, IsOk());
    const auto layout = bundle::ReadLayout(2, *document);
    ASSERT_THAT(layout, IsOk());
    const auto parts = backtests::Decompose(*document, *layout);
    ASSERT_THAT(parts, IsOk());
    EXPECT_TRUE(parts->warnings.empty()) << parts->warnings.front();
    EXPECT_FALSE(parts->whole_document);
    EXPECT_LT(parts->skeleton.size(), original.size() / 10);
    ASSERT_EQ(parts->runs.size(), 2U);
    for (const auto& run : parts->runs) {
      EXPECT_GE(std::popcount(run.facts.derived_series_mask & 0xffU), 7) << index;
    }
    backtests::PartSource source;
    source.run = [&](std::size_t slot) -> Result<backtests::RunRows> {
      return parts->runs.at(slot).rows;
    };
    source.chunk = [&](const catalog::ChunkId& id) -> Result<std::string> {
      for (const auto& chunk : parts->chunks) {
        const catalog::ChunkRow row{chunk.content_bytes,
                                    static_cast<std::int64_t>(chunk.stored.size()),
                                    chunk.compressed, false, std::nullopt};
        if (chunk.id == id) return catalog::DecodeChunk(id, row, chunk.stored, "memory");
      }
      return NotFound("no such chunk");
    };
    const auto assembled = backtests::Assemble(parts->skeleton, source);
    ASSERT_THAT(assembled, IsOk());
    EXPECT_TRUE(*assembled == original) << index;
  }
}

TEST(BundleDocument, ABacktestThatNeverTrades) {
  Market market = MakeMarket(7, 80 * kDay);
  for (auto& closes : market.closes) closes.assign(closes.size(), 50.0);
  const SimulatedBacktest backtest = BacktestOf(market, 0);
  EXPECT_TRUE(backtest.runs[0].trades.empty());
  auto bytes = MakeDocument(backtest);
  ASSERT_THAT(bytes, IsOk());
  const auto document = bundle::Document::Parse(*std::move(bytes));
  ASSERT_THAT(document, IsOk());
  const auto layout = bundle::ReadLayout(2, *document);
  ASSERT_THAT(layout, IsOk());
  const auto rows = backtests::IndexRowsOf(*layout, "h");
  ASSERT_EQ(rows.size(), 1U);
  const auto trades = rows[0].summary[*backtests::FindSummaryField("number_of_trades")];
  EXPECT_EQ(std::get<std::int64_t>(trades), 0);
}

}  // namespace
}  // namespace lamina::demo
