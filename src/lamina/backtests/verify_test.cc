#include "lamina/backtests/verify.h"

#include <gmock/gmock.h>

#include "lamina/backtests/store_test_support.h"

namespace lamina::backtests {
namespace {

using test::SmallBundle;
using test::TestStore;
using ::testing::HasSubstr;

/// Backtests "a" (two runs, one of them also b's) and "b".
void Fill(TestStore& store) {
  ASSERT_THAT(PutBundle(*store, "a", SmallBundle("a", {{"w1", 3, 1000}, {"w2", 4, 2000}})), IsOk());
  ASSERT_THAT(PutBundle(*store, "b", SmallBundle("b", {{"w1", 3, 1000}, {"w3", 5, 3000}})), IsOk());
}

std::string Shown(const BacktestVerification& result) {
  std::string text;
  for (const auto& problem : result.problems) {
    text += problem.kind + " | " + problem.path + " | " + problem.detail + "\n";
  }
  return text;
}

TEST(VerifyBacktests, CleanStore) {
  TestStore store;
  Fill(store);
  for (const bool deep : {false, true}) {
    const auto result = VerifyBacktests(*store, deep);
    ASSERT_THAT(result, IsOk());
    EXPECT_EQ(Shown(*result), "");
    EXPECT_EQ(result->checked_backtests, 2);
    EXPECT_EQ(result->checked_runs, 3);
    EXPECT_EQ(result->checked_documents, deep ? 2 : 0);
  }
}

struct Corruption {
  const char* name;
  const char* damage;  ///< SQL
  const char* repair;  ///< SQL, so that one store serves all
  const char* kind;
  const char* path;
  const char* detail;  ///< a part of it
  bool deep = false;   ///< only seen then
};

TEST(VerifyBacktests, EveryCorruptionIsNamed) {
  const Corruption cases[] = {
      {"no index row", "UPDATE backtest_index SET end_snapshot = 99 WHERE bundle_path = 'a'",
       "UPDATE backtest_index SET end_snapshot = NULL WHERE bundle_path = 'a'", "index", "a",
       "no index row"},
      {"index row of nothing",
       "UPDATE backtest_index SET bundle_path = 'z' WHERE bundle_path = 'a'",
       "UPDATE backtest_index SET bundle_path = 'a' WHERE bundle_path = 'z'", "index", "z",
       "not live"},
      {"index row of another document",
       "UPDATE backtest_index SET document_sha256 = zeroblob(32) WHERE bundle_path = 'a'",
       "UPDATE backtest_index SET document_sha256 = (SELECT document_sha256 FROM backtest WHERE "
       "handle = 'a') WHERE bundle_path = 'a'",
       "index", "a", "another document"},
      {"skeleton without reference",
       "CREATE TABLE kept AS SELECT * FROM chunk_ref WHERE sha256 = (SELECT skeleton_sha256 FROM "
       "backtest WHERE handle = 'b'); DELETE FROM chunk_ref WHERE sha256 = (SELECT skeleton_sha256 "
       "FROM backtest WHERE handle = 'b')",
       "INSERT INTO chunk_ref SELECT * FROM kept; DROP TABLE kept", "missing-chunk", "b",
       "its skeleton"},
      {"ended reference of the skeleton",
       "UPDATE chunk_ref SET end_snapshot = 99 WHERE sha256 = (SELECT skeleton_sha256 FROM "
       "backtest "
       "WHERE handle = 'b')",
       "UPDATE chunk_ref SET end_snapshot = NULL", "missing-chunk", "b", "its skeleton"},
      {"other chunk without reference",
       "CREATE TABLE kept AS SELECT * FROM chunk_ref WHERE backtest_id = 1 AND sha256 <> (SELECT "
       "skeleton_sha256 FROM backtest WHERE handle = 'a'); DELETE FROM chunk_ref WHERE backtest_id "
       "= "
       "1 AND sha256 <> (SELECT skeleton_sha256 FROM backtest WHERE handle = 'a')",
       "INSERT INTO chunk_ref SELECT * FROM kept; DROP TABLE kept", "missing-chunk", "a",
       "is not in its references"},
      {"chunk without row",
       "UPDATE chunk SET end_snapshot = 99 WHERE sha256 = (SELECT "
       "skeleton_sha256 FROM backtest WHERE handle = 'a')",
       "UPDATE chunk SET end_snapshot = NULL", "missing-chunk", "a", "has no row"},
      {"run count", "UPDATE run SET snapshots = 30 WHERE snapshots = 4",
       "UPDATE run SET snapshots = 4 WHERE snapshots = 30", "row-count", "a",
       "should have 30 rows in backtests.portfolio_snapshots, it has 4"},
      {"run counts whose sum is right",
       "UPDATE run SET snapshots = snapshots + iif(snapshots = 4, 1, -1) WHERE snapshots IN (4, 5)",
       "UPDATE run SET snapshots = iif(snapshots = 4 AND run_id = (SELECT max(run_id) FROM run), "
       "5, "
       "4) WHERE snapshots IN (4, 5)",
       "row-count", "a", "should have 5 rows in backtests.portfolio_snapshots, it has 4", true},
      {"run without lake rows",
       "UPDATE ducklake_data_file SET end_snapshot = begin_snapshot WHERE table_id = (SELECT "
       "table_id FROM ducklake_table WHERE table_name = 'runs') AND record_count = 1",
       "UPDATE ducklake_data_file SET end_snapshot = NULL", "row-count", "b",
       "should have 1 rows in backtests.runs, it has 0"},
      {"lake rows without run", "UPDATE run SET end_snapshot = 99 WHERE snapshots = 5",
       "UPDATE run SET end_snapshot = NULL", "row-count", "backtests.portfolio_snapshots",
       "which the catalog does not know as live"},
      {"backtest without its run", "UPDATE run SET end_snapshot = 99 WHERE snapshots = 5",
       "UPDATE run SET end_snapshot = NULL", "missing-run", "b", "the run of slot 1 is not live"},
      {"hole between the runs",
       "UPDATE backtest_run SET slot = 7 WHERE backtest_id = 2 AND slot = 1",
       "UPDATE backtest_run SET slot = 1 WHERE slot = 7", "missing-run", "b",
       "has 2 runs, but one in slot 7"},
      {"run of no backtest",
       "UPDATE backtest_run SET end_snapshot = 99 WHERE backtest_id = 2 AND slot = 1",
       "UPDATE backtest_run SET end_snapshot = NULL", "unused-run", "", "no live backtest"},
      {"references of no backtest", "UPDATE backtest SET end_snapshot = 99 WHERE handle = 'b'",
       "UPDATE backtest SET end_snapshot = NULL", "missing-backtest", "backtest 2",
       "the backtest is not"},
  };
  TestStore store;
  Fill(store);
  for (const Corruption& c : cases) {
    SCOPED_TRACE(c.name);
    store.Falsify(c.damage);
    for (const bool deep : {false, true}) {
      const auto result = VerifyBacktests(*store, deep);
      ASSERT_THAT(result, IsOk());
      bool named = false;
      for (const auto& problem : result->problems) {
        named = named || (problem.kind == c.kind && (*c.path == '\0' || problem.path == c.path) &&
                          problem.detail.find(c.detail) != std::string::npos);
      }
      EXPECT_EQ(named, deep || !c.deep) << (deep ? "deep:\n" : "plain:\n") << Shown(*result);
    }
    store.Falsify(c.repair);
    const auto clean = VerifyBacktests(*store, true);
    ASSERT_THAT(clean, IsOk());
    ASSERT_EQ(Shown(*clean), "") << "the repair of the test itself";
  }
}

TEST(VerifyBacktests, DocumentsThatDoNotComeBack) {
  TestStore store;
  Fill(store);
  store.Falsify("UPDATE backtest SET document_sha256 = zeroblob(32) WHERE handle = 'a'");
  store.Falsify("UPDATE backtest_index SET document_sha256 = zeroblob(32) WHERE bundle_path = 'a'");
  const auto plain = VerifyBacktests(*store, false);
  ASSERT_THAT(plain, IsOk());
  EXPECT_EQ(Shown(*plain), "");
  const auto deep = VerifyBacktests(*store, true);
  ASSERT_THAT(deep, IsOk());
  ASSERT_EQ(deep->problems.size(), 1U) << Shown(*deep);
  EXPECT_EQ(deep->problems[0].kind, "document");
  EXPECT_EQ(deep->problems[0].path, "a");
}

TEST(VerifyBacktests, StopsWhenAsked) {
  TestStore store;
  Fill(store);
  CancelToken cancel;
  cancel.Cancel();
  EXPECT_THAT(VerifyBacktests(*store, false, &cancel), IsError(ErrorCode::kCancelled));
}

}  // namespace
}  // namespace lamina::backtests
