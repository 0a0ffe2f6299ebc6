#pragma once

/// \file lamina/series/volume_profile.h
/// Running VWAP, and volume by price. Fed batch by batch; thread-compatible.

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "lamina/base/result.h"
#include "lamina/series/bars.h"
#include "lamina/series/bucket_grid.h"

namespace lamina::series {

/// Sum of price * size over sum of sizes so far, both in row order. With ranges it begins anew with
/// each trading day, and rows outside have none. A row without price or size (NaN) adds nothing.
class RunningVwap {
 public:
  /// Errors as BucketGrid::Make.
  static Result<RunningVwap> Make(std::span<const SessionRange> ranges);
  /// NaN where nothing has traded yet. Errors as BarBuilder::Add.
  Status Add(const TradeColumns& rows, std::span<double> vwap);

 private:
  explicit RunningVwap(BucketGrid days) : days_(std::move(days)) {}
  BucketGrid days_;
  std::optional<Bucket> bucket_;
  std::int64_t day_begin_ = 0;
  double volume_ = 0, notional_ = 0;
  std::int64_t rows_before_ = 0, previous_ts_ = 0;
};

/// Volume of each price level: level k holds prices from k * width up to (k + 1) * width. A price
/// within a billionth of a boundary (relative to k) counts as on it, since 100.03 / 0.01 is not a
/// whole number in doubles. Sums in row order. Rows need no order in time.
class VolumeProfile {
 public:
  struct Level {
    std::int64_t index = 0;
    double price = 0;  ///< index * width
    double volume = 0;
    std::int64_t n_ticks = 0;
  };
  /// RETURNS kInvalidArgument unless width is above 0 and finite.
  static Result<VolumeProfile> Make(double width);
  /// Rows without price count for nothing. RETURNS kInvalidArgument that names the row for a
  /// negative size or an infinite price, kResourceExhausted for more than ten million levels.
  Status Add(const TradeColumns& rows);
  /// In the order of prices.
  std::vector<Level> Levels() const;

 private:
  explicit VolumeProfile(double width) : width_(width) {}
  double width_;
  std::map<std::int64_t, Level> levels_;
  std::int64_t rows_before_ = 0;
};

}  // namespace lamina::series
