#include "lamina/base/matchers.h"
#include "lamina/series/arrow_test_support.h"
#include "lamina/series/row_groups_internal.h"

namespace lamina::series {
namespace {

using ::testing::ElementsAre;

TEST(RowGroupsTest, KeepsTheOrderWithinAKey) {
  const TablePtr table = MakeTable({{"key", Texts({"b", "a", "b", "a", "b"})}});
  KeyIndex keys;
  const RowGroups groups = *GroupRows(*table, {"key"}, keys);
  ASSERT_EQ(groups.groups(), 2u);
  EXPECT_THAT(groups.Rows(0), ElementsAre(0, 2, 4));
  EXPECT_THAT(groups.Rows(1), ElementsAre(1, 3));
  EXPECT_TRUE(groups.Rows(7).empty());
  const std::vector<double> values{1, 2, 3, 4, 5};
  EXPECT_THAT(groups.Pick(1, std::span(values)), ElementsAre(2, 4));
  KeyIndex none;
  EXPECT_THAT(GroupRows(*table, {}, none)->Rows(0), ElementsAre(0, 1, 2, 3, 4));
  EXPECT_THAT(GroupRows(*table, {"nokey"}, none), IsError(ErrorCode::kInvalidArgument));
}

TEST(AggregateColumnsTest, PutsResultsInTheirPlaces) {
  WindowTree tree(false);
  tree.Append(std::vector<double>{1, 2, 3});
  AggregateColumns out(2, 4);
  const std::vector<WindowRows> windows{{0, 1}, {0, 3}};
  const std::vector<std::int64_t> rows{3, 1}, others{0, 2};
  out.Fill(0, WindowStat::kSum, tree, windows, rows, 2);
  out.Fill(0, WindowStat::kLast, tree, windows, others);
  out.Fill(1, WindowStat::kCount, tree, windows, rows, 2);
  EXPECT_EQ(Show(**out.Take(0, WindowStat::kSum)), "1 6 3 null");
  EXPECT_EQ(Show(**out.Take(1, WindowStat::kCount)), "0 3 0 1");
}

}  // namespace
}  // namespace lamina::series
