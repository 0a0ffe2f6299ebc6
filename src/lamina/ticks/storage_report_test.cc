#include "lamina/ticks/storage_report.h"

#include <gmock/gmock.h>

#include "lamina/ticks/tick_store.h"
#include "lamina/ticks/ticks_test_support.h"

namespace lamina::ticks {
namespace {

using test::OneKind;
using test::RandomTicks;
using test::TestCatalog;

TEST(StorageReport, TellsWhatWaitsAndWhatTheArchiveTakes) {
  TestCatalog root;
  TickStore store(*root, TickConfig{});
  EXPECT_EQ(store.Storage()->logs, 0);
  EXPECT_EQ(store.Storage()->compression_ratio(), std::nullopt);
  RecorderOptions options = store.DefaultRecorder();
  options.log.background = false;
  options.archive_in_background = false;
  auto recorder = store.OpenRecorder(options);
  ASSERT_THAT(recorder, IsOk());
  ASSERT_THAT((*recorder)->writer().Append(OneKind(RandomTicks(TickKind::kTrades, 2000, 1, 3))),
              IsOk());
  auto waiting = store.Storage();
  ASSERT_THAT(waiting, IsOk());
  EXPECT_EQ(waiting->open_logs, 1);
  EXPECT_EQ(waiting->logs, 1);
  EXPECT_EQ(waiting->log_segments, 1);
  EXPECT_GT(waiting->log_bytes, 2000);
  EXPECT_EQ(waiting->waiting_ticks, 2000);
  EXPECT_EQ(waiting->archive_files, 0);
  ASSERT_THAT(store.ArchiveAll(true), IsOk());
  ASSERT_THAT((*recorder)->writer().Append(OneKind(RandomTicks(TickKind::kTrades, 10, 2, 3))),
              IsOk());
  auto done = store.Storage();
  ASSERT_THAT(done, IsOk());
  EXPECT_EQ(done->waiting_ticks, 10);
  EXPECT_EQ(done->archive_ticks, 2000);
  EXPECT_EQ(done->archive_files, 1);
  EXPECT_EQ(done->contracts, 3);
  EXPECT_TRUE(done->archived_at.has_value());
  // Of the three rows of the one file its bytes count once.
  EXPECT_EQ(std::to_string(done->archive_bytes),
            root.Ask("SELECT file_size_bytes FROM ducklake_data_file WHERE record_count = 2000"));
  EXPECT_GT(*done->compression_ratio(), 3);
  EXPECT_LT(*done->bytes_per_tick(), 60);
}

}  // namespace
}  // namespace lamina::ticks
