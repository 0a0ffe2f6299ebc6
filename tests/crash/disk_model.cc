#include "disk_model.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <utility>

#include "lamina/io/env.h"

namespace lamina::crash {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kSectorBytes = 512;

std::uint64_t Mix(std::uint64_t seed, std::uint64_t value) {
  seed ^= value + 0x9E3779B97F4A7C15ULL + (seed << 12) + (seed >> 4);
  return seed * 0xBF58476D1CE4E5B9ULL;
}

bool Chance(Random& random, double probability) {
  return std::uniform_real_distribution<double>(0, 1)(random) < probability;
}

/// The folders whose names a change changes.
std::vector<std::string> FoldersOf(const Change& change) {
  std::vector<std::string> folders;
  if (change.kind != Change::Kind::kLink) folders.push_back(io::ParentPath(change.path));
  if (!change.to.empty()) folders.push_back(io::ParentPath(change.to));
  return folders;
}

void Write(std::string& bytes, std::int64_t offset, std::string_view data) {
  const auto at = static_cast<std::size_t>(offset);
  if (bytes.size() < at + data.size()) bytes.resize(at + data.size());
  bytes.replace(at, data.size(), data);
}

}  // namespace

std::string_view LossName(Loss loss) {
  constexpr std::array<std::string_view, 5> kNames = {"nothing", "all", "bytes", "names", "some"};
  return kNames[static_cast<std::size_t>(loss)];
}

std::uint64_t Image::Hash() const {
  std::uint64_t hash = 0;
  for (const auto& [path, bytes] : entries) {
    hash = Mix(hash, std::hash<std::string_view>()(path));
    hash = Mix(hash, bytes ? std::hash<std::string_view>()(*bytes) : 1);
  }
  return hash;
}

Image ReadImage(const std::string& root) {
  Image image;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    const std::string path = entry.path().string();
    if (entry.is_directory()) {
      image.entries[path] = nullptr;
    } else if (!path.ends_with("-shm")) {
      std::ifstream in(path, std::ios::binary);
      image.entries[path] = std::make_shared<std::string>(std::istreambuf_iterator<char>(in),
                                                          std::istreambuf_iterator<char>());
    }
  }
  return image;
}

Status WriteImage(const Image& image, const std::string& root) {
  std::error_code error;
  fs::remove_all(root, error);
  fs::create_directories(root, error);
  if (error) return IoError("making " + root + ": " + error.message());
  for (const auto& [path, bytes] : image.entries) {
    if (bytes == nullptr) {
      fs::create_directory(path, error);
      if (error) return IoError("making " + path + ": " + error.message());
      continue;
    }
    LAMINA_ASSIGN(const auto file, io::PosixEnv().NewWritableFile(path));
    LAMINA_TRY(file->Append(*bytes));
    LAMINA_TRY(file->Close());
  }
  return Ok();
}

DiskModel::DiskModel(const Image& image, std::string root) : root_(std::move(root)) {
  for (const auto& [path, bytes] : image.entries) {
    names_[path] = bytes ? static_cast<int>(files_.size()) : kFolder;
    if (bytes) files_.push_back({*bytes, bytes, {}, bytes});
  }
  durable_names_ = names_;
}

void DiskModel::ApplyName(const Change& change, Names& names) {
  switch (change.kind) {
    case Change::Kind::kCreate:
      names[change.path] = change.file;
      break;
    case Change::Kind::kMakeFolder:
      names[change.path] = kFolder;
      break;
    case Change::Kind::kUnlink:
    case Change::Kind::kRemoveFolder:
      names.erase(change.path);
      break;
    case Change::Kind::kLink:
      if (const auto from = names.find(change.path); from != names.end()) {
        names[change.to] = from->second;
      }
      break;
    case Change::Kind::kRename: {
      Names moved;
      std::erase_if(names, [&](const auto& entry) {
        if (entry.first != change.path && !entry.first.starts_with(change.path + "/")) return false;
        moved.emplace(change.to + entry.first.substr(change.path.size()), entry.second);
        return true;
      });
      for (const auto& [path, file] : moved) names[path] = file;
      break;
    }
    default:
      break;
  }
}

void DiskModel::SyncFolder(const std::string& folder) {
  // With a rename out of another folder, what happened there before it is on the disk too.
  std::set<std::string> synced = {folder};
  std::vector<bool> durable(pending_names_.size(), false);
  for (std::size_t i = pending_names_.size(); i-- > 0;) {
    const std::vector<std::string> folders = FoldersOf(pending_names_[i]);
    if (std::none_of(folders.begin(), folders.end(),
                     [&](const auto& each) { return synced.contains(each); })) {
      continue;
    }
    durable[i] = true;
    synced.insert(folders.begin(), folders.end());
  }
  std::vector<Change> rest;
  for (std::size_t i = 0; i < pending_names_.size(); ++i) {
    if (durable[i]) {
      ApplyName(pending_names_[i], durable_names_);
    } else {
      rest.push_back(std::move(pending_names_[i]));
    }
  }
  pending_names_ = std::move(rest);
}

