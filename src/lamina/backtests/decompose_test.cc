#include "lamina/backtests/decompose.h"

#include <map>
#include <set>

#include <arrow/api.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lamina/backtests/bundle_fixtures_internal.h"
#include "lamina/backtests/lake_schema.h"
#include "lamina/backtests/run_batch.h"
#include "lamina/io/temporary_folder.h"
#include "lamina/table/parquet_file.h"

namespace lamina::backtests {
namespace {

namespace fs = std::filesystem;

/// Through the lake: stacked, written as Parquet, read, sliced.
Result<std::string> ThroughParquet(const DecomposedBacktest& parts) {
  RunBatch batch;
  std::vector<Uuid> ids;
  for (const DecomposedRun& run : parts.runs) {
    ids.push_back(RandomUuid4());
    LAMINA_TRY(batch.Append(ids.back(), run));
  }
  LAMINA_ASSIGN(LakeRows rows, batch.Finish());
  const io::TemporaryFolder folder;
  const std::pair<const TableDefinition*, std::shared_ptr<arrow::Table>*> tables[] = {
      {&RunsTable(), &rows.runs},           {&SnapshotsTable(), &rows.snapshots},
      {&TradesTable(), &rows.trades},       {&OrdersTable(), &rows.orders},
      {&PositionsTable(), &rows.positions}, {&SeriesTable(), &rows.series}};
  for (const auto& [definition, table] : tables) {
    const std::string path = folder.File(definition->name);
    table::WriteOptions options;
    options.sorted_by = definition->sorted_by;
    LAMINA_TRY(table::WriteParquet(io::PosixEnv(), path, **table, options));
    LAMINA_ASSIGN(*table, table::ReadParquet(io::PosixEnv(), path));
  }
  PartSource source;
  source.run = [&](std::size_t slot) { return SliceRun(rows, ids.at(slot)); };
  source.chunk = ChunksOf(parts);
  return Assemble(parts.skeleton, source);
}

TEST(DecomposeTest, EveryBundleComesBack) {
  std::map<std::string, std::size_t> counts;
  for (const char* folder : {"golden", "real", "quirks"}) {
    for (const fs::path& path : BundlesBelow(SharedBundles() / folder)) {
      SCOPED_TRACE(path);
      auto opened = OpenBundle(path);
      if (!opened.ok()) continue;  // the bundle module's tests say which must be refused
      auto parts = Decompose(*opened->document, *opened->layout);
      ASSERT_TRUE(parts.ok()) << parts.error().message();
      EXPECT_FALSE(parts->whole_document);
      EXPECT_EQ(parts->runs.size(), opened->layout->runs.size());
      auto document = Assemble(parts->skeleton, SourceOf(*parts));
      ASSERT_TRUE(document.ok()) << document.error().message();
      ASSERT_TRUE(*document == opened->document->bytes());
      EXPECT_EQ(parts->document_sha256, Sha256(*document));
      const auto named = ChunksOfSkeleton(parts->skeleton);
      ASSERT_TRUE(named.ok());
      EXPECT_EQ(named->size(), parts->chunks.size());
      const bool large = opened->document->bytes().size() > 1'000'000;
      if (counts[folder] % (large ? 16 : 4) == 0) {
        auto again = ThroughParquet(*parts);
        ASSERT_TRUE(again.ok()) << again.error().message();
        EXPECT_TRUE(*again == opened->document->bytes());
      }
      ++counts[folder];
    }
  }
  EXPECT_GT(counts["golden"], 150U);
  EXPECT_EQ(counts["real"], 44U);
  EXPECT_GE(counts["quirks"], 30U);
}

TEST(DecomposeTest, RealRunsHaveOneContentInEveryVersion) {
  for (const char* name : {"0aa37205", "438274dc", "a023229a", "testdata_backtest_two"}) {
    SCOPED_TRACE(name);
    std::vector<std::vector<Sha256Digest>> hashes;
    for (const std::string folder : {"v1_8.8.0", "v2_8.10.0", "v5_9.0.0a6"}) {
      const std::string suffix = folder[1] == '5' ? ".obtf" : ".iafbt";
      auto opened = OpenBundle(SharedBundles() / "real" / folder / (name + suffix));
      ASSERT_TRUE(opened.ok());
      auto parts = Decompose(*opened->document, *opened->layout);
      ASSERT_TRUE(parts.ok());
      hashes.emplace_back();
      for (const auto& run : parts->runs) hashes.back().push_back(run.content_hash);
    }
    EXPECT_FALSE(hashes[0].empty());
    EXPECT_EQ(hashes[0], hashes[1]);
    EXPECT_EQ(hashes[1], hashes[2]);
  }
}

TEST(DecomposeTest, RowsOfOneVersionServeTheSkeletonOfAnother) {
  const auto real = SharedBundles() / "real";
  auto first = OpenBundle(real / "v1_8.8.0" / "testdata_backtest_two.iafbt");
  auto last = OpenBundle(real / "v5_9.0.0a6" / "testdata_backtest_two.obtf");
  ASSERT_TRUE(first.ok() && last.ok());
  auto first_parts = Decompose(*first->document, *first->layout);
  auto last_parts = Decompose(*last->document, *last->layout);
  ASSERT_TRUE(first_parts.ok() && last_parts.ok());
  PartSource source = SourceOf(*last_parts);
  source.run = SourceOf(*first_parts).run;
  auto document = Assemble(last_parts->skeleton, source);
  ASSERT_TRUE(document.ok()) << document.error().message();
  EXPECT_TRUE(*document == last->document->bytes());
}

TEST(DecomposeTest, ContentHashTellsRunsApart) {
  auto opened = OpenBundle(SharedBundles() / "golden" / "v2_8.10.0" / "windows3_full.iafbt");
  auto parts = Decompose(*opened->document, *opened->layout);
  std::set<Sha256Digest> hashes;
  for (const auto& run : parts->runs) hashes.insert(run.content_hash);
  EXPECT_EQ(hashes.size(), 3U);
  auto twice = OpenBundle(SharedBundles() / "golden" / "v2_8.10.0" / "dup_windows.iafbt");
  auto twice_parts = Decompose(*twice->document, *twice->layout);
  ASSERT_EQ(twice_parts->runs.size(), 2U);
}

/// What follows from the snapshots, by bit; 247 is all but rolling_sharpe_ratio.
TEST(DecomposeTest, DerivedSeries) {
  const struct {
    const char* path;
    std::uint32_t mask;
  } kCases[] = {
      {"golden/v1_8.8.0/cash_flow.iafbt", 247},
      {"golden/v2_8.10.0/cash_flow.iafbt", 247},
      {"golden/v5_9.0.0a6/cash_flow.obtf", 247 | 256U << 5},
      {"golden/v2_8.10.0/series_times.iafbt", 196},
      {"real/v2_8.10.0/0aa37205.iafbt", 55},  // no twr series
      {"quirks/snap_unsorted.iafbt", 0},
  };
  for (const auto& expected : kCases) {
    SCOPED_TRACE(expected.path);
    auto opened = OpenBundle(SharedBundles() / expected.path);
    ASSERT_TRUE(opened.ok());
    auto parts = Decompose(*opened->document, *opened->layout);
    ASSERT_TRUE(parts.ok());
    if (expected.mask != 0) {
      EXPECT_EQ(parts->runs[0].facts.derived_series_mask, expected.mask);
    } else {
      EXPECT_EQ(parts->runs[0].facts.derived_series_mask & 255, 247U);
      EXPECT_EQ(parts->runs[0].facts.derived_series_mask >> 8, 199U);
    }
  }
}

TEST(DecomposeTest, LargePartsBecomeChunks) {
  auto opened = OpenBundle(SharedBundles() / "golden" / "v2_8.10.0" / "permutation_tests.iafbt");
  DecomposeOptions options;
  options.chunk_threshold_bytes = 1000;
  auto parts = Decompose(*opened->document, *opened->layout, options);
  ASSERT_TRUE(parts.ok());
  EXPECT_LT(parts->skeleton.size(), 8000U);
  EXPECT_FALSE(parts->chunks.empty());
  auto document = Assemble(parts->skeleton, SourceOf(*parts));
  ASSERT_TRUE(document.ok()) << document.error().message();
  EXPECT_TRUE(*document == opened->document->bytes());
}

TEST(DecomposeTest, ADocumentWithExtensionsIsKeptWhole) {
  std::string text;
  bundle::Writer writer(text);
  writer.MapHeader(2);
  writer.String("format_version");
  writer.Int(2);
  writer.String("odd");
  writer.Extension(0x4c, std::string(1, '\0'));
  auto opened = OpenDocument(2, text);
  ASSERT_TRUE(opened.ok()) << opened.error().message();
  auto parts = Decompose(*opened->document, *opened->layout);
  ASSERT_TRUE(parts.ok());
  EXPECT_TRUE(parts->whole_document);
  EXPECT_EQ(parts->warnings.size(), 1U);
  auto document = Assemble(parts->skeleton, SourceOf(*parts));
  ASSERT_TRUE(document.ok());
  EXPECT_EQ(*document, text);
}

}  // namespace
}  // namespace lamina::backtests
