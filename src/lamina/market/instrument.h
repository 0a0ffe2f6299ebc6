#pragma once

/// \file lamina/market/instrument.h
/// Instrument: what is traded, over a span of time. Values, pure functions.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lamina/base/result.h"
#include "lamina/base/time.h"

namespace lamina::market {

/// One row of the table of instruments. An id may have several rows one after the other (a symbol
/// that changed), a symbol several ids one after the other (futures that roll).
struct Instrument {
  std::int64_t instrument_id = 0;  ///< the broker's contract id, or the user's own; not negative
  std::string symbol;
  std::optional<std::string> venue;
  std::optional<std::string> currency;
  std::optional<double> tick_size;
  std::optional<double> multiplier;
  std::optional<std::string> calendar;
  std::optional<std::string> trading_hours;  ///< override of the calendar, see trading_hours.h
  std::optional<std::string> time_zone;      ///< of trading_hours; the calendar's when absent
  std::optional<Micros> valid_from;          ///< absent: always
  std::optional<Micros> valid_to;            ///< exclusive; absent: for ever

  bool ValidAt(Micros at) const {
    return (!valid_from || *valid_from <= at) && (!valid_to || at < *valid_to);
  }
  bool Overlaps(const Instrument& other) const {
    return (!valid_from || !other.valid_to || *valid_from < *other.valid_to) &&
           (!other.valid_from || !valid_to || *other.valid_from < *valid_to);
  }
  bool operator==(const Instrument&) const = default;
};

/// Put the calendar's own name for an alias, and check every field. RETURNS kInvalidArgument,
/// naming the field.
Status CheckInstrument(Instrument& instrument);

/// What a text that names an instrument asks for: `AAPL`, `AAPL@XNAS`, `265598`, `#265598`.
struct InstrumentName {
  std::optional<std::string> symbol;  ///< absent in `#265598`
  std::optional<std::string> venue;   ///< behind `@`
  std::optional<std::int64_t> id;     ///< digits, or `#` and digits
};
/// A 64-bit number in decimal digits, not below 0. RETURNS kInvalidArgument.
Result<std::int64_t> ParseInstrumentId(std::string_view text);
/// RETURNS kInvalidArgument for an empty text, or `#` without digits behind it.
Result<InstrumentName> ParseInstrumentName(std::string_view text);

/// The row of `rows` that `name` means at `at`. RETURNS kNotFound (unknown, with near symbols;
/// known but not valid then), kInvalidArgument (it means several: the same symbol at several
/// venues, or the symbol of one and the id of another).
Result<Instrument> ResolveInstrument(const std::vector<Instrument>& rows, std::string_view name,
                                     Micros at);

/// Refuse what would make a name ambiguous: another row of the same id, or of the same symbol and
/// venue, that is valid at some time when `added` is. RETURNS kAlreadyExists.
Status CheckNoOverlap(const std::vector<Instrument>& rows, const Instrument& added);

/// `265598 AAPL@XNAS`, with its span of time when it has one.
std::string DescribeInstrument(const Instrument& instrument);

}  // namespace lamina::market
