#include "lamina/cli/rows_output.h"

#include <arrow/api.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lamina/base/matchers.h"
#include "lamina/io/env.h"
#include "lamina/io/temporary_folder.h"

namespace lamina::cli {
namespace {

std::shared_ptr<arrow::Table> Rows() {
  arrow::TimestampBuilder stamps(arrow::timestamp(arrow::TimeUnit::NANO, "UTC"),
                                 arrow::default_memory_pool());
  EXPECT_TRUE(stamps.AppendValues({1'719'878'400'000'000'000, 1'719'878'400'000'000'001}).ok());
  arrow::Int64Builder ids;
  EXPECT_TRUE(ids.AppendValues({4'294'967'297, 2}).ok());
  arrow::DoubleBuilder prices;
  EXPECT_TRUE(prices.Append(0.1).ok());
  EXPECT_TRUE(prices.AppendNull().ok());
  arrow::StringBuilder texts;
  EXPECT_TRUE(texts.AppendValues({"a,\"b\"", "c"}).ok());
  return arrow::Table::Make(
      arrow::schema({arrow::field("timestamp", stamps.type()), arrow::field("id", arrow::int64()),
                     arrow::field("price", arrow::float64()), arrow::field("text", arrow::utf8())}),
      {*stamps.Finish(), *ids.Finish(), *prices.Finish(), *texts.Finish()});
}

std::string Written(RowFormat format) {
  const io::TemporaryFolder folder;
  const std::string path = folder.File("out");
  auto writer = RowsWriter::Make(format, path, Rows()->schema());
  EXPECT_THAT(writer, IsOk());
  EXPECT_THAT((*writer)->Write(*Rows()), IsOk());
  EXPECT_THAT((*writer)->Finish(), IsOk());
  return *io::PosixEnv().ReadFile(path, 1 << 20);
}

TEST(RowsOutputTest, TextFormats) {
  EXPECT_EQ(Written(RowFormat::kCsv),
            "timestamp,id,price,text\n"
            "2024-07-02T00:00:00Z,4294967297,0.1,\"a,\"\"b\"\"\"\n"
            "2024-07-02T00:00:00.000000001Z,2,,c\n");
  EXPECT_EQ(Written(RowFormat::kJsonLines),
            "{\"timestamp\": \"2024-07-02T00:00:00Z\", \"id\": 4294967297, \"price\": 0.1, "
            "\"text\": \"a,\\\"b\\\"\"}\n"
            "{\"timestamp\": \"2024-07-02T00:00:00.000000001Z\", \"id\": 2, \"price\": null, "
            "\"text\": \"c\"}\n");
  EXPECT_THAT(Written(RowFormat::kJson), testing::StartsWith("[{\"timestamp\""));
  EXPECT_EQ(Written(RowFormat::kTable),
            "timestamp                               id  price  text\n"
            "2024-07-02T00:00:00Z            4294967297    0.1  a,\"b\"\n"
            "2024-07-02T00:00:00.000000001Z           2         c\n");
}

TEST(RowsOutputTest, StampsOfEveryUnitAndTruth) {
  const std::pair<arrow::TimeUnit::type, std::int64_t> cases[] = {
      {arrow::TimeUnit::SECOND, 1'719'878'400},
      {arrow::TimeUnit::MILLI, 1'719'878'400'000},
      {arrow::TimeUnit::MICRO, 1'719'878'400'000'000},
      {arrow::TimeUnit::NANO, 1'719'878'400'000'000'000}};
  for (const auto& [unit, value] : cases) {
    arrow::TimestampBuilder stamps(arrow::timestamp(unit, "UTC"), arrow::default_memory_pool());
    EXPECT_TRUE(stamps.Append(value).ok());
    arrow::BooleanBuilder flags;
    EXPECT_TRUE(flags.Append(false).ok());
    const auto rows = arrow::Table::Make(
        arrow::schema({arrow::field("t", stamps.type()), arrow::field("b", arrow::boolean())}),
        {*stamps.Finish(), *flags.Finish()});
    const io::TemporaryFolder folder;
    auto writer = RowsWriter::Make(RowFormat::kJsonLines, folder.File("out"), rows->schema());
    ASSERT_THAT(writer, IsOk());
    EXPECT_THAT((*writer)->Write(*rows), IsOk());
    EXPECT_THAT((*writer)->Finish(), IsOk());
    EXPECT_EQ(*io::PosixEnv().ReadFile(folder.File("out"), 1 << 20),
              "{\"t\": \"2024-07-02T00:00:00Z\", \"b\": false}\n");
  }
}

TEST(RowsOutputTest, BinaryFormats) {
  EXPECT_THAT(Written(RowFormat::kParquet), testing::StartsWith("PAR1"));
  EXPECT_THAT(Written(RowFormat::kArrow), testing::StartsWith("ARROW1"));
  EXPECT_THAT(RowsWriter::Make(RowFormat::kParquet, "", Rows()->schema()),
              IsError(ErrorCode::kInvalidArgument));
  EXPECT_THAT(ParseRowFormat("xlsx"), IsError(ErrorCode::kInvalidArgument));
}

TEST(RowsOutputTest, AFileAppearsWhenItIsWhole) {
  const io::TemporaryFolder folder;
  {
    auto writer = RowsWriter::Make(RowFormat::kParquet, folder.File("out"), Rows()->schema());
    ASSERT_THAT(writer, IsOk());
    ASSERT_THAT((*writer)->Write(*Rows()), IsOk());
  }
  EXPECT_TRUE(io::PosixEnv().ListDirectory(folder.path())->empty());
}

}  // namespace
}  // namespace lamina::cli