void DiskModel::Apply(const Change& change) {
  switch (change.kind) {
    case Change::Kind::kWrite:
    case Change::Kind::kTruncate: {
      File& file = files_[static_cast<std::size_t>(change.file)];
      file.copy.reset();
      if (change.kind == Change::Kind::kWrite) {
        Write(file.bytes, change.offset, change.bytes);
      } else {
        file.bytes.resize(static_cast<std::size_t>(change.offset));
      }
      file.pending.push_back(change);
      break;
    }
    case Change::Kind::kSync: {
      File& file = files_[static_cast<std::size_t>(change.file)];
      if (!file.copy) file.copy = std::make_shared<std::string>(file.bytes);
      file.synced = file.copy;
      file.pending.clear();
      break;
    }
    case Change::Kind::kSyncFolder:
      SyncFolder(change.path);
      break;
    case Change::Kind::kAcknowledge:
      break;
    case Change::Kind::kCreate:
      if (static_cast<std::size_t>(change.file) >= files_.size()) {
        files_.resize(static_cast<std::size_t>(change.file) + 1);
      }
      files_[static_cast<std::size_t>(change.file)].synced = std::make_shared<std::string>();
      [[fallthrough]];
    default:
      ApplyName(change, names_);
      pending_names_.push_back(change);
  }
}

bool DiskModel::unsynced() const {
  return !pending_names_.empty() || std::any_of(files_.begin(), files_.end(), [](const File& file) {
    return !file.pending.empty();
  });
}

DiskModel::Names DiskModel::SomeNames(Random& random) const {
  Names names = durable_names_;
  std::set<std::string> stopped;
  const double stop = std::array{0.02, 0.15, 0.5}[random() % 3];
  for (const Change& change : pending_names_) {
    const std::vector<std::string> folders = FoldersOf(change);
    const bool stops = std::any_of(folders.begin(), folders.end(),
                                   [&](const auto& folder) { return stopped.contains(folder); }) ||
                       Chance(random, stop);
    if (stops) {
      stopped.insert(folders.begin(), folders.end());
    } else {
      ApplyName(change, names);
    }
  }
  return names;
}

std::string DiskModel::SomeBytes(const File& file, Random& random) const {
  std::string bytes = *file.synced;
  const bool in_order = Chance(random, 0.4);  // the first few writes, the last of them torn
  const std::size_t whole = random() % (file.pending.size() + 1);
  const double keep = std::array{0.1, 0.5, 0.95}[random() % 3];
  for (std::size_t i = 0; i < file.pending.size(); ++i) {
    const Change& change = file.pending[i];
    if (in_order && i > whole) break;
    if (change.kind == Change::Kind::kTruncate) {
      if (in_order ? i < whole : Chance(random, keep)) {
        bytes.resize(static_cast<std::size_t>(change.offset));
      }
      continue;
    }
    const auto length = std::ssize(change.bytes);
    const std::int64_t torn = in_order && i == whole ? static_cast<std::int64_t>(random()) : 0;
    for (std::int64_t at = 0; at < length;) {
      const std::int64_t end = std::min(
          length, ((change.offset + at) / kSectorBytes + 1) * kSectorBytes - change.offset);
      const bool kept = !in_order   ? Chance(random, keep)
                        : i < whole ? true
                                    : (torn >> std::min<std::int64_t>(at / 512, 62) & 1) == 0;
      if (in_order && i == whole && !kept) break;
      if (kept) {
        Write(bytes, change.offset + at,
              std::string_view(change.bytes)
                  .substr(static_cast<std::size_t>(at), static_cast<std::size_t>(end - at)));
      }
      at = end;
    }
  }
  if (bytes.size() < file.bytes.size() && Chance(random, 0.3)) bytes.resize(file.bytes.size());
  return bytes;
}

Image DiskModel::After(Loss loss, Random& random) const {
  Names some;
  if (loss == Loss::kSome) some = SomeNames(random);
  const bool old_names = loss == Loss::kAll || loss == Loss::kNames;
  const Names& names = loss == Loss::kSome ? some : old_names ? durable_names_ : names_;
  const bool old_bytes = loss == Loss::kAll || loss == Loss::kBytes;
  Image image;
  std::map<int, std::shared_ptr<const std::string>> seen;  // one file under two names
  for (const auto& [path, number] : names) {
    const std::string parent = io::ParentPath(path);
    if (parent != root_ && !image.entries.contains(parent)) continue;
    if (number == kFolder) {
      image.entries[path] = nullptr;
      continue;
    }
    const File& file = files_[static_cast<std::size_t>(number)];
    std::shared_ptr<const std::string>& bytes = seen[number];
    if (bytes == nullptr) {
      if (old_bytes) {
        bytes = file.synced;
      } else if (loss == Loss::kSome && !file.pending.empty()) {
        bytes = std::make_shared<std::string>(SomeBytes(file, random));
      } else {
        if (!file.copy) file.copy = std::make_shared<std::string>(file.bytes);
        bytes = file.copy;
      }
    }
    image.entries[path] = bytes;
  }
  return image;
}

}  // namespace lamina::crash
