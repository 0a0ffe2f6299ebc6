#pragma once

/// \file lamina/backtests/run_selection.h
/// The rows of chosen runs out of what was read from a lake table. Pure functions; thread-safe.

#include <memory>
#include <vector>

#include "lamina/base/result.h"
#include "lamina/base/uuid.h"

namespace arrow {
class Table;
}

namespace lamina::backtests {

/// Rows of `ids` (sorted, unique) in the order of the ids; each run's rows stay in their order.
/// `tables` hold whole runs, all with the same columns. RETURNS kInvalidArgument when there is no
/// table.
Result<std::shared_ptr<arrow::Table>> SelectRuns(
    const std::vector<std::shared_ptr<arrow::Table>>& tables, const std::vector<Uuid>& ids);

}  // namespace lamina::backtests
