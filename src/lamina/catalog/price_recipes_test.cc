#include "lamina/catalog/price_recipes.h"

#include <gtest/gtest.h>

#include "lamina/base/matchers.h"
#include "lamina/catalog/catalog_test_support.h"
#include "lamina/catalog/chunk_store.h"
#include "lamina/catalog/migrations.h"

namespace lamina::catalog {
namespace {

TEST(PriceRecipes, RowsComeBackAndContentNeedsALiveChunk) {
  const test::TempFolder folder;
  const auto database = test::Make(folder.File("db"));
  Database& catalog = *database;
  ASSERT_THAT(MigrateCatalog(catalog, "test", Micros{1}), IsOk());
  const auto a = Sha256("a"), b = Sha256("b"), id = Sha256("content");
  EXPECT_FALSE(FindPriceRecipe(catalog, b)->has_value());
  ASSERT_THAT(InsertPriceRecipe(catalog, {b, a, 77, "how"}), IsOk());
  ASSERT_THAT(InsertPriceRecipe(catalog, {b, id, 1, "again"}), IsOk());
  const auto found = FindPriceRecipe(catalog, b);
  ASSERT_THAT(found, IsOk());
  ASSERT_TRUE(found->has_value());
  EXPECT_EQ((*found)->source, a);
  EXPECT_EQ((*found)->content_bytes, 77);
  EXPECT_EQ((*found)->recipe, "how");
  ASSERT_EQ(ListPriceRecipes(catalog)->size(), 1U);
  EXPECT_EQ(ListPriceRecipes(catalog)->front().content_bytes, 3);

  ASSERT_THAT(InsertPriceContent(catalog, a, id), IsOk());
  EXPECT_FALSE(FindPriceContent(catalog, id)->has_value()) << "no such chunk";
  ASSERT_THAT(WriteChunkRow(catalog, {ChunkKind::kOhlcv, a}, {1, 1, false, false, {}}, 1), IsOk());
  ASSERT_TRUE(FindPriceContent(catalog, id)->has_value());
  EXPECT_EQ(**FindPriceContent(catalog, id), a);
  ASSERT_THAT(DeletePriceRecipe(catalog, b), IsOk());
  EXPECT_FALSE(FindPriceRecipe(catalog, b)->has_value());
}

}  // namespace
}  // namespace lamina::catalog
