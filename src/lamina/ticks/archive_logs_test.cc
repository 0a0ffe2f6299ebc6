#include <fstream>
#include <set>

#include <arrow/table.h>
#include <gmock/gmock.h>

#include "lamina/io/faulty_env.h"
#include "lamina/tick_log/tick_writer.h"
#include "lamina/ticks/archive.h"
#include "lamina/ticks/ticks_test_support.h"

namespace lamina::ticks {
namespace {

using test::OneKind;
using test::RandomTicks;
using test::TestCatalog;

std::unique_ptr<tick_log::TickWriter> OpenWriter(TestCatalog& store, std::int64_t writer) {
  tick_log::LogOptions options;
  options.durability = tick_log::Durability::kOs;
  options.background = false;
  auto opened =
      tick_log::TickWriter::Open(io::PosixEnv(), store->root(), store->store_id(), writer, options);
  EXPECT_THAT(opened, IsOk());
  return *std::move(opened);
}

// (writer, seq) of all archived trades.
std::multiset<std::pair<std::int64_t, std::int64_t>> Archived(TestCatalog& store) {
  std::multiset<std::pair<std::int64_t, std::int64_t>> ids;
  const std::int64_t snapshot = *store->LatestSnapshot();
  std::optional<catalog::LakeTable> table;
  EXPECT_THAT(store->Read([&](catalog::Database& database) -> Status {
    catalog::LakeReader reader(database);
    LAMINA_ASSIGN(table, FindTickTable(reader, TickKind::kTrades, snapshot));
    return Ok();
  }),
              IsOk());
  if (!table) return ids;
  const TickBatch ticks = *FromArrow(TickKind::kTrades, **store->ReadTable(*table, snapshot));
  for (std::size_t i = 0; i < ticks.size(); ++i) ids.emplace(ticks.writer[i], ticks.seq[i]);
  return ids;
}

TEST(ArchiveLogs, EverySealedTickOnceInBoundedCommits) {
  TestCatalog store;
  tick_log::LogReader logs(io::PosixEnv(), store->root(), store->store_id());
  auto first = OpenWriter(store, 1), second = OpenWriter(store, 2);
  for (int i = 0; i < 5; ++i) {
    ASSERT_THAT(first->Append(OneKind(RandomTicks(TickKind::kTrades, 100, 1))), IsOk());
    ASSERT_THAT(second->Append(OneKind(RandomTicks(TickKind::kTrades, 50, 2))), IsOk());
  }
  // Nothing is sealed.
  auto report = ArchiveLogs(*store, logs);
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->ticks, 0);
  ASSERT_THAT(first->Seal(), IsOk());
  report = ArchiveLogs(*store, logs, {.commit_ticks = 150});
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->ticks, 500);
  EXPECT_EQ(report->commits, 4);
  // What is durable in an open segment, when asked for; then more of the same segment.
  report = ArchiveLogs(*store, logs, {.open_segments = true});
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->ticks, 250);
  ASSERT_THAT(second->Append(OneKind(RandomTicks(TickKind::kTrades, 50, 3))), IsOk());
  ASSERT_THAT(second->Close(), IsOk());
  report = ArchiveLogs(*store, logs);
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->ticks, 50);
  EXPECT_EQ(ArchiveLogs(*store, logs)->commits, 0);
  const auto ids = Archived(store);
  EXPECT_EQ(ids.size(), 800u);
  EXPECT_EQ(std::set(ids.begin(), ids.end()).size(), 800u);
  EXPECT_EQ(store.Ask("SELECT group_concat(writer || ':' || watermark) FROM tick_log"),
            "1:500,2:300");
}

