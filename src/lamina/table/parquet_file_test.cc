#include "lamina/table/parquet_file.h"

#include <filesystem>
#include <limits>

#include <arrow/api.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lamina/table/lake_type.h"

namespace lamina::table {
namespace {

std::string TestPath(const std::string& name) {
  const auto folder = std::filesystem::temp_directory_path() / "lamina_table_test";
  std::filesystem::create_directories(folder);
  return (folder / (std::to_string(::getpid()) + "_" + name)).string();
}

std::shared_ptr<arrow::Table> Numbers(std::int64_t rows) {
  arrow::Int64Builder ids;
  arrow::DoubleBuilder values;
  arrow::StringBuilder names;
  for (std::int64_t i = 0; i < rows; ++i) {
    EXPECT_TRUE(ids.Append(i).ok());
    EXPECT_TRUE(values.Append(4000.0 + static_cast<double>(i % 100)).ok());
    EXPECT_TRUE(names.Append("name" + std::to_string(i % 10)).ok());
  }
  return arrow::Table::Make(
      arrow::schema({MakeField("id", LakeType::kInt64, 1), MakeField("value", LakeType::kDouble, 2),
                     MakeField("name", LakeType::kVarchar, 3)}),
      {*ids.Finish(), *values.Finish(), *names.Finish()});
}

TEST(ParquetFile, ReadsBackWhatItWrote) {
  const auto rows = Numbers(1000);
  const std::string path = TestPath("back.parquet");
  auto written =
      WriteParquet(io::PosixEnv(), path, *rows, {.row_group_rows = 300, .page_rows = 100});
  ASSERT_TRUE(written.ok()) << written.error().message();
  EXPECT_EQ(written->rows, 1000);
  EXPECT_EQ(written->columns[0].min_value, "0");
  EXPECT_EQ(written->columns[0].max_value, "999");
  EXPECT_EQ(written->columns[1].min_value, "4000.0");
  EXPECT_EQ(written->columns[1].contains_nan, false);
  EXPECT_EQ(written->columns[2].max_value, "name9");
  ReadStatistics counts;
  auto read = ReadParquet(io::PosixEnv(), path,
                          {.ranges = {{"id", arrow::MakeScalar(std::int64_t{305}),
                                       arrow::MakeScalar(std::int64_t{310})}},
                           .footer_crc32c = written->footer_crc32c},
                          &counts);
  ASSERT_TRUE(read.ok()) << read.error().message();
  EXPECT_TRUE((*read)->Equals(*rows->Slice(305, 6)));
  EXPECT_EQ(counts.row_groups, 4);
  EXPECT_EQ(counts.row_groups_read, 1);
}

}  // namespace
}  // namespace lamina::table
