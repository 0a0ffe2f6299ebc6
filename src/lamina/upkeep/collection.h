#pragma once

/// \file lamina/upkeep/collection.h
/// Garbage collection: what no kept snapshot, pin or writer needs any more is unlinked.
/// docs/format/upkeep.md says why it is safe at every point. Thread-safe.

#include <cstdint>
#include <string>
#include <vector>

#include "lamina/base/parallel.h"
#include "lamina/base/result.h"
#include "lamina/base/time.h"
#include "lamina/store/store.h"

namespace lamina::upkeep {

struct CollectOptions {
  /// Absent: what lamina.toml says.
  std::optional<Micros> keep_snapshots, grace;
  /// Of price files: a bundle may come after its prices.
  std::optional<Micros> price_grace;
  bool dry_run = false;
  const CancelToken* cancel = nullptr;
};

struct CollectReport {
  std::int64_t removed_chunks = 0, removed_files = 0, freed_bytes = 0;
  std::int64_t removed_orphans = 0;    ///< among removed_files: named by nobody at all
  std::int64_t kept_pinned = 0;        ///< lake files that would go without pins and leases
  std::int64_t waiting = 0;            ///< files and chunks whose grace is not over
  std::int64_t expired_snapshots = 0;  ///< by keep_snapshots
  bool dry_run = false;
};

/// Expire snapshots by policy, then remove what was retired longer ago than the grace: lake files
/// and chunks that no kept snapshot sees, files and objects that nothing names, what dead writers
/// left. Everything is read before the first thing goes. RETURNS an error, naming the place, when
/// something could not be read: nothing has gone then. Cut short, the next run goes on. A dry run
/// does not count prices that lose their last user in the same run.
Result<CollectReport> CollectGarbage(store::Store& store, const CollectOptions& options = {});

/// The same. REQUIRES the upkeep lock.
Result<CollectReport> CollectLocked(store::Store& store, const CollectOptions& options);

}  // namespace lamina::upkeep
