#include "lamina/table/encoding_trial.h"

#include <arrow/api.h>
#include <gtest/gtest.h>
#include <parquet/arrow/schema.h>
#include <parquet/properties.h>
#include <parquet/schema.h>

#include "lamina/base/matchers.h"
#include "lamina/table/random_table.h"

namespace lamina::table {
namespace {

using parquet::Encoding;

Result<EncodingChoice> Try(LakeType type, const std::shared_ptr<arrow::Array>& values,
                           const TrialOptions& options = {}) {
  std::shared_ptr<parquet::SchemaDescriptor> leaves;
  const arrow::Schema schema({MakeField("x", type, 1)});
  EXPECT_TRUE(
      parquet::arrow::ToParquetSchema(&schema, *parquet::default_writer_properties(), &leaves)
          .ok());
  return TryEncodings(arrow::ChunkedArray(values), type, *leaves->Column(0), options);
}

constexpr EncodingChoice kDictionary{.dictionary = true};

TEST(EncodingTrial, ChoosesWhatFits) {
  RandomTable random(41);
  struct Case {
    std::string name;
    LakeType type;
    std::shared_ptr<arrow::Array> values;
    EncodingChoice choice;
  };
  const auto column = [&](LakeType type, Shape shape) {
    return random.Column(type, shape, 50'000, 0.05);
  };
  const auto noise = [&](auto from_bits) {
    arrow::DoubleBuilder builder;
    for (int i = 0; i < 50'000; ++i) EXPECT_TRUE(builder.Append(from_bits()).ok());
    return *builder.Finish();
  };
  // A random walk: the high bytes repeat, the low ones are noise.
  double value = 1000;
  const auto walk =
      noise([&] { return value += static_cast<double>(random.Below(1'000'003)) / 3e7; });
  const auto few = noise([&] { return static_cast<double>(random.Below(7)) * 0.1; });
  const Case cases[] = {
      {"constant text", LakeType::kVarchar, column(LakeType::kVarchar, Shape::kConstant),
       kDictionary},
      {"few texts", LakeType::kVarchar, column(LakeType::kVarchar, Shape::kFew), kDictionary},
      {"all texts differ", LakeType::kVarchar, column(LakeType::kVarchar, Shape::kNoise), {}},
      {"all ids differ", LakeType::kUuid, column(LakeType::kUuid, Shape::kNoise), {}},
      {"no values", LakeType::kInt64, column(LakeType::kInt64, Shape::kAllNull), kDictionary},
      {"rising numbers",
       LakeType::kInt64,
       column(LakeType::kInt64, Shape::kRising),
       {.encoding = Encoding::DELTA_BINARY_PACKED}},
      {"rising stamps",
       LakeType::kTimestampTz,
       column(LakeType::kTimestampTz, Shape::kRising),
       {.encoding = Encoding::DELTA_BINARY_PACKED}},
      {"walk", LakeType::kDouble, walk, {.encoding = Encoding::BYTE_STREAM_SPLIT}},
      {"few doubles", LakeType::kDouble, few, kDictionary},
      {"booleans", LakeType::kBoolean, column(LakeType::kBoolean, Shape::kFew), {}},
      {"lists", LakeType::kInt32List, column(LakeType::kInt32List, Shape::kConstant), kDictionary},
  };
  for (const Case& c : cases) {
    auto choice = Try(c.type, c.values);
    ASSERT_THAT(choice, IsOk());
    EXPECT_EQ(choice->dictionary, c.choice.dictionary) << c.name;
    EXPECT_EQ(choice->encoding, c.choice.encoding) << c.name;
    EXPECT_EQ(*Try(c.type, c.values), *choice) << c.name;
  }
}

TEST(EncodingTrial, NoDictionaryThatWouldOverflow) {
  // Every value comes twice, far apart: small per block of the sample, too many for a whole group.
  arrow::StringBuilder builder;
  for (int i = 0; i < 100'000; ++i) {
    ASSERT_TRUE(builder.Append("a rather long text, number " + std::to_string(i % 50'000)).ok());
  }
  auto choice = Try(LakeType::kVarchar, *builder.Finish());
  ASSERT_THAT(choice, IsOk());
  EXPECT_FALSE(choice->dictionary);
}

TEST(EncodingTrial, LongTextsAreSampledThinly) {
  arrow::StringBuilder builder;
  for (int i = 0; i < 3000; ++i) {
    ASSERT_TRUE(builder.Append(std::string(40'000, 'x') + std::to_string(i)).ok());
  }
  auto choice = Try(LakeType::kVarchar, *builder.Finish());
  ASSERT_THAT(choice, IsOk());
  EXPECT_FALSE(choice->dictionary);
}

TEST(EncodingTrial, TinyColumns) {
  RandomTable random(42);
  for (const LakeType type : kAllLakeTypes) {
    for (const std::int64_t rows : {1, 2, 3, 9}) {
      const auto values = random.Column(type, Shape::kNoise, rows, 0.3);
      EXPECT_THAT(Try(type, values), IsOk()) << LakeTypeName(type);
      EXPECT_THAT(Try(type, values, {.sample_rows = 1}), IsOk()) << LakeTypeName(type);
    }
  }
}

}  // namespace
}  // namespace lamina::table
