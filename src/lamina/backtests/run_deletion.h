#pragma once

/// \file lamina/backtests/run_deletion.h
/// Taking the rows of runs out of the lake tables, as delete files or retired files, in one commit.
/// Used by one thread.

#include <cstdint>
#include <vector>

#include "lamina/base/uuid.h"
#include "lamina/catalog/catalog.h"

namespace lamina::backtests {

/// The runs that end when some backtests do.
class RunDeletion {
 public:
  /// Runs that only `backtest_ids` name, apart from `kept`. Reads the latest state.
  static Result<RunDeletion> Plan(catalog::Catalog& catalog, std::vector<std::int64_t> backtest_ids,
                                  std::vector<Uuid> kept = {});

  /// Find the rows and add their deletion to the commit. Slow part; outside the transaction.
  Status Stage(catalog::Commit& commit);

  /// End the backtests and runs. RETURNS kConflict when another commit changed who names the runs.
  Status Apply(catalog::Database& database, std::int64_t snapshot_id);

 private:
  Result<std::vector<Uuid>> Orphans(catalog::Database& database) const;

  catalog::Catalog* catalog_ = nullptr;
  std::vector<std::int64_t> backtest_ids_;
  std::vector<Uuid> kept_;  ///< sorted
  std::vector<Uuid> runs_;  ///< sorted
};

}  // namespace lamina::backtests
