#pragma once

/// \file lamina/demo/market.h
/// A made-up market: hourly closes of a few symbols that share regimes. Immutable values.

#include <cstdint>
#include <string>
#include <vector>

#include "lamina/base/time.h"

namespace lamina::demo {

struct Market {
  std::vector<std::string> symbols;
  std::vector<Micros> hours;                ///< close time of each bar, UTC
  std::vector<std::vector<double>> closes;  ///< [symbol][hour], rounded to cents
};

/// Bull, bear and sideways regimes of some weeks each move all symbols; each has noise of its own.
Market MakeMarket(std::uint64_t seed, std::size_t hours);

}  // namespace lamina::demo
