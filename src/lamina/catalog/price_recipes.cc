#include "lamina/catalog/price_recipes.h"

#include "lamina/catalog/chunk_store.h"

namespace lamina::catalog {

Result<std::optional<PriceRecipe>> FindPriceRecipe(Database& catalog, const Sha256Digest& sha256) {
  LAMINA_ASSIGN(Statement find,
                catalog.Prepare("SELECT source_sha256, content_bytes, recipe FROM price_recipe "
                                "WHERE sha256 = ?1"));
  find.BindBlob(1, sha256.View());
  LAMINA_ASSIGN(const bool row, find.Step());
  if (!row) return std::optional<PriceRecipe>();
  PriceRecipe recipe;
  recipe.sha256 = sha256;
  LAMINA_ASSIGN(recipe.source, Sha256Digest::FromBytes(find.Blob(0)));
  recipe.content_bytes = find.Int(1);
  recipe.recipe = find.Blob(2);
  return std::optional(std::move(recipe));
}

Result<std::vector<PriceRecipe>> ListPriceRecipes(Database& catalog) {
  LAMINA_ASSIGN(Statement list, catalog.Prepare("SELECT sha256, source_sha256, length(recipe) FROM "
                                                "price_recipe ORDER BY sha256"));
  std::vector<PriceRecipe> all;
  for (;;) {
    LAMINA_ASSIGN(const bool row, list.Step());
    if (!row) return all;
    PriceRecipe recipe;
    LAMINA_ASSIGN(recipe.sha256, Sha256Digest::FromBytes(list.Blob(0)));
    LAMINA_ASSIGN(recipe.source, Sha256Digest::FromBytes(list.Blob(1)));
    recipe.content_bytes = list.Int(2);
    all.push_back(std::move(recipe));
  }
}

Status InsertPriceRecipe(Database& catalog, const PriceRecipe& recipe) {
  LAMINA_ASSIGN(Statement write,
                catalog.Prepare("INSERT OR IGNORE INTO price_recipe(sha256, source_sha256, "
                                "content_bytes, recipe) VALUES(?1, ?2, ?3, ?4)"));
  return write.BindBlob(1, recipe.sha256.View())
      .BindBlob(2, recipe.source.View())
      .Bind(3, recipe.content_bytes)
      .BindBlob(4, recipe.recipe)
      .Run();
}

Status DeletePriceRecipe(Database& catalog, const Sha256Digest& sha256) {
  LAMINA_ASSIGN(Statement remove, catalog.Prepare("DELETE FROM price_recipe WHERE sha256 = ?1"));
  return remove.BindBlob(1, sha256.View()).Run();
}

Result<std::optional<Sha256Digest>> FindPriceContent(Database& catalog,
                                                     const Sha256Digest& logical_id) {
  LAMINA_ASSIGN(Statement find,
                catalog.Prepare("SELECT p.sha256 FROM price_content p JOIN chunk c ON c.kind = ?2 "
                                "AND c.sha256 = p.sha256 AND c.end_snapshot IS NULL WHERE "
                                "p.logical_sha256 = ?1 ORDER BY p.sha256 LIMIT 1"));
  find.BindBlob(1, logical_id.View()).Bind(2, static_cast<std::int64_t>(ChunkKind::kOhlcv));
  LAMINA_ASSIGN(const bool row, find.Step());
  if (!row) return std::optional<Sha256Digest>();
  LAMINA_ASSIGN(const Sha256Digest sha256, Sha256Digest::FromBytes(find.Blob(0)));
  return std::optional(sha256);
}

Status InsertPriceContent(Database& catalog, const Sha256Digest& sha256,
                          const Sha256Digest& logical_id) {
  LAMINA_ASSIGN(Statement write, catalog.Prepare("INSERT OR IGNORE INTO price_content(sha256, "
                                                 "logical_sha256) VALUES(?1, ?2)"));
  return write.BindBlob(1, sha256.View()).BindBlob(2, logical_id.View()).Run();
}

}  // namespace lamina::catalog
