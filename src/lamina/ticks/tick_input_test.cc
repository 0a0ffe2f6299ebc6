#include "lamina/ticks/tick_input.h"

#include <arrow/api.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lamina/base/matchers.h"
#include "lamina/series/arrow_test_support.h"

namespace lamina::ticks {
namespace {

using series::Doubles;
using series::Ints;
using series::MakeTable;
using series::Texts;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::int64_t kTs = 1'719'878'400'000'000'000;

TEST(TickInputTest, TakesTablesOfOneKindWhole) {
  const auto table = MakeTable({{"ts_ns", Ints({kTs, kTs + 1})},
                                {"contract_id", Ints({1, 1})},
                                {"tick_type", Texts({"last", "all_last"})},
                                {"price", Doubles({1.5, 2.5})},
                                {"size", Doubles({1, 2})},
                                {"exchange", Texts({"CME", ""})},
                                {"writer", Ints({7, 7})}});
  auto rows = TicksOfArrow(*table);
  ASSERT_THAT(rows, IsOk());
  EXPECT_EQ(rows->rows, 2);
  EXPECT_TRUE(rows->order.empty());
  const auto& trades = rows->ticks[0];
  EXPECT_THAT(trades.type, ElementsAre(tick_log::TickType::kLast, tick_log::TickType::kAllLast));
  EXPECT_THAT(trades.values[0], ElementsAre(1.5, 2.5));
  EXPECT_EQ(trades.exchange.at(0), "CME");
  EXPECT_EQ(trades.exchange.at(1), "");
  EXPECT_TRUE(trades.recv_ns.empty());
}

TEST(TickInputTest, SplitsKindsAndKeepsTheirOrder) {
  const auto table = MakeTable({{"timestamp", series::Times({kTs / 1000, kTs / 1000, kTs / 1000},
                                                            arrow::TimeUnit::MICRO, "UTC")},
                                {"symbol", Texts({"A", "B", "A"})},
                                {"tick_type", Texts({"bid_ask", "mid_point", "bid_ask"})},
                                {"price", Doubles({0, 9, 0}, {0, 2})},
                                {"bid_price", Doubles({1, 0, 2}, {1})},
                                {"bid_size", Doubles({1, 0, 2}, {1})},
                                {"ask_price", Doubles({3, 0, 4}, {1})},
                                {"ask_size", Doubles({1, 0, 2}, {1})},
                                {"request_id", Ints({5, 0, 6}, {1})}});
  InputOptions options;
  options.resolve = [](std::string_view symbol) -> Result<std::int64_t> {
    return symbol == "A" ? 1 : 2;
  };
  auto rows = TicksOfArrow(*table, options);
  ASSERT_THAT(rows, IsOk());
  ASSERT_EQ(rows->order.size(), 3U);
  EXPECT_EQ(rows->order[1].kind, tick_log::TickKind::kMidpoints);
  EXPECT_EQ(rows->order[2].row, 1U);
  EXPECT_THAT(rows->ticks[1].contract_id, ElementsAre(1, 1));
  EXPECT_THAT(rows->ticks[1].values[2], ElementsAre(3, 4));
  EXPECT_THAT(rows->ticks[1].request_id, ElementsAre(5, 6));
  EXPECT_THAT(rows->ticks[2].values[0], ElementsAre(9));
  EXPECT_THAT(rows->ticks[2].ts_ns, ElementsAre(kTs));
}

TEST(TickInputTest, TakesDictionariesWithAnyIndices) {
  const auto names = Texts({"bid_ask", "last", "all_last"});
  for (const auto& type : {arrow::int8(), arrow::uint8(), arrow::int16(), arrow::uint16(),
                           arrow::int32(), arrow::uint32(), arrow::int64(), arrow::uint64()}) {
    const auto dictionary = arrow::dictionary(type, names->type());
    const auto rows_of = [&](const std::vector<int>& codes) {
      auto builder = *arrow::MakeBuilder(type);
      for (const int code : codes) {
        EXPECT_TRUE(builder->AppendScalar(**arrow::MakeScalar(code)->CastTo(type)).ok());
      }
      // One more row in front: indices that begin at an offset.
      const auto indices = (*builder->Finish())->Slice(1);
      const auto types = std::make_shared<arrow::DictionaryArray>(dictionary, indices, names);
      return TicksOfArrow(*MakeTable({{"ts_ns", Ints({kTs, kTs})},
                                      {"contract_id", Ints({1, 1})},
                                      {"tick_type", types},
                                      {"price", Doubles({1, 2})},
                                      {"size", Doubles({1, 2})}}));
    };
    const auto rows = rows_of({0, 2, 1});
    ASSERT_THAT(rows, IsOk()) << type->ToString();
    EXPECT_THAT(rows->ticks[0].type,
                ElementsAre(tick_log::TickType::kAllLast, tick_log::TickType::kLast));
    const auto outside = rows_of({0, 2, 3});
    ASSERT_FALSE(outside.ok());
    EXPECT_THAT(std::string(outside.error().message()), HasSubstr("row 1 is outside"));
  }
}

TEST(TickInputTest, RefusesWhatIsMissingOrTooMuch) {
  const auto ts = Ints({kTs});
  const auto one = Ints({1});
  const auto last = Texts({"last"});
  const auto price = Doubles({1});
  struct Case {
    const char* what;
    series::TablePtr table;
    const char* message;
  };
  const std::vector<Case> cases = {
      {"no time", MakeTable({{"contract_id", one}, {"tick_type", last}}), "ts_ns"},
      {"no type", MakeTable({{"ts_ns", ts}, {"contract_id", one}}), "tick_type"},
      {"no contract", MakeTable({{"ts_ns", ts}, {"tick_type", last}}), "contract_id"},
      {"no size",
       MakeTable({{"ts_ns", ts}, {"contract_id", one}, {"tick_type", last}, {"price", price}}),
       "`size`"},
      {"null price",
       MakeTable({{"ts_ns", ts},
                  {"contract_id", one},
                  {"tick_type", last},
                  {"price", Doubles({1}, {0})},
                  {"size", price}}),
       "row 0 is NULL"},
      {"a bid of a trade",
       MakeTable({{"ts_ns", ts},
                  {"contract_id", one},
                  {"tick_type", last},
                  {"price", price},
                  {"size", price},
                  {"bid_price", price}}),
       "have no bid_price"},
      {"unknown", MakeTable({{"ts_ns", ts}, {"prise", price}}), "did you mean `price`"},
      {"text",
       MakeTable({{"ts_ns", ts},
                  {"contract_id", one},
                  {"tick_type", last},
                  {"price", Texts({"1"})},
                  {"size", price}}),
       "price"},
      {"type", MakeTable({{"ts_ns", ts}, {"contract_id", one}, {"tick_type", Texts({"trade"})}}),
       "unknown tick type"},
      {"symbol", MakeTable({{"ts_ns", ts}, {"symbol", Texts({"A"})}, {"tick_type", last}}),
       "symbols"},
  };
  for (const Case& one_case : cases) {
    const auto rows = TicksOfArrow(*one_case.table);
    ASSERT_FALSE(rows.ok()) << one_case.what;
    EXPECT_THAT(std::string(rows.error().message()), HasSubstr(one_case.message)) << one_case.what;
  }
}

}  // namespace
}  // namespace lamina::ticks
