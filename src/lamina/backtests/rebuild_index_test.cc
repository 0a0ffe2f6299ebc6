#include "lamina/backtests/rebuild_index.h"

#include "lamina/backtests/index_table.h"
#include "lamina/backtests/store_test_support.h"

namespace lamina::backtests {
namespace {

using test::SmallDocument;
using test::TestStore;

std::vector<StoredIndexRow> RowsOf(TestStore& store, const std::string& handle) {
  std::vector<StoredIndexRow> rows;
  EXPECT_THAT(store.catalog().Read([&](catalog::Database& database) -> Status {
    LAMINA_ASSIGN(rows, ReadIndexRows(database, handle));
    return Ok();
  }),
              IsOk());
  return rows;
}

TEST(RebuildIndex, RowsComeBackFromTheDocuments) {
  TestStore store;
  for (const std::string handle : {"a", "b", "c"}) {
    ASSERT_THAT(PutDocument(*store, handle, 2, SmallDocument(handle, {{"w"}})), IsOk());
  }
  ASSERT_THAT(store->Tag("a", {"mine"}, {}), IsOk());
  ASSERT_THAT(store->Note("a", "a note"), IsOk());
  ASSERT_THAT(store->Delete({"c"}), IsOk());
  const auto before = RowsOf(store, "a");
  store.Falsify("UPDATE backtest_index SET summary_sharpe_ratio = 99, tag = 'x'");
  store.Falsify("DELETE FROM backtest_index WHERE bundle_path = 'b'");
  EXPECT_EQ(*RebuildIndex(*store), 2);
  const auto after = RowsOf(store, "a");
  ASSERT_EQ(after.size(), before.size());
  for (std::size_t i = 0; i < after.size(); ++i) {
    EXPECT_TRUE(SameRow(after[i].row, before[i].row));
    EXPECT_EQ(after[i].place.tags, before[i].place.tags);
    EXPECT_EQ(after[i].place.note, before[i].place.note);
    EXPECT_EQ(after[i].place.imported_at, before[i].place.imported_at);
  }
  EXPECT_EQ(RowsOf(store, "b").at(0).row.tag, "b");
  EXPECT_EQ(store.Ask("SELECT count(*) FROM backtest_index WHERE end_snapshot IS NULL"), 2);
}

TEST(RebuildIndex, CanBeInterrupted) {
  TestStore store;
  ASSERT_THAT(PutDocument(*store, "a", 2, SmallDocument("a", {})), IsOk());
  CancelToken cancel;
  cancel.Cancel();
  EXPECT_THAT(RebuildIndex(*store, &cancel), IsError(ErrorCode::kCancelled));
  EXPECT_EQ(RowsOf(store, "a").size(), 1U);
}

}  // namespace
}  // namespace lamina::backtests
