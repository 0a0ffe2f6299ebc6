#include "lamina/dataset/datasets.h"

#include <gtest/gtest.h>

#include "lamina/dataset/dataset_test_support.h"

namespace lamina::dataset {
namespace {

using testing::HasSubstr;

TEST(Datasets, AreMadeFoundAndListed) {
  test::TestStore store;
  Datasets& datasets = store.datasets();
  EXPECT_THAT(datasets.Create(OhlcvDefinition()), IsError(ErrorCode::kAlreadyExists));
  EXPECT_THAT(datasets.CreateIfAbsent(OhlcvDefinition()), IsOk());
  EXPECT_THAT(datasets.Find("ohlc"),
              IsError(ErrorCode::kNotFound, HasSubstr("did you mean `ohlcv`")));
  const std::int64_t before = *store.catalog().LatestSnapshot();
  Definition daily = OhlcvDefinition("daily");
  daily.partition = Partition::kDate;
  daily.lake_schema = "other";
  ASSERT_THAT(datasets.Create(daily), IsOk());
  EXPECT_THAT(datasets.Find("daily", before), IsError(ErrorCode::kNotFound));
  const auto found = datasets.Find("daily");
  ASSERT_THAT(found, IsOk());
  EXPECT_EQ(found->definition.keys, daily.keys);
  EXPECT_EQ(found->definition.columns, daily.columns);
  EXPECT_EQ(found->definition.partition, Partition::kDate);
  EXPECT_EQ(found->definition.complete_column, "complete");
  ASSERT_THAT(datasets.Save("ohlcv", *test::Bars({0, 1}), test::Of("EUR_USD")), IsOk());
  const auto all = datasets.List();
  ASSERT_THAT(all, IsOk());
  ASSERT_EQ(all->size(), 2U);
  EXPECT_EQ((*all)[0].definition.name, "daily");
  EXPECT_EQ((*all)[1].rows, 2);
  EXPECT_EQ((*all)[1].files, 1);
  EXPECT_EQ(datasets.List(before)->size(), 1U);
}

TEST(Datasets, GrowColumns) {
  test::TestStore store;
  Datasets& datasets = store.datasets();
  ASSERT_THAT(datasets.Save("ohlcv", *test::Bars({0}), test::Of("EUR_USD")), IsOk());
  ASSERT_THAT(datasets.AddColumns("ohlcv", {{"spread"}}), IsOk());
  EXPECT_THAT(datasets.AddColumns("ohlcv", {{"spread"}}), IsError(ErrorCode::kAlreadyExists));
  EXPECT_THAT(datasets.AddColumns("ohlcv", {{"x", table::LakeType::kDouble, true}}),
              IsError(ErrorCode::kInvalidArgument));
  auto bars = test::Bars({1});
  bars = *bars->AddColumn(0, arrow::field("spread", arrow::float64()),
                          std::make_shared<arrow::ChunkedArray>(test::Doubles({0.25})));
  ASSERT_THAT(datasets.Save("ohlcv", *bars, test::Of("EUR_USD")), IsOk());
  LoadRequest request;
  request.columns = {"timestamp", "spread"};
  const auto rows = datasets.Load("ohlcv", request);
  ASSERT_THAT(rows, IsOk());
  EXPECT_EQ((*(*rows)->GetColumnByName("spread")->GetScalar(0))->ToString(), "null");
  EXPECT_EQ((*(*rows)->GetColumnByName("spread")->GetScalar(1))->ToString(), "0.25");
  // A row stored before the column came is found and replaced.
  bars = test::Bars({0}, 9);
  ASSERT_THAT(datasets.Save("ohlcv", *bars, test::Of("EUR_USD")), IsOk());
  EXPECT_EQ(store.Text(), "EUR_USD 0:9 1:2");
}

TEST(Datasets, NamesOfModes) {
  EXPECT_EQ(*WriteModeFromName("append"), WriteMode::kAppend);
  EXPECT_EQ(*WriteModeFromName("merge"), WriteMode::kMerge);
  EXPECT_EQ(*WriteModeFromName("replace"), WriteMode::kReplace);
  EXPECT_THAT(WriteModeFromName("upsert"), IsError(ErrorCode::kInvalidArgument));
}

}  // namespace
}  // namespace lamina::dataset
