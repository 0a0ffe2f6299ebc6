#include "lamina/catalog/lake_value.h"

#include <cmath>
#include <limits>

#include <arrow/api.h>
#include <gmock/gmock.h>

#include "lamina/catalog/lake_test_support.h"
#include "lamina/table/column_bounds.h"

namespace lamina::catalog::test {
namespace {

using table::LakeType;

TEST(LakeValue, ComparesByType) {
  const struct {
    LakeType type;
    const char* smaller;
    const char* larger;
  } kCases[] = {
      {LakeType::kInt64, "9", "10"},
      {LakeType::kInt32, "-10", "-9"},
      {LakeType::kInt64, "-9223372036854775808", "9223372036854775807"},
      {LakeType::kDouble, "9.5", "10.0"},
      {LakeType::kDouble, "-1e+300", "5e-324"},
      {LakeType::kBoolean, "0", "1"},
      {LakeType::kBoolean, "false", "true"},
      {LakeType::kDate, "1969-12-31", "1970-01-01"},
      {LakeType::kTimestamp, "2024-01-01 00:00:00", "2024-01-01 00:00:00.5"},
      {LakeType::kTimestampTz, "2024-01-01 00:00:00.5+00", "2024-01-01 00:00:00.51+00"},
      {LakeType::kTimestampTz, "0001-01-01 00:00:00+00", "9999-12-31 23:59:59.999999+00"},
      {LakeType::kVarchar, "", "a"},
      {LakeType::kVarchar, "Z", "\xc3\xa9"},
      {LakeType::kBlob, "00FF", "0A"},
      {LakeType::kUuid, "00000000-0000-0000-0000-00000000000f",
       "f0000000-0000-0000-0000-000000000000"},
  };
  for (const auto& each : kCases) {
    SCOPED_TRACE(std::string(each.smaller) + " < " + each.larger);
    const auto smaller = LakeValue::Parse(each.type, each.smaller);
    const auto larger = LakeValue::Parse(each.type, each.larger);
    ASSERT_TRUE(smaller && larger);
    EXPECT_TRUE(smaller->Compare(*larger) < 0);
    EXPECT_TRUE(larger->Compare(*smaller) > 0);
    EXPECT_TRUE(larger->Compare(*larger) == 0);
  }
  EXPECT_TRUE(LakeValue::Parse(LakeType::kDouble, "-0.0")
                  ->Compare(*LakeValue::Parse(LakeType::kDouble, "0.0")) == 0);
}

TEST(LakeValue, KnowsNothingOfWhatItCannotRead) {
  const struct {
    LakeType type;
    const char* text;
  } kCases[] = {
      {LakeType::kInt64, ""},
      {LakeType::kInt64, "1.5"},
      {LakeType::kInt64, "12 "},
      {LakeType::kInt64, "9223372036854775808"},
      {LakeType::kDouble, "nan"},
      {LakeType::kDouble, "inf"},
      {LakeType::kDouble, "-inf"},
      {LakeType::kDouble, "1,5"},
      {LakeType::kBoolean, "yes"},
      {LakeType::kDate, "infinity"},
      {LakeType::kDate, "2024-13-01"},
      {LakeType::kTimestamp, "2024-01-01 00:00:00.1234567"},
      {LakeType::kUuid, "F0000000-0000-0000-0000-000000000000"},
      {LakeType::kUuid, "f0000000"},
      {LakeType::kInt32List, "[1]"},
  };
  for (const auto& each : kCases) EXPECT_FALSE(LakeValue::Parse(each.type, each.text)) << each.text;
}

TEST(LakeValue, TextOfScalars) {
  using Text = std::optional<std::string>;
  const auto tz = table::ArrowType(LakeType::kTimestampTz);
  const auto local = table::ArrowType(LakeType::kTimestamp);
  const struct {
    LakeType type;
    std::shared_ptr<arrow::Scalar> value;
    Text text;
  } kCases[] = {
      {LakeType::kBoolean, arrow::MakeScalar(true), "1"},
      {LakeType::kInt32, arrow::MakeScalar(std::int32_t{-7}), "-7"},
      {LakeType::kInt64, arrow::MakeScalar(std::int64_t{1} << 60), "1152921504606846976"},
      {LakeType::kDouble, arrow::MakeScalar(0.1), "0.1"},
      {LakeType::kDouble, arrow::MakeScalar(std::nan("")), Text()},
      {LakeType::kDouble, arrow::MakeScalar(std::numeric_limits<double>::infinity()), Text()},
      {LakeType::kVarchar, arrow::MakeScalar("b'c"), "b'c"},
      {LakeType::kBlob, std::make_shared<arrow::BinaryScalar>(std::string("\xaa\0", 2)), "AA00"},
      {LakeType::kDate, std::make_shared<arrow::Date32Scalar>(19'700), "2023-12-09"},
      {LakeType::kDate, std::make_shared<arrow::Date32Scalar>(2'000'000'000), Text()},
      {LakeType::kTimestampTz, std::make_shared<arrow::TimestampScalar>(500'000, tz),
       "1970-01-01 00:00:00.5+00"},
      {LakeType::kTimestamp, std::make_shared<arrow::TimestampScalar>(-1'000'000, local),
       "1969-12-31 23:59:59"},
      {LakeType::kTimestamp,
       std::make_shared<arrow::TimestampScalar>(std::numeric_limits<std::int64_t>::max(), local),
       Text()},
      {LakeType::kUuid, OneRunRows(3, 1)->GetScalar(0).ValueOrDie(), RunIdText(3)},
      {LakeType::kInt64, arrow::MakeNullScalar(arrow::int64()), Text()},
  };
  for (const auto& each : kCases) {
    const auto text = LakeText(each.type, *each.value);
    ASSERT_OK(text);
    EXPECT_EQ(*text, each.text) << each.value->ToString();
    EXPECT_TRUE(!*text || LakeValue::Parse(each.type, **text)) << each.value->ToString();
  }
}

TEST(LakeValue, RefusesScalarsOfOtherTypes) {
  EXPECT_THAT(LakeText(LakeType::kInt64, *arrow::MakeScalar(std::int32_t{1})),
              IsError(ErrorCode::kInvalidArgument));
  EXPECT_THAT(LakeText(LakeType::kUuid, *arrow::MakeScalar("short")),
              IsError(ErrorCode::kInvalidArgument));
  EXPECT_THAT(LakeText(LakeType::kUuid, *arrow::MakeScalar(1.0)),
              IsError(ErrorCode::kInvalidArgument));
  EXPECT_THAT(LakeText(LakeType::kTimestamp,
                       arrow::TimestampScalar(1, arrow::timestamp(arrow::TimeUnit::NANO))),
              IsError(ErrorCode::kInvalidArgument));
}

TEST(LakeValue, StoredBoundsOfDoublesKeepClear) {
  constexpr double kMax = std::numeric_limits<double>::max();
  for (const double value : {0.0, -0.0, 1.0, -1.0, 0.1, 5e-324, 1e300, -4000.0, kMax, -kMax}) {
    const std::string text = table::SpellDouble(value);
    for (const bool low : {true, false}) {
      const auto stored = StoredBound(LakeType::kDouble, text, low);
      ASSERT_TRUE(stored);
      double expected = value;
      for (int i = 0; i < kDoubleBoundMargin; ++i)
        expected = std::nextafter(expected, low ? -kMax : kMax);
      EXPECT_EQ(std::strtod(stored->c_str(), nullptr), expected) << text;
      const auto order = LakeValue::Parse(LakeType::kDouble, *stored)
                             ->Compare(*LakeValue::Parse(LakeType::kDouble, text));
      EXPECT_TRUE(low ? order <= 0 : order >= 0) << text;
    }
  }
  EXPECT_EQ(StoredBound(LakeType::kDouble, std::nullopt, true), std::nullopt);
  EXPECT_EQ(StoredBound(LakeType::kInt64, "5", true), "5");
  EXPECT_EQ(StoredBound(LakeType::kVarchar, "0.5", false), "0.5");
}

}  // namespace
}  // namespace lamina::catalog::test
