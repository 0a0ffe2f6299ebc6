#pragma once

/// \file lamina/backtests/price_staging.h
/// The price files of a batch on their way into the store: each content once, whatever way it was
/// encoded; every published hash can be given out again. Used by one thread.

#include <map>
#include <vector>

#include "lamina/catalog/catalog.h"
#include "lamina/catalog/price_recipes.h"

namespace lamina::backtests {

class PriceStaging {
 public:
  explicit PriceStaging(catalog::Catalog& catalog) : catalog_(&catalog) {}

  /// Add what is new of one published file to the commit. Slow; outside the transaction. RETURNS
  /// the bytes that are stored for it.
  Result<std::int64_t> Stage(catalog::Commit& commit, const catalog::PreparedChunk& file);
  /// The chunk that a backtest naming this file refers to: the file's own, or the one that it is
  /// made from.
  catalog::ChunkId ReferenceOf(const catalog::ChunkId& file) const;
  /// In the transaction.
  Status WriteRows(catalog::Database& database) const;

 private:
  struct Known {
    bool is_chunk = false;
    std::optional<catalog::PriceRecipe> recipe;
  };
  Result<Known> Look(const Sha256Digest& sha256) const;
  Result<std::optional<catalog::PreparedChunk>> FindSame(const Sha256Digest& logical_id) const;

  catalog::Catalog* catalog_;
  std::map<Sha256Digest, Sha256Digest> sources_;          ///< staged before: file -> reference
  std::map<Sha256Digest, catalog::PreparedChunk> fresh_;  ///< by logical id
  std::vector<std::pair<Sha256Digest, Sha256Digest>> contents_;  ///< file, logical id
  std::vector<catalog::PriceRecipe> recipes_;
};

}  // namespace lamina::backtests
