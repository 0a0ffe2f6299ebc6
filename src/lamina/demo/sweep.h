#pragma once

/// \file lamina/demo/sweep.h
/// The demonstration sweep: every point of the grid over three walk-forward windows.
/// Immutable after construction; Backtest is thread-safe.

#include <cstdint>
#include <string>
#include <vector>

#include "lamina/base/result.h"
#include "lamina/demo/bundle_document.h"

namespace lamina::demo {

class Sweep {
 public:
  explicit Sweep(std::uint64_t seed);

  std::size_t size() const { return grid_.size(); }
  const Market& market() const { return market_; }
  const std::vector<Window>& windows() const { return windows_; }
  const StrategyParameters& parameters(std::size_t index) const { return grid_[index]; }

  /// "trend_cross/fast12_slow96_size20"
  std::string Handle(std::size_t index) const;
  /// Simulate point `index` over all windows. The same seed gives the same bytes.
  Result<std::string> Document(std::size_t index) const;

 private:
  std::uint64_t seed_;
  Market market_;
  std::vector<Window> windows_;
  std::vector<StrategyParameters> grid_;
};

}  // namespace lamina::demo
