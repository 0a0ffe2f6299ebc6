#include "lamina/series/volume_profile.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "lamina/series/row_scan.h"

namespace lamina::series {
namespace {

bool SameLengths(const TradeColumns& rows, bool with_ts) {
  return rows.price.size() == rows.size.size() &&
         (!with_ts || rows.ts_ns.size() == rows.size.size());
}

Error NegativeSize(std::int64_t row) {
  return InvalidArgument("row " + std::to_string(row) + " has a negative size");
}

}  // namespace

Result<RunningVwap> RunningVwap::Make(std::span<const SessionRange> ranges) {
  BarRule day{.unit = BarUnit::kTick, .text = "running VWAP"};
  LAMINA_ASSIGN(BucketGrid days, BucketGrid::Make(day, ranges));
  return RunningVwap(std::move(days));
}

Status RunningVwap::Add(const TradeColumns& rows, std::span<double> vwap) {
  if (!SameLengths(rows, true) || vwap.size() != rows.ts_ns.size()) {
    return InvalidArgument("ts_ns, price and size differ in length");
  }
  if (rows.ts_ns.empty()) return Ok();
  if (rows_before_ > 0 && rows.ts_ns[0] < previous_ts_) {
    return InvalidArgument("row " + std::to_string(rows_before_) +
                           " is out of order: it is before the row above it");
  }
  LAMINA_TRY(CheckSorted({.ts_ns = rows.ts_ns}, static_cast<std::size_t>(rows_before_), "input"));
  for (std::size_t row = 0; row < vwap.size(); ++row) {
    if (!bucket_.has_value() || rows.ts_ns[row] > bucket_->last) {
      bucket_ = days_.Find(rows.ts_ns[row]);
      if (bucket_->inside && bucket_->bar_begin != day_begin_) {
        day_begin_ = bucket_->bar_begin;
        volume_ = notional_ = 0;
      }
    }
    const double price = rows.price[row], size = rows.size[row];
    if (size < 0) return NegativeSize(rows_before_ + static_cast<std::int64_t>(row));
    if (bucket_->inside && price == price && size == size) {
      volume_ += size;
      notional_ += price * size;
    }
    vwap[row] = bucket_->inside && volume_ > 0 ? notional_ / volume_
                                               : std::numeric_limits<double>::quiet_NaN();
  }
  rows_before_ += static_cast<std::int64_t>(vwap.size());
  previous_ts_ = rows.ts_ns.back();
  return Ok();
}

Result<VolumeProfile> VolumeProfile::Make(double width) {
  if (!(width > 0) || !std::isfinite(width)) {
    return InvalidArgument("the width of a price level must be above 0");
  }
  return VolumeProfile(width);
}

Status VolumeProfile::Add(const TradeColumns& rows) {
  constexpr double kIndexMax = 9e15;  // whole numbers of doubles
  constexpr std::size_t kLevelsMax = 10'000'000;
  if (!SameLengths(rows, false)) return InvalidArgument("price and size differ in length");
  for (std::size_t row = 0; row < rows.price.size(); ++row) {
    const double price = rows.price[row], size = rows.size[row];
    const std::int64_t number = rows_before_ + static_cast<std::int64_t>(row);
    if (size < 0) return NegativeSize(number);
    if (price != price) continue;
    const double quotient = price / width_;
    if (!(std::abs(quotient) < kIndexMax)) {
      return InvalidArgument("row " + std::to_string(number) + " has a price of " +
                             std::to_string(price) + ", too far for levels of " +
                             std::to_string(width_));
    }
    const double nearest = std::nearbyint(quotient);
    const bool on_boundary =
        std::abs(quotient - nearest) <= 1e-9 * std::max(1.0, std::abs(quotient));
    const auto index = static_cast<std::int64_t>(on_boundary ? nearest : std::floor(quotient));
    Level& level = levels_[index];
    if (levels_.size() > kLevelsMax) {
      return ResourceExhausted("more than ten million price levels; choose a wider level");
    }
    level.index = index;
    level.price = static_cast<double>(index) * width_;
    level.volume += size == size ? size : 0;
    ++level.n_ticks;
  }
  rows_before_ += static_cast<std::int64_t>(rows.price.size());
  return Ok();
}

std::vector<VolumeProfile::Level> VolumeProfile::Levels() const {
  std::vector<Level> levels;
  levels.reserve(levels_.size());
  for (const auto& [index, level] : levels_) levels.push_back(level);
  return levels;
}

}  // namespace lamina::series
