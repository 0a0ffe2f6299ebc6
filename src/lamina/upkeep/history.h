#pragma once

/// \file lamina/upkeep/history.h
/// Forgetting old snapshots: which go, what only they saw. Nothing is unlinked here: lake files
/// that no kept snapshot sees are put on the list that gc works off. Thread-safe.

#include <cstdint>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "lamina/base/result.h"
#include "lamina/base/time.h"
#include "lamina/catalog/catalog.h"
#include "lamina/catalog/pins.h"

namespace lamina::upkeep {

struct ExpireOptions {
  /// A snapshot goes when it stopped being the latest at least this long ago.
  Micros older_than;
  /// Instead: every snapshot in [first, second) goes, whatever its age. Pins are spared.
  std::optional<std::pair<std::int64_t, std::int64_t>> range = {};
  bool dry_run = false;
};

struct ExpireReport {
  std::vector<catalog::LakeSnapshot> expired;  ///< ascending
  std::vector<catalog::Pin> pins;              ///< that hold a snapshot which would have gone
  std::int64_t kept = 0;                       ///< snapshots
  std::int64_t condemned_files = 0;            ///< put on the list
  std::int64_t condemned_chunks = 0;
  std::int64_t removed_rows = 0;  ///< of deleted backtests, runs, instruments, references
  std::int64_t kept_pinned = 0;   ///< lake files that only pins hold
  bool dry_run = false;
};

/// Forget snapshots, apart from the latest and pinned ones, and what only they saw. Can be cut
/// short anywhere; the next run goes on.
Result<ExpireReport> ExpireSnapshots(catalog::Catalog& catalog, const ExpireOptions& options);

/// The same without taking the upkeep lock, and with `inspect` run in one transaction that sees the
/// result of a dry run before it is rolled back. REQUIRES the upkeep lock.
Result<ExpireReport> ExpireLocked(catalog::Catalog& catalog, const ExpireOptions& options,
                                  const std::function<Status(catalog::Database&)>& inspect);

/// When snapshots came, also of those that go: what retired in snapshot S was retired at the time
/// of the first known one from S on.
class SnapshotTimes {
 public:
  static Result<SnapshotTimes> Read(catalog::Database& database);
  /// The latest known time for a snapshot later than all.
  Micros At(std::int64_t snapshot) const;
  /// The last snapshot at or before `time`, -1 for none.
  std::int64_t LastBefore(Micros time) const;
  const std::vector<catalog::LakeSnapshot>& snapshots() const { return snapshots_; }

 private:
  std::vector<catalog::LakeSnapshot> snapshots_;  ///< ascending, never empty
};

}  // namespace lamina::upkeep
