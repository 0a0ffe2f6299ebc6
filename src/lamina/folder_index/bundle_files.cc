#include "lamina/folder_index/bundle_files.h"

#include <algorithm>
#include <utility>

namespace lamina::folder_index {
namespace {

bool HasBundleSuffix(std::string_view name) {
  return name.ends_with(".iafbt") || name.ends_with(".obtf");
}

void AddFile(io::Env& env, const std::string& root, std::string path, BundleFiles& found) {
  auto info = env.Stat(io::JoinPath(root, path));
  if (!info.ok()) {
    found.failures.push_back(
        {std::move(path), info.error().code(), std::string(info.error().message())});
  } else if (info->is_regular) {
    found.files.push_back({std::move(path), info->size, info->mtime_ns});
  } else {
    found.failures.push_back({std::move(path), ErrorCode::kInvalidArgument, "not a regular file"});
  }
}

}  // namespace

Result<BundleFiles> FindBundleFiles(io::Env& env, const std::string& root) {
  LAMINA_ASSIGN(const io::FileInfo info, env.Stat(root));
  if (!info.is_directory) return InvalidArgument(root + " is not a folder");
  BundleFiles found;
  std::vector<std::string> pending = {""};  // a list: the depth of folders is the user's
  while (!pending.empty()) {
    const std::string folder = std::move(pending.back());
    pending.pop_back();
    auto entries = env.ListDirectory(folder.empty() ? root : io::JoinPath(root, folder));
    if (!entries.ok()) {
      if (folder.empty()) return std::move(entries).error();
      found.failures.push_back(
          {folder, entries.error().code(), std::string(entries.error().message())});
      continue;
    }
    const bool archive = std::any_of(entries->begin(), entries->end(), [](const auto& entry) {
      return entry.name == kArchiveMarker;
    });
    if (archive && !folder.empty()) continue;
    for (const io::DirectoryEntry& entry : *entries) {
      std::string path = folder.empty() ? entry.name : folder + "/" + entry.name;
      if (entry.is_directory) {
        if (!entry.is_symlink) pending.push_back(std::move(path));
      } else if (HasBundleSuffix(entry.name)) {
        AddFile(env, root, std::move(path), found);
      }
    }
  }
  const auto by_path = [](const auto& a, const auto& b) { return a.path < b.path; };
  std::sort(found.files.begin(), found.files.end(), by_path);
  std::sort(found.failures.begin(), found.failures.end(), by_path);
  return found;
}

}  // namespace lamina::folder_index
