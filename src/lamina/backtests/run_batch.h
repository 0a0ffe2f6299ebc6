#pragma once

/// \file lamina/backtests/run_batch.h
/// Rows of many runs as tables of the lake, and back. RunBatch is thread-compatible.

#include <memory>
#include <utility>
#include <vector>

#include "lamina/backtests/decompose.h"
#include "lamina/base/result.h"
#include "lamina/base/uuid.h"

namespace lamina::backtests {

/// The lake tables, with the columns (and field ids) of lake_schema.h. Any may have 0 rows.
struct LakeRows {
  std::shared_ptr<arrow::Table> runs, snapshots, trades, orders, positions, series;
};

class RunBatch {
 public:
  /// Shares the run's memory. RETURNS kAlreadyExists when `run_id` was appended before.
  Status Append(const Uuid& run_id, const DecomposedRun& run);
  std::size_t size() const { return runs_.size(); }
  /// All runs, by run_id and then as the tables are sorted. The batch is empty afterwards.
  Result<LakeRows> Finish();

 private:
  struct Item {
    Uuid run_id;
    RunFacts facts;
    RunRows rows;
    Sha256Digest content_hash;
  };
  std::vector<Item> runs_;
};

/// The rows of one run, without run_id; 0 rows where there are none. Tables are sorted by run_id
/// (the `runs` table is not looked at and may be null). Cheap: slices. RETURNS kCorruption.
Result<RunRows> SliceRun(const LakeRows& tables, const Uuid& run_id);

}  // namespace lamina::backtests
