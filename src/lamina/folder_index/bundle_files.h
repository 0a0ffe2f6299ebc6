#pragma once

/// \file lamina/folder_index/bundle_files.h
/// The bundles below a folder, as they lie there. Free functions; thread-safe.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lamina/base/result.h"
#include "lamina/io/env.h"

namespace lamina::folder_index {

/// A folder that holds this file is an archive of pruned bundles: walks from above leave it out.
inline constexpr std::string_view kArchiveMarker = ".lamina-archive";

struct BundleFile {
  std::string path;  ///< relative to the folder, '/' between its parts
  std::int64_t size = 0, mtime_ns = 0;
};

struct FileFailure {
  std::string path;  ///< relative to the folder
  ErrorCode code;
  std::string message;
};

struct BundleFiles {
  std::vector<BundleFile> files;      ///< sorted by path
  std::vector<FileFailure> failures;  ///< links to nothing, folders that cannot be listed
};

/// `*.iafbt` and `*.obtf` below `root`, recursive; links to files are followed, links to folders
/// are not. RETURNS kNotFound, kInvalidArgument (no folder), kIo when `root` itself cannot be
/// listed.
Result<BundleFiles> FindBundleFiles(io::Env& env, const std::string& root);

}  // namespace lamina::folder_index
