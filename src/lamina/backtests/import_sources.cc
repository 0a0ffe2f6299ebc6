#include <algorithm>
#include <set>

#include "lamina/backtests/import.h"

namespace lamina::backtests {
namespace {

bool HasBundleSuffix(std::string_view name) {
  return name.ends_with(".iafbt") || name.ends_with(".obtf");
}

std::string WithoutSuffix(std::string_view name) {
  for (std::string_view suffix : {".iafbt", ".obtf"}) {
    if (name.ends_with(suffix) && name.size() > suffix.size()) {
      return std::string(name.substr(0, name.size() - suffix.size()));
    }
  }
  return std::string(name);
}

/// Folders are walked with a list, not by recursion: their depth is the user's.
Status FindBelow(io::Env& env, const std::string& root, std::vector<ImportSource>& found) {
  std::vector<std::string> pending = {""};
  while (!pending.empty()) {
    const std::string folder = std::move(pending.back());
    pending.pop_back();
    LAMINA_ASSIGN(const auto entries, env.ListDirectory(io::JoinPath(root, folder)));
    for (const auto& entry : entries) {
      const std::string relative = folder.empty() ? entry.name : folder + "/" + entry.name;
      if (entry.is_directory) {
        if (!entry.is_symlink) pending.push_back(relative);
        continue;
      }
      if (!HasBundleSuffix(entry.name)) continue;
      const std::string path = io::JoinPath(root, relative);
      auto info = env.Stat(path);
      // A broken link or a file that went away: reading it will say so.
      found.push_back({path, WithoutSuffix(relative), info.ok() ? info->size : 0});
    }
  }
  return Ok();
}

}  // namespace

Result<std::vector<ImportSource>> FindBundles(io::Env& env, const std::vector<std::string>& paths) {
  std::vector<ImportSource> sources;
  for (const std::string& path : paths) {
    LAMINA_ASSIGN(const auto info, env.Stat(path));
    if (info.is_directory) {
      LAMINA_TRY(FindBelow(env, path, sources));
    } else {
      sources.push_back({path, WithoutSuffix(io::BaseName(path)), info.size});
    }
  }
  std::sort(sources.begin(), sources.end(),
            [](const ImportSource& a, const ImportSource& b) { return a.path < b.path; });
  // The same file named twice (a folder and a file in it) is imported once.
  const auto last =
      std::unique(sources.begin(), sources.end(),
                  [](const ImportSource& a, const ImportSource& b) { return a.path == b.path; });
  sources.erase(last, sources.end());
  return sources;
}

}  // namespace lamina::backtests
