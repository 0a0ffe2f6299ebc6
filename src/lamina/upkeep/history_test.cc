#include "lamina/upkeep/history.h"

#include "lamina/upkeep/collection.h"
#include "lamina/upkeep/upkeep_test_support.h"

namespace lamina::upkeep {
namespace {

using test::UnitStore;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr ExpireOptions kEverything{.older_than = Micros{0}};

TEST(Expire, TheLatestAndPinnedOnesStay) {
  UnitStore store;
  const std::int64_t first = store.Put(1);
  const std::int64_t second = store.Put(2);
  store.Drop(1);
  const std::int64_t last = store.Put(3);
  ASSERT_THAT(catalog::PinSnapshot(store.catalog(), "mine", second), IsOk());
  const auto report = ExpireSnapshots(store.catalog(), kEverything);
  ASSERT_THAT(report, IsOk());
  EXPECT_THAT(store.Snapshots(), ElementsAre(second, last));
  ASSERT_EQ(report->pins.size(), 1U);
  EXPECT_EQ(report->pins[0].name, "mine");
  EXPECT_EQ(report->kept, 2);
  EXPECT_GT(report->kept_pinned, 0);
  EXPECT_THAT(store.Units(second), ElementsAre(1, 2));
  EXPECT_THAT(store.Units(last), ElementsAre(2, 3));
  EXPECT_THAT(store.catalog().ReadTable(store.table(), first),
              IsError(ErrorCode::kNotFound, HasSubstr("expired")));
  store.ExpectWhole();
}

TEST(Expire, NothingYoungGoes) {
  UnitStore store;
  store.Put(1);
  store.Drop(1);
  const auto before = store.Snapshots();
  const auto report = ExpireSnapshots(store.catalog(), {.older_than = Micros{3'600'000'000}});
  ASSERT_THAT(report, IsOk());
  EXPECT_THAT(report->expired, IsEmpty());
  EXPECT_EQ(store.Snapshots(), before);
}

TEST(Expire, ADryRunSaysTheSameAndChangesNothing) {
  UnitStore store;
  store.Put(1);
  store.Drop(1);
  store.Put(2);
  const auto before = store.Snapshots();
  ExpireOptions options = kEverything;
  options.dry_run = true;
  const auto dry = ExpireSnapshots(store.catalog(), options);
  ASSERT_THAT(dry, IsOk());
  EXPECT_TRUE(dry->dry_run);
  EXPECT_EQ(store.Snapshots(), before);
  const auto wet = ExpireSnapshots(store.catalog(), kEverything);
  ASSERT_THAT(wet, IsOk());
  EXPECT_EQ(dry->expired.size(), wet->expired.size());
  EXPECT_EQ(dry->condemned_files, wet->condemned_files);
  EXPECT_EQ(dry->condemned_chunks, wet->condemned_chunks);
  EXPECT_EQ(dry->removed_rows, wet->removed_rows);
  EXPECT_GT(wet->condemned_files, 0);
  EXPECT_GT(wet->condemned_chunks, 0);
  const auto again = ExpireSnapshots(store.catalog(), kEverything);
  ASSERT_THAT(again, IsOk());
  EXPECT_EQ(again->condemned_files + again->condemned_chunks + again->removed_rows, 0);
}

TEST(Expire, ATimeBetweenForgottenSnapshotsIsNotAnswered) {
  UnitStore store;
  store.Put(1);
  const std::int64_t pinned = store.Put(2);
  store.Put(3);
  const auto snapshots = *(*store).Snapshots();
  ASSERT_THAT(catalog::PinSnapshot(store.catalog(), "mine", pinned), IsOk());
  ASSERT_THAT(ExpireSnapshots(store.catalog(), kEverything), IsOk());
  store.Put(4);
  ASSERT_THAT(ExpireSnapshots(store.catalog(), kEverything), IsOk());
  const auto at = [&](std::size_t back) {
    return catalog::ResolveSnapshot(store.catalog(),
                                    FormatTime(snapshots[snapshots.size() - back].time));
  };
  EXPECT_THAT(at(1), IsError(ErrorCode::kNotFound, HasSubstr("expired")));
  EXPECT_THAT(catalog::ResolveSnapshot(store.catalog(), "2999-01-01"), IsOk());
  EXPECT_EQ(*catalog::ResolveSnapshot(store.catalog(), "mine"), pinned);
}

// A clock that was ahead and was set back: everything is younger than it was, never older.
TEST(Expire, AClockSetBackForgetsAndCollectsNothingEarly) {
  UnitStore store;
  store.Put(1);
  store.Put(2);
  ASSERT_THAT(store.catalog().Transact([](catalog::Database& database) {
    return database.Execute(
        "UPDATE ducklake_snapshot SET snapshot_time = '2999-01-01 00:00:00+00'");
  }),
              IsOk());
  store.Put(3);
  store.Drop(1);
  const auto snapshots = *(*store).Snapshots();
  for (std::size_t i = 1; i < snapshots.size(); ++i)
    EXPECT_GE(snapshots[i].time.value, snapshots[i - 1].time.value);
  const std::int64_t before = store.FilesBelow("lake");
  ASSERT_THAT(store.catalog().Compact({}), IsOk());
  const std::int64_t after = store.FilesBelow("lake");
  EXPECT_GE(after, before);
  const auto report = ExpireSnapshots(store.catalog(), kEverything);
  ASSERT_THAT(report, IsOk());
  EXPECT_TRUE(report->expired.empty());
  CollectOptions options;
  options.keep_snapshots = options.grace = options.price_grace = Micros{0};
  const auto collected = CollectGarbage(*store, options);
  ASSERT_THAT(collected, IsOk());
  EXPECT_EQ(collected->removed_files + collected->removed_chunks, 0);
  EXPECT_EQ(store.FilesBelow("lake"), after);
  EXPECT_THAT(store.Units(), ElementsAre(2, 3));
  EXPECT_THAT(store.Units(snapshots[snapshots.size() - 2].snapshot_id), ElementsAre(1, 2, 3));
}

TEST(Expire, ChunksThatAKeptSnapshotNamesStay) {
  UnitStore store;
  store.Put(1);
  const std::int64_t held = *store.catalog().LatestSnapshot();
  store.Drop(1);
  const auto lease = catalog::Lease::Take(store.catalog(), held);
  ASSERT_THAT(lease, IsOk());
  const auto report = ExpireSnapshots(store.catalog(), kEverything);
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->condemned_chunks, 0);
  EXPECT_THAT(store.Units(held), ElementsAre(1));
}

}  // namespace
}  // namespace lamina::upkeep
