#pragma once

/// \file lamina/series/reference_test_support.h
/// Plain references that the kernels must equal bit for bit, and random ticks. For tests only.

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "lamina/series/bars.h"

namespace lamina::series {

struct RandomTicks {
  std::vector<std::int64_t> ts;
  std::vector<double> price, size, bid, ask;

  TradeColumns Trades() const { return {ts, price, size}; }
  QuoteColumns Quotes() const { return {ts, bid, ask}; }
};

/// Sorted stamps with equal ones and wide gaps; some NaN when `odd`.
inline RandomTicks MakeTicks(std::size_t rows, std::uint64_t seed, bool odd,
                             std::int64_t start = 1'700'000'000'000'000'000) {
  std::mt19937_64 random(seed);
  RandomTicks ticks;
  std::int64_t ts = start;
  for (std::size_t i = 0; i < rows; ++i) {
    const std::uint64_t kind = random() % 100;
    if (kind < 50) ts += static_cast<std::int64_t>(random() % 2'000'000'000);
    if (kind == 99) ts += static_cast<std::int64_t>(random() % 400'000'000'000);
    const double price = static_cast<double>(random() % 2000) * 0.01 + 90.003;
    const bool none = odd && random() % 7 == 0;
    const double nan = std::numeric_limits<double>::quiet_NaN();
    ticks.ts.push_back(ts);
    ticks.price.push_back(none ? nan : price);
    ticks.size.push_back(odd && random() % 9 == 0 ? nan
                                                  : static_cast<double>(random() % 50) * 0.37);
    ticks.bid.push_back(none ? nan : price - 0.013);
    ticks.ask.push_back(price + static_cast<double>(random() % 5) * 0.0071);
  }
  return ticks;
}

inline std::uint64_t Bits(double value) { return std::bit_cast<std::uint64_t>(value); }

/// Bars of [begin, end) row stretches, row by row, in the stated order of sums.
inline Bars ReferenceTradeBars(const TradeColumns& rows,
                               const std::vector<std::pair<std::size_t, std::size_t>>& stretches,
                               const std::vector<std::int64_t>& labels) {
  Bars bars;
  for (std::size_t bar = 0; bar < stretches.size(); ++bar) {
    double open = 0, close = 0, high = 0, low = 0;
    double volume[8] = {}, notional[8] = {};
    std::int64_t priced = 0;
    for (std::size_t row = stretches[bar].first; row < stretches[bar].second; ++row) {
      const double price = rows.price[row];
      if (std::isnan(price)) continue;
      if (priced++ == 0) open = high = low = price;
      high = std::max(high, price);
      low = std::min(low, price);
      close = price;
      if (rows.size.empty() || std::isnan(rows.size[row])) continue;
      const std::size_t lane = (row - stretches[bar].first) % 8;
      volume[lane] += rows.size[row];
      notional[lane] += price * rows.size[row];
    }
    if (priced == 0) continue;
    const auto sum = [](const double* l) {
      return ((l[0] + l[4]) + (l[2] + l[6])) + ((l[1] + l[5]) + (l[3] + l[7]));
    };
    bars.timestamp.push_back(labels[bar]);
    bars.open.push_back(open);
    bars.high.push_back(high + 0.0);
    bars.low.push_back(low + 0.0);
    bars.close.push_back(close);
    bars.n_ticks.push_back(priced);
    if (rows.size.empty()) continue;
    bars.volume.push_back(sum(volume));
    bars.vwap.push_back(sum(volume) == 0 ? std::numeric_limits<double>::quiet_NaN()
                                         : sum(notional) / sum(volume));
  }
  return bars;
}

/// Which rows fall into each period of `period` from `anchor`: row by row.
inline void ReferenceStretches(const std::vector<std::int64_t>& ts, std::int64_t period,
                               std::vector<std::pair<std::size_t, std::size_t>>& stretches,
                               std::vector<std::int64_t>& labels) {
  for (std::size_t row = 0; row < ts.size(); ++row) {
    std::int64_t label = ts[row] / period * period;
    if (label > ts[row]) label -= period;
    if (labels.empty() || labels.back() != label) {
      labels.push_back(label);
      stretches.emplace_back(row, row);
    }
    stretches.back().second = row + 1;
  }
}

inline std::string Spell(const std::vector<double>& values) {
  std::string text;
  for (const double value : values) {
    text += value != value ? std::string("nan") : std::to_string(Bits(value));
    text += ' ';
  }
  return text;
}

/// Every column, bit for bit, as text.
inline std::string Spell(const Bars& bars) {
  std::string text;
  for (const std::int64_t value : bars.timestamp) text += std::to_string(value) + ' ';
  text += '\n';
  for (const std::int64_t value : bars.n_ticks) text += std::to_string(value) + ' ';
  for (const auto* column :
       {&bars.open, &bars.high, &bars.low, &bars.close, &bars.volume, &bars.vwap, &bars.bid_close,
        &bars.ask_close, &bars.spread_mean, &bars.spread_time_weighted}) {
    text += '\n' + Spell(*column);
  }
  return text;
}

}  // namespace lamina::series
