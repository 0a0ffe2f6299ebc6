#include "lamina/backtests/run_series.h"

#include <filesystem>

#include <arrow/api.h>
#include <gmock/gmock.h>

#include "lamina/backtests/import.h"
#include "lamina/backtests/lake_schema.h"
#include "lamina/base/uuid.h"

namespace lamina::backtests {
namespace {

using ::testing::HasSubstr;

#define ASSERT_OK(expr)                                           \
  do {                                                            \
    const auto& assert_ok_ = (expr);                              \
    ASSERT_TRUE(assert_ok_.ok()) << assert_ok_.error().message(); \
  } while (false)

/// A catalog with one golden bundle of three runs.
class RunSeries : public ::testing::Test {
 protected:
  void SetUp() override {
    root_ = ::testing::TempDir() + "run_series_" + RandomUuid4().ToString();
    std::filesystem::create_directories(root_);
    ASSERT_OK(catalog::Catalog::Create(io::PosixEnv(), root_, RandomUuid4()));
    auto opened = catalog::Catalog::Open(io::PosixEnv(), root_);
    ASSERT_OK(opened);
    catalog_ = *std::move(opened);
    ASSERT_OK(BacktestStore::CreateTables(*catalog_));
    store_ = std::make_unique<BacktestStore>(*catalog_);
    const std::string path = LAMINA_SHARED_DIR "/data/bundles/golden/v2_8.10.0/windows3_full.iafbt";
    const auto bytes = io::PosixEnv().ReadFile(path, 1 << 24);
    ASSERT_OK(bytes);
    ASSERT_OK(PutBundle(*store_, "three", *bytes));
    auto found = store_->Find("three");
    ASSERT_OK(found);
    backtest_ = *std::move(found);
    auto runs = store_->Runs(backtest_);
    ASSERT_OK(runs);
    runs_ = *std::move(runs);
    ASSERT_EQ(runs_.size(), 3U);
  }
  void TearDown() override {
    store_.reset();
    catalog_.reset();
    std::filesystem::remove_all(root_);
  }

  std::string root_;
  std::unique_ptr<catalog::Catalog> catalog_;
  std::unique_ptr<BacktestStore> store_;
  BacktestRecord backtest_;
  std::vector<RunRecord> runs_;
};

TEST_F(RunSeries, EquityIsTheTotalValueOfTheSnapshots) {
  for (const RunRecord& run : runs_) {
    const auto curve = ReadRunSeries(*store_, backtest_, run.run_id, "equity_curve");
    ASSERT_OK(curve);
    const auto snapshots = store_->ReadRows(backtest_, RunTable::kSnapshots, {run.run_id});
    ASSERT_OK(snapshots);
    ASSERT_GT((*curve)->num_rows(), 0);
    EXPECT_EQ((*curve)->ColumnNames(), (std::vector<std::string>{"ts", "value"}));
    const auto& values = *(*curve)->GetColumnByName("value");
    EXPECT_TRUE(values.Equals(*(*snapshots)->GetColumnByName("total_value")));
  }
}

TEST_F(RunSeries, EverySeriesIsThereOrEmpty) {
  std::int64_t with_rows = 0;
  for (const std::string_view name : kSeriesNames) {
    const auto series = ReadRunSeries(*store_, backtest_, runs_[1].run_id, name);
    ASSERT_OK(series);
    EXPECT_EQ((*series)->num_columns(), 2) << name;
    with_rows += (*series)->num_rows() > 0 ? 1 : 0;
  }
  EXPECT_GE(with_rows, 5);
}

TEST_F(RunSeries, UnknownNameAndUnknownRun) {
  const auto name = ReadRunSeries(*store_, backtest_, runs_[0].run_id, "equity_curv");
  ASSERT_FALSE(name.ok());
  EXPECT_EQ(name.error().code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(std::string(name.error().message()), HasSubstr("equity_curve"));
  const auto run = ReadRunSeries(*store_, backtest_, RandomUuid4(), "equity_curve");
  ASSERT_FALSE(run.ok());
  EXPECT_EQ(run.error().code(), ErrorCode::kNotFound);
}

TEST_F(RunSeries, OfManyAreThoseOfEach) {
  const std::string folder = LAMINA_SHARED_DIR "/data/bundles/golden/v2_8.10.0/";
  for (const char* name : {"one_run", "cash_flow", "dup_windows"}) {
    const auto bytes = io::PosixEnv().ReadFile(folder + name + ".iafbt", 1 << 24);
    ASSERT_OK(bytes);
    ASSERT_OK(PutBundle(*store_, name, *bytes));
  }
  const std::vector<std::string> handles = {"dup_windows", "three", "one_run", "three"};
  for (const std::string_view name : kSeriesNames) {
    SCOPED_TRACE(name);
    const auto many = ReadSeriesOfMany(*store_, handles, name);
    ASSERT_OK(many);
    EXPECT_EQ((*many)->ColumnNames(),
              (std::vector<std::string>{"run_id", "handle", "window", "ts", "value"}));
    std::int64_t row = 0;
    for (const std::string& handle : handles) {
      const auto record = store_->Find(handle);
      ASSERT_OK(record);
      const auto runs = store_->Runs(*record);
      ASSERT_OK(runs);
      for (const RunRecord& run : *runs) {
        const auto one = ReadRunSeries(*store_, *record, run.run_id, name);
        ASSERT_OK(one);
        const auto part = (*many)->Slice(row, (*one)->num_rows());
        for (const char* column : {"ts", "value"}) {
          EXPECT_TRUE(part->GetColumnByName(column)->ApproxEquals(
              *(*one)->GetColumnByName(column), arrow::EqualOptions().nans_equal(true).atol(0)));
        }
        row += (*one)->num_rows();
      }
    }
    EXPECT_EQ((*many)->num_rows(), row);
  }
  const auto absent = ReadSeriesOfMany(*store_, {"three", "thre"}, "equity_curve");
  ASSERT_FALSE(absent.ok());
  EXPECT_EQ(absent.error().code(), ErrorCode::kNotFound);
  EXPECT_THAT(std::string(absent.error().message()), HasSubstr("near: three"));
  EXPECT_FALSE(ReadSeriesOfMany(*store_, handles, "equity_curv").ok());
}

}  // namespace
}  // namespace lamina::backtests
