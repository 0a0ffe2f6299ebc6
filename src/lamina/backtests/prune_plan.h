#pragma once

/// \file lamina/backtests/prune_plan.h
/// Which backtests a rank keeps and which it leaves behind. A function over one Database; as
/// thread-compatible as that.

#include <string>
#include <vector>

#include "lamina/backtests/ranking.h"
#include "lamina/base/result.h"

namespace lamina::backtests {

struct PrunePlan {
  RowSet rows;                      ///< the rank
  std::vector<std::string> kept;    ///< handles of its rows, best first, each once
  std::vector<std::string> pruned;  ///< out-ranked handles, sorted
};

/// Handles that took part in the rank of `query` with every pooled row they have, and have none
/// among its rows. What the selection left out is neither kept nor pruned. In one read transaction.
/// RETURNS kInvalidArgument when nothing would be kept, with an offset, and as Rank.
Result<PrunePlan> PlanPrune(const RankTable& table, const RankQuery& query,
                            const QueryLimits& limits = {});

}  // namespace lamina::backtests
