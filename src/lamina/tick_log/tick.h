#pragma once

/// \file lamina/tick_log/tick.h
/// What a tick is: its types, its columns, its identity (writer, seq) and the one order
/// (ts_ns, recv_ns, writer, seq). Values; thread-compatible.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lamina/base/result.h"

namespace lamina::tick_log {

/// The numbers are on disk.
enum class TickType : std::uint8_t { kLast = 1, kAllLast = 2, kBidAsk = 3, kMidPoint = 4 };
/// Types that share columns, and a table of the lake.
enum class TickKind : std::uint8_t { kTrades = 0, kQuotes = 1, kMidpoints = 2 };
inline constexpr std::array kTickKinds = {TickKind::kTrades, TickKind::kQuotes,
                                          TickKind::kMidpoints};

constexpr TickKind KindOf(TickType type) {
  return type == TickType::kBidAsk     ? TickKind::kQuotes
         : type == TickType::kMidPoint ? TickKind::kMidpoints
                                       : TickKind::kTrades;
}
/// How many doubles a tick of the kind has. Trades: price, size. Quotes: bid_price, bid_size,
/// ask_price, ask_size. Midpoints: price.
constexpr std::size_t ValueCount(TickKind kind) {
  return kind == TickKind::kTrades ? 2 : kind == TickKind::kQuotes ? 4 : 1;
}
/// `last`, `all_last`, `bid_ask`, `mid_point`.
std::string_view TickTypeName(TickType type);
/// Also the other spellings in use (Last, AllLast, BidAsk, MidPoint, midpoint, mid_price).
/// RETURNS kInvalidArgument that lists the known ones.
Result<TickType> ParseTickType(std::string_view text);
/// The column names of the kind's values, ValueCount of them.
std::vector<std::string> ValueNames(TickKind kind);

/// Bits of `flags`; the numbers are on disk.
inline constexpr std::uint32_t kPastLimit = 1, kUnreported = 2, kBidPastLow = 4, kAskPastHigh = 8;

/// Texts of many rows: 0 is none, code k is values[k - 1]. Empty `codes`: none in any row.
struct TextColumn {
  std::vector<std::uint32_t> codes;
  std::vector<std::string> values;
  /// Empty for none.
  std::string_view at(std::size_t row) const {
    return codes.empty() || codes[row] == 0 ? std::string_view() : values[codes[row] - 1];
  }
};

/// Ticks of one kind, of any contracts, column by column; all filled columns have size() rows.
struct TickBatch {
  TickKind kind = TickKind::kTrades;
  std::vector<std::int64_t> contract_id;
  std::vector<TickType> type;
  std::vector<std::int64_t> ts_ns;    ///< event time, UTC nanoseconds
  std::vector<std::int64_t> recv_ns;  ///< receive time
  std::vector<std::int64_t> writer;   ///< with seq the identity of the tick
  std::vector<std::int64_t> seq;
  std::array<std::vector<double>, 4> values;  ///< the first ValueCount(kind)
  std::vector<std::uint32_t> flags;           ///< empty: 0 in every row
  std::vector<std::int64_t> request_id;       ///< empty: none in any row; kNoRequest: none
  TextColumn exchange, conditions, source;
  TextColumn extra;  ///< JSON text of what has no column

  static constexpr std::int64_t kNoRequest = INT64_MIN;
  std::size_t size() const { return ts_ns.size(); }
};

/// Batches of the three kinds, by kind; the order between kinds is that of (writer, seq).
using TickBatches = std::array<TickBatch, 3>;
std::size_t CountTicks(const TickBatches& ticks);

}  // namespace lamina::tick_log
