#pragma once

/// \file lamina/demo/bundle_document.h
/// A simulated backtest as the document of a version 2 bundle. Pure functions; thread-safe.

#include <string>
#include <vector>

#include "lamina/base/result.h"
#include "lamina/demo/simulator.h"

namespace lamina::demo {

struct SimulatedBacktest {
  std::string algorithm_id, tag;
  StrategyParameters parameters;
  std::vector<SimulatedRun> runs;
  double risk_free_rate = 0.02;
};

/// The MessagePack document, keys in the order of release 8.10, series as embedded Parquet.
Result<std::string> MakeDocument(const SimulatedBacktest& backtest);

}  // namespace lamina::demo
