#include "lamina/dataset/rows.h"

#include <cmath>

#include <gtest/gtest.h>

#include "lamina/dataset/dataset_test_support.h"

namespace lamina::dataset {
namespace {

using testing::HasSubstr;

PrepareOptions Eur() { return test::Of("EUR_USD").prepare; }

TEST(PrepareRows, SortsFillsAndDates) {
  const auto made = PrepareRows(OhlcvDefinition(), *test::Bars({9000, 1, 0}), Eur());
  ASSERT_THAT(made, IsOk());
  EXPECT_FALSE(made->sorted);
  EXPECT_EQ(made->first, test::At(0));
  EXPECT_EQ(made->last, test::At(9000));
  EXPECT_EQ((*made->rows->GetColumnByName("year")->GetScalar(0))->ToString(), "2022");
  EXPECT_EQ((*made->rows->GetColumnByName("year")->GetScalar(2))->ToString(), "2023");
  EXPECT_EQ((*made->rows->GetColumnByName("volume")->GetScalar(0))->ToString(), "null");
  EXPECT_EQ(made->rows->num_columns(), 12);
}

TEST(PrepareRows, NamesWhatIsWrong) {
  const auto bars = test::Bars({0, 1});
  const auto with = [&](const std::string& name, std::shared_ptr<arrow::Array> array) {
    const int at = bars->schema()->GetFieldIndex(name);
    const auto field = arrow::field(name, array->type());
    const auto column = std::make_shared<arrow::ChunkedArray>(array);
    return at < 0 ? *bars->AddColumn(0, field, column) : *bars->SetColumn(at, field, column);
  };
  arrow::DoubleBuilder hole;
  ASSERT_TRUE(hole.Append(1).ok());
  ASSERT_TRUE(hole.AppendNull().ok());
  struct Case {
    const char* name;
    std::shared_ptr<arrow::Table> rows;
    const char* message;
  };
  const Case kCases[] = {
      {"missing", *bars->RemoveColumn(4), "lack 'close'"},
      {"unknown", with("clsoe", test::Doubles({1, 2})), "did you mean `close`"},
      {"a NULL", with("close", hole.Finish().ValueOrDie()), "column 'close', row 1"},
      {"naive times", with("timestamp", test::Times({0, 1}, "")), "without a zone"},
      {"another year",
       with("year", test::Column(arrow::Int32Builder(), std::vector<int>{2022, 2021})),
       "column 'year', row 1"},
      {"another instrument",
       with("instrument",
            test::Column(arrow::StringBuilder(), std::vector<std::string>{"EUR_USD", "GBP_USD"})),
       "column 'instrument', row 1"},
  };
  for (const Case& each : kCases) {
    SCOPED_TRACE(each.name);
    EXPECT_THAT(PrepareRows(OhlcvDefinition(), *each.rows, Eur()),
                IsError(ErrorCode::kInvalidArgument, HasSubstr(each.message)));
  }
  EXPECT_THAT(PrepareRows(OhlcvDefinition(), *bars, {}),
              IsError(ErrorCode::kInvalidArgument, HasSubstr("'instrument', 'timeframe'")));
  EXPECT_THAT(PrepareRows(OhlcvDefinition(), *bars, {.constants = {{"nothing", true}}}),
              IsError(ErrorCode::kInvalidArgument));
}

TEST(PrepareRows, KeepsNanApartFromNull) {
  const Definition wide = WideDefinition("f", "features", {{"x"}});
  arrow::DoubleBuilder x;
  ASSERT_TRUE(x.Append(std::nan("")).ok());
  ASSERT_TRUE(x.AppendNull().ok());
  const auto rows = test::MakeTable(
      {{"timestamp", test::Times({test::kStart, test::kStart + 1})}, {"x", *x.Finish()}});
  const auto made = PrepareRows(wide, *rows);
  ASSERT_THAT(made, IsOk());
  EXPECT_EQ(made->nans, 1);
  EXPECT_EQ(made->nulls, 1);
  const auto inferred = InferColumns(*rows, "timestamp");
  ASSERT_THAT(inferred, IsOk());
  ASSERT_EQ(inferred->size(), 1U);
  EXPECT_EQ((*inferred)[0].name, "x");
}

}  // namespace
}  // namespace lamina::dataset
