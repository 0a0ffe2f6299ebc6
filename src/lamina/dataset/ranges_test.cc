#include <gtest/gtest.h>

#include "lamina/dataset/dataset_test_support.h"
#include "lamina/dataset/ranges_internal.h"

namespace lamina::dataset::internal {
namespace {

using test::At;

TEST(Ranges, SayWhatToPlanAndToRead) {
  const Definition bars = OhlcvDefinition();
  auto made = MakeRanges(bars, {At(0), At(1)}, {{"instrument", {"B", "A"}}});
  ASSERT_THAT(made, IsOk());
  ASSERT_EQ(made->plan.size(), 2U);
  EXPECT_EQ(made->plan[0].low, "A");
  EXPECT_EQ(made->plan[0].high, "B");
  EXPECT_EQ(made->plan[1].high, "2022-01-01 00:59:59.999999+00");
  EXPECT_FALSE(made->nothing);
  EXPECT_TRUE(MakeRanges(bars, {At(1), At(1)}, {})->nothing);
  EXPECT_TRUE(MakeRanges(bars, {}, {{"instrument", {}}})->nothing);
  EXPECT_THAT(MakeRanges(bars, {}, {{"timestamp", {"1"}}}), IsError(ErrorCode::kInvalidArgument));
}

TEST(Ranges, NumbersAreComparedAsNumbers) {
  Definition table = WideDefinition("t", "table", {{"id", table::LakeType::kInt64, true}});
  table.keys = {"id", "timestamp"};
  const auto made = MakeRanges(table, {}, {{"id", {"9", "10"}}});
  ASSERT_THAT(made, IsOk());
  EXPECT_EQ(made->plan[0].low, "9");
  EXPECT_EQ(made->plan[0].high, "10");
  EXPECT_THAT(MakeRanges(table, {}, {{"id", {"x"}}}), IsError(ErrorCode::kInvalidArgument));
}

TEST(Ranges, KeepKeysDropsWhatLiesBetween) {
  const auto rows = test::MakeTable(
      {{"instrument",
        test::Column(arrow::StringBuilder(), std::vector<std::string>{"A", "A", "B", "C", "C"})}});
  const auto kept = KeepKeys(rows, {{"instrument", {"C", "A"}}});
  ASSERT_THAT(kept, IsOk());
  EXPECT_EQ((*kept)->num_rows(), 4);
}

}  // namespace
}  // namespace lamina::dataset::internal
