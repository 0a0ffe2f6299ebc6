#pragma once

/// \file lamina/ticks/fold_plan.h
/// Which files of a day are folded together, and into which stretches of its rows. Pure functions;
/// thread-safe.

#include <cstdint>
#include <vector>

namespace lamina::ticks {

/// Ticks of one contract in one file.
struct ContractSpan {
  std::int64_t contract_id = 0, first_ns = 0, last_ns = 0, ticks = 0;
};

struct FoldFile {
  std::int64_t data_file_id = 0, rows = 0, bytes = 0;
  bool has_deletes = false;
  std::vector<ContractSpan> contracts;  ///< by contract_id
};

struct FoldRule {
  bool sealed = true;  ///< else only when there are min_files small ones
  std::int64_t min_files = 32, small_bytes = 0, file_rows = 0;
};

/// Groups of places in `files`, each to be folded into one run of files: files that overlap, that
/// have deleted rows, or that are small and next to each other.
std::vector<std::vector<std::size_t>> ChooseFolds(const std::vector<FoldFile>& files,
                                                  const FoldRule& rule);

/// Rows with low_contract <= contract_id <= high_contract and begin_ns <= ts_ns <= last_ns; bounds
/// of time only where one contract is cut.
struct Stretch {
  std::int64_t low_contract = 0, high_contract = 0;
  std::int64_t first_ns = INT64_MIN, last_ns = INT64_MAX;
};

/// Every tick of `files` lies in one stretch; about `file_rows` in each.
std::vector<Stretch> CutIntoStretches(const std::vector<FoldFile>& files, std::int64_t file_rows);

}  // namespace lamina::ticks
