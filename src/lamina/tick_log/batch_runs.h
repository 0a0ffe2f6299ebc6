#pragma once

/// \file lamina/tick_log/batch_runs.h
/// The rows of a batch by contract and type, in the order of their seqs. Pure functions.

#include <array>
#include <cstdint>
#include <vector>

#include "lamina/base/result.h"
#include "lamina/tick_log/tick.h"
#include "lamina/tick_log/tick_writer.h"

namespace lamina::tick_log {

/// The place of every row among the ticks of its append, by kind.
using RowPositions = std::array<std::vector<std::uint32_t>, 3>;

/// `order`, or kind after kind. RETURNS kInvalidArgument unless `order` names each row once.
Result<RowPositions> PositionsOf(const TickBatches& ticks,
                                 const std::vector<TickWriter::RowRef>& order);

/// Rows of one contract and type: rows()[first] .. rows()[first + count - 1].
struct RowRun {
  std::int64_t contract_id = 0;
  TickType type = TickType::kLast;
  std::uint32_t first = 0, count = 0;
};

struct BatchRuns {
  std::vector<RowRun> runs;
  std::vector<std::uint32_t> rows;  ///< empty: one run, of all rows in their order
};
/// Runs in order of their first ticks.
BatchRuns FindRuns(const TickBatch& batch, const std::vector<std::uint32_t>& positions);
using RunsByKind = std::array<BatchRuns, 3>;
RunsByKind FindRuns(const TickBatches& ticks, const RowPositions& positions);

}  // namespace lamina::tick_log
