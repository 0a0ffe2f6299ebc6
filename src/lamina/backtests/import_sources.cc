#include <algorithm>
#include <set>

#include "lamina/backtests/import.h"

namespace lamina::backtests {
namespace {

/// Of the suffix of a bundle, in either case; 0: `name` has none.
std::size_t SuffixLength(std::string_view name) {
  for (const std::string_view suffix : {".iafbt", ".obtf"}) {
    if (name.size() < suffix.size()) continue;
    const std::string_view end = name.substr(name.size() - suffix.size());
    if (std::equal(end.begin(), end.end(), suffix.begin(),
                   [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; })) {
      return suffix.size();
    }
  }
  return 0;
}

std::string WithoutSuffix(std::string_view name) {
  const std::size_t length = name.size() - SuffixLength(name);
  return std::string(length == 0 ? name : name.substr(0, length));
}

/// Folders are walked with a list, not by recursion: their depth is the user's.
Status FindBelow(io::Env& env, const std::string& root, std::vector<ImportSource>& found) {
  std::vector<std::string> pending = {""};
  while (!pending.empty()) {
    const std::string folder = std::move(pending.back());
    pending.pop_back();
    const auto entries = env.ListDirectory(io::JoinPath(root, folder));
    if (!entries.ok()) {
      // Reading it like a file will say why; its name as a handle meets none of a file.
      found.push_back({io::JoinPath(root, folder), folder + "/", 0});
      continue;
    }
    for (const auto& entry : *entries) {
      const std::string relative = folder.empty() ? entry.name : folder + "/" + entry.name;
      if (entry.is_directory) {
        if (!entry.is_symlink) pending.push_back(relative);
        continue;
      }
      if (SuffixLength(entry.name) == 0) continue;
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
