#pragma once

/// \file lamina/table/row_ranges.h
/// Sets of row numbers as sorted, disjoint, non-adjacent half-open ranges. Values.

#include <cstdint>
#include <span>
#include <vector>

namespace lamina::table {

struct RowRange {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  std::int64_t size() const { return end - begin; }
  auto operator<=>(const RowRange&) const = default;
};

class RowRanges {
 public:
  RowRanges() = default;
  /// All rows of [begin, end).
  RowRanges(std::int64_t begin, std::int64_t end) { Append(begin, end); }

  /// Add [begin, end); REQUIRES begin >= the last end. Adjacent ranges grow together.
  void Append(std::int64_t begin, std::int64_t end);
  const std::vector<RowRange>& ranges() const { return ranges_; }
  bool empty() const { return ranges_.empty(); }
  std::int64_t row_count() const;
  bool operator==(const RowRanges&) const = default;

 private:
  std::vector<RowRange> ranges_;
};

/// Rows that are in both.
RowRanges Intersect(const RowRanges& a, const RowRanges& b);
/// Rows taken out of `base` are numbered 0, 1, 2 … in its order. The numbers of those of `rows`
/// that are in `base`, and back.
RowRanges ToLocal(const RowRanges& base, const RowRanges& rows);
RowRanges FromLocal(const RowRanges& base, const RowRanges& local);
/// The rows of [0, row_count) that are not in `positions` (ascending; repeats and rows outside are
/// ignored).
RowRanges Without(std::int64_t row_count, std::span<const std::int64_t> positions);

}  // namespace lamina::table
