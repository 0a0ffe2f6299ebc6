#include "lamina/series/input_columns.h"

#include <cmath>
#include <limits>

#include "lamina/base/matchers.h"
#include "lamina/series/arrow_test_support.h"

namespace lamina::series {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::int64_t> Stamped(const Column& column) {
  const auto stamps = ReadStamps(column, "t");
  EXPECT_THAT(stamps, IsOk());
  return {stamps->view.begin(), stamps->view.end()};
}

TEST(InputColumnsTest, StampsOfEveryUnit) {
  EXPECT_THAT(Stamped(Ints({1, 2})), ElementsAre(1, 2));
  EXPECT_THAT(Stamped(Times({1, 2}, arrow::TimeUnit::NANO, "Asia/Tokyo")), ElementsAre(1, 2));
  EXPECT_THAT(Stamped(Times({1, -2}, arrow::TimeUnit::MICRO)), ElementsAre(1000, -2000));
  EXPECT_THAT(Stamped(Times({1, 2}, arrow::TimeUnit::MILLI)), ElementsAre(1'000'000, 2'000'000));
  EXPECT_THAT(Stamped(Times({5}, arrow::TimeUnit::SECOND, "UTC")), ElementsAre(5'000'000'000));
  EXPECT_THAT(Stamped(Ints({1, 2, 3})->Slice(1)), ElementsAre(2, 3));
}

TEST(InputColumnsTest, RefusesStamps) {
  EXPECT_THAT(ReadStamps(Ints({1, 2}, {1}), "t", 10),
              IsError(ErrorCode::kInvalidArgument, HasSubstr("`t` row 11 is NULL")));
  EXPECT_THAT(ReadStamps(Times({0, INT64_MAX}, arrow::TimeUnit::SECOND), "t"),
              IsError(ErrorCode::kInvalidArgument, HasSubstr("row 1 is outside the years")));
  EXPECT_THAT(ReadStamps(Texts({"2024-01-01"}), "t"),
              IsError(ErrorCode::kUnsupported, HasSubstr("string")));
}

TEST(InputColumnsTest, NumbersOfEveryType) {
  const auto numbers = [](const Column& column) {
    const auto read = ReadNumbers(column, "x");
    EXPECT_THAT(read, IsOk());
    return std::vector<double>(read->view.begin(), read->view.end());
  };
  EXPECT_THAT(numbers(Doubles({1.5, 2})), ElementsAre(1.5, 2));
  EXPECT_THAT(numbers(MakeColumn<arrow::FloatType>(std::vector<float>{1.5F})), ElementsAre(1.5));
  EXPECT_THAT(numbers(MakeColumn<arrow::Int8Type>(std::vector<std::int8_t>{-3})), ElementsAre(-3));
  EXPECT_THAT(numbers(MakeColumn<arrow::UInt32Type>(std::vector<std::uint32_t>{7})),
              ElementsAre(7));
  EXPECT_THAT(numbers(Ints({-5})), ElementsAre(-5));
  EXPECT_TRUE(std::isnan(numbers(Doubles({1, 2}, {1}))[1]));
  EXPECT_TRUE(std::isnan(numbers(Ints({1, 2}, {1}))[1]));
  const auto decimals = MakeColumn<arrow::Decimal128Type>(
      std::vector<arrow::Decimal128>{arrow::Decimal128(12345)}, {}, arrow::decimal128(9, 2));
  EXPECT_THAT(numbers(decimals), ElementsAre(123.45));
  const auto exact = MakeColumn<arrow::Decimal128Type>(
      std::vector<arrow::Decimal128>{arrow::Decimal128(559833081), arrow::Decimal128(-559833081),
                                     *arrow::Decimal128::FromString("12345678901234567890123")},
      {}, arrow::decimal128(38, 2));
  EXPECT_THAT(numbers(exact), ElementsAre(5598330.81, -5598330.81, 123456789012345678901.23));
}

TEST(InputColumnsTest, RefusesNumbers) {
  EXPECT_THAT(ReadNumbers(Ints({(std::int64_t{1} << 53) + 1}), "x", 4),
              IsError(ErrorCode::kInvalidArgument, HasSubstr("row 4 holds 9007199254740993")));
  EXPECT_THAT(ReadNumbers(Texts({"1"}), "x"), IsError(ErrorCode::kUnsupported));
  EXPECT_THAT(ReadIntegers(Doubles({1}), "x"), IsError(ErrorCode::kUnsupported));
  EXPECT_EQ(ReadIntegers(MakeColumn<arrow::Int32Type>(std::vector<int>{4}), "x")->view[0], 4);
}

TEST(InputColumnsTest, FindsColumns) {
  const auto schema =
      MakeTable({{"price", Doubles({})}, {"twice", Ints({})}, {"twice", Ints({})}})->schema();
  EXPECT_EQ(*ChooseColumn(*schema, "", {"last", "price"}, "price", true), 0);
  EXPECT_EQ(*ChooseColumn(*schema, "", {"size"}, "size", false), -1);
  EXPECT_THAT(ChooseColumn(*schema, "", {"size"}, "size", true),
              IsError(ErrorCode::kInvalidArgument, HasSubstr("there are: price, twice, twice")));
  EXPECT_THAT(ColumnIndex(*schema, "prise", "price"),
              IsError(ErrorCode::kInvalidArgument, HasSubstr("did you mean `price`")));
  EXPECT_THAT(ColumnIndex(*schema, "twice", "size"),
              IsError(ErrorCode::kInvalidArgument, HasSubstr("2 times")));
}

TEST(InputColumnsTest, WritesColumns) {
  EXPECT_EQ(Show(**NumberColumn({1.5, std::numeric_limits<double>::quiet_NaN()})), "1.5 null");
  EXPECT_EQ(Show(**NumberColumn({2, 3})), "2 3");
  EXPECT_EQ(Show(*IntegerColumn({4}, false)), "4");
  EXPECT_EQ(IntegerColumn({4}, true)->type()->ToString(), "timestamp[ns, tz=UTC]");
}

}  // namespace
}  // namespace lamina::series
