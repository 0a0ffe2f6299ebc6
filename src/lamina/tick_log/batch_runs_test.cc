#include "lamina/tick_log/batch_runs.h"

#include <gtest/gtest.h>

#include "lamina/base/matchers.h"
#include "lamina/tick_log/tick_test_support.h"

namespace lamina::tick_log {
namespace {

TEST(BatchRuns, OneContractIsOneRunAsItStands) {
  const TickBatches ticks = test::Trades(5);
  const BatchRuns runs = FindRuns(ticks[0], (*PositionsOf(ticks, {}))[0]);
  ASSERT_EQ(runs.runs.size(), 1U);
  EXPECT_EQ(runs.runs[0].count, 5U);
  EXPECT_TRUE(runs.rows.empty());
}

TEST(BatchRuns, EveryRowIsInTheRunOfItsContractInOrder) {
  std::mt19937_64 random(3);
  for (const std::int64_t contracts : {2, 40, 3000}) {
    const test::TicksAndOrder made = test::RandomTicks(random, 5000, contracts);
    const RowPositions positions = *PositionsOf(made.ticks, made.order);
    for (std::size_t kind = 0; kind < 3; ++kind) {
      const TickBatch& batch = made.ticks[kind];
      if (batch.size() == 0) continue;
      const BatchRuns runs = FindRuns(batch, positions[kind]);
      std::size_t rows = 0;
      for (const RowRun& run : runs.runs) {
        EXPECT_EQ(run.first, rows);
        for (std::size_t i = run.first; i < run.first + run.count; ++i) {
          const std::uint32_t row =
              runs.rows.empty() ? static_cast<std::uint32_t>(i) : runs.rows[i];
          EXPECT_EQ(batch.contract_id[row], run.contract_id);
          EXPECT_EQ(batch.type[row], run.type);
          if (i > run.first && !runs.rows.empty()) {
            EXPECT_LT(positions[kind][runs.rows[i - 1]], positions[kind][row]);
          }
        }
        rows += run.count;
      }
      EXPECT_EQ(rows, batch.size());
    }
  }
}

TEST(BatchRuns, AnOrderNamesEachRowOnce) {
  const TickBatches ticks = test::Trades(2);
  using Order = std::vector<TickWriter::RowRef>;
  const TickKind kTrades = TickKind::kTrades;
  EXPECT_EQ((*PositionsOf(ticks, {{kTrades, 1}, {kTrades, 0}}))[0],
            (std::vector<std::uint32_t>{1, 0}));
  for (const Order& order :
       {Order{{kTrades, 0}}, Order{{kTrades, 0}, {kTrades, 0}}, Order{{kTrades, 0}, {kTrades, 2}},
        Order{{kTrades, 0}, {TickKind::kQuotes, 1}}}) {
    EXPECT_THAT(PositionsOf(ticks, order), IsError(ErrorCode::kInvalidArgument));
  }
}

}  // namespace
}  // namespace lamina::tick_log
