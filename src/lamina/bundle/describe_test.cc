#include "lamina/bundle/describe.h"

#include <gtest/gtest.h>
#include <simdjson.h>

#include "lamina/bundle/bundle_test_support.h"

namespace lamina::bundle {
namespace {

TEST(DescribeTest, AGoldenBundle) {
  const std::string file = test::Golden("v2_8.10.0/windows3_full.iafbt");
  const auto described = DescribeBundle(file);
  ASSERT_TRUE(described.ok());
  EXPECT_EQ(described->version, 2U);
  EXPECT_EQ(described->file_bytes, file.size());
  EXPECT_EQ(described->frame_bytes, file.size() - 8);
  EXPECT_EQ(described->content_size, described->document_bytes);
  EXPECT_GE(described->block_count, 1U);
  EXPECT_FALSE(described->has_checksum);
  EXPECT_EQ(described->nodes, 18067U);
  EXPECT_EQ(described->algorithm_id, "windows3_full");
  EXPECT_EQ(described->engine_type, "vector");
  ASSERT_EQ(described->keys.size(), 12U);
  EXPECT_EQ(described->keys[0].key, "format_version");
  EXPECT_EQ(described->keys[0].kind, "int");
  EXPECT_EQ(described->keys[0].encoded_bytes, 1U);
  EXPECT_EQ(described->keys[9].key, "vector_runs");
  ASSERT_EQ(described->runs.size(), 3U);
  const DescribedRun& run = described->runs[1];
  EXPECT_EQ(run.study, "default");
  EXPECT_EQ(run.engine, "vector");
  EXPECT_EQ(run.index, 1U);
  EXPECT_EQ(run.window_name, "w1");
  EXPECT_TRUE(run.start.starts_with("20")) << run.start;
  EXPECT_GT(run.snapshots, 0U);
  EXPECT_TRUE(run.has_metrics);
  EXPECT_EQ(run.blobs, 6U);
  ASSERT_EQ(described->summaries.size(), 1U);
  EXPECT_EQ(described->summaries[0].run_count, 3U);
  EXPECT_TRUE(described->summaries[0].present);
  EXPECT_EQ(described->blob_count, 18U);
  EXPECT_GT(described->blob_bytes, 0U);
  EXPECT_TRUE(described->warnings.empty());
}

TEST(DescribeTest, SidesOfOtherBundles) {
  const auto prices = DescribeBundle(test::Golden("v5_9.0.0a6/ohlcv_a.obtf"));
  ASSERT_TRUE(prices.ok());
  EXPECT_EQ(prices->ohlcv_store_dir, "ohlcv");
  EXPECT_EQ(prices->ohlcv_count, 2U);
  const auto odd =
      DescribeBundle(test::ReadAll(test::BundleFolder("quirks") / "frame_trailing_garbage.iafbt"));
  ASSERT_TRUE(odd.ok());
  EXPECT_EQ(odd->warnings.size(), 1U);
  const auto bad = DescribeBundle(test::ReadAll(test::BundleFolder("quirks") / "bad_magic.iafbt"));
  EXPECT_EQ(bad.error().code(), ErrorCode::kInvalidArgument);
}

TEST(DescribeTest, RealBundlesHoldWhatTheirManifestSays) {
  std::size_t files = 0;
  for (const char* folder : {"v1_8.8.0", "v2_8.10.0", "v5_9.0.0a6"}) {
    const auto root = test::BundleFolder("real") / folder;
    simdjson::dom::parser parser;
    simdjson::dom::element manifest;
    ASSERT_EQ(parser.load((root / "_manifest.json").string()).get(manifest), simdjson::SUCCESS);
    for (const simdjson::dom::element item : manifest.get_array()) {
      const std::string name(item["file"].get_string().value());
      const std::string file = test::ReadAll(root / name);
      EXPECT_EQ(Sha256(file).Hex(), item["sha256"].get_string().value()) << name;
      const auto described = DescribeBundle(file);
      ASSERT_TRUE(described.ok()) << name;
      EXPECT_EQ(described->version, item["format_version"].get_uint64().value()) << name;
      ASSERT_EQ(described->runs.size(), item["runs"].get_uint64().value()) << name;
      std::size_t i = 0;
      for (const simdjson::dom::element snapshots : item["snapshots"].get_array()) {
        EXPECT_EQ(described->runs[i++].snapshots, snapshots.get_uint64().value()) << name;
      }
      i = 0;
      for (const simdjson::dom::element trades : item["trades"].get_array()) {
        EXPECT_EQ(described->runs[i++].trades, trades.get_uint64().value()) << name;
      }
      ++files;
    }
  }
  EXPECT_EQ(files, 44U);
}

}  // namespace
}  // namespace lamina::bundle
