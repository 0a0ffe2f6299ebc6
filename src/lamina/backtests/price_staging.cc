#include "lamina/backtests/price_staging.h"

#include <utility>

#include "lamina/table/published_parquet.h"

namespace lamina::backtests {

using catalog::ChunkId;
using catalog::ChunkKind;

Result<PriceStaging::Known> PriceStaging::Look(const Sha256Digest& sha256) const {
  Known known;
  LAMINA_TRY(catalog_->Read([&](catalog::Database& database) -> Status {
    LAMINA_ASSIGN(const auto row, catalog::FindChunk(database, {ChunkKind::kOhlcv, sha256}));
    known.is_chunk = row && row->live();
    if (!known.is_chunk) {
      LAMINA_ASSIGN(known.recipe, catalog::FindPriceRecipe(database, sha256));
    }
    return Ok();
  }));
  return known;
}

Result<std::optional<catalog::PreparedChunk>> PriceStaging::FindSame(
    const Sha256Digest& logical_id) const {
  const auto fresh = fresh_.find(logical_id);
  if (fresh != fresh_.end()) return std::optional(fresh->second);
  std::optional<Sha256Digest> stored;
  LAMINA_TRY(catalog_->Read([&](catalog::Database& database) -> Status {
    LAMINA_ASSIGN(stored, catalog::FindPriceContent(database, logical_id));
    return Ok();
  }));
  if (!stored) return std::optional<catalog::PreparedChunk>();
  const ChunkId id{ChunkKind::kOhlcv, *stored};
  const auto content = catalog_->ReadChunk(id);
  // A damaged one serves nobody.
  if (!content.ok()) return std::optional<catalog::PreparedChunk>();
  LAMINA_ASSIGN(auto chunk, catalog::PrepareChunk(id, *content));
  return std::optional(std::move(chunk));
}

Result<std::int64_t> PriceStaging::Stage(catalog::Commit& commit,
                                         const catalog::PreparedChunk& file) {
  const Sha256Digest& sha256 = file.id.sha256;
  if (sources_.contains(sha256)) return 0;
  LAMINA_ASSIGN(const Known known, Look(sha256));
  if (known.recipe) {
    const ChunkId source{ChunkKind::kOhlcv, known.recipe->source};
    const auto content = catalog_->ReadChunk(source);
    if (content.ok()) {
      LAMINA_ASSIGN(auto chunk, catalog::PrepareChunk(source, *content));
      LAMINA_TRY(commit.PutPreparedChunk(std::move(chunk)));
      recipes_.push_back(*known.recipe);
      sources_.emplace(sha256, source.sha256);
      return 0;
    }
  }
  const auto stored = static_cast<std::int64_t>(file.stored.size());
  if (!known.is_chunk) {
    const auto logical_id = table::LogicalId(file.stored);
    if (logical_id.ok()) {
      LAMINA_ASSIGN(auto same, FindSame(*logical_id));
      if (same) {
        auto recipe = table::RewriteRecipe(same->stored, file.stored);
        if (recipe.ok()) {
          const auto bytes = static_cast<std::int64_t>(recipe->size());
          const Sha256Digest source = same->id.sha256;
          LAMINA_TRY(commit.PutPreparedChunk(*std::move(same)));
          recipes_.push_back({sha256, source, file.content_bytes, *std::move(recipe)});
          sources_.emplace(sha256, source);
          return bytes;
        }
      } else {
        fresh_.emplace(*logical_id, file);
      }
      contents_.emplace_back(sha256, *logical_id);
    }
  }
  LAMINA_TRY(commit.PutPreparedChunk(file));
  sources_.emplace(sha256, sha256);
  return stored;
}

ChunkId PriceStaging::ReferenceOf(const ChunkId& file) const {
  const auto found = sources_.find(file.sha256);
  return found == sources_.end() ? file : ChunkId{file.kind, found->second};
}

Status PriceStaging::WriteRows(catalog::Database& database) const {
  for (const auto& [sha256, logical_id] : contents_) {
    LAMINA_TRY(catalog::InsertPriceContent(database, sha256, logical_id));
  }
  for (const auto& recipe : recipes_) LAMINA_TRY(catalog::InsertPriceRecipe(database, recipe));
  return Ok();
}

}  // namespace lamina::backtests
