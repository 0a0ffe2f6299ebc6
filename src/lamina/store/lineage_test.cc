#include "lamina/store/lineage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lamina/backtests/import_batch.h"
#include "lamina/backtests/store_test_support.h"
#include "lamina/bars/bars_test_support.h"
#include "lamina/io/temporary_folder.h"

namespace lamina::store {
namespace {

using dataset::LineageEdge;

class LineageTest : public testing::Test {
 protected:
  LineageTest() {
    StoreOptions options;
    options.create = true;
    auto made = Store::Open(io::PosixEnv(), folder_.File("s"), options);
    EXPECT_THAT(made, IsOk());
    store_ = *std::move(made);
  }

  io::TemporaryFolder folder_;
  std::unique_ptr<Store> store_;
};

TEST_F(LineageTest, BacktestsLeadToTheirPricesAndThoseToFiles) {
  const std::string content(200, 'p');
  const std::string hash = Sha256(content).Hex();
  backtests::test::Prices prices{"ohlcv",
                                 {{"BTC:1h", hash + ".parquet"}, {"X", hash + ".parquet"}}};
  backtests::test::WriteTo(folder_.File("in/ohlcv/" + hash + ".parquet"), content);
  const std::string path = folder_.File("in/one.iafbt");
  backtests::test::WriteTo(path, backtests::test::SmallBundle("one", {{"w"}}, 3, prices));
  const auto report = backtests::ImportBundles(store_->backtests(), {{path, "one", 0}});
  ASSERT_THAT(report, IsOk());
  ASSERT_TRUE(report->failed.empty()) << report->failed[0].message;
  const auto file = store_->registry().Put(dataset::RegistryTable::kFiles,
                                           {{"file_path", std::string("raw/btc.parquet")},
                                            {"instrument", std::string("BTC")},
                                            {"data_type", std::string("ohlcv")},
                                            {"start_date", std::string("a")},
                                            {"end_date", std::string("b")},
                                            {"record_count", std::int64_t{1}},
                                            {"file_size", std::int64_t{200}},
                                            {"checksum", hash}});
  ASSERT_THAT(file, IsOk());
  ASSERT_THAT(store_->registry().AddLineage({{"artifact", "1", "backtest", "one"}}), IsOk());
  const std::vector<LineageEdge> expected = {{"backtest", "one", "prices", hash},
                                             {"prices", hash, "file", std::to_string(*file)}};
  EXPECT_EQ(*LineageOf(*store_, "backtest", "one"), expected);
  EXPECT_EQ(LineageOf(*store_, "artifact", "1")->size(), 3U);
  EXPECT_TRUE(LineageOf(*store_, "backtest", "nothing")->empty());
  EXPECT_THAT(LineageOf(*store_, "thing", "1"), IsError(ErrorCode::kInvalidArgument));
}

TEST_F(LineageTest, ABacktestIsStaleWhenItsBarsChanged) {
  ASSERT_THAT(store_->datasets().Create(dataset::OhlcvDefinition()), IsOk());
  const auto save = [&](const std::string& instrument, std::int64_t hour) {
    ASSERT_THAT(store_->datasets().Save("ohlcv", *dataset::test::Bars({hour}),
                                        dataset::test::Of(instrument)),
                IsOk());
  };
  save("EUR", 1);
  const std::int64_t snapshot = *store_->catalog().LatestSnapshot();
  ASSERT_THAT(
      store_->registry().AddLineage({{"backtest", "one", "dataset", "ohlcv/EUR/1h", snapshot},
                                     {"backtest", "two", "dataset", "ohlcv", snapshot}}),
      IsOk());
  EXPECT_TRUE(StaleEdges(*store_)->empty());
  save("GBP", 1);
  ASSERT_EQ(StaleEdges(*store_)->size(), 1U);
  EXPECT_EQ(StaleEdges(*store_)->front().output_id, "two");
  save("EUR", 2);
  EXPECT_EQ(StaleEdges(*store_)->size(), 2U);
}

}  // namespace
}  // namespace lamina::store
