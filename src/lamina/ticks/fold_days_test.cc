#include "lamina/ticks/fold_days.h"

#include <arrow/table.h>
#include <gmock/gmock.h>

#include "lamina/catalog/row_digest.h"
#include "lamina/ticks/archive.h"
#include "lamina/ticks/ticks_test_support.h"

namespace lamina::ticks {
namespace {

using test::RandomTicks;
using test::TestCatalog;

constexpr std::int32_t kDay = 19'906;

void Archive(TestCatalog& store, TickBatch ticks) {
  TickBatches batches;
  batches[0] = std::move(ticks);
  ASSERT_THAT(ArchiveTicks(*store, std::move(batches), std::nullopt), IsOk());
}

std::shared_ptr<arrow::Table> AllRows(TestCatalog& store, std::int64_t snapshot) {
  std::optional<catalog::LakeTable> table;
  EXPECT_THAT(store->Read([&](catalog::Database& database) -> Status {
    catalog::LakeReader reader(database);
    LAMINA_ASSIGN(table, FindTickTable(reader, TickKind::kTrades, snapshot));
    return Ok();
  }),
              IsOk());
  auto rows = store->ReadTable(*table, snapshot);
  EXPECT_THAT(rows, IsOk());
  return *rows;
}

TEST(FoldDays, RowsInAreRowsOutInFewFiles) {
  TestCatalog store;
  for (int i = 0; i < 6; ++i)
    Archive(store,
            RandomTicks(TickKind::kTrades, 700, static_cast<std::uint64_t>(i), 5, 2, i * 700));
  const std::int64_t before = *store->LatestSnapshot();
  const auto expected = catalog::DigestRows(*AllRows(store, before));
  FoldOptions options{.open_day = kDay + 1, .file_rows = 800, .workers = 3};
  auto report = FoldTickDays(*store, options);
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->days, 1);  // the second day is open
  EXPECT_EQ(report->files_before, 6);
  EXPECT_LE(report->files_after, 6);
  const std::int64_t after = *store->LatestSnapshot();
  EXPECT_EQ(*catalog::DigestRows(*AllRows(store, after)), *expected);
  EXPECT_EQ(*catalog::DigestRows(*AllRows(store, before)), *expected);
  // tick_archives follows: what lives counts every tick once, in files that live.
  EXPECT_EQ(store.Ask("SELECT sum(tick_count) FROM tick_archives WHERE end_snapshot IS NULL"),
            "4200");
  EXPECT_EQ(store.Ask("SELECT count(*) FROM tick_archives a JOIN ducklake_data_file f USING "
                      "(data_file_id) WHERE a.end_snapshot IS NOT f.end_snapshot"),
            "0");
  // Folded files do not overlap, so a second run has nothing to do.
  report = FoldTickDays(*store, options);
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->days, 0);
  EXPECT_EQ(*store->LatestSnapshot(), after);
  // A late file is folded in.
  Archive(store, RandomTicks(TickKind::kTrades, 10, 77, 5, 1, 9000));
  report = FoldTickDays(*store, options);
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->days, 1);
  EXPECT_EQ(AllRows(store, *store->LatestSnapshot())->num_rows(), 4210);
}

TEST(FoldDays, AnOpenDayIsFoldedWhenManyFilesHaveGathered) {
  TestCatalog store;
  for (int i = 0; i < 4; ++i)
    Archive(store, RandomTicks(TickKind::kTrades, 50, static_cast<std::uint64_t>(i)));
  auto report = FoldTickDays(*store, {.open_day = kDay, .min_files = 5});
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->days, 0);
  report = FoldTickDays(*store, {.open_day = kDay, .min_files = 4});
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->files_after, 1);
}

TEST(FoldDays, StopsWhenAskedTo) {
  TestCatalog store;
  for (int i = 0; i < 2; ++i)
    Archive(store, RandomTicks(TickKind::kTrades, 50, static_cast<std::uint64_t>(i)));
  const std::int64_t before = *store->LatestSnapshot();
  CancelToken cancel;
  cancel.Cancel();
  EXPECT_THAT(FoldTickDays(*store, {.open_day = kDay + 1, .cancel = &cancel}),
              IsError(ErrorCode::kCancelled));
  EXPECT_EQ(*store->LatestSnapshot(), before);
}

}  // namespace
}  // namespace lamina::ticks
