#include <arrow/api.h>
#include <gmock/gmock.h>

#include "lamina/catalog/lake_test_support.h"

namespace lamina::catalog::test {
namespace {

using table::LakeType;

TEST(LakePlan, PrunesByStatistics) {
  TestLake lake;
  const LakeTable table = lake.MakeTable(
      "t", {{.name = "i", .type = LakeType::kInt64}, {.name = "x", .type = LakeType::kDouble}});
  const auto append = [&](std::int64_t low, std::int64_t count, std::optional<double> x) {
    arrow::Int64Builder i;
    arrow::DoubleBuilder doubles;
    for (std::int64_t n = 0; n < count; ++n) {
      EXPECT_TRUE(i.Append(low + n).ok());
      EXPECT_TRUE((x ? doubles.Append(*x) : doubles.AppendNull()).ok());
    }
    const auto schema = arrow::schema(
        {table::MakeField("i", LakeType::kInt64, 1), table::MakeField("x", LakeType::kDouble, 2)});
    return lake.Append(table, *arrow::Table::Make(schema, {*i.Finish(), *doubles.Finish()}));
  };
  ASSERT_OK(append(0, 10, 1.5));
  ASSERT_OK(append(9, 10, std::numeric_limits<double>::quiet_NaN()));
  ASSERT_OK(append(100, 10, {}));
  const struct {
    LakeRange range;
    std::size_t files;
  } kCases[] = {
      {{"i", {}, {}}, 3},       {{"i", "9", "9"}, 2},  {{"i", "19", "99"}, 0},
      {{"i", "19", {}}, 1},     {{"i", {}, "8"}, 1},   {{"i", {}, "-1"}, 0},
      {{"x", "1.5", "1.5"}, 2}, {{"x", "2.0", {}}, 1},  // NaN: nothing is known
      {{"x", {}, {}}, 2},                               // NULL in every row
  };
  for (const auto& each : kCases)
    EXPECT_EQ(lake.Plan(table, lake.Latest(), {each.range})->size(), each.files)
        << each.range.column << " " << each.range.low.value_or("-") << " "
        << each.range.high.value_or("-");
  EXPECT_EQ(lake.Plan(table, lake.Latest(), {{"i", "9", "9"}, {"x", "1.0", "1.4"}})->size(), 1U);
  EXPECT_THAT(lake.Plan(table, lake.Latest(), {{"z", "9", "9"}}), IsError(ErrorCode::kNotFound));
  EXPECT_THAT(lake.Plan(table, lake.Latest(), {{"i", "nine", {}}}),
              IsError(ErrorCode::kInvalidArgument));
}

TEST(LakePlan, RefusesForeignFiles) {
  const struct {
    const char* name;
    const char* sql;
  } kCases[] = {
      {"no footer checksum", "DELETE FROM lake_file"},
      {"absolute path", "UPDATE ducklake_data_file SET path_is_relative = 0"},
      {"name mapping", "UPDATE ducklake_data_file SET mapping_id = 1"},
      {"merged by the extension", "UPDATE ducklake_data_file SET partial_max = 3"},
      {"foreign type", "UPDATE ducklake_column SET column_type = 'decimal(18,4)'"},
      {"other partitions",
       "INSERT INTO ducklake_partition_info VALUES(99, 2, 1, NULL); "
       "INSERT INTO ducklake_partition_column VALUES(99, 2, 0, 1, 'month')"},
  };
  for (const auto& each : kCases) {
    SCOPED_TRACE(each.name);
    TestLake lake;
    std::mt19937_64 random(1);
    const LakeTable table = lake.MakeTable("t", {{.name = "i", .type = LakeType::kInt64}});
    ASSERT_EQ(table.table_id, 2);
    ASSERT_OK(lake.Append(table, *RandomRows(table.columns, 10, random)));
    ASSERT_OK(lake.database().Execute(each.sql));
    const auto found = lake.Find("t", lake.Latest());
    if (found.ok())
      EXPECT_THAT(lake.Plan(*found, lake.Latest()), IsError(ErrorCode::kUnsupported));
    else
      EXPECT_THAT(found, IsError(ErrorCode::kUnsupported));
  }
}

}  // namespace
}  // namespace lamina::catalog::test
