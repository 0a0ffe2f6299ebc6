#include "lamina/demo/strategy.h"

#include <cmath>

namespace lamina::demo {
namespace {

std::vector<double> ExponentialAverage(const std::vector<double>& values, int hours) {
  const double weight = 2.0 / (hours + 1);
  std::vector<double> average(values.size());
  double last = values.empty() ? 0 : values.front();
  for (std::size_t i = 0; i < values.size(); ++i) {
    last += weight * (values[i] - last);
    average[i] = last;
  }
  return average;
}

std::vector<bool> TrendCross(const StrategyParameters& parameters,
                             const std::vector<double>& closes) {
  const auto fast = ExponentialAverage(closes, parameters.fast);
  const auto slow = ExponentialAverage(closes, parameters.slow);
  std::vector<bool> wants(closes.size());
  bool holding = false;
  for (std::size_t i = 0; i < closes.size(); ++i) {
    const double distance = fast[i] / slow[i] - 1;
    if (distance > 0.002) holding = true;
    if (distance < -0.002) holding = false;
    wants[i] = holding && i >= static_cast<std::size_t>(parameters.slow);
  }
  return wants;
}

std::vector<bool> MeanReversion(const StrategyParameters& parameters,
                                const std::vector<double>& closes) {
  const auto window = static_cast<std::size_t>(parameters.window);
  std::vector<bool> wants(closes.size());
  bool holding = false;
  for (std::size_t i = window; i < closes.size(); ++i) {
    double mean = 0;
    for (std::size_t k = i - window; k < i; ++k) mean += closes[k];
    mean /= static_cast<double>(window);
    double squares = 0;
    for (std::size_t k = i - window; k < i; ++k) squares += (closes[k] - mean) * (closes[k] - mean);
    const double deviation = std::sqrt(squares / static_cast<double>(window - 1));
    if (deviation <= 0) continue;
    const double score = (closes[i] - mean) / deviation;
    if (score < -parameters.entry) holding = true;
    if (score >= 0) holding = false;
    wants[i] = holding;
  }
  return wants;
}

}  // namespace

std::string StrategyName(StrategyKind kind) {
  return kind == StrategyKind::kTrendCross ? "trend_cross" : "mean_reversion";
}

std::vector<bool> WantsPosition(const StrategyParameters& parameters,
                                const std::vector<double>& closes) {
  return parameters.kind == StrategyKind::kTrendCross ? TrendCross(parameters, closes)
                                                      : MeanReversion(parameters, closes);
}

std::vector<StrategyParameters> SweepGrid() {
  std::vector<StrategyParameters> grid;
  for (int fast : {8, 12, 18, 24, 36, 48}) {
    for (int slow : {72, 96, 120, 168, 240}) {
      for (double size : {0.15, 0.2, 0.25, 0.3}) {
        grid.push_back({StrategyKind::kTrendCross, fast, slow, 0, 0, size});
      }
    }
  }
  for (int window : {24, 36, 48, 72, 96, 168}) {
    for (double entry : {1.25, 1.5, 1.75, 2.0, 2.5}) {
      for (double size : {0.15, 0.2, 0.25, 0.3}) {
        grid.push_back({StrategyKind::kMeanReversion, 0, 0, window, entry, size});
      }
    }
  }
  return grid;
}

}  // namespace lamina::demo
