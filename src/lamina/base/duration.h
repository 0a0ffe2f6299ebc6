#pragma once

/// \file lamina/base/duration.h
/// Spans of time as people write them: "7d", "1h", "90s". Pure functions; thread-safe.

#include <string>
#include <string_view>

#include "lamina/base/result.h"
#include "lamina/base/time.h"

namespace lamina {

/// One or more of `<number><unit>`, units w, d, h, m, s, ms: "7d", "1h30m", "0s".
/// RETURNS kInvalidArgument for anything else, and beyond 1,000 years.
Result<Micros> ParseDuration(std::string_view text);

/// The shortest spelling that ParseDuration reads back, of a span of whole milliseconds that is not
/// negative: "7d", "1h30m", "0s". Smaller parts are left out.
std::string FormatDuration(Micros span);

}  // namespace lamina
