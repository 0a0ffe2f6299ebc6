#include "lamina/tick_log/tick_check.h"

#include <functional>
#include <limits>

#include <gtest/gtest.h>

#include "lamina/base/matchers.h"
#include "lamina/tick_log/tick_test_support.h"

namespace lamina::tick_log {
namespace {

using testing::HasSubstr;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

TickBatches Quotes() {
  TickBatches ticks = test::Trades(0);
  TickBatch& batch = ticks[1];
  batch.contract_id = {1, 1};
  batch.type = {TickType::kBidAsk, TickType::kBidAsk};
  batch.ts_ns = {test::kStart, test::kStart};
  for (auto& values : batch.values) values = {5, 5};
  return ticks;
}

TEST(TickCheck, StampsOfTextHaveNanosecondsAndYears) {
  EXPECT_EQ(*StampOfText("2024-07-02T00:00:00.123456789Z"), 1'719'878'400'123'456'789);
  EXPECT_EQ(*StampOfText("2024-07-02 02:00:00,0000000010+02:00"), 1'719'878'400'000'000'001);
  EXPECT_EQ(*StampOfText("1971-01-01"), kFirstStampNs);
  EXPECT_EQ(*StampOfText("2199-12-31T23:59:59.999999999Z"), kEndStampNs - 1);
  const std::pair<const char*, const char*> refused[] = {
      {"1970-12-31T23:59:59.999999999Z", "not a time from 1971 to 2199"},
      {"2200-01-01", "not a time from 1971 to 2199"},
      {"9999-01-01", "not a time from 1971 to 2199"},
      {"2024-07-02T00:00:00.1234567891Z", "finer than nanoseconds"},
      {"yesterday", "is not a time"}};
  for (const auto& [text, why] : refused) {
    EXPECT_THAT(StampOfText(text), IsError(ErrorCode::kInvalidArgument, HasSubstr(why)));
  }
}

TEST(TickCheck, RulesAreStatedOneByOne) {
  struct Case {
    const char* what;  ///< of the refusal; empty: kept
    std::function<void(TickBatches&)> change;
  };
  const Case cases[] = {
      {"", [](auto&) {}},
      {"", [](auto& t) { t[1].values[0][1] = -3; }},  // negative price
      {"", [](auto& t) { t[1].values[0][1] = 0; }},
      {"", [](auto& t) { t[1].values[1][1] = 0; }},  // zero size
      {"", [](auto& t) { t[1].values[0][1] = 9; }},  // crossed
      {"", [](auto& t) { t[1].contract_id[1] = 1LL << 40; }},
      {"", [](auto& t) { t[1].recv_ns = {test::kStart, test::kStart - 4}; }},  // before the event
      {"quotes row 1: bid_price is nan", [](auto& t) { t[1].values[0][1] = kNaN; }},
      {"quotes row 1: ask_price is inf", [](auto& t) { t[1].values[2][1] = kInfinity; }},
      {"quotes row 1: bid_size is -1.0: sizes are not negative",
       [](auto& t) { t[1].values[1][1] = -1; }},
      {"quotes row 1: ask_size is nan", [](auto& t) { t[1].values[3][1] = kNaN; }},
      {"quotes row 1: ts_ns 5 is not a time", [](auto& t) { t[1].ts_ns[1] = 5; }},
      {"quotes row 1: ts_ns 1700000000000 is not",  // milliseconds
       [](auto& t) { t[1].ts_ns[1] = 1'700'000'000'000; }},
      {"quotes row 1: ts_ns 7258118400000000000", [](auto& t) { t[1].ts_ns[1] = kEndStampNs; }},
      {"quotes row 0: recv_ns -1", [](auto& t) { t[1].recv_ns = {-1, test::kStart}; }},
      {"quotes row 1: contract_id is 0", [](auto& t) { t[1].contract_id[1] = 0; }},
      {"quotes row 1: tick_type 1", [](auto& t) { t[1].type[1] = TickType::kLast; }},
      {"quotes row 1: flags 16", [](auto& t) { t[1].flags = {1, 16}; }},
      {"quotes row 1: source is not UTF-8", [](auto& t) { t[1].source = {{0, 1}, {"\xff"}}; }},
      {"different lengths", [](auto& t) { t[1].values[3].pop_back(); }},
      {"codes without texts", [](auto& t) { t[1].extra = {{0, 2}, {"a"}}; }},
      {"at most 1000000 ticks", [](auto& t) { t = test::Trades(1'000'001); }},
  };
  for (const Case& c : cases) {
    TickBatches ticks = Quotes();
    c.change(ticks);
    if (*c.what == '\0') {
      EXPECT_THAT(CheckTicks(ticks), IsOk());
    } else {
      EXPECT_THAT(CheckTicks(ticks), IsError(ErrorCode::kInvalidArgument, HasSubstr(c.what)));
    }
  }
}

}  // namespace
}  // namespace lamina::tick_log
