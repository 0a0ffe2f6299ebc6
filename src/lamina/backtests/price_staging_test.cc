#include "lamina/backtests/price_staging.h"

#include <gmock/gmock.h>

#include "lamina/backtests/ohlcv_references.h"
#include "lamina/backtests/store_test_support.h"
#include "lamina/catalog/verify.h"
#include "lamina/table/published_parquet_test_support.h"

namespace lamina::backtests {
namespace {

using catalog::ChunkKind;
using table::test::PriceFile;
using table::test::PriceFileOptions;
using test::TestStore;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

std::string OtherEncoding() {
  PriceFileOptions options;
  options.codec = arrow::Compression::SNAPPY;
  options.dictionary = false;
  return PriceFile(options);
}

/// The same content without statistics, as no recipe makes it.
std::string NoStatistics() {
  PriceFileOptions options;
  options.statistics = false;
  return PriceFile(options);
}

void ImportWith(TestStore& store, const std::string& handle, const std::string& prices) {
  const std::string in = store.File("in_" + handle);
  const std::string name = Sha256(prices).Hex() + ".parquet";
  test::WriteTo(in + "/ohlcv/" + name, prices);
  test::WriteTo(in + "/" + handle + ".iafbt",
                test::SmallBundle(handle, {{}}, 3, test::Prices{"ohlcv", {{"BTC/EUR:1h", name}}}));
  const auto sources = FindBundles(io::PosixEnv(), {in});
  ASSERT_THAT(sources, IsOk());
  const auto report = ImportBundles(*store, *sources);
  ASSERT_THAT(report, IsOk());
  ASSERT_EQ(report->imported, 1);
  ASSERT_TRUE(report->warnings.empty()) << report->warnings[0].message;
}

std::int64_t StoredFiles(TestStore& store) {
  return store.Ask("SELECT count(*) FROM chunk WHERE kind = 1 AND end_snapshot IS NULL");
}

Result<std::string> PricesOf(TestStore& store, const std::string& published) {
  return store.catalog().ReadChunk({ChunkKind::kOhlcv, Sha256(published)});
}

TEST(PriceStaging, OneContentIsStoredOnceAndEveryPublishedHashIsGivenOut) {
  TestStore store;
  const std::string one = PriceFile(), two = OtherEncoding();
  ASSERT_NE(one, two);
  ImportWith(store, "one", one);
  ImportWith(store, "two", two);
  ImportWith(store, "three", two);
  EXPECT_EQ(StoredFiles(store), 1);
  EXPECT_EQ(*PricesOf(store, one), one);
  EXPECT_EQ(*PricesOf(store, two), two);
  EXPECT_THAT(*OhlcvBlobs(*store), SizeIs(2));
  const auto stats = ReadOhlcvStats(*store);
  ASSERT_THAT(stats, IsOk());
  EXPECT_EQ(stats->referenced_blobs, 2);
  EXPECT_EQ(stats->missing_blobs, 0);
  EXPECT_EQ(stats->orphan_blobs, 0);
  EXPECT_LT(stats->stored_bytes, static_cast<std::int64_t>(one.size() + 600));

  const std::string out = store.File("out/two.iafbt");
  ASSERT_THAT(io::PosixEnv().CreateDirectories(io::ParentPath(out)), IsOk());
  ASSERT_THAT(store->Export("two", out), IsOk());
  EXPECT_EQ(
      *io::PosixEnv().ReadFile(store.File("out/ohlcv/" + Sha256(two).Hex() + ".parquet"), 1 << 20),
      two);
}

TEST(PriceStaging, TheSourceStaysAsLongAsARecipeIsNamed) {
  TestStore store;
  const std::string one = PriceFile(), two = OtherEncoding();
  ImportWith(store, "one", one);
  ImportWith(store, "two", two);
  ASSERT_THAT(store->Delete({"one"}), IsOk());
  EXPECT_THAT(*CollectOhlcv(*store, {}), SizeIs(0));
  EXPECT_EQ(*PricesOf(store, two), two);
  ASSERT_THAT(store->Delete({"two"}), IsOk());
  OhlcvCollection dry;
  dry.dry_run = true;
  EXPECT_THAT(*CollectOhlcv(*store, dry), UnorderedElementsAre(Sha256(one), Sha256(two)));
  EXPECT_EQ(*PricesOf(store, two), two);
  EXPECT_THAT(*CollectOhlcv(*store, {}), UnorderedElementsAre(Sha256(one), Sha256(two)));
  EXPECT_THAT(PricesOf(store, one), IsError(ErrorCode::kNotFound));
  EXPECT_THAT(PricesOf(store, two), IsError(ErrorCode::kNotFound));
  EXPECT_THAT(*OhlcvBlobs(*store), SizeIs(0));
}

TEST(PriceStaging, ARecipeThatNobodyNamesGoesAlone) {
  TestStore store;
  const std::string one = PriceFile(), two = OtherEncoding();
  ImportWith(store, "one", one);
  ImportWith(store, "two", two);
  ASSERT_THAT(store->Delete({"two"}), IsOk());
  EXPECT_THAT(*CollectOhlcv(*store, {}), ElementsAre(Sha256(two)));
  EXPECT_EQ(*PricesOf(store, one), one);
  EXPECT_THAT(PricesOf(store, two), IsError(ErrorCode::kNotFound));
}

TEST(PriceStaging, WhatDoesNotComeOutIsStoredAsItIs) {
  TestStore store;
  ImportWith(store, "one", PriceFile());
  ImportWith(store, "bare", NoStatistics());
  ImportWith(store, "no_parquet", "any bytes");
  EXPECT_EQ(StoredFiles(store), 3);
  for (const std::string& file : {PriceFile(), NoStatistics(), std::string("any bytes")}) {
    EXPECT_EQ(*PricesOf(store, file), file);
  }
}

TEST(PriceStaging, DamageIsNamed) {
  TestStore store;
  const std::string one = PriceFile(), two = OtherEncoding();
  ImportWith(store, "one", one);
  ImportWith(store, "two", two);
  const auto shown = [&] {
    std::string text;
    const auto report = catalog::VerifyCatalog(store.catalog(), true);
    EXPECT_THAT(report, IsOk());
    if (report.ok()) {
      for (const auto& problem : report->problems) text += problem.path + " " + problem.detail;
    }
    return text;
  };
  EXPECT_EQ(shown(), "");
  store.Falsify("UPDATE price_recipe SET recipe = substr(recipe, 1, 40)");
  EXPECT_THAT(PricesOf(store, two), IsError(ErrorCode::kCorruption, HasSubstr("recipe")));
  EXPECT_THAT(shown(), HasSubstr("ohlcv/" + Sha256(two).Hex()));
  store.Falsify("UPDATE price_recipe SET source_sha256 = zeroblob(32)");
  EXPECT_FALSE(PricesOf(store, two).ok());
  EXPECT_FALSE(store.catalog().CheckChunk({ChunkKind::kOhlcv, Sha256(two)}, false).ok());
}

}  // namespace
}  // namespace lamina::backtests
