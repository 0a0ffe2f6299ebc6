#include "lamina/series/resample.h"

#include "lamina/base/matchers.h"
#include "lamina/series/arrow_test_support.h"
#include "lamina/series/reference_test_support.h"

namespace lamina::series {
namespace {

using ::testing::HasSubstr;

constexpr std::int64_t kMinute = 60'000'000'000;

Result<TablePtr> Bars1m(const TablePtr& table, ResampleOptions options = {},
                        std::int64_t batch_rows = 3) {
  if (options.rule.empty()) options.rule = "1m";
  arrow::TableBatchReader reader(*table);
  reader.set_chunksize(batch_rows);
  return Resample(reader, options);
}

TEST(ResampleTest, TradesQuotesAndCandles) {
  const auto ts = Ints({0, 1, kMinute, kMinute + 1});
  const auto trades = *Bars1m(
      MakeTable({{"ts_ns", ts}, {"price", Doubles({1, 3, 5, 4})}, {"size", Ints({1, 1, 0, 0})}}));
  EXPECT_EQ(trades->schema()->field_names(),
            (std::vector<std::string>{"timestamp", "open", "high", "low", "close", "volume", "vwap",
                                      "n_ticks"}));
  EXPECT_EQ(Show(trades, "close"), "3 4");
  EXPECT_EQ(Show(trades, "vwap"), "2 null");
  const auto quotes = *Bars1m(MakeTable(
      {{"time", ts}, {"bid", Doubles({1, 3, 5, 4})}, {"ask", Doubles({2, 4, 6, 5}, {1})}}));
  EXPECT_EQ(Show(quotes, "close"), "1.5 4.5");
  EXPECT_EQ(Show(quotes, "n_ticks"), "1 2");
  EXPECT_EQ(Show(quotes, "spread_time_weighted"), "1 1");
  const auto candles = *Bars1m(MakeTable({{"timestamp", ts},
                                          {"open", Doubles({1, 2, 3, 4})},
                                          {"high", Doubles({5, 6, 7, 8})},
                                          {"low", Doubles({1, 2, 3, 4})},
                                          {"close", Doubles({2, 3, 4, 5})},
                                          {"volume", Ints({1, 2, 3, 4})}}));
  EXPECT_EQ(Show(candles, "volume"), "3 7");
  EXPECT_EQ(Show(candles, "high"), "6 8");
}

TEST(ResampleTest, ByKeyEqualsEachKeyAlone) {
  const RandomTicks ticks = MakeTicks(400, 4, true);
  std::vector<std::string> keys;
  std::mt19937_64 random(1);
  for (std::size_t i = 0; i < 400; ++i) keys.push_back(random() % 3 == 0 ? "A" : "B");
  const TablePtr all = MakeTable({{"sym", Texts(keys)},
                                  {"ts_ns", Ints(ticks.ts)},
                                  {"price", Doubles(ticks.price)},
                                  {"size", Doubles(ticks.size)}});
  ResampleOptions options;
  options.by = {"sym"};
  const TablePtr bars = *Bars1m(all, options, 17);
  std::string expected;
  for (const std::string& key : {keys[0], std::string(keys[0] == "A" ? "B" : "A")}) {
    RandomTicks part;
    for (std::size_t i = 0; i < 400; ++i) {
      if (keys[i] != key) continue;
      part.ts.push_back(ticks.ts[i]);
      part.price.push_back(ticks.price[i]);
      part.size.push_back(ticks.size[i]);
    }
    const auto alone = *Bars1m(MakeTable(
        {{"ts_ns", Ints(part.ts)}, {"price", Doubles(part.price)}, {"size", Doubles(part.size)}}));
    expected += (expected.empty() ? "" : " ") + Show(alone, "vwap");
  }
  EXPECT_EQ(Show(bars, "vwap"), expected);
  EXPECT_EQ(bars->schema()->field(0)->name(), "sym");
}

TEST(ResampleTest, EmptyInputHasTheColumns) {
  const TablePtr none =
      MakeTable({{"sym", Texts({})}, {"ts_ns", Ints({})}, {"price", Doubles({})}});
  EXPECT_EQ((*Bars1m(none))->num_rows(), 0);
  ResampleOptions options;
  options.by = {"sym"};
  EXPECT_EQ((*Bars1m(none, options))->schema()->field(0)->type()->ToString(), "string");
}

TEST(ResampleTest, Refuses) {
  const auto ts = Ints({5, 4});
  const auto price = Doubles({1, 1});
  EXPECT_THAT(Bars1m(MakeTable({{"ts_ns", ts}, {"price", price}})),
              IsError(ErrorCode::kInvalidArgument, HasSubstr("row 1 is out of order")));
  EXPECT_THAT(Bars1m(MakeTable({{"ts_ns", ts}, {"x", price}})),
              IsError(ErrorCode::kInvalidArgument, HasSubstr("there are: ts_ns, x")));
  EXPECT_THAT(Bars1m(MakeTable({{"ts_ns", ts}, {"price", price}, {"bid", price}, {"ask", price}})),
              IsError(ErrorCode::kInvalidArgument, HasSubstr("say kind")));
  ResampleOptions options;
  options.by = {"k"};
  EXPECT_THAT(Bars1m(MakeTable({{"ts_ns", ts}, {"price", price}, {"k", Ints({7, 7})}}), options),
              IsError(ErrorCode::kInvalidArgument, HasSubstr("rows of 7: ")));
  options = {};
  options.sessions.calendar = "XNYS";
  EXPECT_THAT(Bars1m(MakeTable({{"ts_ns", ts}, {"price", price}}), options, 1),
              IsError(ErrorCode::kInvalidArgument, HasSubstr("outside the calendar")));
  EXPECT_THAT(ParseRowKind("ticks"), IsError(ErrorCode::kInvalidArgument, HasSubstr("trades")));
  EXPECT_THAT(ParseBarLabel("mid"), IsError(ErrorCode::kInvalidArgument, HasSubstr("left, right")));
  EXPECT_THAT(ParseBarFill("ffill"), IsError(ErrorCode::kInvalidArgument, HasSubstr("previous")));
}

}  // namespace
}  // namespace lamina::series
