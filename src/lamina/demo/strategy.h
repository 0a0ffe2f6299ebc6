#pragma once

/// \file lamina/demo/strategy.h
/// Two simple strategies over hourly closes. Pure functions; thread-safe.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "lamina/demo/market.h"

namespace lamina::demo {

enum class StrategyKind : std::uint8_t {
  kTrendCross,     ///< long while the fast average is above the slow one
  kMeanReversion,  ///< long from `entry` deviations below the mean until it is reached again
};

/// One point of the sweep.
struct StrategyParameters {
  StrategyKind kind = StrategyKind::kTrendCross;
  int fast = 0, slow = 0;       ///< hours; trend cross
  int window = 0;               ///< hours; mean reversion
  double entry = 0;             ///< standard deviations; mean reversion
  double position_size = 0.25;  ///< share of the equity put into one trade
};

std::string StrategyName(StrategyKind kind);  ///< "trend_cross", "mean_reversion"

/// Whether to hold the symbol after each bar, decided by closes up to that bar only.
std::vector<bool> WantsPosition(const StrategyParameters& parameters,
                                const std::vector<double>& closes);

/// Both strategies over their grids: 240 points.
std::vector<StrategyParameters> SweepGrid();

}  // namespace lamina::demo
