#include "lamina/table/value_range.h"

#include <limits>

#include <arrow/api.h>
#include <arrow/extension/uuid.h>
#include <gtest/gtest.h>

#include "lamina/base/matchers.h"
#include "lamina/table/random_table.h"

namespace lamina::table {
namespace {

using arrow::MakeScalar;

std::shared_ptr<arrow::Scalar> At(const arrow::Array& array, std::int64_t row) {
  return *array.GetScalar(row);
}

TEST(ValueRange, MatchesInclusively) {
  arrow::DoubleBuilder builder;
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_TRUE(builder.AppendValues({1, 2, 3, nan, 2.5}).ok());
  EXPECT_TRUE(builder.AppendNull().ok());
  EXPECT_TRUE(builder.AppendValues({2, 0}).ok());
  const auto array = *builder.Finish();
  struct Case {
    std::shared_ptr<arrow::Scalar> low, high;
    std::vector<RowRange> rows;
  };
  const Case cases[] = {
      {MakeScalar(2.0), MakeScalar(3.0), {{11, 13}, {14, 15}, {16, 17}}},
      {MakeScalar(2.0), nullptr, {{11, 13}, {14, 15}, {16, 17}}},
      {nullptr, MakeScalar(1.0), {{10, 11}, {17, 18}}},
      {nullptr, nullptr, {{10, 15}, {16, 18}}},
      {MakeScalar(9.0), MakeScalar(1.0), {}},
  };
  for (const Case& c : cases) {
    auto range = ValueRange::Make({"x", c.low, c.high}, LakeType::kDouble);
    ASSERT_THAT(range, IsOk());
    RowRanges rows;
    range->Match(*array, 10, rows);
    EXPECT_EQ(rows.ranges(), c.rows);
  }
}

TEST(ValueRange, EqualityOfEveryType) {
  RandomTable random(3);
  for (const LakeType type : kAllLakeTypes) {
    if (type == LakeType::kInt32List) continue;
    const auto array = random.Column(type, Shape::kFew, 200, 0.1)->Slice(5);
    for (std::int64_t probe = 0; probe < 20; ++probe) {
      const auto scalar = At(*array, probe);
      if (!scalar->is_valid) continue;
      auto range = ValueRange::Make({"x", scalar, scalar}, type);
      ASSERT_THAT(range, IsOk());
      RowRanges rows;
      range->Match(*array, 0, rows);
      RowRanges expected;
      for (std::int64_t row = 0; row < array->length(); ++row) {
        if (At(*array, row)->Equals(*scalar)) expected.Append(row, row + 1);
      }
      EXPECT_EQ(rows, expected) << LakeTypeName(type);
    }
  }
}

TEST(ValueRange, RefusesWrongBounds) {
  const auto make = [](std::shared_ptr<arrow::Scalar> low, LakeType type) {
    return ValueRange::Make({"x", std::move(low), nullptr}, type);
  };
  EXPECT_THAT(make(MakeScalar(1.0), LakeType::kInt64), IsError(ErrorCode::kInvalidArgument));
  EXPECT_THAT(make(MakeScalar(std::int32_t{1}), LakeType::kInt64),
              IsError(ErrorCode::kInvalidArgument));
  EXPECT_THAT(make(MakeScalar(std::numeric_limits<double>::quiet_NaN()), LakeType::kDouble),
              IsError(ErrorCode::kInvalidArgument));
  EXPECT_THAT(make(arrow::MakeNullScalar(arrow::int64()), LakeType::kInt64),
              IsError(ErrorCode::kInvalidArgument));
  EXPECT_THAT(make(MakeScalar("x"), LakeType::kUuid), IsError(ErrorCode::kInvalidArgument));
  EXPECT_THAT(make(nullptr, LakeType::kInt32List), IsError(ErrorCode::kUnsupported));
  const auto sixteen = std::make_shared<arrow::FixedSizeBinaryScalar>(
      arrow::Buffer::FromString(std::string(16, 'x')), arrow::fixed_size_binary(16));
  EXPECT_THAT(make(sixteen, LakeType::kUuid), IsOk());
  EXPECT_THAT(make(std::make_shared<arrow::ExtensionScalar>(sixteen, arrow::extension::uuid()),
                   LakeType::kUuid),
              IsOk());
}

TEST(ValueRange, MayOverlap) {
  auto range = ValueRange::Make({"x", MakeScalar(std::int64_t{5}), MakeScalar(std::int64_t{9})},
                                LakeType::kInt64);
  ASSERT_THAT(range, IsOk());
  const auto overlaps = [&](std::int64_t low, std::int64_t high) {
    return range->MayOverlap({low, high});
  };
  EXPECT_FALSE(overlaps(0, 4));
  EXPECT_TRUE(overlaps(0, 5));
  EXPECT_TRUE(overlaps(6, 7));
  EXPECT_TRUE(overlaps(9, 90));
  EXPECT_FALSE(overlaps(10, 90));
  EXPECT_TRUE(range->Holds({std::int64_t{5}, std::int64_t{9}}));
  EXPECT_FALSE(range->Holds({std::int64_t{4}, std::int64_t{9}}));
  EXPECT_FALSE(range->Holds({std::int64_t{5}, std::int64_t{10}}));
  EXPECT_EQ(range->Single(), nullptr);
}

TEST(ValueRange, OneTextAndNoDouble) {
  const auto text =
      ValueRange::Make({"x", MakeScalar("EUR"), MakeScalar("EUR")}, LakeType::kVarchar);
  ASSERT_THAT(text, IsOk());
  ASSERT_NE(text->Single(), nullptr);
  EXPECT_EQ(std::get<std::string>(*text->Single()), "EUR");
  const auto zero = ValueRange::Make({"x", MakeScalar(0.0), MakeScalar(0.0)}, LakeType::kDouble);
  ASSERT_THAT(zero, IsOk());
  EXPECT_EQ(zero->Single(), nullptr);                 // -0.0 is inside too
  EXPECT_FALSE(zero->Holds(ColumnBounds{0.0, 0.0}));  // and NaN may lie between
}

TEST(ValueRange, MatchesIndicesAsTheirTexts) {
  RandomTable random(5);
  const auto texts = random.Column(LakeType::kVarchar, Shape::kFew, 300, 0.1);
  arrow::StringDictionary32Builder builder;
  for (std::int64_t row = 0; row < texts->length(); ++row) {
    const bool null = texts->IsNull(row);
    EXPECT_TRUE((null ? builder.AppendNull()
                      : builder.Append(static_cast<const arrow::StringArray&>(*texts).GetView(row)))
                    .ok());
  }
  std::shared_ptr<arrow::Array> indices;
  ASSERT_TRUE(builder.Finish(&indices).ok());
  for (std::int64_t probe = 0; probe < 20; ++probe) {
    const auto scalar = At(*texts, probe);
    if (!scalar->is_valid) continue;
    for (const auto& high : {scalar, std::shared_ptr<arrow::Scalar>()}) {
      const auto range = ValueRange::Make({"x", scalar, high}, LakeType::kVarchar);
      ASSERT_THAT(range, IsOk());
      RowRanges plain, indexed;
      range->Match(*texts, 7, plain);
      range->Match(*indices, 7, indexed);
      EXPECT_EQ(plain.ranges(), indexed.ranges());
    }
  }
}

}  // namespace
}  // namespace lamina::table
