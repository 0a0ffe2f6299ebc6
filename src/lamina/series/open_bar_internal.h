#pragma once

/// \file lamina/series/open_bar_internal.h
/// The bar being built, one class for each kind of row: add rows, tell a row's weight, close.
/// Thread-compatible.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "lamina/series/bars.h"
#include "lamina/series/trade_sums_internal.h"

namespace lamina::series::internal {

inline constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
inline constexpr std::size_t kNoRow = static_cast<std::size_t>(-1);

/// First and last priced rows of a bar, which every kind has.
struct OpenBarBase {
  std::int64_t first_ts = 0, last_ts = 0;
  double open = 0, close = 0;
  bool priced = false;  ///< some row had a price

  void Note(std::int64_t ts, double row_open, double row_close) {
    if (!priced) {
      priced = true;
      first_ts = ts;
      open = row_open;
    }
    last_ts = ts;
    close = row_close;
  }
};

class OpenTradeBar : public OpenBarBase {
 public:
  using Columns = TradeColumns;
  static constexpr const char* kUnevenColumns = "ts_ns, price and size";
  static bool SameLengths(const Columns& rows) {
    return rows.price.size() == rows.ts_ns.size() &&
           (rows.size.empty() || rows.size.size() == rows.ts_ns.size());
  }
  static bool HasSizes(const Columns& rows) { return !rows.size.empty(); }
  /// What row adds to a rule of volume or notional.
  static double Weight(const Columns& rows, std::size_t row, bool notional) {
    const double weight =
        rows.size.empty() ? 0 : (notional ? rows.price[row] * rows.size[row] : rows.size[row]);
    return rows.price[row] == rows.price[row] && weight == weight ? weight : 0;
  }

  /// Add rows [begin, end); the row with a negative size, or kNoRow.
  std::size_t Add(const Columns& rows, std::size_t begin, std::size_t end);
  std::int64_t priced_rows() const { return sums_.rows - sums_.unpriced; }
  std::int64_t unpriced_rows() const { return sums_.unpriced; }
  void Close(const Bucket& bucket, bool by_clock, bool has_sizes, Bars& bars) const;
  static void Fill(const Bars& bars, bool previous, bool has_sizes, Bars& filled);

 private:
  TradeSums sums_;
};

class OpenQuoteBar : public OpenBarBase {
 public:
  using Columns = QuoteColumns;
  static constexpr const char* kUnevenColumns = "ts_ns, bid and ask";
  static bool SameLengths(const Columns& rows) {
    return rows.bid.size() == rows.ts_ns.size() && rows.ask.size() == rows.ts_ns.size();
  }
  static bool HasSizes(const Columns&) { return false; }
  static double Weight(const Columns&, std::size_t, bool) { return 0; }

  std::size_t Add(const Columns& rows, std::size_t begin, std::size_t end);
  std::int64_t priced_rows() const { return priced_; }
  std::int64_t unpriced_rows() const { return unpriced_; }
  void Close(const Bucket& bucket, bool by_clock, bool has_sizes, Bars& bars) const;
  static void Fill(const Bars& bars, bool previous, bool has_sizes, Bars& filled);

 private:
  std::int64_t priced_ = 0, unpriced_ = 0;
  double high_ = -std::numeric_limits<double>::infinity();
  double low_ = std::numeric_limits<double>::infinity();
  double bid_ = 0, ask_ = 0;
  double spread_ = 0;       ///< of the last row
  double spread_sum_ = 0;   ///< over rows
  double spread_time_ = 0;  ///< spread times nanoseconds, up to the last row
};

class OpenCandleBar : public OpenBarBase {
 public:
  using Columns = CandleColumns;
  static constexpr const char* kUnevenColumns = "the columns of bars";
  static bool SameLengths(const Columns& rows);
  static bool HasSizes(const Columns& rows) { return !rows.volume.empty(); }
  static double Weight(const Columns& rows, std::size_t row, bool notional);

  std::size_t Add(const Columns& rows, std::size_t begin, std::size_t end);
  std::int64_t priced_rows() const { return priced_; }
  std::int64_t unpriced_rows() const { return unpriced_; }
  void Close(const Bucket& bucket, bool by_clock, bool has_sizes, Bars& bars) const;
  static void Fill(const Bars& bars, bool previous, bool has_sizes, Bars& filled);

 private:
  std::int64_t priced_ = 0, unpriced_ = 0, ticks_ = 0;
  double high_ = -std::numeric_limits<double>::infinity();
  double low_ = std::numeric_limits<double>::infinity();
  double volume_ = 0, notional_ = 0;
};

}  // namespace lamina::series::internal
