#include "lamina/series/rolling_table.h"

#include "lamina/base/matchers.h"
#include "lamina/series/arrow_test_support.h"

namespace lamina::series {
namespace {

using ::testing::HasSubstr;

TEST(RollingTableTest, ByRowsByTimeByKey) {
  const TablePtr table = MakeTable({{"ts_ns", Ints({0, 10, 20, 30})},
                                    {"k", Texts({"a", "b", "a", "b"})},
                                    {"x", Ints({1, 2, 4, 8}, {1})}});
  RollingTableOptions options{"2tick", {"x"}, {"sum", "mean", "count"}, "", {}, 1};
  EXPECT_EQ(Show(*RollingTable(*table, options), "x_sum"), "1 1 4 12");
  EXPECT_EQ(Show(*RollingTable(*table, options), "x_count"), "1 1 1 2");
  options.values_min = 2;
  EXPECT_EQ(Show(*RollingTable(*table, options), "x_mean"), "null null null 6");
  options = {"20ns", {"x"}, {"max"}, "ts_ns", {}, 1};
  EXPECT_EQ(Show(*RollingTable(*table, options), "x_max"), "1 1 4 8");
  options.by = {"k"};
  options.window = "1s";
  EXPECT_EQ(Show(*RollingTable(*table, options), "x_max"), "1 null 4 8");
}

TEST(RollingTableTest, Refuses) {
  const TablePtr table = MakeTable({{"ts_ns", Ints({1, 0})}, {"x", Ints({1, 2})}});
  const auto with = [&](RollingTableOptions options) { return RollingTable(*table, options); };
  EXPECT_THAT(with({"2tick", {"x"}, {"sum"}, "", {}, 1}),
              IsError(ErrorCode::kInvalidArgument, HasSubstr("input row 1 is out of order")));
  EXPECT_THAT(with({"2", {"x"}, {"sum"}, "", {}, 1}), IsError(ErrorCode::kInvalidArgument));
  EXPECT_THAT(with({"2s", {}, {"sum"}, "", {}, 1}), IsError(ErrorCode::kInvalidArgument));
  EXPECT_THAT(with({"2s", {"x"}, {"median"}, "", {}, 1}),
              IsError(ErrorCode::kInvalidArgument, HasSubstr("mean, std")));
  EXPECT_THAT(with({"2s", {"y"}, {"sum"}, "", {}, 1}), IsError(ErrorCode::kInvalidArgument));
}

TEST(TradeTableTest, RunningVwapAndProfile) {
  const TablePtr table = MakeTable(
      {{"ts_ns", Ints({0, 1, 2})}, {"price", Doubles({10, 20, 10})}, {"size", Ints({0, 2, 2})}});
  EXPECT_EQ(Show(*RunningVwapTable(*table, {}), "vwap"), "null 20 15");
  EXPECT_EQ(Show(*VolumeProfileTable(*table, 5, {}), "price"), "10 20");
  EXPECT_EQ(Show(*VolumeProfileTable(*table, 5, {}), "volume"), "2 2");
  EXPECT_EQ(Show(*VolumeProfileTable(*table, 5, {}), "n_ticks"), "2 1");
  TradeTableOptions days;
  days.sessions.calendar = "24/7";
  EXPECT_THAT(RunningVwapTable(*table, days),
              IsError(ErrorCode::kInvalidArgument, HasSubstr("outside the calendar")));
}

}  // namespace
}  // namespace lamina::series
