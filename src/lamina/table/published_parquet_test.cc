#include "lamina/table/published_parquet.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lamina/base/matchers.h"
#include "lamina/table/published_parquet_test_support.h"

namespace lamina::table {
namespace {

using test::PriceFile;
using test::PriceFileOptions;

PriceFileOptions Snappy() {
  PriceFileOptions options;
  options.codec = arrow::Compression::SNAPPY;
  options.dictionary = false;
  options.row_group_rows = 200;
  options.metadata = "of another program";
  return options;
}

TEST(LogicalId, TellsContentFromEncoding) {
  const auto id = LogicalId(PriceFile());
  ASSERT_THAT(id, IsOk());
  const auto same = LogicalId(PriceFile(Snappy()));
  ASSERT_THAT(same, IsOk());
  EXPECT_EQ(*id, *same);
  PriceFileOptions other;
  other.first_price = 100.01;
  EXPECT_NE(*LogicalId(PriceFile(other)), *id);
  PriceFileOptions payload;
  payload.nan_bits = 0x7ff8000000000002;
  EXPECT_NE(*LogicalId(PriceFile(payload)), *id) << "NaN payload";
}

TEST(Rewrite, GivesTheOtherFileBitForBit) {
  const std::string source = PriceFile(Snappy());
  for (const int level : {1, 3, 5, 9, 19}) {
    PriceFileOptions options;
    options.level = level;
    const std::string file = PriceFile(options);
    const auto recipe = RewriteRecipe(source, file);
    if (level == 1) {
      EXPECT_TRUE(recipe.ok() || recipe.error().code() == ErrorCode::kUnsupported);
      continue;
    }
    ASSERT_THAT(recipe, IsOk()) << level;
    EXPECT_LT(recipe->size(), 400U);
    const auto again = Rewrite(source, *recipe);
    ASSERT_THAT(again, IsOk());
    EXPECT_EQ(*again, file);
  }
  // And the other way round.
  const auto recipe = RewriteRecipe(PriceFile(), source);
  ASSERT_THAT(recipe, IsOk());
  EXPECT_EQ(*Rewrite(PriceFile(), *recipe), source);
}

/// Stores depend on these bytes: a libparquet or zstd that makes others may not be linked.
TEST(Rewrite, GoldenBytes) {
  const std::string source = PriceFile(Snappy()), file = PriceFile();
  const auto recipe = RewriteRecipe(source, file);
  ASSERT_THAT(recipe, IsOk());
  EXPECT_EQ(Sha256(*recipe).Hex(),
            "4c9306b1d1c510cf759eb421c041108d7030da45e1a5e4b73755297a37d7adac");
  EXPECT_EQ(Sha256(*Rewrite(source, *recipe)).Hex(),
            "7d8a58d59f2de2d1991412f82f6fc859283638bf30413e83be41061af59bb6bf");
  EXPECT_EQ(LogicalId(file)->Hex(),
            "7e2842d5671fe6fb61f0d32bb124d1ef5c204f138f30f32f40281512056a7f3b");
}

TEST(Rewrite, WhatDoesNotComeOutIsSaid) {
  PriceFileOptions bare;
  bare.statistics = false;
  EXPECT_THAT(RewriteRecipe(PriceFile(), PriceFile(bare)), IsError(ErrorCode::kUnsupported));
  EXPECT_FALSE(LogicalId("PAR1 nothing PAR1").ok());
  EXPECT_FALSE(LogicalId("").ok());
}

TEST(Rewrite, DamageIsNeverACrash) {
  const std::string source = PriceFile(Snappy()), file = PriceFile();
  const auto recipe = RewriteRecipe(source, file);
  ASSERT_THAT(recipe, IsOk());
  for (std::size_t size = 0; size < recipe->size(); ++size) {
    EXPECT_FALSE(Rewrite(source, recipe->substr(0, size)).ok()) << size;
  }
  for (std::size_t i = 0; i < recipe->size(); i += 5) {
    std::string flipped = *recipe;
    flipped[i] = static_cast<char>(flipped[i] ^ 0x41);
    const auto made = Rewrite(source, flipped);  // some bits mean nothing, e.g. a level of Snappy
    EXPECT_TRUE(made.ok() || !made.error().message().empty()) << i;
  }
  std::string broken = source;
  broken[source.size() / 3] = static_cast<char>(broken[source.size() / 3] ^ 0x55);
  const auto made = Rewrite(broken, *recipe);
  EXPECT_TRUE(!made.ok() || *made != file);
}

}  // namespace
}  // namespace lamina::table
