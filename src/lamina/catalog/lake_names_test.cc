#include "lamina/catalog/lake_names.h"

#include <gmock/gmock.h>

#include "lamina/base/matchers.h"

namespace lamina::catalog {
namespace {

TEST(LakeNames, QuoteAndFolder) {
  EXPECT_EQ(QuoteIdentifier("a"), "\"a\"");
  EXPECT_EQ(QuoteIdentifier("o\"d'd, x"), "\"o\"\"d'd, x\"");
  EXPECT_EQ(FolderOf("portfolio_snapshots", "u"), "portfolio_snapshots/");
  EXPECT_EQ(FolderOf("..", "u"), "u/");
  EXPECT_EQ(FolderOf("a/b", "u"), "u/");
  EXPECT_EQ(FolderOf("caf\xc3\xa9", "u"), "u/");
}

TEST(LakeNames, Refused) {
  for (const std::string& name : {std::string(), std::string("a\nb"), std::string("\0", 1),
                                  std::string("\xff"), std::string(300, 'x')})
    EXPECT_THAT(CheckObjectName(name), IsError(ErrorCode::kInvalidArgument)) << name;
  EXPECT_THAT(CheckColumnName("_DuckLake_Internal_row_id"), IsError(ErrorCode::kInvalidArgument));
  EXPECT_THAT(CheckObjectName("o\"d'd, x"), IsOk());
}

TEST(LakeNames, SortExpressions) {
  for (const char* name : {"run_id", "order", "Ts", "se\"lect, 'x'", "1st"})
    EXPECT_EQ(ColumnOfSortExpression(SortExpression(name)), name);
  EXPECT_EQ(ColumnOfSortExpression("run_id"), "run_id");  // as the extension writes it
  for (const char* other : {"lower(x)", "a b", "\"a\"b\"", "\"a", "", "\"\""})
    EXPECT_EQ(ColumnOfSortExpression(other), std::nullopt) << other;
}

}  // namespace
}  // namespace lamina::catalog
