#include <algorithm>
#include <filesystem>

#include "lamina/backtests/import.h"
#include "lamina/backtests/legacy_folder.h"

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

/// The name that a folder has where it is, also when it is given as `.` or `a/b/`.
std::string FolderName(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  const std::string name = io::BaseName(path);
  if (name != "." && name != ".." && name != "/") return name;
  std::error_code failed;
  const auto real = std::filesystem::canonical(path, failed);
  return failed ? name : real.filename().string();
}

class Finder {
 public:
  Finder(io::Env& env, bool legacy) : env_(env), legacy_(legacy) {}

  Status Find(const std::string& path) {
    LAMINA_ASSIGN(const auto info, env_.Stat(path));
    if (info.is_directory) {
      Below(path);
    } else {
      found_.push_back({path, WithoutSuffix(io::BaseName(path)), info.size});
    }
    return Ok();
  }

  std::vector<ImportSource> Finish() {
    std::sort(found_.begin(), found_.end(),
              [](const ImportSource& a, const ImportSource& b) { return a.path < b.path; });
    // The same file named twice (a folder and a file in it) is imported once.
    const auto last =
        std::unique(found_.begin(), found_.end(),
                    [](const ImportSource& a, const ImportSource& b) { return a.path == b.path; });
    found_.erase(last, found_.end());
    return std::move(found_);
  }

 private:
  /// Folders are walked with a list, not by recursion: their depth is the user's.
  void Below(const std::string& root) {
    std::vector<std::string> pending = {""};
    while (!pending.empty()) {
      const std::string folder = std::move(pending.back());
      pending.pop_back();
      const std::string path = folder.empty() ? root : io::JoinPath(root, folder);
      const std::string name = folder.empty() ? FolderName(root) : folder;
      const auto entries = env_.ListDirectory(path);
      if (!entries.ok()) {
        found_.push_back({path, name, 0, ImportSource::Kind::kUnreadable});
        continue;
      }
      const bool is_legacy = legacy_ && IsLegacyFolder(env_, path, *entries);
      if (is_legacy) found_.push_back({path, name, 0, ImportSource::Kind::kLegacyFolder});
      for (const auto& entry : *entries) {
        const std::string relative = folder.empty() ? entry.name : folder + "/" + entry.name;
        if (!entry.is_directory) {
          File(root, relative, entry.name);
        } else if (!entry.is_symlink && !(is_legacy && IsLegacyPart(entry.name))) {
          pending.push_back(relative);
        }
      }
    }
  }

  void File(const std::string& root, const std::string& relative, const std::string& name) {
    if (SuffixLength(name) == 0) return;
    const std::string path = io::JoinPath(root, relative);
    auto info = env_.Stat(path);
    // A broken link or a file that went away: reading it will say so.
    found_.push_back({path, WithoutSuffix(relative), info.ok() ? info->size : 0});
  }

  io::Env& env_;
  const bool legacy_;
  std::vector<ImportSource> found_;
};

Result<std::vector<ImportSource>> Find(io::Env& env, const std::vector<std::string>& paths,
                                       bool legacy) {
  Finder finder(env, legacy);
  for (const std::string& path : paths) LAMINA_TRY(finder.Find(path));
  return finder.Finish();
}

}  // namespace

Result<std::vector<ImportSource>> FindBundles(io::Env& env, const std::vector<std::string>& paths) {
  return Find(env, paths, false);
}

Result<std::vector<ImportSource>> FindBacktests(io::Env& env,
                                                const std::vector<std::string>& paths) {
  return Find(env, paths, true);
}

Error UnreadableSource(io::Env& env, const ImportSource& source) {
  auto entries = env.ListDirectory(source.path);
  if (entries.ok()) {
    return Conflict("the folder could not be read a moment ago; import it again");
  }
  return std::move(entries).error();
}

}  // namespace lamina::backtests
