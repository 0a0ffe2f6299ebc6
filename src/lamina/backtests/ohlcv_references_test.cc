#include "lamina/backtests/ohlcv_references.h"

#include <atomic>
#include <filesystem>
#include <thread>

#include "lamina/backtests/import_batch.h"
#include "lamina/backtests/store_test_support.h"

namespace lamina::backtests {
namespace {

using test::Prices;
using test::SmallBundle;
using test::TestStore;
using test::WriteTo;

/// A price file that is kept in a file of its own (large) or in objects.sqlite.
std::string Content(const std::string& name, bool large = false) {
  return name + std::string(large ? 70000 : 100, 'x') + name;
}

class OhlcvReferencesTest : public testing::Test {
 protected:
  /// Import a bundle that names the files; those of `absent` are not beside it.
  void Import(const std::string& handle, const std::vector<std::string>& contents,
              const std::vector<std::string>& absent = {}) {
    Prices prices{"ohlcv", {}};
    for (const auto* list : {&contents, &absent}) {
      for (const std::string& content : *list) {
        const std::string name = Sha256(content).Hex() + ".parquet";
        prices.files.emplace_back("K" + std::to_string(prices.files.size()), name);
        if (list == &contents) WriteTo(store_.File("in/ohlcv/" + name), content);
      }
    }
    const std::string path = store_.File("in/" + handle + ".iafbt");
    WriteTo(path, SmallBundle(handle, {{"w"}}, 3, prices));
    auto report = ImportBundles(*store_, {{path, handle, 0}});
    ASSERT_THAT(report, IsOk());
    ASSERT_TRUE(report->failed.empty()) << report->failed[0].message;
  }
  std::vector<std::string> Collect(OhlcvCollection what = {}) {
    auto gone = CollectOhlcv(*store_, what);
    EXPECT_THAT(gone, IsOk());
    std::vector<std::string> hashes;
    for (const auto& hash : *gone) hashes.push_back(hash.Hex());
    return hashes;
  }

  TestStore store_;
};

TEST_F(OhlcvReferencesTest, UsesAndStats) {
  Import("a", {Content("1"), Content("2", true)}, {Content("3")});
  Import("b", {Content("1")});
  auto uses = OhlcvUses(*store_);
  ASSERT_THAT(uses, IsOk());
  ASSERT_EQ(uses->size(), 4U);
  EXPECT_EQ((*uses)[0].handle, "a");
  EXPECT_EQ((*uses)[0].key, "K0");
  EXPECT_EQ(*(*uses)[3].sha256, Sha256(Content("1")));
  auto stats = ReadOhlcvStats(*store_);
  ASSERT_THAT(stats, IsOk());
  EXPECT_EQ(stats->stored_blobs, 2);
  EXPECT_EQ(stats->stored_bytes, 102 + 70002);
  EXPECT_EQ(stats->referenced_blobs, 3);
  EXPECT_EQ(stats->orphan_blobs, 0);
  EXPECT_EQ(stats->missing_blobs, 1);
}

TEST_F(OhlcvReferencesTest, CollectsAfterTheLastReference) {
  Import("a", {Content("1"), Content("2", true)});
  Import("b", {Content("1")});
  EXPECT_TRUE(Collect().empty());
  ASSERT_THAT(store_->Delete({"a"}), IsOk());
  const std::string large = Sha256(Content("2", true)).Hex();
  EXPECT_TRUE(Collect({.keep_deleted = true}).empty());
  EXPECT_EQ(Collect({.dry_run = true}), std::vector<std::string>{large});
  EXPECT_EQ(ReadOhlcvStats(*store_)->orphan_blobs, 1);
  EXPECT_EQ(Collect(), std::vector<std::string>{large});
  ASSERT_THAT(store_->Delete({"b"}), IsOk());
  EXPECT_EQ(Collect(), std::vector<std::string>{Sha256(Content("1")).Hex()});
  EXPECT_EQ(ReadOhlcvStats(*store_)->stored_blobs, 0);
  EXPECT_EQ(store_.Ask("SELECT count(*) FROM chunk WHERE kind = 1"), 0);
  Import("c", {Content("1"), Content("2", true)});
  EXPECT_EQ(ReadOhlcvStats(*store_)->stored_blobs, 2);
}

TEST_F(OhlcvReferencesTest, ANamedChunkStaysThoughItsBundleCameWithoutIt) {
  Import("a", {Content("1")});
  Import("b", {}, {Content("2")});
  // b names the file of a as well, and had it not beside it: only its document says so.
  std::filesystem::remove_all(store_.File("in/ohlcv"));
  Import("c", {}, {Content("1")});
  ASSERT_THAT(store_->Delete({"a"}), IsOk());
  EXPECT_TRUE(Collect().empty());
  ASSERT_THAT(store_->Delete({"c"}), IsOk());
  EXPECT_EQ(Collect().size(), 1U);
}

TEST_F(OhlcvReferencesTest, RefusesWhenAReferenceCannotBeRead) {
  Import("a", {Content("1")});
  Import("b", {Content("2")});
  ASSERT_THAT(store_->Delete({"a"}), IsOk());
  store_.Falsify("UPDATE backtest SET skeleton_sha256 = zeroblob(32) WHERE handle = 'b'");
  for (const bool dry_run : {true, false}) {
    const auto gone = CollectOhlcv(*store_, {.dry_run = dry_run});
    ASSERT_FALSE(gone.ok());
    EXPECT_NE(gone.error().message().find("'b'"), std::string::npos) << gone.error().message();
  }
  EXPECT_FALSE(ReadOhlcvStats(*store_).ok());
  EXPECT_EQ(OhlcvBlobs(*store_)->size(), 2U);
}

/// Writers put, delete and put again what a collector takes away all the while: what a live
/// backtest had beside it when it was stored is there.
TEST_F(OhlcvReferencesTest, CollectsBesideWriters) {
  std::atomic<bool> done = false;
  std::thread collector([&] {
    while (!done) {
      const auto gone = CollectOhlcv(*store_, {});
      if (!gone.ok()) {
        EXPECT_THAT(gone, IsError(ErrorCode::kConflict));
      }
    }
  });
  std::vector<std::thread> writers;
  for (int w = 0; w < 2; ++w) {
    writers.emplace_back([&, w] {
      for (int round = 0; round < 12; ++round) {
        const std::string handle = "w" + std::to_string(w);
        const std::string content = Content(std::to_string(round % 3), round % 2 == 0);
        const std::string name = Sha256(content).Hex() + ".parquet";
        const std::string folder = store_.File("in" + std::to_string(w));
        WriteTo(folder + "/ohlcv/" + name, content);
        const std::string path = folder + "/" + handle + ".iafbt";
        WriteTo(path,
                SmallBundle(std::to_string(round), {{"w"}}, 3, Prices{"ohlcv", {{"K", name}}}));
        ImportOptions options;
        options.replace = true;
        options.workers = 1;
        auto report = ImportBundles(*store_, {{path, handle, 0}}, options);
        ASSERT_THAT(report, IsOk());
        ASSERT_TRUE(report->failed.empty()) << report->failed[0].message;
        auto there = store_.catalog().ReadChunk({catalog::ChunkKind::kOhlcv, Sha256(content)});
        ASSERT_THAT(there, IsOk()) << round;
        EXPECT_EQ(*there, content);
        if (round % 4 == 3) {
          ASSERT_THAT(store_->Delete({handle}), IsOk());
        }
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  done = true;
  collector.join();
  EXPECT_EQ(ReadOhlcvStats(*store_)->missing_blobs, 0);
}

}  // namespace
}  // namespace lamina::backtests
