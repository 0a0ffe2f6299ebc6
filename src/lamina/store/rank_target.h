#pragma once

/// \file lamina/store/rank_target.h
/// RankTarget: whatever lists and ranks work on, behind one face: a store, a folder of bundles, an
/// index file. Thread-compatible.

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "lamina/backtests/ranking.h"
#include "lamina/base/result.h"
#include "lamina/folder_index/build.h"
#include "lamina/folder_index/index_file.h"
#include "lamina/folder_index/prune.h"
#include "lamina/io/env.h"
#include "lamina/store/store.h"

namespace lamina::store {

class RankTarget {
 public:
  /// `path` is a store's root, an index file, or any other folder: its index is brought up to date
  /// first and kept there as index.sqlite; where that cannot be written, or is another program's,
  /// it is made in memory. RETURNS kNotFound (nothing there, no bundle in the folder), errors of
  /// Store::Open, IndexFile::Open and BuildIndex.
  static Result<std::unique_ptr<RankTarget>> Open(io::Env& env, const std::string& path,
                                                  const folder_index::BuildOptions& options = {});

  /// Run `work` in one read transaction.
  Status Read(const std::function<Status(const backtests::RankTable&)>& work);

  /// As catalog::ResolveSnapshot; absent for "". RETURNS kInvalidArgument for what is no store.
  Result<std::optional<std::int64_t>> ResolveSnapshot(const std::string& text);

  /// Prune by a rank; see folder_index::Prune and PruneStore. RETURNS kInvalidArgument for an index
  /// that had to be made in memory.
  static Result<folder_index::PruneReport> Prune(io::Env& env, const std::string& path,
                                                 const backtests::RankQuery& query,
                                                 const folder_index::PruneOptions& options,
                                                 const folder_index::BuildOptions& build = {});

  /// What bringing the folder's index up to date said; absent for stores and index files.
  const std::optional<folder_index::BuildReport>& refreshed() const { return refreshed_; }

 private:
  RankTarget() = default;
  static Result<std::unique_ptr<RankTarget>> OfFolder(io::Env& env, const std::string& folder,
                                                      const folder_index::BuildOptions& options);

  std::unique_ptr<Store> store_;
  std::unique_ptr<folder_index::IndexFile> index_;
  std::optional<folder_index::BuildReport> refreshed_;
};

}  // namespace lamina::store
