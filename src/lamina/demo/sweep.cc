#include "lamina/demo/sweep.h"

#include <cmath>

namespace lamina::demo {
namespace {

constexpr std::size_t kDay = 24;
constexpr std::size_t kWarmup = 20 * kDay;
constexpr std::size_t kWindow = 60 * kDay;
constexpr std::size_t kWindows = 3;

}  // namespace

Sweep::Sweep(std::uint64_t seed)
    : seed_(seed), market_(MakeMarket(seed, kWarmup + kWindows * kWindow)), grid_(SweepGrid()) {
  for (std::size_t i = 0; i < kWindows; ++i) {
    const std::size_t begin = kWarmup + i * kWindow;
    windows_.push_back({"window_" + std::to_string(i + 1), begin, begin + kWindow});
  }
}

std::string Sweep::Handle(std::size_t index) const {
  const StrategyParameters& point = grid_[index];
  const auto hundredths = [](double value) { return std::to_string(std::lround(value * 100)); };
  std::string handle = StrategyName(point.kind);
  if (point.kind == StrategyKind::kTrendCross) {
    handle += "/fast" + std::to_string(point.fast) + "_slow" + std::to_string(point.slow);
  } else {
    handle += "/window" + std::to_string(point.window) + "_entry" + hundredths(point.entry);
  }
  return handle + "_size" + hundredths(point.position_size);
}

Result<std::string> Sweep::Document(std::size_t index) const {
  const StrategyParameters& point = grid_[index];
  std::vector<std::vector<bool>> wants;
  for (const auto& closes : market_.closes) wants.push_back(WantsPosition(point, closes));
  Random random(seed_ * 1'000'003 + index);
  SimulatedBacktest backtest;
  backtest.algorithm_id = random.NextUuid4().ToString().substr(0, 8);
  backtest.tag = "sweep_" + StrategyName(point.kind);
  backtest.parameters = point;
  for (const Window& window : windows_) {
    backtest.runs.push_back(Simulate(market_, point, wants, window, random));
  }
  return MakeDocument(backtest);
}

}  // namespace lamina::demo
