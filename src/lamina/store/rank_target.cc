#include "lamina/store/rank_target.h"

#include <utility>

#include <unistd.h>

#include "lamina/catalog/pins.h"
#include "lamina/store/prune_store.h"

namespace lamina::store {
namespace {

using folder_index::BuildOptions;
using folder_index::BuildReport;
using folder_index::IndexFile;
using folder_index::IndexScope;

struct Refreshed {
  std::unique_ptr<IndexFile> index;
  BuildReport report;
};

Result<Refreshed> Refresh(io::Env& env, std::unique_ptr<IndexFile> index, const IndexScope& scope,
                          const BuildOptions& options) {
  Refreshed refreshed;
  LAMINA_ASSIGN(refreshed.report, folder_index::RefreshIndex(env, *index, scope, options));
  refreshed.index = std::move(index);
  return refreshed;
}

/// The index kept in the folder, brought up to date; absent when it cannot be, or is another
/// program's.
Result<std::optional<Refreshed>> KeptIndex(io::Env& env, const std::string& root,
                                           const BuildOptions& options) {
  const std::string path = io::JoinPath(root, folder_index::kIndexName);
  const bool exists = env.Exists(path);
  IndexScope scope{root, false};
  if (exists) {
    auto known = IndexFile::Open(path);
    // `lamina index` says what is wrong with it; to a list it does not matter.
    if (!known.ok() || (*known)->kind() == IndexFile::Kind::kFramework) {
      return std::optional<Refreshed>();
    }
    if ((*known)->scope()) {
      if ((*known)->scope()->root != root) return std::optional<Refreshed>();
      scope = *(*known)->scope();
    }
  }
  const bool writable =
      access(root.c_str(), W_OK) == 0 && (!exists || access(path.c_str(), W_OK) == 0);
  if (!writable && !exists) return std::optional<Refreshed>();
  auto opened = writable ? IndexFile::OpenToWrite(path) : IndexFile::Open(path);
  if (!opened.ok()) return std::move(opened).error();
  auto refreshed = Refresh(env, *std::move(opened), scope, options);
  if (refreshed.ok()) return std::optional<Refreshed>(*std::move(refreshed));
  if (!writable && refreshed.error().code() == ErrorCode::kUnsupported) {
    return std::optional<Refreshed>();  // not current, and nobody may write it
  }
  return std::move(refreshed).error();
}

}  // namespace

Result<std::unique_ptr<RankTarget>> RankTarget::Open(io::Env& env, const std::string& path,
                                                     const BuildOptions& options) {
  const auto info = env.Stat(path);
  if (info.ok() && info->is_directory && !env.Exists(io::JoinPath(path, "lamina.toml"))) {
    return OfFolder(env, path, options);
  }
  std::unique_ptr<RankTarget> target(new RankTarget);
  if (info.ok() && !info->is_directory) {
    LAMINA_ASSIGN(target->index_, IndexFile::Open(path));
    auto table = target->index_->Table();
    if (!table.ok()) return std::move(table).error();
    return target;
  }
  LAMINA_ASSIGN(target->store_, Store::OpenToRead(env, path));
  return target;
}

Result<std::unique_ptr<RankTarget>> RankTarget::OfFolder(io::Env& env, const std::string& folder,
                                                         const BuildOptions& options) {
  LAMINA_ASSIGN(const std::string root, folder_index::RootOf(env, folder));
  if (!env.Exists(io::JoinPath(root, folder_index::kIndexName))) {
    LAMINA_ASSIGN(const auto found, folder_index::FindBundleFiles(env, root));
    if (found.files.empty() && found.failures.empty()) {
      return NotFound("no store at '" + folder +
                      "' (no lamina.toml there), and no bundle below it; make a store with " +
                      "`lamina init " + folder + "`");
    }
  }
  LAMINA_ASSIGN(auto refreshed, KeptIndex(env, root, options));
  if (!refreshed) {
    LAMINA_ASSIGN(auto memory, IndexFile::InMemory());
    LAMINA_ASSIGN(refreshed, Refresh(env, std::move(memory), IndexScope{root, false}, options));
  }
  std::unique_ptr<RankTarget> target(new RankTarget);
  target->index_ = std::move(refreshed->index);
  target->refreshed_ = std::move(refreshed->report);
  return target;
}

Result<folder_index::PruneReport> RankTarget::Prune(io::Env& env, const std::string& path,
                                                    const backtests::RankQuery& query,
                                                    const folder_index::PruneOptions& options,
                                                    const BuildOptions& build) {
  const auto info = env.Stat(path);
  if (!info.ok() || env.Exists(io::JoinPath(path, "lamina.toml"))) {
    StoreOptions store_options;
    store_options.read_only = options.dry_run;
    LAMINA_ASSIGN(const auto store, Store::Open(env, path, store_options));
    return PruneStore(env, *store, query, options);
  }
  std::string file = path;
  if (info->is_directory) {
    LAMINA_ASSIGN(const std::string root, folder_index::RootOf(env, path));
    file = io::JoinPath(root, folder_index::kIndexName);
    if (!env.Exists(file)) {
      LAMINA_ASSIGN(const auto target, OfFolder(env, path, build));  // makes it
    }
    if (!env.Exists(file)) {
      return InvalidArgument(path + " cannot be written, so nothing can be pruned there");
    }
  }
  LAMINA_ASSIGN(auto index, IndexFile::Open(file));
  if (index->kind() == IndexFile::Kind::kOurs && env.Exists(index->scope()->root)) {
    // Whatever the index is asked for, it must be as its folder is.
    const IndexScope scope = *index->scope();
    LAMINA_ASSIGN(index, IndexFile::OpenToWrite(file));
    LAMINA_ASSIGN(const auto refreshed, folder_index::RefreshIndex(env, *index, scope, build));
    static_cast<void>(refreshed);  // bundles that are refused have no rows, and take no part
  }
  return folder_index::Prune(env, *index, query, options);
}

Result<std::optional<std::int64_t>> RankTarget::ResolveSnapshot(const std::string& text) {
  if (text.empty()) return std::optional<std::int64_t>();
  if (store_ == nullptr) return InvalidArgument("only a store has snapshots");
  LAMINA_ASSIGN(const std::int64_t snapshot, catalog::ResolveSnapshot(store_->catalog(), text));
  return std::optional<std::int64_t>(snapshot);
}

Status RankTarget::Read(const std::function<Status(const backtests::RankTable&)>& work) {
  if (index_ != nullptr) return index_->Read(work);
  return store_->catalog().Read(
      [&](catalog::Database& database) { return work(backtests::RankTable(database)); });
}

}  // namespace lamina::store
