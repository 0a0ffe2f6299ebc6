#pragma once

/// \file lamina/ticks/tick_cursor.h
/// Where a reader of ticks goes on, as opaque text. Values, pure functions; thread-safe.

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "lamina/base/result.h"

namespace lamina::ticks {

/// Behind a row of a query that was cut by its limit: (ts_ns, recv_ns, writer, seq) of the row, for
/// bars (timestamp, contract_id, type, 0).
using RowKey = std::array<std::int64_t, 4>;

/// `query`: all that the query asks, as text; a cursor is good for that query only.
std::string FormatRowCursor(const RowKey& key, std::string_view query);
/// RETURNS kInvalidArgument for a text that is not such a cursor, or is one of another query.
Result<RowKey> ParseRowCursor(std::string_view text, std::string_view query);

/// What a follower of the logs has seen: of each writer the next seq. A writer that is not there
/// has not been seen at all.
using LogCursor = std::map<std::int64_t, std::int64_t>;

std::string FormatLogCursor(const LogCursor& cursor);
/// RETURNS kInvalidArgument for a text that is not such a cursor.
Result<LogCursor> ParseLogCursor(std::string_view text);

}  // namespace lamina::ticks