TEST(ArchiveLogs, ADamagedGroupIsSetAsideAndTheRestArchived) {
  TestCatalog store;
  tick_log::LogReader logs(io::PosixEnv(), store->root(), store->store_id());
  {
    auto writer = OpenWriter(store, 1);
    for (std::uint64_t i = 0; i < 5; ++i)
      ASSERT_THAT(writer->Append(OneKind(RandomTicks(TickKind::kTrades, 100, i))), IsOk());
    ASSERT_THAT(writer->Close(), IsOk());
  }
  const tick_log::SegmentInfo segment = logs.Logs()->front().segments.front();
  {
    std::fstream file(segment.path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(segment.bytes / 2);
    file.write("\x5a\xa5\x5a\xa5", 4);
  }
  tick_log::LogReader again(io::PosixEnv(), store->root(), store->store_id());
  auto report = ArchiveLogs(*store, again);
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->damaged_groups, 1);
  EXPECT_EQ(report->ticks, 400);
  EXPECT_EQ(Archived(store).size(), 400u);
  EXPECT_EQ(store.Ask("SELECT watermark || ' ' || damaged_groups FROM tick_log"), "500 1");
  const std::string copy = store->root() + "/quarantine/log-1-" + io::BaseName(segment.path);
  EXPECT_TRUE(io::PosixEnv().Exists(copy));
  EXPECT_TRUE(io::PosixEnv().Exists(copy + ".reason"));
  EXPECT_EQ(ArchiveLogs(*store, again)->commits, 0);
}

TEST(ArchiveLogs, ADeadWritersEndIsArchivedToo) {
  TestCatalog store;
  tick_log::LogReader logs(io::PosixEnv(), store->root(), store->store_id());
  {
    auto writer = OpenWriter(store, 7);
    ASSERT_THAT(writer->Append(OneKind(RandomTicks(TickKind::kTrades, 100, 1))), IsOk());
  }
  auto report = ArchiveLogs(*store, logs);
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->ticks, 100);
  CancelToken cancel;
  cancel.Cancel();
  EXPECT_THAT(ArchiveLogs(*store, logs, {.cancel = &cancel}), IsError(ErrorCode::kCancelled));
}

/// Shows a lock as free for so many looks: the holder came a moment later.
class LateHolderEnv final : public io::FaultyEnv {
 public:
  LateHolderEnv(std::string elsewhere, int looks)
      : FaultyEnv(io::PosixEnv()), elsewhere_(std::move(elsewhere)), looks_(looks) {}
  Result<std::unique_ptr<io::FileLock>> TryLock(const std::string& path) override {
    return FaultyEnv::TryLock(looks_-- > 0 ? elsewhere_ : path);
  }

 private:
  std::string elsewhere_;
  int looks_;
};

TEST(ArchiveLogs, PassesOverNoTickThatItDidNotRead) {
  TestCatalog store;
  const std::string folder = store->root() + "/log/1", page = folder + "/state";
  std::string published;
  {
    auto writer = OpenWriter(store, 1);
    ASSERT_THAT(writer->Append(OneKind(RandomTicks(TickKind::kTrades, 100, 1))), IsOk());
    published = *io::PosixEnv().ReadFile(page, 1 << 20);
    ASSERT_THAT(writer->Append(OneKind(RandomTicks(TickKind::kTrades, 100, 2))), IsOk());
  }
  // A page that does not tell of the second append, which the archiver listed just before.
  ASSERT_THAT(io::PosixEnv().WriteFileAtomically(page, published), IsOk());
  auto lock = io::PosixEnv().TryLock(folder + "/ready");
  ASSERT_THAT(lock, IsOk());
  LateHolderEnv env(store.File("elsewhere"), 2);
  tick_log::LogReader logs(env, store->root(), store->store_id());
  auto report = ArchiveLogs(*store, logs, {.open_segments = true});
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->ticks, 0);
  EXPECT_EQ(store.Ask("SELECT watermark FROM tick_log"), "0");
  lock->reset();
  tick_log::LogReader later(io::PosixEnv(), store->root(), store->store_id());
  report = ArchiveLogs(*store, later, {.open_segments = true});
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->ticks, 200);
  EXPECT_EQ(Archived(store).size(), 200u);
  EXPECT_EQ(store.Ask("SELECT watermark FROM tick_log"), "200");
}

}  // namespace
}  // namespace lamina::ticks
