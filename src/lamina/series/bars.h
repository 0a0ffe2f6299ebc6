#pragma once

/// \file lamina/series/bars.h
/// Bars from sorted rows of trades, quotes or finer bars, fed batch by batch. Memory is that of
/// the bars not yet taken. Thread-compatible.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "lamina/base/result.h"
#include "lamina/series/bar_rule.h"
#include "lamina/series/bucket_grid.h"

namespace lamina::series {

/// A row without a price (NaN) is counted in BarBuilder::unpriced_rows and belongs to no bar.
struct TradeColumns {
  std::span<const std::int64_t> ts_ns;
  std::span<const double> price;
  std::span<const double> size;  ///< NaN counts as 0; empty: bars have no volume and no VWAP
};
/// A row with a NaN on either side counts as one without a price. Sides may cross.
struct QuoteColumns {
  std::span<const std::int64_t> ts_ns;
  std::span<const double> bid, ask;
};
/// Finer bars. A row with a NaN among its four prices counts as one without a price.
struct CandleColumns {
  std::span<const std::int64_t> ts_ns;
  std::span<const double> open, high, low, close;
  std::span<const double> volume = {};         ///< as TradeColumns::size
  std::span<const double> vwap = {};           ///< NaN or empty: the mean of high, low and close
  std::span<const std::int64_t> n_ticks = {};  ///< empty: each row counts as one
};

enum class BarLabel : std::uint8_t { kLeft, kRight };
/// What stands for a bar without rows between two that have some.
enum class BarFill : std::uint8_t {
  kNone,      ///< nothing
  kPrevious,  ///< a bar at the close of the one before; volume and n are 0
  kNull,      ///< a bar without values (NaN); volume and n are 0
};

struct BarOptions {
  BarRule rule = {};
  std::vector<SessionRange> ranges = {};  ///< empty: bars from the UTC epoch
  BarLabel label = BarLabel::kLeft;
  BarFill fill = BarFill::kNone;  ///< only for rules of the clock
  bool keep_partial = true;       ///< for rules of rows: also bars that their rows do not fill up
};

/// Columns of bars. Bars of trades and candles have volume and vwap when their input has sizes;
/// bars of quotes are of the mid (bid + ask) / 2 and have the last four columns.
struct Bars {
  /// Label: the bar's begin (kLeft) or end (kRight); for rules of rows its first or last priced
  /// row.
  std::vector<std::int64_t> timestamp;
  std::vector<double> open, high, low, close;
  std::vector<double> volume;  ///< sum of sizes
  std::vector<double> vwap;    ///< sum of price * size over volume; NaN when volume is 0
  std::vector<std::int64_t> n_ticks;
  std::vector<double> bid_close, ask_close;
  std::vector<double> spread_mean;           ///< over the rows
  std::vector<double> spread_time_weighted;  ///< each until the next row, the last until bar end

  std::size_t size() const { return timestamp.size(); }
  /// `more` behind these.
  void Append(Bars more);
};

/// Builds bars. What comes out does not depend on how the rows are cut into batches, bit for bit.
///
/// Sums. Trades: eight lanes, row i of the bar (also one without a price) goes to lane i mod 8 in
/// row order; the total is ((l0+l4)+(l2+l6)) + ((l1+l5)+(l3+l7)). Quotes and candles: row order.
/// Volume and notional rules add in row order to find the row that ends a bar: it belongs to it
/// whole. A zero high or low is +0.0.
class BarBuilder {
 public:
  static Result<BarBuilder> ForTrades(BarOptions options);
  /// RETURNS kInvalidArgument for rules of volume and notional.
  static Result<BarBuilder> ForQuotes(BarOptions options);
  static Result<BarBuilder> ForCandles(BarOptions options);
  BarBuilder(BarBuilder&&) noexcept;
  BarBuilder& operator=(BarBuilder&&) noexcept;
  ~BarBuilder();

  /// The next rows, of the kind the builder was made for. RETURNS kInvalidArgument that names the
  /// row when stamps go back or a size is negative, or when columns differ in length or in kind;
  /// kResourceExhausted when one gap needs more than 10 million bars. After an error only the
  /// destructor may be called.
  Status Add(const TradeColumns& rows);
  Status Add(const QuoteColumns& rows);
  Status Add(const CandleColumns& rows);
  /// No more rows: the open bar is finished.
  Status Finish();

  /// The bars finished since the last call.
  Bars Take();
  std::int64_t unpriced_rows() const;
  std::int64_t rows_outside_ranges() const;

  class Impl;

 private:
  explicit BarBuilder(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace lamina::series
