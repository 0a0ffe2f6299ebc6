#include <gmock/gmock.h>

#include "lamina/catalog/lake_test_support.h"

namespace lamina::catalog::test {
namespace {

using table::LakeType;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<LakeColumn> TwoColumns() {
  return {{.name = "a", .type = LakeType::kInt64}, {.name = "b"}};
}

TEST(LakeReader, ATableIsAsItWasAtTheSnapshot) {
  TestLake lake;
  LakeReader reader(lake.database());
  const std::int64_t before = lake.Latest();
  const LakeTable made = lake.MakeTable("t", TwoColumns());
  const std::int64_t first = lake.Latest();
  const auto second = lake.AddColumn(made, {.name = "c", .type = LakeType::kDouble});
  ASSERT_OK(second);
  EXPECT_THAT(*reader.Tables(before), IsEmpty());
  const auto names = [&](std::int64_t snapshot) {
    std::vector<std::string> found;
    const auto table = reader.FindTable("bt", "t", snapshot);
    EXPECT_THAT(table, IsOk());
    if (!table.ok()) return found;
    for (const LakeColumn& column : table->columns) found.push_back(column.name);
    return found;
  };
  EXPECT_THAT(names(first), ElementsAre("a", "b"));
  EXPECT_THAT(names(*second), ElementsAre("a", "b", "c"));
  EXPECT_EQ(reader.Tables(*second)->size(), 1U);
  EXPECT_THAT(reader.FindTable("bt", "t", before),
              IsError(ErrorCode::kNotFound, HasSubstr("no table bt.t at snapshot")));
}

TEST(LakeReader, SnapshotsAreFoundByTimeAndGapsAreNotAnswered) {
  TestLake lake;
  lake.MakeTable("t", TwoColumns());
  lake.MakeTable("u", TwoColumns());
  LakeReader reader(lake.database());
  const auto all = reader.Snapshots();
  ASSERT_OK(all);
  ASSERT_GE(all->size(), 3U);
  for (const LakeSnapshot& one : *all) {
    EXPECT_THAT(reader.CheckSnapshot(one.snapshot_id), IsOk());
  }
  const LakeSnapshot &last = all->back(), &middle = (*all)[all->size() - 2];
  EXPECT_EQ(*reader.LatestSnapshot(), last.snapshot_id);
  EXPECT_EQ(*reader.SnapshotAt(last.time), last.snapshot_id);
  EXPECT_EQ(*reader.SnapshotAt(Micros{last.time.value + 1}), last.snapshot_id);
  EXPECT_EQ(*reader.SnapshotAt(Micros{last.time.value - 1}), middle.snapshot_id);
  EXPECT_THAT(reader.SnapshotAt(Micros{0}), IsError(ErrorCode::kNotFound, HasSubstr("1970-01-01")));
  EXPECT_THAT(reader.CheckSnapshot(last.snapshot_id + 1),
              IsError(ErrorCode::kNotFound, HasSubstr("the latest is")));
  EXPECT_THAT(reader.CheckSnapshot(-1), IsError(ErrorCode::kNotFound));
  // One between two others has expired: what the lake was then is not known.
  ASSERT_OK(lake.database().Execute("DELETE FROM ducklake_snapshot WHERE snapshot_id = " +
                                    std::to_string(middle.snapshot_id)));
  EXPECT_THAT(reader.SnapshotAt(Micros{last.time.value - 1}),
              IsError(ErrorCode::kNotFound, HasSubstr("expired")));
  EXPECT_THAT(reader.CheckSnapshot(middle.snapshot_id),
              IsError(ErrorCode::kNotFound, HasSubstr("expired")));
  EXPECT_EQ(*reader.SnapshotAt(last.time), last.snapshot_id);
  ASSERT_OK(lake.database().Execute("DELETE FROM ducklake_snapshot"));
  EXPECT_THAT(reader.LatestSnapshot(), IsError(ErrorCode::kCorruption));
}

/// Rows as another program may write them, or damage.
TEST(LakeReader, WhatItCannotReadIsRefusedAndNamed) {
  const struct {
    const char* change;
    ErrorCode code;
    const char* what;
  } kCases[] = {
      {"UPDATE ducklake_partition_column SET transform = 'year'", ErrorCode::kUnsupported, "year"},
      {"UPDATE ducklake_table SET path_is_relative = 0", ErrorCode::kUnsupported,
       "outside the lake"},
      {"UPDATE ducklake_schema SET path_is_relative = 0", ErrorCode::kUnsupported,
       "outside the lake"},
      {"UPDATE ducklake_column SET column_type = 'struct' WHERE column_name = 'a'",
       ErrorCode::kUnsupported, "struct"},
      {"UPDATE ducklake_column SET parent_column = 1 WHERE column_name = 'd'",
       ErrorCode::kUnsupported, "nested"},
  };
  for (const auto& one : kCases) {
    TestLake lake;
    lake.MakeTable("t", {{.name = "a", .type = LakeType::kInt64}, {.name = "d"}}, {"d"});
    ASSERT_OK(lake.database().Execute(one.change));
    EXPECT_THAT(LakeReader(lake.database()).Tables(lake.Latest()),
                IsError(one.code, HasSubstr(one.what)))
        << one.change;
  }
  TestLake lake;
  ASSERT_OK(lake.database().Execute("UPDATE ducklake_snapshot SET snapshot_time = 'noon'"));
  EXPECT_THAT(LakeReader(lake.database()).Snapshots(),
              IsError(ErrorCode::kCorruption, HasSubstr("noon")));
}

TEST(LakeReader, OrdersItDoesNotKnowPromiseNothing) {
  TestLake lake;
  lake.MakeTable("t", TwoColumns(), {}, {"a", "b"});
  const auto sorted = [&] {
    return LakeReader(lake.database()).FindTable("bt", "t", lake.Latest())->sorted_by;
  };
  EXPECT_THAT(sorted(), ElementsAre("a", "b"));
  ASSERT_OK(lake.database().Execute(
      "UPDATE ducklake_sort_expression SET sort_direction = 'DESC' WHERE sort_key_index = 1"));
  EXPECT_THAT(sorted(), ElementsAre("a"));
  ASSERT_OK(lake.database().Execute("UPDATE ducklake_sort_expression SET expression = 'abs(a)'"));
  EXPECT_THAT(sorted(), IsEmpty());
}

}  // namespace
}  // namespace lamina::catalog::test
