#pragma once

/// \file lamina/dataset/bar_files.h
/// Files of bars as others write them: CSV, OANDA candles, and what their names say. Pure
/// functions; thread-safe.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lamina/base/rejected_lines.h"
#include "lamina/base/result.h"

namespace arrow {
class Table;
}

namespace lamina::dataset {

struct BarFile {
  /// timestamp (UTC), open, high, low, close, volume, complete; NULL volume where none was given.
  std::shared_ptr<arrow::Table> rows;
  RejectedLines rejected;
  std::vector<std::string> ignored_columns;          ///< of CSV: that bars have no place for
  std::optional<std::string> instrument, timeframe;  ///< when the file says so
};

struct BarFileOptions {
  /// Of candles with several prices: mid, bid or ask; the first there is when empty.
  std::string price = {};
  RejectedLineSink on_rejected = {};
};

/// CSV with a header: timestamp (or time, date, datetime, in that order of preference; ISO 8601,
/// UTC unless it says otherwise), open, high, low, close, and if there volume, complete, instrument
/// (the same in all rows); other columns are ignored. Numbers are read as the double nearest to
/// their decimal digits. A row with a missing or bad cell is rejected, not guessed.
/// RETURNS kInvalidArgument when the header lacks a column, or no row is good.
Result<BarFile> ParseBarCsv(std::string_view text, std::string_view origin,
                            const BarFileOptions& options = {});

/// The answer of OANDA's `v3/instruments/{i}/candles`: prices as decimal text, time as RFC 3339 or
/// UNIX seconds. RETURNS kInvalidArgument (no such JSON).
Result<BarFile> ParseCandles(std::string_view text, std::string_view origin,
                             const BarFileOptions& options = {});

struct BarFileName {
  std::string instrument;
  std::optional<std::string> timeframe;
};
/// `EUR_USD_3years_H1.csv` -> EUR_USD, 1h; `gbp_usd.csv` -> GBP_USD: the words before the first
/// that is a timeframe or a span, upper-cased.
BarFileName ReadBarFileName(std::string_view path);

/// `H1`, `M15`, `D` of OANDA and `1h`, `15m`, `1d` as `1h`, `15m`, `1d`; absent for other words.
std::optional<std::string> TimeframeFromWord(std::string_view word);

}  // namespace lamina::dataset
