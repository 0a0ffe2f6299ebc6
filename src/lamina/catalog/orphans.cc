#include <algorithm>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "lamina/base/uuid.h"
#include "lamina/catalog/catalog_internal.h"

// What a crash can leave without an intent that names it: the leavings of a program or a disk that
// did not keep its promises, and of sessions whose folder was removed by hand.

namespace lamina::catalog {
namespace {

constexpr std::size_t kBatch = 256;
constexpr int kDepthMax = 16;

struct Walk {
  io::Env& env;
  const std::string& root;
  Nanos written_before;
  std::vector<OrphanFile> files = {};

  Status Below(const std::string& folder, int depth) {
    if (depth > kDepthMax) return Corruption(folder + " lies too deep for a folder of the store");
    const auto listed = env.ListDirectory(io::JoinPath(root, folder));
    if (!listed.ok()) {
      if (depth == 0 && listed.error().code() == ErrorCode::kNotFound) return Ok();
      return listed.error().Clone();
    }
    for (const io::DirectoryEntry& entry : *listed) {
      const std::string path = io::JoinPath(folder, entry.name);
      if (entry.is_symlink) continue;
      if (entry.is_directory) {
        LAMINA_TRY(Below(path, depth + 1));
        continue;
      }
      if (!IsOurs(path)) continue;
      const auto info = env.Stat(io::JoinPath(root, path));
      if (!info.ok() && info.error().code() == ErrorCode::kNotFound) continue;
      if (!info.ok()) return info.error().Clone();
      if (info->mtime_ns < written_before.value) files.push_back({path, info->size});
    }
    return Ok();
  }

  static bool IsOurs(std::string_view path) {
    if (!path.starts_with("lake/")) return internal::ChunkOfPath(path).has_value();
    const std::string base = io::BaseName(path);
    for (const std::string_view suffix : {"-delete.parquet", ".parquet"}) {
      if (!base.ends_with(suffix)) continue;
      return Uuid::Parse(std::string_view(base).substr(0, base.size() - suffix.size())).has_value();
    }
    return false;
  }
};

/// Those of `files` that no row names.
Result<std::vector<OrphanFile>> Unnamed(Database& database, const std::vector<OrphanFile>& files) {
  std::unordered_set<std::string> wanted;
  for (const OrphanFile& file : files) {
    if (file.path.starts_with("lake/")) wanted.insert(io::BaseName(file.path));
  }
  LAMINA_ASSIGN(const auto registered, internal::RegisteredNames(database, wanted));
  std::vector<OrphanFile> unnamed;
  for (const OrphanFile& file : files) {
    const auto chunk = internal::ChunkOfPath(file.path);
    if (!chunk) {
      if (!registered.contains(io::BaseName(file.path))) unnamed.push_back(file);
      continue;
    }
    LAMINA_ASSIGN(const auto row, FindChunk(database, *chunk));
    if (!row || !row->in_file) unnamed.push_back(file);
  }
  return unnamed;
}

/// Between its rename and its commit a file is named by the intent of its session alone.
Status SpareUnfinished(io::Env& env, const std::string& root, std::vector<OrphanFile>& files) {
  if (files.empty()) return Ok();
  LAMINA_ASSIGN(const internal::Intent intent, internal::ReadAllIntents(env, root));
  std::unordered_set<std::string> named(intent.chunk_paths.begin(), intent.chunk_paths.end());
  for (const std::string& path : intent.lake_paths) named.insert(io::JoinPath("lake", path));
  std::erase_if(files, [&](const OrphanFile& file) { return named.contains(file.path); });
  return Ok();
}

}  // namespace

Result<std::vector<OrphanFile>> Catalog::RemoveOrphans(Nanos written_before, bool dry_run) {
  Walk walk{env(), root(), written_before};
  LAMINA_TRY(walk.Below("lake", 0));
  LAMINA_TRY(walk.Below("chunks", 0));
  std::vector<OrphanFile> suspects;
  LAMINA_TRY(Read([&](Database& database) -> Status {
    LAMINA_ASSIGN(suspects, Unnamed(database, walk.files));
    return SpareUnfinished(env(), root(), suspects);
  }));
  if (dry_run) return suspects;
  std::vector<OrphanFile> gone;
  for (std::size_t first = 0; first < suspects.size(); first += kBatch) {
    const std::size_t end = std::min(first + kBatch, suspects.size());
    // With the write lock no commit is between its look at the files and its end.
    LAMINA_TRY(Transact([&](Database& database) -> Status {
      LAMINA_ASSIGN(auto batch, Unnamed(database, {suspects.begin() + static_cast<long>(first),
                                                   suspects.begin() + static_cast<long>(end)}));
      LAMINA_TRY(SpareUnfinished(env(), root(), batch));
      for (OrphanFile& file : batch) {
        const Status removed = env().Unlink(io::JoinPath(root(), file.path));
        if (!removed.ok() && removed.error().code() != ErrorCode::kNotFound)
          return removed.error().Clone();
        gone.push_back(std::move(file));
      }
      return Ok();
    }));
  }
  return gone;
}

Status Catalog::RecoverDeadSessions() {
  const std::lock_guard<std::mutex> lock(state_->write_mutex);
  const bool fresh = state_->session == nullptr;
  LAMINA_TRY(state_->StartSession());
  if (fresh) return Ok();  // its start has just done so
  return internal::RecoverUnderGate(state_->env, state_->root, *state_->writer,
                                    state_->session->id());
}

}  // namespace lamina::catalog
