#pragma once

/// \file lamina/base/fine_time.h
/// Texts of times finer than a microsecond: what `ParseTime` cuts off is kept, rounded up, or
/// refused, never lost. Pure functions; thread-safe.

#include <string_view>

#include "lamina/base/result.h"
#include "lamina/base/time.h"

namespace lamina {

struct FineTime {
  Micros micros;          ///< the last whole one at or before the time
  int nanos = 0;          ///< 0..999 behind it
  bool is_finer = false;  ///< the text says a part of a nanosecond that is not zero
};

/// What `ParseTime` takes, with all its digits. RETURNS kInvalidArgument.
Result<FineTime> ParseFineTime(std::string_view text);

/// RETURNS kInvalidArgument (no time; finer than nanoseconds; outside the years 1677 to 2262).
Result<Nanos> ParseNanos(std::string_view text);

/// RETURNS kInvalidArgument (no time; parts of a microsecond).
Result<Micros> ParseWholeMicros(std::string_view text);

/// The first microsecond that is not before the time: an end of a range of stamps of whole ones.
/// RETURNS kInvalidArgument.
Result<Micros> ParseFirstMicros(std::string_view text);

}  // namespace lamina
