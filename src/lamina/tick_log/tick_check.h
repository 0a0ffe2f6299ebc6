#pragma once

/// \file lamina/tick_log/tick_check.h
/// Which ticks are refused, and why. Pure functions.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lamina/base/result.h"
#include "lamina/tick_log/tick.h"

namespace lamina::tick_log {

/// 1971-01-01 and 2200-01-01, UTC: stamps are in [first, end).
inline constexpr std::int64_t kFirstStampNs = 31'536'000'000'000'000;
inline constexpr std::int64_t kEndStampNs = 7'258'118'400'000'000'000;
inline constexpr std::uint32_t kKnownFlags = kPastLimit | kUnreported | kBidPastLow | kAskPastHigh;
/// An append has at most so many rows.
inline constexpr std::int64_t kAppendRowsMax = 1'000'000;

/// The stamp that an ISO 8601 text says, to the nanosecond. RETURNS kInvalidArgument (no time, not
/// from 1971 to 2199, finer than nanoseconds).
Result<std::int64_t> StampOfText(std::string_view text);

struct Refusal {
  std::size_t row = 0;  ///< of the batch
  std::string column;
  std::string what;  ///< "price is NaN: prices are finite"
};

/// The first row that cannot be a tick. The rules: stamps (of event and receipt) from 1971 to 2199;
/// prices and sizes finite; sizes not negative; contract ids from 1; types of the batch's kind;
/// flags that are known; texts that are UTF-8, `extra` at most 16 MiB. Allowed: negative and zero
/// prices (spreads have them), zero sizes, crossed quotes, receipt before the event, equal rows.
std::optional<Refusal> FindRefusal(const TickBatch& ticks);

/// Columns have one length, codes have their texts, no row is refused. RETURNS kInvalidArgument
/// that names kind, row and column.
Status CheckTicks(const TickBatches& ticks);

}  // namespace lamina::tick_log
