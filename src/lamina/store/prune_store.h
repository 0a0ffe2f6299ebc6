#pragma once

/// \file lamina/store/prune_store.h
/// Delete, or export to an archive and delete, the backtests of a store that a rank leaves behind.
/// Free functions; others may use the store meanwhile.

#include <string>
#include <vector>

#include "lamina/backtests/ranking.h"
#include "lamina/base/result.h"
#include "lamina/folder_index/prune.h"
#include "lamina/store/store.h"

namespace lamina::store {

/// As folder_index::Prune, over a store open to write: out-ranked backtests are deleted in one
/// commit (`undelete` brings them back while a snapshot holds them). With an archive each is
/// exported there first, under its handle, in the version it came in, and the file is read back.
/// RETURNS kInvalidArgument, kAlreadyExists (another file in the archive; nothing is deleted),
/// kConflict (a backtest changed since it was ranked; nothing is deleted).
Result<folder_index::PruneReport> PruneStore(io::Env& env, Store& store,
                                             const backtests::RankQuery& query,
                                             const folder_index::PruneOptions& options);

/// The same by the handles to keep: everything else of the store goes. RETURNS kInvalidArgument
/// when `keep` is empty, kNotFound when one of it is not there.
Result<folder_index::PruneReport> PruneStoreExcept(io::Env& env, Store& store,
                                                   const std::vector<std::string>& keep,
                                                   const folder_index::PruneOptions& options);

}  // namespace lamina::store
