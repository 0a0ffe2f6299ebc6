#include "lamina/tick_log/batch_runs.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <numeric>
#include <string>

namespace lamina::tick_log {
namespace {

constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

bool IsOneRun(const TickBatch& batch) {
  const std::int64_t contract = batch.contract_id[0];
  const TickType type = batch.type[0];
  bool other = false;
  for (const std::int64_t id : batch.contract_id) other |= id != contract;
  for (const TickType each : batch.type) other |= each != type;
  return !other;
}

/// Numbers of runs by contract and type.
class RunTable {
 public:
  explicit RunTable(std::size_t rows)
      : slots_(std::bit_ceil(2 * std::min<std::size_t>(rows, 1 << 14)), kNone) {}

  std::uint32_t Find(std::int64_t contract, TickType type, std::vector<RowRun>& runs) {
    if (2 * runs.size() > slots_.size()) Grow(runs);
    std::size_t at = Hash(contract, type);
    while (slots_[at] != kNone) {
      const RowRun& run = runs[slots_[at]];
      if (run.contract_id == contract && run.type == type) return slots_[at];
      at = (at + 1) & (slots_.size() - 1);
    }
    slots_[at] = static_cast<std::uint32_t>(runs.size());
    runs.push_back({contract, type, 0, 0});
    return slots_[at];
  }

 private:
  std::size_t Hash(std::int64_t contract, TickType type) const {
    const std::uint64_t mixed =
        (static_cast<std::uint64_t>(contract) * 8 + static_cast<std::uint64_t>(type)) *
        0x9E3779B97F4A7C15ULL;
    return static_cast<std::size_t>(mixed >> 32) & (slots_.size() - 1);
  }
  void Grow(const std::vector<RowRun>& runs) {
    slots_.assign(4 * slots_.size(), kNone);
    for (std::uint32_t i = 0; i < runs.size(); ++i) {
      std::size_t at = Hash(runs[i].contract_id, runs[i].type);
      while (slots_[at] != kNone) at = (at + 1) & (slots_.size() - 1);
      slots_[at] = i;
    }
  }
  std::vector<std::uint32_t> slots_;
};

}  // namespace

Result<RowPositions> PositionsOf(const TickBatches& ticks,
                                 const std::vector<TickWriter::RowRef>& order) {
  RowPositions positions;
  std::uint32_t next = 0;
  for (std::size_t kind = 0; kind < 3; ++kind) {
    positions[kind].resize(ticks[kind].size(), kNone);
    if (!order.empty()) continue;
    std::iota(positions[kind].begin(), positions[kind].end(), next);
    next += static_cast<std::uint32_t>(ticks[kind].size());
  }
  if (order.empty()) return positions;
  if (order.size() != CountTicks(ticks)) {
    return InvalidArgument("the order of rows has " + std::to_string(order.size()) +
                           " entries, the batches have other many rows");
  }
  for (const TickWriter::RowRef& ref : order) {
    const auto kind = static_cast<std::size_t>(ref.kind);
    if (kind >= 3 || ref.row >= positions[kind].size() || positions[kind][ref.row] != kNone) {
      return InvalidArgument("entry " + std::to_string(next) +
                             " of the order of rows names no row, or one twice");
    }
    positions[kind][ref.row] = next++;
  }
  return positions;
}

BatchRuns FindRuns(const TickBatch& batch, const std::vector<std::uint32_t>& positions) {
  BatchRuns found;
  const std::size_t count = batch.size();
  if (count == 0) return found;
  const bool in_order = std::is_sorted(positions.begin(), positions.end());
  if (in_order && IsOneRun(batch)) {
    found.runs.push_back(
        {batch.contract_id[0], batch.type[0], 0, static_cast<std::uint32_t>(count)});
    return found;
  }
  std::vector<std::uint32_t> rows(count);
  std::iota(rows.begin(), rows.end(), 0U);
  if (!in_order) {
    std::sort(rows.begin(), rows.end(),
              [&](std::uint32_t a, std::uint32_t b) { return positions[a] < positions[b]; });
  }
  RunTable table(count);
  std::vector<std::uint32_t> run_of(count);
  for (std::size_t i = 0; i < count; ++i) {
    run_of[i] = table.Find(batch.contract_id[rows[i]], batch.type[rows[i]], found.runs);
    ++found.runs[run_of[i]].count;
  }
  std::vector<std::uint32_t> next(found.runs.size());
  std::uint32_t first = 0;
  for (std::size_t i = 0; i < found.runs.size(); ++i) {
    found.runs[i].first = next[i] = first;
    first += found.runs[i].count;
  }
  found.rows.resize(count);
  for (std::size_t i = 0; i < count; ++i) found.rows[next[run_of[i]]++] = rows[i];
  return found;
}

RunsByKind FindRuns(const TickBatches& ticks, const RowPositions& positions) {
  RunsByKind runs;
  for (std::size_t kind = 0; kind < 3; ++kind) runs[kind] = FindRuns(ticks[kind], positions[kind]);
  return runs;
}

}  // namespace lamina::tick_log
