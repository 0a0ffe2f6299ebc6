#pragma once

/// \file tests/crash/disk_model.h
/// What a disk may hold after power was cut at some point of a log of changes. Thread-compatible.

#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "file_calls.h"

#include "lamina/base/result.h"

namespace lamina::crash {

using Random = std::mt19937_64;

/// Files and folders with their content, by absolute path.
struct Image {
  std::map<std::string, std::shared_ptr<const std::string>> entries;  ///< null: a folder

  std::uint64_t Hash() const;
};

/// All below `root`, `-shm` files left out; `root` itself is not an entry.
Image ReadImage(const std::string& root);
/// Make `root` hold exactly the image.
Status WriteImage(const Image& image, const std::string& root);

/// How much of what was not synced is there.
enum class Loss : std::uint8_t {
  kNothing,  ///< the process died, the system lives
  kAll,      ///< names and bytes that were not synced are gone
  kBytes,    ///< all names are there, bytes that were not synced are not
  kNames,    ///< the other way round
  kSome,     ///< any of it: sectors of 512 bytes one by one, names in order within each folder
};
inline constexpr Loss kLosses[] = {Loss::kNothing, Loss::kAll, Loss::kBytes, Loss::kNames,
                                   Loss::kSome};
std::string_view LossName(Loss loss);

/// The rules:
/// * the bytes of a file up to its last sync are there; of later writes and truncations any part,
///   sector by sector; a grown file may have zeros where bytes are missing;
/// * the names in a folder as of its last sync are there; of later changes the first few, in order,
///   each folder for itself; a rename between two folders happens in both or in none; a name that
///   is durable below a folder that is not is lost with it;
/// * what happens to different files has no order.
class DiskModel {
 public:
  /// All of `image` is durable. The files are numbered in the order of their paths.
  DiskModel(const Image& image, std::string root);

  void Apply(const Change& change);
  /// `random` is used by kSome only.
  Image After(Loss loss, Random& random) const;
  /// Whether something is not durable.
  bool unsynced() const;

 private:
  using Names = std::map<std::string, int>;  ///< file by path; kFolder
  static constexpr int kFolder = -1;
  struct File {
    std::string bytes;                                ///< as a program sees it
    std::shared_ptr<const std::string> synced;        ///< as of the last sync
    std::vector<Change> pending;                      ///< since
    mutable std::shared_ptr<const std::string> copy;  ///< of bytes
  };

  static void ApplyName(const Change& change, Names& names);
  void SyncFolder(const std::string& folder);
  Names SomeNames(Random& random) const;
  std::string SomeBytes(const File& file, Random& random) const;

  std::string root_;
  Names names_, durable_names_;
  std::vector<Change> pending_names_;
  std::vector<File> files_;
};

}  // namespace lamina::crash
