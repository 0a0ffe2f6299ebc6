#include "lamina/demo/market.h"

#include <algorithm>
#include <cmath>

#include "lamina/demo/random.h"

namespace lamina::demo {
namespace {

struct Regime {
  double drift, volatility;  ///< of one hour's log return
};
constexpr Regime kRegimes[] = {{0.00025, 0.004}, {-0.00030, 0.007}, {0.0, 0.003}};
constexpr double kSwitchProbability = 1.0 / (24 * 25);
constexpr std::int64_t kHour = 3'600'000'000;

}  // namespace

Market MakeMarket(std::uint64_t seed, std::size_t hours) {
  Market market;
  market.symbols = {"ALFA", "BRAVO", "CHARLIE", "DELTA"};
  const std::int64_t first = DaysFromCivil({2024, 1, 1}) * 24 * kHour;
  for (std::size_t hour = 0; hour < hours; ++hour) {
    market.hours.push_back(Micros{first + static_cast<std::int64_t>(hour) * kHour});
  }
  Random random(seed);
  std::vector<double> common;
  std::size_t regime = 0;
  for (std::size_t hour = 0; hour < hours; ++hour) {
    if (random.Uniform() < kSwitchProbability) regime = random.Next() % std::size(kRegimes);
    common.push_back(kRegimes[regime].drift + kRegimes[regime].volatility * random.Normal());
  }
  for (std::size_t symbol = 0; symbol < market.symbols.size(); ++symbol) {
    const double beta = 0.6 + 0.8 * random.Uniform();
    const double own = 0.002 + 0.003 * random.Uniform();
    double price = 20 + 180 * random.Uniform();
    std::vector<double> closes;
    for (std::size_t hour = 0; hour < hours; ++hour) {
      price *= std::exp(beta * common[hour] + own * random.Normal() - own * own / 2);
      closes.push_back(std::max(0.01, std::round(price * 100) / 100));
    }
    market.closes.push_back(std::move(closes));
  }
  return market;
}

}  // namespace lamina::demo
