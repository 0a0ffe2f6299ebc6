#pragma once

/// \file lamina/market/instrument_csv.h
/// Instruments from CSV text. Pure functions.

#include <string_view>
#include <vector>

#include "lamina/base/result.h"
#include "lamina/market/instrument.h"

namespace lamina::market {

/// A row and the line that it stands on.
struct InstrumentLine {
  std::int64_t line = 0;
  Instrument instrument;
};

/// RFC 4180 with a header. Columns, in any order: instrument_id (or id, contract_id, con_id) and
/// symbol, which must be there; venue (exchange), currency, tick_size, multiplier, calendar,
/// trading_hours, time_zone, valid_from, valid_to. An empty cell is absent; times are ISO 8601, UTC
/// unless they say otherwise. Fields are checked (CheckInstrument).
/// RETURNS kInvalidArgument with every bad line (the first 20), each as `origin:line: what`.
Result<std::vector<InstrumentLine>> ParseInstrumentCsv(std::string_view text,
                                                       std::string_view origin);

}  // namespace lamina::market
