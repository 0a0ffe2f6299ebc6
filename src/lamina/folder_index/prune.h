#pragma once

/// \file lamina/folder_index/prune.h
/// Remove, or move to an archive, the bundles that a rank leaves behind. Free functions; a prune
/// holds the write lock of its index.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "lamina/backtests/prune_plan.h"
#include "lamina/base/parallel.h"
#include "lamina/base/result.h"
#include "lamina/folder_index/bundle_files.h"
#include "lamina/folder_index/index_file.h"
#include "lamina/io/env.h"

namespace lamina::folder_index {

struct PruneOptions {
  std::string archive;   ///< folder to move to; "": delete
  bool dry_run = false;  ///< say what would happen
  const CancelToken* cancel = nullptr;
};

struct PruneReport {
  backtests::RowSet rows;           ///< the rank, as it was
  std::vector<std::string> kept;    ///< handles of the rank's rows
  std::vector<std::string> pruned;  ///< handles that were out-ranked and are gone, or would be
  bool dry_run = false;
  /// Out-ranked, and left where they are, with the reason.
  std::vector<FileFailure> left;
};

/// Rank the index's rows and remove the bundles that took part and are not among `query.limit`
/// best. The index is as its folder is: refresh it before. Bundles whose file is not the one that
/// was indexed, links, and what links point to, are left. RETURNS kInvalidArgument: nothing would
/// be kept, an index without its folder, an archive in a wrong place; kAlreadyExists: the archive
/// holds another file in a bundle's place (nothing is moved then); kCancelled: what was pruned
/// before stays pruned, and the index says so.
Result<PruneReport> Prune(io::Env& env, IndexFile& index, const backtests::RankQuery& query,
                          const PruneOptions& options);

}  // namespace lamina::folder_index
