#pragma once

/// \file lamina/tick_log/recorder_message.h
/// Messages of the IB-Stream recorder (versions 2 and 3) as lines with our own keys. Pure.

#include <string>
#include <string_view>

#include "lamina/base/result.h"

namespace lamina::tick_log {

/// A line longer than this is no message.
inline constexpr std::size_t kMessageBytesMax = std::size_t{10} << 20;

/// One JSON object with the keys ts_ns, recv_ns, contract_id, tick_type, the values of the type,
/// flags, request_id, exchange, conditions, source; keys that are not known stay as they are.
/// Version 3 has short keys (ts, st, cid, tt, …) and microseconds; version 2 is
/// `{"type":"tick","timestamp":…,"data":{…}}`, whose event time is `unix_time` in seconds, or the
/// receive time where there is none. RETURNS kInvalidArgument for anything else: no JSON, another
/// message, a stamp whose unit is not the stated one (milliseconds for microseconds), a line above
/// kMessageBytesMax.
Result<std::string> FromRecorderMessage(std::string_view line);

}  // namespace lamina::tick_log
