#include "lamina/cli/tick_arguments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lamina/base/matchers.h"

namespace lamina::cli {
namespace {

TEST(TickArgumentsTest, TimesAreTextOrNanoseconds) {
  EXPECT_EQ(*TimeOf("2024-07-02T00:00:00Z"), 1'719'878'400'000'000'000);
  EXPECT_EQ(*TimeOf("1719878400000000001"), 1'719'878'400'000'000'001);
  EXPECT_EQ(*TimeOf("2024-07-02T00:00:00.000001500Z"), 1'719'878'400'000'001'500);
  EXPECT_EQ(*TimeOf("2024-07-02"), 1'719'878'400'000'000'000);
  EXPECT_THAT(TimeOf("yesterday"), IsError(ErrorCode::kInvalidArgument));
  EXPECT_THAT(TimeOf("2300-01-01"), IsError(ErrorCode::kInvalidArgument));
  EXPECT_THAT(TimeOf(""), IsError(ErrorCode::kInvalidArgument));
}

TEST(TickArgumentsTest, ListsAreSplit) {
  EXPECT_THAT(SplitAtCommas({"a,b", "c", ",,"}), testing::ElementsAre("a", "b", "c"));
}

}  // namespace
}  // namespace lamina::cli
