#pragma once

/// \file lamina/series/resample.h
/// Bars from a stream of Arrow batches, whatever its columns are called. Thread-safe.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "lamina/base/result.h"
#include "lamina/series/bars.h"
#include "lamina/series/session_ranges.h"

namespace arrow {
class RecordBatchReader;
class Table;
}  // namespace arrow

namespace lamina::series {

enum class RowKind : std::uint8_t { kAny, kTrades, kQuotes, kCandles };

/// Empty names: the usual ones. Time: ts_ns, timestamp, ts_event, ts, time, datetime, date. Trades:
/// price (or last), size (or quantity, qty, volume, amount). Quotes: bid_price or bid, ask_price or
/// ask. Candles: open, high, low, close, volume, vwap, n_ticks. Sizes may be absent.
struct ResampleOptions {
  std::string rule;
  RowKind kind = RowKind::kAny;  ///< kAny: candles, quotes or trades, by the columns there are
  std::string time, price, size, bid, ask;
  std::vector<std::string> by;  ///< bars for each value of these columns
  SessionChoice sessions;
  BarLabel label = BarLabel::kLeft;
  BarFill fill = BarFill::kNone;
  bool keep_partial = true;
};

/// Columns: those of `by`, then `timestamp` (timestamp[ns, UTC]), open, high, low, close; volume
/// and vwap when the input has sizes; n_ticks (int64); for quotes bid_close, ask_close,
/// spread_mean, spread_time_weighted. Bars of one key stand together, keys in the order of their
/// first rows. NULL where there is no value. Reads batch by batch. RETURNS kInvalidArgument as the
/// parts do.
Result<std::shared_ptr<arrow::Table>> Resample(arrow::RecordBatchReader& input,
                                               const ResampleOptions& options);

/// `trades`, `quotes`, `candles` (or `bars`); empty: kAny. RETURNS kInvalidArgument.
Result<RowKind> ParseRowKind(const std::string& name);
/// `left`, `right`. RETURNS kInvalidArgument.
Result<BarLabel> ParseBarLabel(const std::string& name);
/// `` or `none`, `previous`, `null`. RETURNS kInvalidArgument.
Result<BarFill> ParseBarFill(const std::string& name);

}  // namespace lamina::series
