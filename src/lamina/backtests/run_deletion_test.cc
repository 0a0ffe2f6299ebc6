#include "lamina/backtests/run_deletion.h"

#include <gmock/gmock.h>

#include "lamina/backtests/store_test_support.h"

namespace lamina::backtests {
namespace {

using test::SmallRun;
using ::testing::HasSubstr;

/// Two backtests that share a run of three rows; each has one more of its own: five and seven rows.
class RunDeletionTest : public testing::Test {
 protected:
  void SetUp() override {
    const SmallRun shared{.window = "both", .value = 10};
    Put("a", {shared, {.window = "of a", .snapshots = 5, .value = 20}});
    Put("b", {shared, {.window = "of b", .snapshots = 7, .value = 30}});
    ASSERT_EQ(Rows(), 3 + 5 + 7);
  }
  void Put(const std::string& handle, const std::vector<SmallRun>& runs) {
    const std::string path = store_.File(handle + ".iafbt");
    test::WriteTo(path, test::SmallBundle(handle, runs));
    const auto sources = FindBundles(io::PosixEnv(), {path});
    ASSERT_THAT(sources, IsOk());
    ASSERT_THAT(ImportBundles(*store_, *sources), IsOk());
  }
  std::int64_t IdOf(const std::string& handle) { return store_->Find(handle)->backtest_id; }
  std::int64_t Rows() { return store_->Scan(RunTable::kSnapshots).operator*()->num_rows(); }
  Status Run(RunDeletion deletion) {
    LAMINA_ASSIGN(const auto commit, store_.catalog().BeginCommit("delete"));
    LAMINA_TRY(deletion.Stage(*commit));
    LAMINA_TRY(commit->Finish([&](catalog::Database& database, catalog::LakeWriter& lake) {
      return deletion.Apply(database, lake.snapshot_id());
    }));
    return Ok();
  }

  test::TestStore store_;
};

TEST_F(RunDeletionTest, WhatAnotherBacktestSharesStays) {
  const std::string document = store_.DocumentOf("b");
  ASSERT_THAT(Run(*RunDeletion::Plan(store_.catalog(), {IdOf("a")})), IsOk());
  EXPECT_EQ(Rows(), 3 + 7);
  EXPECT_THAT(store_->Find("a"), IsError(ErrorCode::kNotFound));
  EXPECT_EQ(store_.DocumentOf("b"), document);
  ASSERT_THAT(Run(*RunDeletion::Plan(store_.catalog(), {IdOf("b")})), IsOk());
  EXPECT_EQ(Rows(), 0);
}

TEST_F(RunDeletionTest, BothAtOnceTakeWhatTheyShare) {
  const std::int64_t before = *store_.catalog().LatestSnapshot();
  ASSERT_THAT(Run(*RunDeletion::Plan(store_.catalog(), {IdOf("a"), IdOf("b")})), IsOk());
  EXPECT_EQ(Rows(), 0);
  EXPECT_EQ(store_->Handles(before)->size(), 2U);  // an older snapshot has them all
  EXPECT_EQ(store_.Ask("SELECT count(*) FROM run WHERE end_snapshot IS NULL"), 0);
}

TEST_F(RunDeletionTest, RunsToBeKeptStay) {
  std::vector<Uuid> kept;
  const auto runs = store_->Runs(*store_->Find("a"));
  ASSERT_THAT(runs, IsOk());
  for (const RunRecord& run : *runs) {
    if (run.snapshots == 5) kept.push_back(run.run_id);
  }
  ASSERT_EQ(kept.size(), 1U);
  ASSERT_THAT(Run(*RunDeletion::Plan(store_.catalog(), {IdOf("a")}, kept)), IsOk());
  EXPECT_EQ(Rows(), 3 + 5 + 7);
  ASSERT_THAT(Run(*RunDeletion::Plan(store_.catalog(), {})), IsOk());
  EXPECT_EQ(Rows(), 3 + 5 + 7);
}

TEST_F(RunDeletionTest, AChangeOfWhoSharesThemIsAConflict) {
  auto planned = RunDeletion::Plan(store_.catalog(), {IdOf("a")});
  ASSERT_THAT(planned, IsOk());
  ASSERT_THAT(store_->Delete({"b"}), IsOk());  // now the shared run is of `a` alone
  const std::int64_t before = *store_.catalog().LatestSnapshot();
  EXPECT_THAT(Run(*std::move(planned)),
              IsError(ErrorCode::kConflict, HasSubstr("share these runs")));
  EXPECT_EQ(*store_.catalog().LatestSnapshot(), before);
  EXPECT_EQ(Rows(), 3 + 5);
  EXPECT_THAT(store_->Find("a"), IsOk());
}

}  // namespace
}  // namespace lamina::backtests
