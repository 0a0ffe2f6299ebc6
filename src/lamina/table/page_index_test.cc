#include "lamina/table/page_index.h"

#include <arrow/api.h>
#include <gtest/gtest.h>
#include <parquet/metadata.h>

#include "lamina/base/matchers.h"
#include "lamina/io/temporary_folder.h"
#include "lamina/table/arrow_file.h"
#include "lamina/table/random_table.h"

namespace lamina::table {
namespace {

class PageIndexTest : public ::testing::Test {
 protected:
  io::Env& env_ = io::PosixEnv();
  io::TemporaryFolder folder_;
  std::string path_ = folder_.File("x.parquet");
};

TEST_F(PageIndexTest, FindsPages) {
  arrow::Int64Builder builder;
  for (int i = 0; i < 100; ++i) {
    // One page of ten is all NULL.
    ASSERT_TRUE((i / 10 == 4 ? builder.AppendNull() : builder.Append(i)).ok());
  }
  const auto rows =
      arrow::Table::Make(arrow::schema({MakeField("x", LakeType::kInt64, 1)}), {*builder.Finish()});
  ASSERT_THAT(WriteParquet(env_, path_, *rows, {.row_group_rows = 50, .page_rows = 10}), IsOk());
  EnvInputFile file(*env_.OpenReadable(path_));
  auto footer = ReadFooter(file, std::nullopt);
  ASSERT_THAT(footer, IsOk());
  auto index = PageIndex::Load(file, *footer);
  ASSERT_THAT(index, IsOk());
  const auto rows_of = [&](int group, std::int64_t low, std::int64_t high) {
    const auto range =
        ValueRange::Make({"x", arrow::MakeScalar(low), arrow::MakeScalar(high)}, LakeType::kInt64);
    return index->MayMatch(*footer->metadata, group, 0, LakeType::kInt64, *range)->ranges();
  };
  EXPECT_EQ(rows_of(0, 15, 25), (std::vector<RowRange>{{10, 30}}));
  EXPECT_EQ(rows_of(0, 35, 99), (std::vector<RowRange>{{30, 40}}));
  EXPECT_EQ(rows_of(1, 95, 99), (std::vector<RowRange>{{40, 50}}));
  EXPECT_EQ(rows_of(1, 100, 200), (std::vector<RowRange>{}));
}

TEST_F(PageIndexTest, DamageIsNoticed) {
  RandomTable random(61);
  auto written = WriteParquet(env_, path_, *random.All(Shape::kNoise, 100, 0));
  ASSERT_THAT(written, IsOk());
  std::string bytes = *env_.ReadFile(path_, 1 << 30);
  bytes[bytes.size() - 8 - static_cast<std::size_t>(written->footer_size) - 1] ^= 1;
  ASSERT_THAT(env_.WriteFileAtomically(path_, bytes), IsOk());
  EnvInputFile file(*env_.OpenReadable(path_));
  auto footer = ReadFooter(file, written->footer_crc32c);
  ASSERT_THAT(footer, IsOk());
  EXPECT_THAT(PageIndex::Load(file, *footer), IsError(ErrorCode::kCorruption));
}

}  // namespace
}  // namespace lamina::table
