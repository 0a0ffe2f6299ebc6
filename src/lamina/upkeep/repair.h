#pragma once

/// \file lamina/upkeep/repair.h
/// Making again what can be derived, fetching what a backup has, and setting the rest aside in
/// quarantine/. Nothing is deleted. Thread-safe.

#include <string>
#include <vector>

#include "lamina/base/parallel.h"
#include "lamina/base/result.h"
#include "lamina/store/store.h"
#include "lamina/upkeep/verify_store.h"

namespace lamina::upkeep {

struct RepairOptions {
  bool dry_run = false;
  std::string backup;  ///< folder of a backup of this store; "": none
  const CancelToken* cancel = nullptr;
};

struct RepairAction {
  std::string path;
  std::string action;  ///< "rebuilt", "fetched", "quarantined"
  std::string detail;
};

struct RepairReport {
  std::vector<RepairAction> actions;   ///< done, or (dry run) what would be
  std::vector<StoreProblem> problems;  ///< that remain
  bool dry_run = false;
};

/// Verify deeply, repair, verify again. Rebuilt: `head`, the rank table, statistics, indexes of the
/// databases. Fetched: lake and chunk files, where the backup has them whole. Quarantined: damaged
/// chunks and lake files that no backup gives, with a `.reason` beside them; a chunk that is stored
/// again takes its place. RETURNS kConflict, kCancelled, kNotFound (no such backup).
Result<RepairReport> RepairStore(store::Store& store, const RepairOptions& options = {});

}  // namespace lamina::upkeep
