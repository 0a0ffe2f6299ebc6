#pragma once

/// \file lamina/market/trading_hours.h
/// Trading hours as Interactive Brokers spells them in a contract's details. Values, pure
/// functions.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lamina/base/result.h"
#include "lamina/base/time.h"
#include "lamina/market/day.h"
#include "lamina/market/zone.h"

namespace lamina::market {

/// The hours of one trading day; none when it is closed.
struct DayHours {
  struct Span {
    Nanos open, close;  ///< [open, close), UTC
  };
  Day trading_day;
  std::vector<Span> spans;  ///< in time order, apart from each other
};

struct TradingHours {
  std::vector<DayHours> days;  ///< by day, each once
};

/// Two forms, days apart by `;`:
///   `20250110:0930-20250110:1600;20250111:CLOSED`   each end with its date; the trading day is the
///                                                   date of the close
///   `20250110:0930-1600;20250111:CLOSED`            the older form: one date, spans apart by `,`;
///   a
///                                                   span that does not end after it opens began
///                                                   the evening before
/// RETURNS kInvalidArgument, naming the part: a date or clock that does not exist, spans that
/// overlap or do not end after they begin, a day that is both closed and open.
Result<TradingHours> ParseTradingHours(std::string_view text, const Zone& zone);

}  // namespace lamina::market
