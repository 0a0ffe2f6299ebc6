#include "lamina/base/result.h"

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "lamina/base/matchers.h"

namespace lamina {
namespace {

using testing::HasSubstr;
using testing::Not;

Result<int> Half(int value) {
  if (value % 2 != 0) return InvalidArgument(std::to_string(value) + " is odd");
  return value / 2;
}

Result<int> Quarter(int value) {
  LAMINA_ASSIGN(const int half, Half(value));
  LAMINA_ASSIGN(const int quarter, Half(half));
  return quarter;
}

Status CheckQuarter(int value) {
  LAMINA_TRY_WITH(Quarter(value), "checking");
  return Ok();
}

TEST(Result, ValueAndErrorTravelUp) {
  EXPECT_EQ(*Quarter(12), 3);
  EXPECT_THAT(Quarter(6), IsError(ErrorCode::kInvalidArgument, "3 is odd"));
  EXPECT_THAT(CheckQuarter(8), IsOk());
  EXPECT_THAT(CheckQuarter(6), IsError(ErrorCode::kInvalidArgument, "checking: 3 is odd"));
  EXPECT_THAT(CheckQuarter(6), Not(IsError(ErrorCode::kIo)));
  EXPECT_THAT(CheckQuarter(6), Not(IsOk()));
}

TEST(Result, HoldsMoveOnlyValues) {
  Result<std::unique_ptr<int>> result = std::make_unique<int>(7);
  ASSERT_THAT(result, IsOk());
  const std::unique_ptr<int> value = *std::move(result);
  EXPECT_EQ(*value, 7);
}

TEST(Error, KnowsWhereItWasRaised) {
  const Result<int> result = Half(1);
  EXPECT_THAT(result.error().where().file_name(), HasSubstr("result_test.cc"));
  EXPECT_THAT(result.error().where().function_name(), HasSubstr("Half"));
}

TEST(Error, CloneKeepsEverything) {
  const Error error = NotFound("no x").With("opening");
  const Error clone = error.Clone();
  EXPECT_EQ(clone.code(), ErrorCode::kNotFound);
  EXPECT_EQ(clone.message(), "opening: no x");
  EXPECT_EQ(clone.where().line(), error.where().line());
}

TEST(ResultDeathTest, ValueOfAnErrorIsOurBug) {
  const Result<int> result = Half(1);
  EXPECT_DEATH((void)*result, "ok\\(\\)");
}

}  // namespace
}  // namespace lamina
