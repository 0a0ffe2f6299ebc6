#include <bit>
#include <cmath>
#include <limits>
#include <random>

#include <arrow/api.h>
#include <arrow/io/memory.h>
#include <gmock/gmock.h>
#include <parquet/arrow/writer.h>

#include "lamina/backtests/series_blob.h"
#include "lamina/base/matchers.h"

namespace lamina::backtests {
namespace {

using ::testing::HasSubstr;

/// A Parquet file of one table, `group` rows in a row group.
std::string FileOf(
    const std::vector<std::pair<std::string, std::shared_ptr<arrow::Array>>>& columns,
    std::int64_t group = 1000) {
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  for (const auto& [name, array] : columns) {
    fields.push_back(arrow::field(name, array->type()));
    arrays.push_back(array);
  }
  const auto out = *arrow::io::BufferOutputStream::Create();
  EXPECT_TRUE(parquet::arrow::WriteTable(*arrow::Table::Make(arrow::schema(fields), arrays),
                                         arrow::default_memory_pool(), out, group)
                  .ok());
  return (*out->Finish())->ToString();
}

std::shared_ptr<arrow::Array> Whole(const std::vector<std::int64_t>& values) {
  arrow::Int64Builder builder;
  EXPECT_TRUE(builder.AppendValues(values).ok());
  return *builder.Finish();
}

std::shared_ptr<arrow::Array> Doubles(const std::vector<std::optional<double>>& values) {
  arrow::DoubleBuilder builder;
  for (const auto& value : values) {
    EXPECT_TRUE((value ? builder.Append(*value) : builder.AppendNull()).ok());
  }
  return *builder.Finish();
}

TEST(DecodeBlobTest, ReadsRowGroupsAndNulls) {
  const auto blob =
      DecodeBlob(FileOf({{"ts", Whole({1, 2, 3})}, {"value", Doubles({0.5, {}, -0.0})}}, 2));
  ASSERT_THAT(blob, IsOk());
  EXPECT_THAT(blob->points.times, testing::ElementsAre(1, 2, 3));
  EXPECT_TRUE(blob->points.time_valid.empty());
  EXPECT_THAT(blob->points.value_valid, testing::ElementsAre(1, 0, 1));
  EXPECT_EQ(blob->points.values[0], 0.5);
  EXPECT_TRUE(std::signbit(blob->points.values[2]));
  EXPECT_THAT(blob->writer.created_by, HasSubstr("parquet-cpp"));
}

TEST(DecodeBlobTest, EveryBitOfWhatIsEncodedComesBack) {
  std::mt19937_64 random(3);
  for (const std::uint32_t layout : {kOwnBlobLayout, kLibraryBlobLayout}) {
    BlobPoints points;
    for (int i = 0; i < 500; ++i) {
      points.times.push_back(static_cast<std::int64_t>(random()));
      points.values.push_back(std::bit_cast<double>(random()));
    }
    points.values[7] = std::numeric_limits<double>::infinity();
    points.values[8] = std::bit_cast<double>(0x7ff8000000000123ULL);  // a NaN with a payload
    BlobWriter writer;
    writer.layout = layout;
    writer.created_by = "someone";
    writer.key_values = {{"key", "value"}};
    const auto encoded = BlobEncoder().Encode(points, writer);
    ASSERT_THAT(encoded, IsOk());
    const auto decoded = DecodeBlob(*encoded);
    ASSERT_THAT(decoded, IsOk());
    EXPECT_EQ(decoded->points.times, points.times);
    ASSERT_EQ(decoded->points.values.size(), points.values.size());
    for (std::size_t i = 0; i < points.values.size(); ++i) {
      EXPECT_EQ(std::bit_cast<std::uint64_t>(decoded->points.values[i]),
                std::bit_cast<std::uint64_t>(points.values[i]));
    }
    EXPECT_EQ(decoded->writer.created_by, "someone");
    EXPECT_THAT(decoded->writer.key_values, testing::Contains(testing::Pair("key", "value")));
  }
}

TEST(DecodeBlobTest, OtherFilesAreRefused) {
  const auto times = Whole({1, 2}), more = Whole({3, 4});
  const auto values = Doubles({1.0, 2.0});
  const std::pair<std::string, const char*> cases[] = {
      {FileOf({{"ts", times}}), "not ts and value"},
      {FileOf({{"ts", times}, {"value", values}, {"more", more}}), "not ts and value"},
      {FileOf({{"value", values}, {"ts", times}}), "not ts and value"},
      {FileOf({{"ts", times}, {"value", more}}), "not INT64 and DOUBLE"},
      {FileOf({{"ts", values}, {"value", values}}), "not INT64 and DOUBLE"},
      {"", "series blob"},
      {"PAR1", "series blob"},
      {std::string(1000, 'x'), "series blob"}};
  for (const auto& [file, what] : cases) {
    EXPECT_THAT(DecodeBlob(file), IsError(ErrorCode::kInvalidArgument, HasSubstr(what)));
  }
}

TEST(DecodeBlobTest, DamageIsAnErrorOrOtherPoints) {
  std::vector<std::int64_t> times;
  std::vector<std::optional<double>> values;
  for (int i = 0; i < 50; ++i) {
    times.push_back(i);
    values.push_back(i * 0.25);
  }
  const std::string file = FileOf({{"ts", Whole(times)}, {"value", Doubles(values)}});
  for (std::size_t size = 0; size < file.size(); size += 7) {
    EXPECT_FALSE(DecodeBlob(file.substr(0, size)).ok()) << size;
  }
  std::mt19937_64 random(9);
  for (int i = 0; i < 1000; ++i) {
    std::string damaged = file;
    damaged[random() % damaged.size()] ^= static_cast<char>(1U << (random() % 8));
    const auto decoded = DecodeBlob(damaged);  // what it was is held against a hash by its reader
    if (!decoded.ok()) continue;
    EXPECT_EQ(decoded->points.times.size(), decoded->points.values.size());
  }
}

}  // namespace
}  // namespace lamina::backtests
