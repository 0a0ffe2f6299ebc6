#pragma once

/// \file lamina/series/bar_rule.h
/// Rules of bars as text: `1m`, `1month`, `500tick`, `1000vol`, `1e6usd`. Values; thread-safe.

#include <cstdint>
#include <string>
#include <string_view>

#include "lamina/base/result.h"

namespace lamina::series {

/// When a bar ends.
enum class BarUnit : std::uint8_t {
  kTime,      ///< after `period_ns` nanoseconds (rules of seconds, minutes, hours)
  kDay,       ///< after `count` days
  kWeek,      ///< after `count` weeks, which begin on Mondays
  kMonth,     ///< after `count` calendar months
  kTick,      ///< with its `count`-th row
  kVolume,    ///< with the row that brings its volume to `threshold`
  kNotional,  ///< with the row that brings its sum of price times size to `threshold`
};

struct BarRule {
  BarUnit unit = BarUnit::kTime;
  std::int64_t count = 1;      ///< of the unit in the text; 0 for kVolume and kNotional
  std::int64_t period_ns = 0;  ///< kTime, kDay, kWeek
  double threshold = 0;        ///< kVolume and kNotional only
  std::string text;            ///< as written

  /// Whether the clock, and not the rows, ends a bar.
  bool by_clock() const { return unit <= BarUnit::kMonth; }
};

/// `<n>s`, `<n>m`, `<n>h`, `<n>d`, `<n>w`, `<n>month`, `<n>tick`, `<n>vol` and `<n>usd` (also eur,
/// gbp, jpy, chf, cny, hkd, aud, cad, btc, eth, usdt, notional: the currency is that of the price,
/// nothing is converted). n is a whole number from 1, for vol and currencies any number above 0.
/// RETURNS kInvalidArgument that lists the known units.
Result<BarRule> ParseBarRule(std::string_view text);

/// A span of time as `<n>ns|us|ms|s|m|h|d|w`: tolerances and windows. n is a whole number from 0.
/// RETURNS kInvalidArgument.
Result<std::int64_t> ParseSpan(std::string_view text);

}  // namespace lamina::series
