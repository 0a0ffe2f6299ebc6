#include "lamina/backtests/backtest_store.h"

#include <arrow/api.h>
#include <gmock/gmock.h>

#include "lamina/backtests/store_test_support.h"

namespace lamina::backtests {
namespace {

using test::SmallBundle;
using test::SmallDocument;
using test::TestStore;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(CheckHandle, RelativePathsOnly) {
  for (const char* good : {"a", "a/b c/d.e", "..a", "a..", "ä/ö", "a\\b"}) {
    EXPECT_THAT(CheckHandle(good), IsOk()) << good;
  }
  const std::string bad[] = {"",
                             "/a",
                             "a/",
                             "a//b",
                             ".",
                             "..",
                             "a/../b",
                             "a/./b",
                             "a\nb",
                             "a\x7f",
                             "\xff",
                             std::string("a\0b", 3),
                             std::string(1025, 'a')};
  for (const std::string& handle : bad) {
    EXPECT_THAT(CheckHandle(handle), IsError(ErrorCode::kInvalidArgument)) << handle;
  }
}

TEST(BacktestStore, FindsByHandleAndSnapshot) {
  TestStore store;
  ASSERT_THAT(PutBundle(*store, "sweep/run_1", SmallBundle("t", {{"w1"}, {"w2", 4, 7}})), IsOk());
  const auto found = store->Find("sweep/run_1");
  ASSERT_THAT(found, IsOk());
  EXPECT_EQ(found->bundle_version, 2U);
  EXPECT_EQ(found->tag, "t");
  EXPECT_EQ(found->algorithm_id, "small");
  EXPECT_FALSE(found->end_snapshot);
  EXPECT_EQ(*store->Count(), 1);
  EXPECT_TRUE(*store->Exists("sweep/run_1"));
  EXPECT_FALSE(*store->Exists("sweep/run_2"));
  const auto missing = store->Find("sweep/run_2");
  ASSERT_THAT(missing, IsError(ErrorCode::kNotFound));
  EXPECT_THAT(std::string(missing.error().message()), HasSubstr("near: sweep/run_1"));
  const auto before = store->Find("sweep/run_1", found->begin_snapshot - 1);
  ASSERT_THAT(before, IsError(ErrorCode::kNotFound));
  EXPECT_THAT(std::string(before.error().message()), HasSubstr("at snapshot"));
  EXPECT_THAT(*store->Handles(), ElementsAre("sweep/run_1"));
  EXPECT_TRUE(store->Handles(found->begin_snapshot - 1)->empty());
}

TEST(BacktestStore, ReadsRowsOfItsRunsOnly) {
  TestStore store;
  ASSERT_THAT(PutBundle(*store, "a", SmallBundle("a", {{"w1", 3, 10}, {"w2", 4, 20}})), IsOk());
  ASSERT_THAT(PutBundle(*store, "b", SmallBundle("b", {{"w3", 5, 30}})), IsOk());
  const auto a = store->Find("a");
  ASSERT_THAT(a, IsOk());
  const auto runs = store->Runs(*a);
  ASSERT_THAT(runs, IsOk());
  ASSERT_EQ(runs->size(), 2U);
  EXPECT_EQ((*runs)[0].snapshots, 3);
  EXPECT_EQ((*runs)[1].snapshots, 4);
  const auto rows = [&](const std::vector<Uuid>& ids) {
    auto table = store->ReadRows(*a, RunTable::kSnapshots, ids);
    EXPECT_THAT(table, IsOk());
    return (*table)->num_rows();
  };
  EXPECT_EQ(rows({}), 7);
  EXPECT_EQ(rows({(*runs)[1].run_id}), 4);
  EXPECT_EQ(rows({(*runs)[1].run_id, (*runs)[1].run_id}), 4);
  EXPECT_EQ((*store->ReadRows(*a, RunTable::kTrades))->num_rows(), 0);
  EXPECT_EQ((*store->ReadRows(*a, RunTable::kRuns))->num_rows(), 2);
  // A deleted backtest's rows are still there for whoever holds its record.
  ASSERT_THAT(store->Delete({"a"}), IsOk());
  const auto deleted = store->Find("a", a->begin_snapshot);
  ASSERT_THAT(deleted, IsOk());
  EXPECT_EQ(*store->ReadDocument(*deleted), SmallDocument("a", {{"w1", 3, 10}, {"w2", 4, 20}}));
}

TEST(BacktestStore, DocumentsWithoutRuns) {
  TestStore store;
  ASSERT_THAT(PutBundle(*store, "empty", SmallBundle("e", {})), IsOk());
  EXPECT_EQ(store.DocumentOf("empty"), SmallDocument("e", {}));
  const auto record = store->Find("empty");
  ASSERT_THAT(record, IsOk());
  EXPECT_EQ((*store->ReadRows(*record, RunTable::kSnapshots))->num_rows(), 0);
}

TEST(BacktestStore, ADocumentThatChangedIsNotGivenOut) {
  TestStore store;
  ASSERT_THAT(PutBundle(*store, "a", SmallBundle("a", {{}})), IsOk());
  store.Falsify("UPDATE backtest SET document_sha256 = zeroblob(32)");
  const auto record = store->Find("a");
  ASSERT_THAT(record, IsOk());
  EXPECT_THAT(store->ReadDocument(*record), IsError(ErrorCode::kCorruption));
  EXPECT_THAT(store->Export("a", store.File("a.iafbt")), IsError(ErrorCode::kCorruption));
  EXPECT_FALSE(io::PosixEnv().Exists(store.File("a.iafbt")));
}

}  // namespace
}  // namespace lamina::backtests
