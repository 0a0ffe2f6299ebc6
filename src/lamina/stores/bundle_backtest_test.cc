#include "lamina/stores/bundle_backtest.h"

#include <arrow/api.h>

#include "lamina/backtests/run_series.h"
#include "lamina/backtests/store_test_support.h"
#include "lamina/bundle/bundle_test_support.h"

namespace lamina::stores {
namespace {

using backtests::RunTable;
using backtests::test::TestStore;

// What a store shows of a bundle (of LAMINA_SHARED_DIR), the bundle shows by itself.
TEST(BundleBacktest, ShowsWhatAStoreShows) {
  TestStore engine;
  for (const std::string name : {"v1_8.10.0/windows3_full.iafbt", "v2_8.10.0/windows3_full.iafbt",
                                 "v5_9.0.0a6/windows3_full.obtf"}) {
    const std::string path = bundle::test::BundleFolder("golden/" + name);
    auto backtest = BundleBacktest::Read(io::PosixEnv(), path, "h");
    ASSERT_THAT(backtest, IsOk()) << path;
    ASSERT_THAT(backtests::ImportBundles(*engine, {{path, name, 0}}), IsOk());
    auto record = engine->Find(name);
    ASSERT_THAT(record, IsOk());
    EXPECT_EQ((*backtest)->record().document_sha256, record->document_sha256);
    EXPECT_EQ((*backtest)->record().algorithm_id, record->algorithm_id);
    EXPECT_EQ((*backtest)->document(), engine.DocumentOf(name));
    auto runs = (*backtest)->Runs();
    auto stored = engine->Runs(*record);
    ASSERT_THAT(runs, IsOk());
    ASSERT_THAT(stored, IsOk());
    ASSERT_EQ(runs->size(), stored->size());
    for (std::size_t i = 0; i < runs->size(); ++i) {
      EXPECT_EQ((*runs)[i].engine, (*stored)[i].engine);
      for (const RunTable table : {RunTable::kSnapshots, RunTable::kTrades, RunTable::kOrders}) {
        auto rows = (*backtest)->ReadRows(table, {(*runs)[i].run_id});
        auto there = engine->ReadRows(*record, table, {(*stored)[i].run_id});
        ASSERT_THAT(rows, IsOk());
        ASSERT_THAT(there, IsOk());
        EXPECT_TRUE(
            (*rows)->RemoveColumn(0).ValueOrDie()->Equals(*(*there)->RemoveColumn(0).ValueOrDie()));
      }
      auto series = (*backtest)->ReadSeries((*runs)[i].run_id, "equity_curve");
      auto there = backtests::ReadRunSeries(*engine, *record, (*stored)[i].run_id, "equity_curve");
      ASSERT_THAT(series, IsOk());
      ASSERT_THAT(there, IsOk());
      EXPECT_GT((*series)->num_rows(), 0);
      EXPECT_TRUE((*series)->Equals(**there));
    }
  }
}

TEST(BundleBacktest, OfADocumentInNoFile) {
  TestStore engine;
  const std::string document = backtests::test::SmallDocument("x", {{}, {.window = "v"}});
  auto backtest = BundleBacktest::Of(2, document, "h");
  ASSERT_THAT(backtest, IsOk());
  EXPECT_EQ((*backtest)->record().handle, "h");
  EXPECT_EQ((*backtest)->record().document_sha256, Sha256(document));
  EXPECT_EQ((*backtest)->Runs()->size(), 2U);
  const std::string path = engine.File("x.iafbt");
  const auto report = (*backtest)->Export(io::PosixEnv(), path, {.format_version = {}, .level = 3});
  ASSERT_THAT(report, IsOk());
  auto again = BundleBacktest::Read(io::PosixEnv(), path, "h");
  ASSERT_THAT(again, IsOk());
  EXPECT_EQ((*again)->document(), document);
  const auto other = (*backtest)->Export(io::PosixEnv(), path, {.format_version = 5, .level = 3});
  ASSERT_THAT(other, IsOk());
  EXPECT_TRUE(other->converted);
  again = BundleBacktest::Read(io::PosixEnv(), path, "h");
  ASSERT_THAT(again, IsOk());
  EXPECT_EQ((*again)->record().bundle_version, 5U);
  EXPECT_THAT((*backtest)->Export(io::PosixEnv(), path, {.format_version = 4, .level = 3}),
              IsError(ErrorCode::kInvalidArgument));
  EXPECT_THAT((*backtest)->Export(io::PosixEnv(), path, {.format_version = {}, .level = 23}),
              IsError(ErrorCode::kInvalidArgument));
  EXPECT_FALSE(BundleBacktest::Of(2, "no document", "h").ok());
}

TEST(BundleBacktest, NoRuns) {
  TestStore engine;
  backtests::test::WriteTo(engine.File("x.iafbt"), backtests::test::SmallBundle("x", {}));
  auto backtest = BundleBacktest::Read(io::PosixEnv(), engine.File("x.iafbt"), "x");
  ASSERT_THAT(backtest, IsOk());
  EXPECT_TRUE((*backtest)->Runs()->empty());
  EXPECT_EQ((*(*backtest)->ReadRows(RunTable::kTrades))->num_rows(), 0);
  EXPECT_THAT((*backtest)->ReadSeries(Uuid{}, "equity_curve"), IsError(ErrorCode::kNotFound));
  EXPECT_THAT(BundleBacktest::Read(io::PosixEnv(), engine.File("absent"), "x"),
              IsError(ErrorCode::kNotFound));
}

}  // namespace
}  // namespace lamina::stores
