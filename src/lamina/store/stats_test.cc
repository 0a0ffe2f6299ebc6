#include "lamina/store/stats.h"

#include <algorithm>
#include <filesystem>

#include <gtest/gtest.h>

#include "lamina/backtests/import.h"
#include "lamina/base/matchers.h"
#include "lamina/io/temporary_folder.h"

namespace lamina::store {
namespace {

std::unique_ptr<Store> NewStore(const io::TemporaryFolder& folder) {
  StoreOptions options;
  options.create = true;
  auto made = Store::Open(io::PosixEnv(), folder.File("s"), options);
  EXPECT_THAT(made, IsOk());
  return *std::move(made);
}

const TableStats& TableOf(const StoreStats& stats, const std::string& name) {
  const auto it = std::find_if(stats.tables.begin(), stats.tables.end(),
                               [&](const TableStats& table) { return table.name == name; });
  EXPECT_NE(it, stats.tables.end()) << name;
  return *it;
}

std::int64_t BytesBelow(const std::string& folder) {
  std::int64_t bytes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) bytes += static_cast<std::int64_t>(entry.file_size());
  }
  return bytes;
}

TEST(Stats, EmptyStore) {
  io::TemporaryFolder folder;
  const auto store = NewStore(folder);
  const auto stats = ReadStats(*store);
  ASSERT_THAT(stats, IsOk());
  EXPECT_EQ(stats->root, store->root());
  EXPECT_EQ(stats->store_id, store->config().store_id.ToString());
  EXPECT_EQ(stats->format_version, kFormatVersion);
  EXPECT_EQ(stats->backtests, 0);
  EXPECT_EQ(stats->document_bytes, 0);
  EXPECT_EQ(stats->tables.size(), 6U);
  EXPECT_EQ(TableOf(*stats, "backtests.stored_trades").rows, 0);
  EXPECT_TRUE(stats->chunks.empty());
  EXPECT_GT(stats->catalog_bytes, 0);
  EXPECT_EQ(stats->total_bytes, stats->catalog_bytes + stats->objects_bytes);
}

TEST(Stats, CountsWhatIsThereAndForgetsWhatIsDeleted) {
  io::TemporaryFolder folder;
  const auto store = NewStore(folder);
  const std::string path =
      std::string(LAMINA_SHARED_DIR) + "/data/bundles/golden/v5_9.0.0a6/windows3_full.obtf";
  const auto file = io::PosixEnv().ReadFile(path, 1 << 30);
  ASSERT_THAT(file, IsOk());
  ASSERT_THAT(backtests::PutBundle(store->backtests(), "one", *file), IsOk());
  ASSERT_THAT(backtests::PutBundle(store->backtests(), "same", *file), IsOk());

  auto stats = ReadStats(*store);
  ASSERT_THAT(stats, IsOk());
  const auto record = store->backtests().Find("one");
  ASSERT_THAT(record, IsOk());
  const auto runs = store->backtests().Runs(*record);
  ASSERT_THAT(runs, IsOk());
  std::int64_t trades = 0;
  for (const auto& run : *runs) trades += run.trades;
  ASSERT_GT(trades, 0);
  EXPECT_EQ(stats->backtests, 2);
  EXPECT_EQ(stats->runs, static_cast<std::int64_t>(runs->size()));
  EXPECT_EQ(stats->run_references, 2 * stats->runs) << "both name the same runs";
  EXPECT_EQ(stats->document_bytes, 2 * record->document_bytes);
  EXPECT_EQ(stats->file_bytes, 2 * static_cast<std::int64_t>(file->size()));
  EXPECT_EQ(TableOf(*stats, "backtests.runs").rows, stats->runs);
  EXPECT_EQ(TableOf(*stats, "backtests.stored_trades").rows, trades);
  EXPECT_EQ(stats->snapshot, *store->catalog().LatestSnapshot());
  ASSERT_FALSE(stats->chunks.empty());
  std::int64_t tables = 0;
  for (const auto& table : stats->tables) tables += table.bytes;
  EXPECT_EQ(tables, BytesBelow(io::JoinPath(store->root(), "lake")));
  for (const auto& chunk : stats->chunks) {
    EXPECT_GE(chunk.references, chunk.chunks) << chunk.kind;
    EXPECT_GT(chunk.stored_bytes, 0) << chunk.kind;
  }

  ASSERT_THAT(store->backtests().Delete({"one"}), IsOk());
  stats = ReadStats(*store);
  ASSERT_THAT(stats, IsOk());
  EXPECT_EQ(stats->backtests, 1);
  EXPECT_EQ(TableOf(*stats, "backtests.stored_trades").rows, trades)
      << "the other still names them";

  ASSERT_THAT(store->backtests().Delete({"same"}), IsOk());
  stats = ReadStats(*store);
  ASSERT_THAT(stats, IsOk());
  EXPECT_EQ(stats->backtests, 0);
  EXPECT_EQ(stats->runs, 0);
  EXPECT_EQ(stats->document_bytes, 0);
  for (const auto& table : stats->tables) EXPECT_EQ(table.rows, 0) << table.name;
}

}  // namespace
}  // namespace lamina::store
