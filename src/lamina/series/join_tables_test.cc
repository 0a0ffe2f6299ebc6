#include "lamina/series/join_tables.h"

#include "lamina/base/matchers.h"
#include "lamina/series/arrow_test_support.h"

namespace lamina::series {
namespace {

using ::testing::HasSubstr;

TEST(AsofTablesTest, PutsTheRightColumnsBehind) {
  const TablePtr trades = MakeTable({{"ts_ns", Ints({5, 10, 10})},
                                     {"recv_ns", Ints({5, 10, 12})},
                                     {"sym", Texts({"A", "A", "B"})},
                                     {"price", Doubles({1, 2, 3})}});
  const TablePtr quotes = MakeTable({{"ts_ns", Ints({6, 10, 10})},
                                     {"recv_ns", Ints({6, 9, 11})},
                                     {"sym", Texts({"B", "A", "A"})},
                                     {"price", Doubles({7, 8, 9})},
                                     {"venue", Texts({"x", "y", "z"})}});
  AsofTableOptions options;
  options.by = {"sym"};
  const TablePtr joined = *AsofTables(*trades, *quotes, options);
  EXPECT_EQ(joined->schema()->field_names(),
            (std::vector<std::string>{"ts_ns", "recv_ns", "sym", "price", "price_right", "venue"}));
  EXPECT_EQ(Show(joined, "price_right"), "null 8 7");
  EXPECT_EQ(Show(joined, "venue"), "null y x");
  options.tick_order = false;
  options.columns = {"venue", "ts_ns"};
  EXPECT_EQ(Show(*AsofTables(*trades, *quotes, options), "venue"), "null z x");
  EXPECT_EQ(Show(*AsofTables(*trades, *quotes, options), "ts_ns_right"), "null 10 6");
  options.columns = {"nothing"};
  EXPECT_THAT(AsofTables(*trades, *quotes, options), IsError(ErrorCode::kInvalidArgument));
  EXPECT_EQ(*ParseAsofDirection("nearest"), AsofDirection::kNearest);
  EXPECT_THAT(ParseAsofDirection("back"),
              IsError(ErrorCode::kInvalidArgument, HasSubstr("backward")));
}

TEST(AsofTablesTest, EmptySides) {
  const TablePtr some = MakeTable({{"ts_ns", Ints({5})}, {"x", Texts({"a"})}});
  const TablePtr none = MakeTable({{"ts_ns", Ints({})}, {"y", Texts({})}});
  EXPECT_EQ(Show(*AsofTables(*some, *none, {}), "y"), "null");
  EXPECT_EQ((*AsofTables(*none, *some, {}))->num_rows(), 0);
}

TEST(WindowJoinTablesTest, AveragesTheSpread) {
  const TablePtr trades = MakeTable({{"ts_ns", Ints({10, 20})}, {"k", Ints({1, 2})}});
  const TablePtr quotes = MakeTable({{"ts_ns", Ints({1, 5, 10, 18})},
                                     {"k", Ints({1, 1, 1, 1})},
                                     {"bid_price", Doubles({1, 2, 3, 4})},
                                     {"ask_price", Doubles({2, 4, 7, 4}, {3})}});
  WindowJoinOptions options;
  options.bounds = {.from_ns = -5, .to_ns = 0};
  options.aggregates = {{"spread", "spread", WindowStat::kMean},
                        {"n", "spread", WindowStat::kCount},
                        {"mid_last", "mid", WindowStat::kLast},
                        {"top", "ask_price", WindowStat::kMax}};
  const TablePtr joined = *WindowJoinTables(*trades, *quotes, options);
  EXPECT_EQ(Show(joined, "spread"), "3 null");
  EXPECT_EQ(Show(joined, "n"), "2 0");
  EXPECT_EQ(Show(joined, "mid_last"), "5 null");
  EXPECT_EQ(Show(joined, "top"), "7 null");
  options.by = {"k"};
  EXPECT_EQ(Show(*WindowJoinTables(*trades, *quotes, options), "n"), "2 0");
  options.aggregates = {{"x", "nothing", WindowStat::kMean}};
  EXPECT_THAT(WindowJoinTables(*trades, *quotes, options), IsError(ErrorCode::kInvalidArgument));
  options.aggregates = {};
  EXPECT_THAT(WindowJoinTables(*trades, *quotes, options), IsError(ErrorCode::kInvalidArgument));
}

TEST(MergeTablesTest, UnitesColumns) {
  const TablePtr trades =
      MakeTable({{"ts_ns", Ints({1, 3})}, {"seq", Ints({1, 4})}, {"price", Doubles({7, 8})}});
  const TablePtr quotes =
      MakeTable({{"ts_ns", Ints({1, 3})}, {"seq", Ints({0, 5})}, {"bid", Texts({"a", "b"})}});
  const TablePtr merged = *MergeTables({trades, quotes}, "");
  EXPECT_EQ(Show(merged, "seq"), "0 1 4 5");
  EXPECT_EQ(Show(merged, "price"), "null 7 8 null");
  EXPECT_EQ(Show(merged, "bid"), "a null null b");
  EXPECT_EQ(Show(*MergeTables({trades}, "ts_ns"), "price"), "7 8");
  EXPECT_THAT(MergeTables({}, ""), IsError(ErrorCode::kInvalidArgument));
  const TablePtr odd = MakeTable({{"ts_ns", Ints({1})}, {"price", Ints({1})}});
  EXPECT_THAT(MergeTables({trades, odd}, ""),
              IsError(ErrorCode::kInvalidArgument, HasSubstr("`price` is int64 in table 1")));
  const TablePtr unsorted = MakeTable({{"ts_ns", Ints({2, 1})}});
  EXPECT_THAT(MergeTables({trades, unsorted}, ""),
              IsError(ErrorCode::kInvalidArgument, HasSubstr("input 1 row 1")));
}

}  // namespace
}  // namespace lamina::series
