#include "lamina/backtests/ohlcv_references.h"

#include <algorithm>
#include <map>
#include <set>

#include "lamina/backtests/catalog_rows.h"
#include "lamina/backtests/ohlcv_manifest.h"
#include "lamina/backtests/skeleton.h"
#include "lamina/bundle/msgpack.h"
#include "lamina/catalog/lost_race.h"
#include "lamina/catalog/price_recipes.h"

namespace lamina::backtests {
namespace {

/// A collection that lost a race is made again from the new state.
constexpr int kAttempts = 8;

/// Whether some part of the value was taken out of the skeleton.
bool HasParts(const bundle::Value& value) {
  if (value.kind() == bundle::Kind::kExtension) return true;
  for (const auto& item : value.items()) {
    if (HasParts(item)) return true;
  }
  for (const auto& [key, below] : value.entries()) {
    if (HasParts(below)) return true;
  }
  return false;
}

/// The manifest stands in the skeleton, unless it is so long that it became a chunk.
Result<std::vector<OhlcvReference>> ReadManifest(BacktestStore& store,
                                                 const BacktestRecord& backtest) {
  const auto chunks = [&](const catalog::ChunkId& id) { return store.catalog().ReadChunk(id); };
  LAMINA_ASSIGN(std::string bytes,
                chunks({catalog::ChunkKind::kDocument, backtest.skeleton_sha256}));
  if (IsSkeleton(bytes)) {
    LAMINA_ASSIGN(Skeleton skeleton, DecodeSkeleton(bytes, chunks));
    LAMINA_ASSIGN(const auto body,
                  bundle::Document::Parse(std::move(skeleton.body), kSkeletonLimits));
    const auto ohlcv = body.root().Find("ohlcv");
    if (!ohlcv || ohlcv->is_nil()) return std::vector<OhlcvReference>();
    if (!HasParts(*ohlcv)) return ReadOhlcvManifest(*ohlcv, "");
    LAMINA_ASSIGN(bytes, store.ReadDocument(backtest));
  }
  LAMINA_ASSIGN(const auto document, bundle::Document::Parse(std::move(bytes)));
  const auto ohlcv = document.root().Find("ohlcv");
  if (!ohlcv) return std::vector<OhlcvReference>();
  return ReadOhlcvManifest(*ohlcv, "");
}

/// Live backtests that began after `snapshot` (all of them for -1), by handle; deleted ones too
/// when they are wanted.
Result<std::vector<BacktestRecord>> BacktestsSince(catalog::Database& database,
                                                   std::int64_t snapshot, bool deleted) {
  std::vector<BacktestRecord> records;
  LAMINA_ASSIGN(auto select,
                database.Prepare("SELECT backtest_id, handle, begin_snapshot, skeleton_sha256, "
                                 "bundle_version, document_sha256 FROM backtest WHERE "
                                 "begin_snapshot > ?1 AND (end_snapshot IS NULL OR ?2) "
                                 "ORDER BY handle, backtest_id"));
  select.Bind(1, snapshot).Bind(2, deleted);
  for (;;) {
    LAMINA_ASSIGN(const bool row, select.Step());
    if (!row) return records;
    BacktestRecord record;
    record.backtest_id = select.Int(0);
    record.handle = select.Text(1);
    record.begin_snapshot = select.Int(2);
    LAMINA_ASSIGN(record.skeleton_sha256, Sha256Digest::FromBytes(select.Blob(3)));
    record.bundle_version = static_cast<std::uint32_t>(select.Int(4));
    LAMINA_ASSIGN(record.document_sha256, Sha256Digest::FromBytes(select.Blob(5)));
    records.push_back(std::move(record));
  }
}

/// The manifests of `backtests`, in their order.
Result<std::vector<std::vector<OhlcvReference>>> ReadManifests(
    BacktestStore& store, const std::vector<BacktestRecord>& backtests, const CancelToken* cancel) {
  std::vector<std::vector<OhlcvReference>> manifests(backtests.size());
  LAMINA_TRY(ParallelFor(backtests.size(), 0, [&](std::size_t i, std::size_t) -> Status {
    if (cancel != nullptr && cancel->cancelled()) return Cancelled("reading price references");
    auto manifest = ReadManifest(store, backtests[i]);
    if (!manifest.ok()) {
      return std::move(manifest).error().With("reading the price references of '" +
                                              backtests[i].handle + "'");
    }
    manifests[i] = *std::move(manifest);
    return Ok();
  }));
  return manifests;
}

/// All that backtests name, and the snapshot up to which that is known.
struct Named {
  std::set<Sha256Digest> hashes;
  std::int64_t snapshot = -1;
};

/// Take in the backtests that came since.
Status Refresh(BacktestStore& store, bool deleted, Named& named) {
  std::vector<BacktestRecord> fresh;
  std::int64_t snapshot = 0;
  LAMINA_TRY(store.catalog().Read([&](catalog::Database& database) -> Status {
    LAMINA_ASSIGN(snapshot, catalog::LakeReader(database).LatestSnapshot());
    LAMINA_ASSIGN(fresh, BacktestsSince(database, named.snapshot, deleted));
    return Ok();
  }));
  LAMINA_ASSIGN(const auto manifests, ReadManifests(store, fresh, nullptr));
  for (const auto& manifest : manifests) {
    for (const OhlcvReference& reference : manifest) {
      if (reference.sha256) named.hashes.insert(*reference.sha256);
    }
  }
  named.snapshot = snapshot;
  return Ok();
}

/// Files that are made from another one.
Result<std::vector<catalog::PriceRecipe>> Recipes(BacktestStore& store) {
  std::vector<catalog::PriceRecipe> recipes;
  LAMINA_TRY(store.catalog().Read([&](catalog::Database& database) -> Status {
    LAMINA_ASSIGN(recipes, catalog::ListPriceRecipes(database));
    return Ok();
  }));
  return recipes;
}

/// As the catalog has them, by hash.
Result<std::vector<OhlcvBlob>> ListedOhlcv(BacktestStore& store,
                                           std::optional<std::int64_t> stored_until = {}) {
  std::vector<OhlcvBlob> listed;
  LAMINA_TRY(store.catalog().Read([&](catalog::Database& database) -> Status {
    LAMINA_ASSIGN(auto select,
                  database.Prepare("SELECT sha256, stored_bytes FROM chunk WHERE kind = ?1 AND "
                                   "end_snapshot IS NULL AND (?2 IS NULL OR begin_snapshot <= ?2) "
                                   "ORDER BY sha256"));
    select.Bind(1, static_cast<std::int64_t>(catalog::ChunkKind::kOhlcv)).Bind(2, stored_until);
    for (;;) {
      LAMINA_ASSIGN(const bool row, select.Step());
      if (!row) return Ok();
      LAMINA_ASSIGN(const Sha256Digest sha256, Sha256Digest::FromBytes(select.Blob(0)));
      listed.push_back({sha256, select.Int(1)});
    }
  }));
  LAMINA_ASSIGN(const auto recipes, Recipes(store));
  for (const auto& recipe : recipes) listed.push_back({recipe.sha256, recipe.content_bytes});
  std::sort(listed.begin(), listed.end(),
            [](const OhlcvBlob& a, const OhlcvBlob& b) { return a.sha256 < b.sha256; });
  // A file that got a chunk of its own after its recipe counts once.
  listed.erase(std::unique(listed.begin(), listed.end(),
                           [](const auto& a, const auto& b) { return a.sha256 == b.sha256; }),
               listed.end());
  return listed;
}

}  // namespace

Result<std::vector<OhlcvUse>> OhlcvUses(BacktestStore& store, const CancelToken* cancel) {
  std::vector<BacktestRecord> backtests;
  LAMINA_TRY(store.catalog().Read([&](catalog::Database& database) -> Status {
    LAMINA_ASSIGN(backtests, BacktestsSince(database, -1, false));
    return Ok();
  }));
  LAMINA_ASSIGN(auto manifests, ReadManifests(store, backtests, cancel));
  std::vector<OhlcvUse> uses;
  for (std::size_t i = 0; i < backtests.size(); ++i) {
    for (OhlcvReference& reference : manifests[i]) {
      uses.push_back({backtests[i].handle, std::move(reference.key), std::move(reference.name),
                      reference.sha256});
    }
  }
  return uses;
}

Result<std::vector<OhlcvUse>> OhlcvUsesOf(BacktestStore& store, const std::string& handle) {
  LAMINA_ASSIGN(const BacktestRecord backtest, store.Find(handle));
  LAMINA_ASSIGN(auto manifests, ReadManifests(store, {backtest}, nullptr));
  std::vector<OhlcvUse> uses;
  for (OhlcvReference& reference : manifests.front()) {
    uses.push_back({handle, std::move(reference.key), std::move(reference.name), reference.sha256});
  }
  return uses;
}

Result<std::vector<OhlcvBlob>> OhlcvBlobs(BacktestStore& store) {
  LAMINA_ASSIGN(const auto listed, ListedOhlcv(store));
  std::vector<OhlcvBlob> there;
  for (const OhlcvBlob& blob : listed) {
    const Status present =
        store.catalog().CheckChunk({catalog::ChunkKind::kOhlcv, blob.sha256}, false);
    if (present.ok()) {
      there.push_back(blob);
    } else if (present.error().code() != ErrorCode::kNotFound &&
               present.error().code() != ErrorCode::kCorruption) {
      return present.error().Clone();
    }
  }
  return there;
}

Result<OhlcvStats> ReadOhlcvStats(BacktestStore& store) {
  LAMINA_ASSIGN(const auto uses, OhlcvUses(store));
  LAMINA_ASSIGN(const auto blobs, OhlcvBlobs(store));
  std::set<Sha256Digest> named;
  for (const OhlcvUse& use : uses) {
    if (use.sha256) named.insert(*use.sha256);
  }
  OhlcvStats stats;
  stats.referenced_blobs = static_cast<std::int64_t>(named.size());
  stats.missing_blobs = stats.referenced_blobs;
  for (const OhlcvBlob& blob : blobs) {
    ++stats.stored_blobs;
    stats.stored_bytes += blob.bytes;
    (named.contains(blob.sha256) ? --stats.missing_blobs : ++stats.orphan_blobs);
  }
  return stats;
}

Result<std::vector<Sha256Digest>> CollectOhlcv(BacktestStore& store, const OhlcvCollection& what) {
  Named named;
  for (int attempt = 1;; ++attempt) {
    LAMINA_TRY(Refresh(store, what.keep_deleted, named));
    LAMINA_ASSIGN(const auto listed, ListedOhlcv(store, what.stored_until));
    LAMINA_ASSIGN(const auto recipes, Recipes(store));
    std::set<Sha256Digest> needed = named.hashes;
    std::vector<Sha256Digest> unnamed_recipes;
    for (const auto& recipe : recipes) {
      if (named.hashes.contains(recipe.sha256)) {
        needed.insert(recipe.source);
      } else {
        unnamed_recipes.push_back(recipe.sha256);
      }
    }
    std::vector<Sha256Digest> orphans;
    for (const OhlcvBlob& blob : listed) {
      if (!needed.contains(blob.sha256)) orphans.push_back(blob.sha256);
    }
    if (what.dry_run) return orphans;
    const auto check = [&](catalog::Database& database) -> Status {
      LAMINA_ASSIGN(const auto fresh, BacktestsSince(database, named.snapshot, false));
      if (fresh.empty()) {
        for (const Sha256Digest& sha256 : unnamed_recipes) {
          LAMINA_TRY(catalog::DeletePriceRecipe(database, sha256));
        }
        return Ok();
      }
      return Conflict("'" + fresh.front().handle + "' was stored meanwhile; try again");
    };
    auto gone = store.catalog().CollectChunks(catalog::ChunkKind::kOhlcv, orphans, check);
    if (!gone.ok()) {
      if (catalog::LostRace(gone.error()) && attempt < kAttempts) continue;
      return std::move(gone).error();
    }
    std::vector<Sha256Digest> removed = std::move(unnamed_recipes);
    for (const catalog::ChunkId& id : *gone) removed.push_back(id.sha256);
    std::sort(removed.begin(), removed.end());
    removed.erase(std::unique(removed.begin(), removed.end()), removed.end());
    return removed;
  }
}

}  // namespace lamina::backtests
