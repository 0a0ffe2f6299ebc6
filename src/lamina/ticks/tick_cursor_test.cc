#include "lamina/ticks/tick_cursor.h"

#include <gtest/gtest.h>

#include "lamina/base/matchers.h"

namespace lamina::ticks {
namespace {

TEST(TickCursorTest, RowCursorsComeBackForTheirQueryOnly) {
  const RowKey key = {INT64_MIN, -1, 7, INT64_MAX};
  const std::string text = FormatRowCursor(key, "265598;last");
  auto parsed = ParseRowCursor(text, "265598;last");
  ASSERT_THAT(parsed, IsOk());
  EXPECT_EQ(*parsed, key);
  EXPECT_THAT(ParseRowCursor(text, "265598;bid_ask"), IsError(ErrorCode::kInvalidArgument));
}

TEST(TickCursorTest, LogCursorsComeBack) {
  const LogCursor cursor = {{1, 500}, {7, 0}};
  auto parsed = ParseLogCursor(FormatLogCursor(cursor));
  ASSERT_THAT(parsed, IsOk());
  EXPECT_EQ(*parsed, cursor);
  auto none = ParseLogCursor(FormatLogCursor({}));
  ASSERT_THAT(none, IsOk());
  EXPECT_TRUE(none->empty());
}

TEST(TickCursorTest, OtherTextsAreRefused) {
  const std::string good = FormatLogCursor({{1, 500}});
  for (const std::string& text :
       {std::string(), std::string("t1"), std::string("12"), good + "0", good.substr(1),
        good.substr(0, good.size() - 1), FormatRowCursor({1, 2, 3, 4}, "")}) {
    EXPECT_THAT(ParseLogCursor(text), IsError(ErrorCode::kInvalidArgument)) << text;
  }
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string wrong = good;
    wrong[i] = static_cast<char>(wrong[i] ^ 1);
    EXPECT_THAT(ParseLogCursor(wrong), IsError(ErrorCode::kInvalidArgument)) << wrong;
  }
}

}  // namespace
}  // namespace lamina::ticks
