#include "lamina/ticks/retention.h"

#include <gmock/gmock.h>

#include "lamina/tick_log/tick_writer.h"
#include "lamina/ticks/archive.h"
#include "lamina/ticks/ticks_test_support.h"

namespace lamina::ticks {
namespace {

using test::OneKind;
using test::RandomTicks;
using test::TestCatalog;

TEST(Retention, NothingLeavesTheLogBeforeItIsArchivedLongEnough) {
  TestCatalog store;
  tick_log::LogReader logs(io::PosixEnv(), store->root(), store->store_id());
  tick_log::LogOptions options;
  options.background = false;
  auto writer =
      *tick_log::TickWriter::Open(io::PosixEnv(), store->root(), store->store_id(), 1, options);
  for (int i = 0; i < 3; ++i) {
    ASSERT_THAT(writer->Append(OneKind(RandomTicks(TickKind::kTrades, 100, 1))), IsOk());
    ASSERT_THAT(writer->Seal(), IsOk());
  }
  ASSERT_THAT(writer->Append(OneKind(RandomTicks(TickKind::kTrades, 10, 1))), IsOk());
  const TickConfig config;
  auto report = ApplyLogRetention(*store, logs, config, false);
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->segments, 0);
  EXPECT_EQ(report->waiting_segments, 3);
  ASSERT_THAT(ArchiveLogs(*store, logs, {.commit_ticks = 100}), IsOk());
  EXPECT_EQ(ApplyLogRetention(*store, logs, config, false)->segments, 0);
  // The first two were archived 25 hours ago.
  ASSERT_THAT(store->Transact([](catalog::Database& database) {
    return database.Execute(
        "UPDATE tick_archiving SET archived_at = archived_at - 25 * 3600 * "
        "1000000 WHERE end_seq <= 200");
  }),
              IsOk());
  report = ApplyLogRetention(*store, logs, config, true);
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->segments, 2);
  EXPECT_EQ(logs.Logs()->front().segments.front().first_seq, 0);
  report = ApplyLogRetention(*store, logs, config, false);
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->segments, 2);
  EXPECT_EQ(report->waiting_segments, 1);
  EXPECT_EQ(logs.Logs()->front().segments.front().first_seq, 200);
  EXPECT_EQ(ApplyLogRetention(*store, logs, config, false)->segments, 0);
}

TEST(Retention, OldDaysLeaveTheArchiveButNotOldSnapshots) {
  TestCatalog store;
  tick_log::LogReader logs(io::PosixEnv(), store->root(), store->store_id());
  ASSERT_THAT(ArchiveTicks(*store, OneKind(RandomTicks(TickKind::kTrades, 100, 1, 3, 2)), {}),
              IsOk());
  const std::int64_t before = *store->LatestSnapshot();
  TickConfig config;
  config.archive_retention_days = 0;  // for ever
  EXPECT_EQ(ApplyTickRetention(*store, logs, config, false)->files, 0);
  // All but the last of the two days is too old.
  config.archive_retention_days = TickDay(io::PosixEnv().Now().value) - TickDay(test::kStart) - 1;
  auto report = ApplyTickRetention(*store, logs, config, true);
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->files, 1);
  EXPECT_EQ(*store->LatestSnapshot(), before);
  report = ApplyTickRetention(*store, logs, config, false);
  ASSERT_THAT(report, IsOk());
  EXPECT_GT(report->snapshot, before);
  EXPECT_EQ(store.Ask("SELECT group_concat(DISTINCT date) FROM data_statistics"), "2024-07-03");
  EXPECT_EQ(store.Ask("SELECT sum(total_ticks) FROM data_statistics"),
            store.Ask("SELECT sum(tick_count) FROM tick_archives WHERE end_snapshot IS NULL"));
  const auto rows = [&](std::int64_t snapshot) {
    std::int64_t count = 0;
    EXPECT_THAT(store->Read([&](catalog::Database& database) -> Status {
      catalog::LakeReader reader(database);
      LAMINA_ASSIGN(const auto table, FindTickTable(reader, TickKind::kTrades, snapshot));
      LAMINA_ASSIGN(const auto files, reader.Plan(*table, snapshot));
      for (const auto& file : files) count += file.rows;
      return Ok();
    }),
                IsOk());
    return count;
  };
  EXPECT_EQ(rows(before), 100);
  EXPECT_EQ(rows(report->snapshot), 100 - report->ticks);
}

}  // namespace
}  // namespace lamina::ticks
