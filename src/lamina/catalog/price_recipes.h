#pragma once

/// \file lamina/catalog/price_recipes.h
/// Price files that hold the same as another one of the store and are made again from it: the rows
/// of `price_content` and `price_recipe` (docs/format/chunks.md). Free functions on an open
/// transaction; thread-compatible with their Database.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lamina/base/hash.h"
#include "lamina/base/result.h"
#include "lamina/catalog/database.h"

namespace lamina::catalog {

struct PriceRecipe {
  Sha256Digest sha256;  ///< of the published bytes
  Sha256Digest source;  ///< an `ohlcv` chunk
  std::int64_t content_bytes = 0;
  std::string recipe;  ///< of table::Rewrite
};

Result<std::optional<PriceRecipe>> FindPriceRecipe(Database& catalog, const Sha256Digest& sha256);
/// All, by hash, without the recipes themselves; `content_bytes` are those of the recipe.
Result<std::vector<PriceRecipe>> ListPriceRecipes(Database& catalog);
/// Nothing when it is there already.
Status InsertPriceRecipe(Database& catalog, const PriceRecipe& recipe);
Status DeletePriceRecipe(Database& catalog, const Sha256Digest& sha256);

/// A live `ohlcv` chunk with that logical id; absent when there is none.
Result<std::optional<Sha256Digest>> FindPriceContent(Database& catalog,
                                                     const Sha256Digest& logical_id);
Status InsertPriceContent(Database& catalog, const Sha256Digest& sha256,
                          const Sha256Digest& logical_id);

}  // namespace lamina::catalog
