#pragma once

/// \file lamina/series/window_tree.h
/// Sum, min, max, count and variance of any stretch of a growing column in logarithmic time, with
/// no drift. Thread-compatible.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace lamina::series {

/// What is known of a stretch of values. NaN counts for nothing.
struct WindowSums {
  std::int64_t count = 0;
  double sum = 0;
  double min = 0, max = 0;  ///< when count > 0; a zero is +0.0
  double mean = 0, m2 = 0;  ///< m2: sum of squared distances from the mean; only when asked for

  double variance(int ddof) const { return m2 / static_cast<double>(count - ddof); }
};

/// Blocks of 16 values, of 16 such blocks and so on, aligned to the row number. A stretch is cut
/// into the greedy whole blocks from its left end to its right end; rows that fill no block come
/// one by one. The order of the sum: a block adds its 16 parts from left to right, a stretch adds
/// the run of single rows at its head as one part, then its blocks, then the run at its tail. So it
/// depends on row numbers alone, never on what was asked before.
///
/// Variances join by Chan, Golub and LeVeque (Updating Formulae and a Pairwise Algorithm for
/// Computing Sample Variances, 1979), in the same order; runs of rows by two passes.
class WindowTree {
 public:
  explicit WindowTree(bool with_variance) : with_variance_(with_variance) {}

  void Append(std::span<const double> values);
  /// Rows before `row` are not asked for any more: their memory is given back in time.
  void Forget(std::int64_t row);
  /// Of rows [begin, end); REQUIRES: not forgotten, appended.
  WindowSums Over(std::int64_t begin, std::int64_t end) const;
  /// The first or last value of rows [begin, end) that is not NaN; NaN when there is none.
  double First(std::int64_t begin, std::int64_t end) const;
  double Last(std::int64_t begin, std::int64_t end) const;
  std::int64_t rows() const { return base_ + static_cast<std::int64_t>(values_.size()); }

 private:
  struct Level {
    std::int64_t base = 0;  ///< number of the first block kept
    std::vector<WindowSums> blocks;
  };
  double At(std::int64_t row) const { return values_[static_cast<std::size_t>(row - base_)]; }
  WindowSums OfRun(std::int64_t begin, std::int64_t end) const;
  void Join(WindowSums& to, const WindowSums& part) const;
  void CloseBlocks();

  bool with_variance_;
  std::int64_t base_ = 0;  ///< row number of values_[0]
  std::vector<double> values_;
  std::vector<Level> levels_;  ///< [0]: blocks of 16 rows
};

}  // namespace lamina::series
