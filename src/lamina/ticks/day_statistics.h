#pragma once

/// \file lamina/ticks/day_statistics.h
/// DayStatistics: what the catalog says of the ticks of one contract, type and UTC day. It can be
/// merged with another, in any order, with the same result as counting all ticks at once.
/// Thread-compatible.

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "lamina/base/bytes.h"
#include "lamina/base/result.h"
#include "lamina/catalog/database.h"
#include "lamina/ticks/exact_sum.h"
#include "lamina/ticks/price_set.h"
#include "lamina/ticks/tick_tables.h"

namespace lamina::ticks {

/// Definitions. Prices: of a trade its price; of a quote its bid and its ask price; of a midpoint
/// its price; a NaN is none. Volume and vwap: of trades; a size that is NaN counts 0, as does the
/// size of a trade without a price for vwap. Sums are rounded once, from the exact sum.
class DayStatistics {
 public:
  /// `values`: of the kind of the type, in the order of ValueNames.
  void Add(TickType type, std::int64_t ts_ns, const double* values);
  void Merge(const DayStatistics& other);

  std::int64_t total_ticks() const { return ticks_; }
  std::int64_t unique_prices() const { return prices_.size(); }
  std::optional<double> total_volume(TickType type) const;
  std::optional<double> vwap(TickType type) const;
  std::optional<double> high_price() const;
  std::optional<double> low_price() const;
  std::int64_t first_ns() const { return first_ns_; }
  std::int64_t last_ns() const { return last_ns_; }

  /// All of it, the same bytes for the same ticks.
  std::string Encode() const;
  /// RETURNS kCorruption.
  static Result<DayStatistics> Decode(ByteView bytes);

 private:
  std::int64_t ticks_ = 0;
  std::int64_t first_ns_ = std::numeric_limits<std::int64_t>::max();
  std::int64_t last_ns_ = std::numeric_limits<std::int64_t>::min();
  PriceSet prices_;
  ExactSum volume_, priced_volume_, notional_;
};

/// A row of `data_statistics`.
struct StatisticsRow {
  std::int64_t contract_id = 0;
  TickType type = TickType::kLast;
  std::int32_t day = 0;  ///< UTC, since 1970-01-01
  std::int64_t total_ticks = 0, unique_prices = 0;
  std::optional<double> total_volume, vwap, high_price, low_price;
  std::int64_t first_ns = 0, last_ns = 0;
  bool operator==(const StatisticsRow&) const = default;
};

struct StatisticsKey {
  std::int64_t contract_id = 0;
  TickType type = TickType::kLast;
  std::int32_t day = 0;
  auto operator<=>(const StatisticsKey&) const = default;
};

/// Fold ticks that came into the row of `key`. REQUIRES a write transaction, as do the others.
Status MergeStatistics(catalog::Database& database, std::int64_t snapshot, const StatisticsKey& key,
                       const DayStatistics& added);
/// Put what was counted anew; without ticks the row goes.
Status ReplaceStatistics(catalog::Database& database, std::int64_t snapshot,
                         const StatisticsKey& key, const DayStatistics& counted);
/// `where`: SQL after WHERE, "1" for all.
Result<std::vector<StatisticsRow>> ReadStatistics(catalog::Database& database,
                                                  const std::string& where);

}  // namespace lamina::ticks
