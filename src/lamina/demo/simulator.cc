#include "lamina/demo/simulator.h"

namespace lamina::demo {

SimulatedRun Simulate(const Market& market, const StrategyParameters& parameters,
                      const std::vector<std::vector<bool>>& wants, const Window& window,
                      Random& random) {
  SimulatedRun run;
  run.window = window;
  run.start = market.hours[window.begin];
  run.end = market.hours[window.end - 1];
  run.initial = kInitialCapital;
  run.snapshots.push_back({run.start, run.initial, 0, run.initial});
  double cash = run.initial;
  double realised = 0;
  std::vector<std::optional<std::size_t>> held(market.symbols.size());  // index into trades
  for (std::size_t hour = window.begin; hour < window.end; ++hour) {
    double invested = 0;
    for (std::size_t s = 0; s < held.size(); ++s) {
      if (held[s]) invested += run.trades[*held[s]].amount * market.closes[s][hour];
    }
    const double equity = cash + invested;
    for (std::size_t s = 0; s < held.size(); ++s) {
      const double price = market.closes[s][hour];
      if (wants[s][hour] && !held[s]) {
        const double budget = parameters.position_size * equity;
        if (budget > cash || hour + 1 == window.end) continue;
        const double fee = budget * kFeeRate;
        const double amount = (budget - fee) / price;
        run.orders.push_back({random.NextUuid4(), market.symbols[s], true, price, amount, fee,
                              market.hours[hour], "entry_signal"});
        Trade trade;
        trade.id = random.NextUuid4();
        trade.symbol = market.symbols[s];
        trade.buy_order = run.orders.size() - 1;
        trade.amount = amount;
        trade.open_price = price;
        trade.last_price = price;
        trade.cost = budget - fee;
        trade.opened = market.hours[hour];
        held[s] = run.trades.size();
        run.trades.push_back(std::move(trade));
        cash -= budget;
      } else if (!wants[s][hour] && held[s]) {
        Trade& trade = run.trades[*held[s]];
        const double gross = trade.amount * price;
        const double fee = gross * kFeeRate;
        run.orders.push_back({random.NextUuid4(), market.symbols[s], false, price, trade.amount,
                              fee, market.hours[hour], "exit_signal"});
        trade.sell_order = run.orders.size() - 1;
        trade.closed = market.hours[hour];
        trade.net_gain = gross - fee - trade.cost - run.orders[trade.buy_order].fee;
        realised += trade.net_gain;
        cash += gross - fee;
        held[s].reset();
      }
    }
    double value = cash;
    for (std::size_t s = 0; s < held.size(); ++s) {
      if (!held[s]) continue;
      run.trades[*held[s]].last_price = market.closes[s][hour];
      value += run.trades[*held[s]].amount * market.closes[s][hour];
    }
    for (Trade& trade : run.trades) {
      if (trade.closed && *trade.closed == market.hours[hour]) {
        trade.last_price = run.orders[*trade.sell_order].price;
      }
    }
    run.snapshots.push_back({market.hours[hour], cash, realised, value});
  }
  return run;
}

backtests::RunInput MetricsInput(const SimulatedRun& run, double risk_free_rate) {
  backtests::RunInput input;
  for (const Snapshot& snapshot : run.snapshots) {
    input.equity.push_back({snapshot.time, snapshot.total_value, 0});
  }
  for (const Trade& trade : run.trades) {
    input.trades.push_back({trade.opened, trade.closed, trade.amount, trade.open_price,
                            trade.last_price, trade.cost, trade.net_gain});
  }
  input.start = run.start;
  input.end = run.end;
  input.initial_unallocated = run.initial;
  input.risk_free_rate = risk_free_rate;
  return input;
}

}  // namespace lamina::demo
