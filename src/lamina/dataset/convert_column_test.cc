#include "lamina/dataset/convert_column.h"

#include <cmath>
#include <limits>

#include <arrow/api.h>
#include <gtest/gtest.h>

#include "lamina/dataset/dataset_test_support.h"

namespace lamina::dataset {
namespace {

using table::LakeType;
using testing::HasSubstr;

Result<std::shared_ptr<arrow::Array>> Convert(const std::shared_ptr<arrow::Array>& array,
                                              LakeType type, bool assume_utc = false) {
  return ConvertColumn(arrow::ChunkedArray(array), "c", type, assume_utc);
}

std::string Text(const Result<std::shared_ptr<arrow::Array>>& array) {
  EXPECT_THAT(array, IsOk());
  if (!array.ok()) return "error";
  std::string text;
  for (std::int64_t row = 0; row < (*array)->length(); ++row) {
    text += (row == 0 ? "" : " ") + (*(*array)->GetScalar(row))->ToString();
  }
  return text;
}

TEST(ConvertColumn, KeepsEveryValueOrRefuses) {
  const std::int64_t large = (std::int64_t{1} << 53) + 1;
  EXPECT_EQ(Text(Convert(test::Column(arrow::Int32Builder(), std::vector<int>{1, -2}),
                         LakeType::kDouble)),
            "1 -2");
  const auto whole = test::Column(arrow::Int64Builder(), std::vector<std::int64_t>{large});
  EXPECT_THAT(Convert(whole, LakeType::kDouble),
              IsError(ErrorCode::kInvalidArgument, HasSubstr("row 0")));
  EXPECT_EQ(Text(Convert(whole, LakeType::kInt64)), std::to_string(large));
  EXPECT_EQ(Text(Convert(test::Doubles({5, std::nan("")}), LakeType::kInt64)), "5 null");
  for (const double bad : {1.5, 9007199254740994.0, std::numeric_limits<double>::infinity()}) {
    EXPECT_THAT(Convert(test::Doubles({1, bad}), LakeType::kInt64),
                IsError(ErrorCode::kInvalidArgument, HasSubstr("row 1")));
  }
  EXPECT_EQ(Text(Convert(test::Column(arrow::FloatBuilder(), std::vector<float>{0.5F}),
                         LakeType::kDouble)),
            "0.5");
  EXPECT_THAT(Convert(test::Column(arrow::StringBuilder(), std::vector<std::string>{"1"}),
                      LakeType::kDouble),
              IsError(ErrorCode::kInvalidArgument, HasSubstr("string")));
}

TEST(ConvertColumn, DecimalsBecomeTheNearestDouble) {
  arrow::Decimal128Builder builder(arrow::decimal128(12, 5));
  ASSERT_TRUE(builder.Append(arrow::Decimal128("108542")).ok());  // 1.08542
  const auto made = Convert(builder.Finish().ValueOrDie(), LakeType::kDouble);
  ASSERT_THAT(made, IsOk());
  EXPECT_EQ(static_cast<const arrow::DoubleArray&>(**made).Value(0), 1.08542);
}

TEST(ConvertColumn, TimesNeedAZoneAndWholeMicroseconds) {
  using arrow::TimeUnit;
  const std::int64_t second = test::kStart / 1'000'000;
  EXPECT_EQ(Text(Convert(test::Times({second}, "UTC", TimeUnit::SECOND), LakeType::kTimestampTz)),
            Text(Convert(test::Times({test::kStart}), LakeType::kTimestampTz)));
  EXPECT_THAT(Convert(test::Times({test::kStart}, ""), LakeType::kTimestampTz),
              IsError(ErrorCode::kInvalidArgument, HasSubstr("without a zone")));
  EXPECT_THAT(Convert(test::Times({test::kStart}, ""), LakeType::kTimestampTz, true), IsOk());
  EXPECT_THAT(
      Convert(test::Times({test::kStart * 1000, test::kStart * 1000 + 1}, "UTC", TimeUnit::NANO),
              LakeType::kTimestampTz),
      IsError(ErrorCode::kInvalidArgument, HasSubstr("row 1")));
  EXPECT_THAT(Convert(test::Times({-400 * std::int64_t{31'556'952}}, "UTC", TimeUnit::SECOND),
                      LakeType::kTimestampTz),
              IsError(ErrorCode::kInvalidArgument, HasSubstr("1678")));
  EXPECT_THAT(Convert(test::Column(arrow::Int64Builder(), std::vector<std::int64_t>{1}),
                      LakeType::kTimestampTz),
              IsError(ErrorCode::kInvalidArgument));
}

TEST(ConvertColumn, TakesTextHoweverItIsKept) {
  const std::vector<std::string> words = {"EUR_USD", "GBP_USD"};
  arrow::StringDictionaryBuilder dictionary;
  for (const auto& word : words) ASSERT_TRUE(dictionary.Append(word).ok());
  ASSERT_TRUE(dictionary.AppendNull().ok());
  EXPECT_EQ(Text(Convert(dictionary.Finish().ValueOrDie(), LakeType::kVarchar)),
            "EUR_USD GBP_USD null");
  EXPECT_EQ(Text(Convert(test::Column(arrow::LargeStringBuilder(), words), LakeType::kVarchar)),
            "EUR_USD GBP_USD");
  EXPECT_EQ(Text(Convert(test::Column(arrow::StringViewBuilder(), words), LakeType::kVarchar)),
            "EUR_USD GBP_USD");
}

TEST(ConvertColumn, CountsNansAndInfersTypes) {
  EXPECT_EQ(CountNans(*test::Doubles({1, std::nan(""), std::nan("")})), 2);
  EXPECT_EQ(*InferType(*arrow::int16(), "c"), LakeType::kDouble);
  EXPECT_EQ(*InferType(*arrow::large_utf8(), "c"), LakeType::kVarchar);
  EXPECT_THAT(InferType(*arrow::list(arrow::int64()), "c"), IsError(ErrorCode::kUnsupported));
}

}  // namespace
}  // namespace lamina::dataset
