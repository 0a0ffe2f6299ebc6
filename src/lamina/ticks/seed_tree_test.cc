#include "lamina/ticks/seed_tree.h"

#include <filesystem>
#include <map>

#include <arrow/table.h>
#include <gmock/gmock.h>

#include "lamina/table/parquet_file.h"
#include "lamina/ticks/archive.h"
#include "lamina/ticks/ticks_test_support.h"

namespace lamina::ticks {
namespace {

using test::OneKind;
using test::RandomTicks;
using test::TestCatalog;

TEST(SeedTree, EveryTickInTheFileOfItsHour) {
  TestCatalog store;
  const TickBatch all = RandomTicks(TickKind::kTrades, 300, 3, 2, 2);
  ASSERT_THAT(ArchiveTicks(*store, OneKind(all), {}), IsOk());
  ASSERT_THAT(ArchiveTicks(*store, OneKind(RandomTicks(TickKind::kQuotes, 100, 3, 2, 2)), {}),
              IsOk());
  const std::int64_t before = *store->LatestSnapshot();
  ASSERT_THAT(ArchiveTicks(*store, OneKind(RandomTicks(TickKind::kTrades, 50, 4)), {}), IsOk());
  auto report =
      WriteSeedTree(*store, store.File("tree"), {.snapshot = before, .partition_hours = 6});
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->contracts, 2);
  EXPECT_EQ(report->days, 4);
  EXPECT_EQ(report->ticks, 400);
  std::int64_t ticks = 0, files = 0, notes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(store.File("tree"))) {
    if (entry.is_directory()) continue;
    const std::string name = entry.path().filename();
    const std::string text = entry.path();
    if (name == "metadata.json") {
      ++notes;
      continue;
    }
    ++files;
    auto rows = table::ReadParquet(io::PosixEnv(), text);
    ASSERT_THAT(rows, IsOk()) << text;
    const auto kind = name.starts_with("bid_ask") ? TickKind::kQuotes : TickKind::kTrades;
    const TickBatch part = *FromArrow(kind, **rows);
    ticks += static_cast<std::int64_t>(part.size());
    const std::int64_t hour = std::stoll(name.substr(name.size() - 10, 2));
    for (std::size_t i = 0; i < part.size(); ++i) {
      EXPECT_NE(text.find("/contracts/" + std::to_string(part.contract_id[i]) + "/2024/07/0"),
                std::string::npos);
      EXPECT_TRUE(name.starts_with(std::string(tick_log::TickTypeName(part.type[i])) + "_"));
      EXPECT_EQ(part.ts_ns[i] % test::kDay / (3600 * test::kSecond) / 6 * 6, hour);
    }
  }
  EXPECT_EQ(ticks, 400);
  EXPECT_EQ(files, report->files);
  EXPECT_EQ(notes, 4);
  // Made again, with what came since.
  report = WriteSeedTree(*store, store.File("tree"), {.partition_hours = 6});
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->ticks, 450);
  EXPECT_EQ(report->removed, 0);
  EXPECT_THAT(WriteSeedTree(*store, store.File("t"), {.partition_hours = 5}),
              IsError(ErrorCode::kInvalidArgument));
}

TEST(SeedTree, WhatHasNoTicksAnyMoreGoesAndTheRestStays) {
  namespace fs = std::filesystem;
  TestCatalog store;
  ASSERT_THAT(ArchiveTicks(*store, OneKind(RandomTicks(TickKind::kTrades, 300, 3, 1, 1)), {}),
              IsOk());
  const std::int64_t first = *store->LatestSnapshot();
  ASSERT_THAT(ArchiveTicks(*store, OneKind(RandomTicks(TickKind::kQuotes, 300, 3, 2, 2)), {}),
              IsOk());
  std::int64_t told = 0;
  const auto whole = WriteSeedTree(*store, store.File("tree"),
                                   {.progress = [&](std::int64_t, std::int64_t) { ++told; }});
  ASSERT_THAT(whole, IsOk());
  EXPECT_EQ(told, 4);
  const std::string day = store.File("tree") + "/contracts/1/2024/07/02/";
  ASSERT_THAT(io::PosixEnv().WriteFileAtomically(day + "notes_01.parquet", "mine"), IsOk());
  const auto before = WriteSeedTree(*store, store.File("tree"), {.snapshot = first});
  ASSERT_THAT(before, IsOk());
  EXPECT_EQ(before->files + before->days, whole->files + whole->days - before->removed);
  EXPECT_GT(before->removed, 24);
  EXPECT_TRUE(fs::exists(day + "notes_01.parquet"));
  EXPECT_FALSE(fs::exists(store.File("tree") + "/contracts/2"));
  for (const std::string& inside : {store.root(), store.root() + "/tree", std::string()}) {
    EXPECT_THAT(WriteSeedTree(*store, inside), IsError(ErrorCode::kInvalidArgument));
  }
}

}  // namespace
}  // namespace lamina::ticks
