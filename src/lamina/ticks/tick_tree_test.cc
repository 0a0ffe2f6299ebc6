#include "lamina/ticks/tick_tree.h"

#include <filesystem>
#include <map>

#include <arrow/scalar.h>
#include <arrow/table.h>
#include <gmock/gmock.h>

#include "lamina/market/day.h"
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
      WriteTickTree(*store, store.File("tree"), {.snapshot = before, .partition_hours = 6});
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
  report = WriteTickTree(*store, store.File("tree"), {.partition_hours = 6});
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->ticks, 450);
  EXPECT_EQ(report->removed, 0);
  EXPECT_THAT(WriteTickTree(*store, store.File("t"), {.partition_hours = 5}),
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
  const auto whole = WriteTickTree(*store, store.File("tree"),
                                   {.progress = [&](std::int64_t, std::int64_t) { ++told; }});
  ASSERT_THAT(whole, IsOk());
  EXPECT_EQ(told, 4);
  const std::string day = store.File("tree") + "/contracts/1/2024/07/02/";
  ASSERT_THAT(io::PosixEnv().WriteFileAtomically(day + "notes_01.parquet", "mine"), IsOk());
  const auto before = WriteTickTree(*store, store.File("tree"), {.snapshot = first});
  ASSERT_THAT(before, IsOk());
  EXPECT_EQ(before->files + before->days, whole->files + whole->days - before->removed);
  EXPECT_GT(before->removed, 24);
  EXPECT_TRUE(fs::exists(day + "notes_01.parquet"));
  EXPECT_FALSE(fs::exists(store.File("tree") + "/contracts/2"));
  for (const std::string& inside : {store.root(), store.root() + "/tree", std::string()}) {
    EXPECT_THAT(WriteTickTree(*store, inside), IsError(ErrorCode::kInvalidArgument));
  }
}

TEST(HiveTree, FoldersSayContractAndDayAndFilesTheRest) {
  namespace fs = std::filesystem;
  TestCatalog store;
  const TickBatch trades = RandomTicks(TickKind::kTrades, 300, 3, 2, 2);
  const TickBatch quotes = RandomTicks(TickKind::kQuotes, 100, 3, 2, 2);
  ASSERT_THAT(ArchiveTicks(*store, OneKind(trades), {}), IsOk());
  ASSERT_THAT(ArchiveTicks(*store, OneKind(quotes), {}), IsOk());
  const std::string tree = store.File("tree");
  const TickTreeOptions options{.layout = TreeLayout::kHive, .partition_hours = 24};
  const auto report = WriteTickTree(*store, tree, options);
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->contracts, 2);
  EXPECT_EQ(report->days, 4);
  EXPECT_EQ(report->ticks, 400);
  std::map<std::string, std::int64_t> ticks;
  for (const auto& entry : fs::recursive_directory_iterator(tree)) {
    if (entry.is_directory()) continue;
    const fs::path path = fs::relative(entry.path(), tree);
    const auto rows = table::ReadParquet(io::PosixEnv(), entry.path());
    ASSERT_THAT(rows, IsOk()) << path;
    const std::string kind = path.begin()->string();
    ticks[kind] += (*rows)->num_rows();
    // A column that a folder says is not in the file: readers of datasets stumble over two types.
    EXPECT_EQ((*rows)->GetColumnByName("contract_id"), nullptr);
    EXPECT_EQ((*rows)->GetColumnByName("date"), nullptr);
    const std::string contract = path.parent_path().parent_path().filename();
    const std::string day = path.parent_path().filename();
    EXPECT_TRUE(contract == "contract_id=1" || contract == "contract_id=2") << path;
    const auto stamps = (*rows)->GetColumnByName("ts_ns");
    for (std::int64_t row = 0; row < stamps->length(); ++row) {
      const auto at = std::static_pointer_cast<arrow::Int64Scalar>(*stamps->GetScalar(row))->value;
      EXPECT_EQ("date=" + market::FormatDay(market::Day{TickDay(at)}), day) << path;
    }
  }
  EXPECT_THAT(ticks,
              testing::ElementsAre(testing::Pair("quotes", 100), testing::Pair("trades", 300)));

  // Smaller files take the place of the greater ones; strange files stay.
  const std::string day = tree + "/quotes/contract_id=1/date=2024-07-02/";
  ASSERT_TRUE(fs::exists(day + "bid_ask_00.parquet"));
  for (const char* mine : {"metadata.json", "mine.parquet"}) {
    ASSERT_THAT(io::PosixEnv().WriteFileAtomically(day + mine, "mine"), IsOk());
  }
  const std::int64_t old = report->files;
  const auto again =
      WriteTickTree(*store, tree, {.layout = TreeLayout::kHive, .partition_hours = 1});
  ASSERT_THAT(again, IsOk());
  EXPECT_GT(again->files, old);
  EXPECT_EQ(again->ticks, 400);
  std::int64_t left = 0;
  for (const auto& entry : fs::recursive_directory_iterator(tree)) left += !entry.is_directory();
  EXPECT_EQ(left, again->files + 2);
  EXPECT_THAT(ParseTreeLayout("flat"), IsError(ErrorCode::kInvalidArgument));
}

}  // namespace
}  // namespace lamina::ticks
