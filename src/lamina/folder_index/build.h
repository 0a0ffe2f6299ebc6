#pragma once

/// \file lamina/folder_index/build.h
/// Bring the index of a folder up to date: what changed is read, what has gone leaves, in one
/// transaction. Free functions; several at once over one folder conflict, none waits.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "lamina/backtests/import.h"
#include "lamina/base/parallel.h"
#include "lamina/base/result.h"
#include "lamina/folder_index/bundle_files.h"
#include "lamina/folder_index/index_file.h"
#include "lamina/io/env.h"

namespace lamina::folder_index {

inline constexpr std::string_view kIndexName = "index.sqlite";

struct BuildOptions {
  std::string output;           ///< "": kIndexName in the folder
  bool rebuild = false;         ///< read every bundle, whatever the index says
  bool absolute_paths = false;  ///< write absolute paths into `bundle_path`
  /// Compute metrics of our own too; bundles that have none in the index are read again. Takes as
  /// long as an import.
  bool validate = false;
  std::size_t workers = 0;  ///< 0: all cores
  const CancelToken* cancel = nullptr;
  /// Called from worker threads, one at a time.
  std::function<void(const backtests::ImportProgress&)> progress;
};

struct BuildReport {
  std::string path;  ///< of the index
  /// Bundles that were read, that had not changed, that were in the index and have gone.
  std::int64_t indexed = 0, skipped = 0, removed = 0;
  std::vector<FileFailure> failed;  ///< sorted by path; they have no rows in the index
  struct Warning {
    std::string path, message;
  };
  std::vector<Warning> warnings;
  double seconds = 0;
};

/// Index the bundles below `folder`. Errors of single bundles are in the report. RETURNS kNotFound;
/// kInvalidArgument (a store's root, a store of the framework, another file at the output);
/// kAlreadyExists (the index of another folder, unless `rebuild`); kUnsupported (a newer program's
/// index); kConflict (another process writes it); kCancelled (nothing changed); kIo.
Result<BuildReport> BuildIndex(io::Env& env, const std::string& folder,
                               const BuildOptions& options = {});

/// The same in an open index: what `lists` and prunes work on. `in_write`: called inside Write.
Result<BuildReport> RefreshIndex(io::Env& env, IndexFile& index, const IndexScope& scope,
                                 const BuildOptions& options);

/// The rows of one bundle. The file is looked at before and after it is read, and read again when
/// it changed meanwhile. RETURNS kNotFound when it has gone, kConflict when it keeps changing,
/// errors of bundle::ScanBundle. `validate`: with metrics of our own; where they cannot be computed
/// a warning says why.
struct ReadRows {
  std::vector<IndexedRow> rows;
  std::vector<std::string> warnings;
};
Result<ReadRows> ReadBundleRows(io::Env& env, const std::string& path,
                                const std::string& bundle_path, bool validate = false);

/// `folder` as the root of an index: absolute, links resolved. RETURNS kNotFound,
/// kInvalidArgument.
Result<std::string> RootOf(io::Env& env, const std::string& folder);

}  // namespace lamina::folder_index
