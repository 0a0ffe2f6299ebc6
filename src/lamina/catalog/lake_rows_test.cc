#include "lamina/catalog/lake_rows.h"

#include <fstream>

#include <arrow/api.h>
#include <gmock/gmock.h>

#include "lamina/catalog/lake_test_support.h"

namespace lamina::catalog::test {
namespace {

using table::LakeType;

// Deleted positions are row numbers of the file, however its row groups are pruned: few stretches
// and many are read in different ways and must agree.
TEST(LakeRows, DeletesAndRangesTogether) {
  TestLake lake;
  const LakeTable table = lake.MakeTable(
      "t", {{.name = "i", .type = LakeType::kInt64}, {.name = "j", .type = LakeType::kInt64}});
  arrow::Int64Builder numbers;
  for (std::int64_t i = 0; i < 1000; ++i) ASSERT_TRUE(numbers.Append(i).ok());
  const auto array = *numbers.Finish();
  ASSERT_OK(lake.Append(table, *arrow::Table::Make(SchemaOf(table.columns), {array, array})));
  const std::vector<std::vector<std::int64_t>> kDeleted = {
      {200, 201, 202, 203}, {0, 999}, {205, 207, 209, 211, 213, 215, 217, 219, 221, 223, 225, 227}};
  std::set<std::int64_t> gone;
  for (const auto& positions : kDeleted) {
    gone.insert(positions.begin(), positions.end());
    ASSERT_OK(lake.Delete(table, lake.Plan(table, lake.Latest())->front(), positions));
    const LakeFile file = lake.Plan(table, lake.Latest())->front();
    for (const auto& [low, high] : {std::pair{190, 230}, {0, 5}, {995, 2000}, {200, 200}}) {
      const auto rows = ReadLakeFile(
          io::PosixEnv(), lake.lake_root(), table, file, {table.columns[1]},
          {{"i", arrow::MakeScalar(std::int64_t{low}), arrow::MakeScalar(std::int64_t{high})}});
      ASSERT_OK(rows);
      std::vector<std::int64_t> expected, got;
      for (std::int64_t i = low; i <= std::min(high, 999); ++i)
        if (!gone.contains(i)) expected.push_back(i);
      for (const auto& chunk : (*rows)->column(0)->chunks())
        for (std::int64_t i = 0; i < chunk->length(); ++i)
          got.push_back(static_cast<const arrow::Int64Array&>(*chunk).Value(i));
      EXPECT_EQ(got, expected) << low << ".." << high;
      EXPECT_EQ((*rows)->num_columns(), 1);
    }
  }
}

TEST(LakeRows, DamageIsNamed) {
  TestLake lake;
  std::mt19937_64 random(2);
  const LakeTable table = lake.MakeTable("t", AllColumns());
  ASSERT_OK(lake.Append(table, *RandomRows(table.columns, 200, random)));
  const LakeFile file = lake.Plan(table, lake.Latest())->front();
  const auto read = [&](const LakeFile& planned) {
    return ReadLakeFile(io::PosixEnv(), lake.lake_root(), table, planned, table.columns, {});
  };
  ASSERT_OK(read(file));
  const struct {
    const char* name;
    std::function<void(LakeFile&)> change;
  } kCases[] = {
      {"other footer", [](LakeFile& f) { f.footer_crc32c ^= 1; }},
      {"other row count", [](LakeFile& f) { f.rows += 1; }},
      {"absent", [](LakeFile& f) { f.path += "x"; }},
  };
  for (const auto& each : kCases) {
    LakeFile changed = file;
    each.change(changed);
    EXPECT_THAT(read(changed),
                IsError(ErrorCode::kCorruption, ::testing::HasSubstr("bt/t/f0.parquet")))
        << each.name;
  }
}

}  // namespace
}  // namespace lamina::catalog::test
