#include "lamina/base/check.h"

#include <gtest/gtest.h>

namespace lamina {
namespace {

TEST(Check, TrueConditionIsSilentAndEvaluatedOnce) {
  int calls = 0;
  LAMINA_CHECK(++calls == 1);
  EXPECT_EQ(calls, 1);
}

TEST(CheckDeathTest, FalseConditionAbortsAndNamesItself) {
  const int two = 2;
  EXPECT_DEATH(LAMINA_CHECK(two == 3), "two == 3.*check_test.cc");
}

}  // namespace
}  // namespace lamina
