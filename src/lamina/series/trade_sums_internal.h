#pragma once

/// \file lamina/series/trade_sums_internal.h
/// High, low and sums of a stretch of trades in eight lanes. Thread-compatible.

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace lamina::series::internal {

inline constexpr std::size_t kLanes = 8;
using Lanes = std::array<double, kLanes>;

/// What is known of a bar so far. Row i of the bar (counted from its first row, rows without a
/// price too) goes to lane i mod 8, so cutting the input in another way changes nothing.
struct TradeSums {
  TradeSums() {
    high.fill(-std::numeric_limits<double>::infinity());
    low.fill(std::numeric_limits<double>::infinity());
  }
  Lanes high, low;
  Lanes volume{}, notional{};
  std::int64_t rows = 0;
  std::int64_t unpriced = 0;  ///< rows whose price is NaN: they count for nothing else
  bool negative = false;      ///< a size below zero was met
};

/// ((l0+l4)+(l2+l6)) + ((l1+l5)+(l3+l7))
inline double LaneSum(const Lanes& lanes) {
  return ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) +
         ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
}
/// -0.0 becomes 0.0, so that the lanes' order does not show.
double LaneMax(const Lanes& lanes);
double LaneMin(const Lanes& lanes);

/// Add `rows` trades; `size` may be null: no sizes. A size of NaN counts as 0.
void AddTrades(TradeSums& sums, const double* price, const double* size, std::size_t rows);
/// The same without the machine's wider vectors: the same bits.
void AddTradesPortable(TradeSums& sums, const double* price, const double* size, std::size_t rows);

}  // namespace lamina::series::internal
