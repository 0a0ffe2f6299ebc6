#include <filesystem>

#include <gtest/gtest.h>

#include "lamina/dataset/dataset_test_support.h"

namespace lamina::dataset {
namespace {

using test::At;
using test::Bars;
using test::Of;
using testing::HasSubstr;

TEST(Load, ChoosesRangesKeysColumnsAndOrder) {
  test::TestStore store;
  Datasets& datasets = store.datasets();
  for (const char* instrument : {"EUR_USD", "AUD_USD", "GBP_USD"}) {
    ASSERT_THAT(datasets.Save("ohlcv", *Bars({0, 1, 2, 8760}), Of(instrument)), IsOk());
  }
  LoadRequest request;
  request.time = {At(1), At(3)};
  EXPECT_EQ(store.Text(request), "AUD_USD 1:2 2:3 EUR_USD 1:2 2:3 GBP_USD 1:2 2:3");
  request.keys = {{"instrument", {"GBP_USD", "AUD_USD"}}};
  EXPECT_EQ(store.Text(request), "AUD_USD 1:2 2:3 GBP_USD 1:2 2:3");
  request.by_time = true;
  EXPECT_EQ(store.Text(request), "AUD_USD 1:2 GBP_USD 1:2 AUD_USD 2:3 GBP_USD 2:3");
  request.columns = {"close"};
  const auto rows = datasets.Load("ohlcv", request);
  ASSERT_THAT(rows, IsOk());
  EXPECT_THAT((*rows)->ColumnNames(), testing::ElementsAre("close"));
  EXPECT_EQ((*rows)->num_rows(), 4);
  request.columns = {"clos"};
  EXPECT_THAT(datasets.Load("ohlcv", request), IsError(ErrorCode::kNotFound));
}

TEST(Load, NothingFoundHasTheColumns) {
  test::TestStore store;
  LoadRequest request;
  request.time = {At(5), At(5)};
  const auto rows = store.datasets().Load("ohlcv", request);
  ASSERT_THAT(rows, IsOk());
  EXPECT_EQ((*rows)->num_rows(), 0);
  EXPECT_EQ((*rows)->num_columns(), 12);
  request.keys = {{"close", {"1"}}};
  EXPECT_THAT(store.datasets().Load("ohlcv", request), IsError(ErrorCode::kInvalidArgument));
}

TEST(Load, NamesAFileThatIsGone) {
  test::TestStore store;
  ASSERT_THAT(store.datasets().Save("ohlcv", *Bars({0, 8760}), Of("EUR_USD")), IsOk());
  std::string gone;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(store.root() + "/lake/bars/ohlcv/year=2023")) {
    gone = entry.path().filename();
    std::filesystem::remove(entry.path());
  }
  EXPECT_THAT(store.datasets().Load("ohlcv", {}), IsError(ErrorCode::kCorruption, HasSubstr(gone)));
  LoadRequest request;
  request.time = {At(0), At(10)};  // does not need it
  EXPECT_EQ(store.Text(request), "EUR_USD 0:1");
}

TEST(Load, WideTables) {
  test::TestStore store;
  std::vector<Column> columns;
  std::vector<std::pair<std::string, std::shared_ptr<arrow::Array>>> rows = {
      {"timestamp", test::Times({test::kStart, test::kStart + test::kHour})}};
  for (int i = 0; i < 2000; ++i) {
    columns.push_back({"x_" + std::to_string(i)});
    rows.emplace_back(columns.back().name, test::Doubles({1.0 * i, 2.0 * i}));
  }
  ASSERT_THAT(store.datasets().Create(WideDefinition("wide", "features", columns)), IsOk());
  ASSERT_THAT(store.datasets().Save("wide", *test::MakeTable(rows)), IsOk());
  LoadRequest request;
  request.columns = {"x_7", "x_1999"};
  const auto two = store.datasets().Load("wide", request);
  ASSERT_THAT(two, IsOk());
  EXPECT_EQ((*(*two)->column(1)->GetScalar(1))->ToString(), "3998");
  EXPECT_EQ((*store.datasets().Load("wide", {}))->num_columns(), 2003);
}

}  // namespace
}  // namespace lamina::dataset
