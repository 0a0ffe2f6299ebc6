#include "lamina/tick_log/tick.h"

namespace lamina::tick_log {
namespace {

struct Spelling {
  std::string_view text;
  TickType type;
};

constexpr std::array kSpellings = {
    Spelling{"last", TickType::kLast},         Spelling{"all_last", TickType::kAllLast},
    Spelling{"bid_ask", TickType::kBidAsk},    Spelling{"mid_point", TickType::kMidPoint},
    Spelling{"Last", TickType::kLast},         Spelling{"AllLast", TickType::kAllLast},
    Spelling{"BidAsk", TickType::kBidAsk},     Spelling{"MidPoint", TickType::kMidPoint},
    Spelling{"midpoint", TickType::kMidPoint}, Spelling{"mid_price", TickType::kMidPoint},
};

}  // namespace

std::string_view TickTypeName(TickType type) {
  return kSpellings[static_cast<std::size_t>(type) - 1].text;
}

Result<TickType> ParseTickType(std::string_view text) {
  for (const Spelling& spelling : kSpellings) {
    if (spelling.text == text) return spelling.type;
  }
  return InvalidArgument("unknown tick type '" + std::string(text) +
                         "': known are last, all_last, bid_ask, mid_point");
}

std::vector<std::string> ValueNames(TickKind kind) {
  switch (kind) {
    case TickKind::kTrades:
      return {"price", "size"};
    case TickKind::kQuotes:
      return {"bid_price", "bid_size", "ask_price", "ask_size"};
    case TickKind::kMidpoints:
      return {"price"};
  }
  return {};
}

std::size_t CountTicks(const TickBatches& ticks) {
  return ticks[0].size() + ticks[1].size() + ticks[2].size();
}

}  // namespace lamina::tick_log
