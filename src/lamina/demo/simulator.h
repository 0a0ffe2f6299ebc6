#pragma once

/// \file lamina/demo/simulator.h
/// Trade one strategy over one window of the market, fees included. Pure functions; thread-safe.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lamina/backtests/run_metrics.h"
#include "lamina/base/uuid.h"
#include "lamina/demo/market.h"
#include "lamina/demo/random.h"
#include "lamina/demo/strategy.h"

namespace lamina::demo {

/// Hours [begin, end) of the market.
struct Window {
  std::string name;
  std::size_t begin = 0, end = 0;
};

struct Order {
  Uuid id;
  std::string symbol;
  bool buy = true;
  double price = 0, amount = 0, fee = 0;
  Micros time;
  std::string reason;
};

struct Trade {
  Uuid id;
  std::string symbol;
  std::size_t buy_order = 0;              ///< index into SimulatedRun::orders
  std::optional<std::size_t> sell_order;  ///< absent: open at the end
  double amount = 0, open_price = 0, last_price = 0, cost = 0, net_gain = 0;
  Micros opened;
  std::optional<Micros> closed;
};

struct Snapshot {
  Micros time;
  double unallocated = 0, net_gain = 0, total_value = 0;  ///< net_gain: realised so far
};

struct SimulatedRun {
  Window window;
  Micros start, end;
  double initial = 0;
  std::vector<Snapshot> snapshots;  ///< the start, then one a bar
  std::vector<Order> orders;        ///< by time
  std::vector<Trade> trades;        ///< by opening time
};

inline constexpr double kInitialCapital = 10'000;
inline constexpr double kFeeRate = 0.0010;

/// Market orders at the close; a fee of kFeeRate on each side; whole positions only.
SimulatedRun Simulate(const Market& market, const StrategyParameters& parameters,
                      const std::vector<std::vector<bool>>& wants, const Window& window,
                      Random& random);

/// What the metrics are computed from.
backtests::RunInput MetricsInput(const SimulatedRun& run, double risk_free_rate);

}  // namespace lamina::demo
