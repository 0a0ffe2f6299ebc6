#include "lamina/demo/simulator.h"

#include <cmath>

#include <gtest/gtest.h>

namespace lamina::demo {
namespace {

/// One symbol with the given closes, an hour apart.
Market MarketOf(std::vector<double> closes) {
  Market market;
  market.symbols = {"ONE"};
  for (std::size_t i = 0; i < closes.size(); ++i) {
    market.hours.push_back(Micros{static_cast<std::int64_t>(i) * 3'600'000'000});
  }
  market.closes = {std::move(closes)};
  return market;
}

std::vector<std::vector<bool>> Wants(const Market& market, const StrategyParameters& parameters) {
  std::vector<std::vector<bool>> wants;
  for (const auto& closes : market.closes) wants.push_back(WantsPosition(parameters, closes));
  return wants;
}

TEST(Simulator, OneTradeByHand) {
  const Market market = MarketOf({100, 100, 110, 120, 120});
  StrategyParameters parameters;
  parameters.position_size = 0.5;
  Random random(1);
  const SimulatedRun run =
      Simulate(market, parameters, {{false, true, true, false, false}}, {"w", 0, 5}, random);
  ASSERT_EQ(run.orders.size(), 2U);
  ASSERT_EQ(run.trades.size(), 1U);
  const Order& buy = run.orders[0];
  const Order& sell = run.orders[1];
  EXPECT_TRUE(buy.buy);
  EXPECT_FALSE(sell.buy);
  EXPECT_EQ(buy.time, market.hours[1]);
  EXPECT_EQ(sell.time, market.hours[3]);
  EXPECT_DOUBLE_EQ(buy.fee, 5.0);  // 0.1 % of half of 10,000
  EXPECT_DOUBLE_EQ(buy.amount, 49.95);
  EXPECT_DOUBLE_EQ(sell.fee, 49.95 * 120 * 0.001);
  const Trade& trade = run.trades[0];
  EXPECT_EQ(trade.opened, buy.time);
  EXPECT_EQ(trade.closed, sell.time);
  EXPECT_DOUBLE_EQ(trade.last_price, 120);
  EXPECT_DOUBLE_EQ(trade.net_gain, 49.95 * 120 * 0.999 - 5000);
  ASSERT_EQ(run.snapshots.size(), 6U);
  EXPECT_DOUBLE_EQ(run.snapshots[0].total_value, kInitialCapital);
  EXPECT_DOUBLE_EQ(run.snapshots[2].total_value, kInitialCapital - 5) << "the fee is paid";
  EXPECT_DOUBLE_EQ(run.snapshots[3].total_value, 5000 + 49.95 * 110);
  EXPECT_DOUBLE_EQ(run.snapshots[5].total_value, kInitialCapital + trade.net_gain);
}

TEST(Simulator, NothingIsOpenedInTheLastBar) {
  const Market market = MarketOf({100, 100, 100});
  Random random(1);
  const SimulatedRun run = Simulate(market, {}, {{false, false, true}}, {"w", 0, 3}, random);
  EXPECT_TRUE(run.orders.empty());
  EXPECT_EQ(run.snapshots.size(), 4U);
}

TEST(Simulator, OnlyTheWindowIsTraded) {
  const Market market = MarketOf({1, 100, 100, 100, 1});
  Random random(1);
  const SimulatedRun run = Simulate(market, {}, {std::vector<bool>(5, true)}, {"w", 1, 4}, random);
  EXPECT_EQ(run.start, market.hours[1]);
  EXPECT_EQ(run.end, market.hours[3]);
  ASSERT_EQ(run.orders.size(), 1U);
  EXPECT_EQ(run.orders[0].time, market.hours[1]);
  EXPECT_FALSE(run.trades[0].closed);
}

/// Value is neither made nor lost: what there is at any bar is the initial capital, the realised
/// gains and the open positions at their price less what they cost.
TEST(Simulator, CashIsConserved) {
  const Market market = MakeMarket(5, 1500);
  std::size_t closed = 0;
  std::size_t open = 0;
  for (std::size_t index : {0U, 60U, 119U, 120U, 180U, 239U}) {
    const StrategyParameters parameters = SweepGrid()[index];
    Random random(index);
    const SimulatedRun run =
        Simulate(market, parameters, Wants(market, parameters), {"w", 300, 1500}, random);
    double value = run.initial;
    for (const Trade& trade : run.trades) {
      const Order& buy = run.orders[trade.buy_order];
      ASSERT_GT(buy.fee, 0);
      EXPECT_NEAR(buy.fee, (trade.cost + buy.fee) * kFeeRate, 1e-9);
      EXPECT_NEAR(trade.cost, trade.amount * trade.open_price, 1e-9 * trade.cost);
      if (trade.closed) {
        const Order& sell = run.orders[*trade.sell_order];
        EXPECT_NEAR(sell.fee, sell.amount * sell.price * kFeeRate, 1e-9);
        EXPECT_NEAR(trade.net_gain, trade.amount * (sell.price - buy.price) - buy.fee - sell.fee,
                    1e-9 * trade.cost);
        EXPECT_GT(*trade.closed, trade.opened);
        EXPECT_EQ(trade.last_price, sell.price);
        value += trade.net_gain;
        ++closed;
      } else {
        EXPECT_FALSE(trade.sell_order);
        value += trade.amount * trade.last_price - trade.cost - buy.fee;
        ++open;
      }
    }
    const Snapshot& last = run.snapshots.back();
    EXPECT_NEAR(last.total_value, value, 1e-9 * value) << index;
    for (const Snapshot& snapshot : run.snapshots) {
      ASSERT_GE(snapshot.unallocated, -1e-9) << "no credit";
      ASSERT_GE(snapshot.total_value, snapshot.unallocated - 1e-9);
    }
    EXPECT_EQ(run.snapshots.size(), 1201U);
  }
  EXPECT_GT(closed, 20U);
  EXPECT_GT(open, 0U);
}

TEST(Simulator, MetricsSeeWhatWasSimulated) {
  const Market market = MakeMarket(5, 1500);
  const StrategyParameters parameters = SweepGrid()[0];
  Random random(1);
  const SimulatedRun run =
      Simulate(market, parameters, Wants(market, parameters), {"w", 300, 1500}, random);
  const auto input = MetricsInput(run, 0.03);
  ASSERT_EQ(input.equity.size(), run.snapshots.size());
  ASSERT_EQ(input.trades.size(), run.trades.size());
  EXPECT_EQ(input.risk_free_rate, 0.03);
  EXPECT_EQ(input.initial_unallocated, kInitialCapital);
  const auto metrics = backtests::ComputeRunMetrics(input);
  EXPECT_DOUBLE_EQ(metrics.final_value, run.snapshots.back().total_value);
  EXPECT_EQ(metrics.trades, static_cast<std::int64_t>(run.trades.size()));
}

}  // namespace
}  // namespace lamina::demo
