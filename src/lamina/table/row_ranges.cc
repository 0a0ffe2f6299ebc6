#include "lamina/table/row_ranges.h"

#include <algorithm>

namespace lamina::table {

void RowRanges::Append(std::int64_t begin, std::int64_t end) {
  if (begin >= end) return;
  if (!ranges_.empty() && ranges_.back().end >= begin) {
    ranges_.back().end = std::max(ranges_.back().end, end);
  } else {
    ranges_.push_back({begin, end});
  }
}

std::int64_t RowRanges::row_count() const {
  std::int64_t count = 0;
  for (const RowRange& range : ranges_) count += range.size();
  return count;
}

RowRanges Intersect(const RowRanges& a, const RowRanges& b) {
  RowRanges both;
  auto left = a.ranges().begin();
  auto right = b.ranges().begin();
  while (left != a.ranges().end() && right != b.ranges().end()) {
    both.Append(std::max(left->begin, right->begin), std::min(left->end, right->end));
    if (left->end < right->end) {
      ++left;
    } else {
      ++right;
    }
  }
  return both;
}

RowRanges ToLocal(const RowRanges& base, const RowRanges& rows) {
  RowRanges local;
  std::int64_t before = 0;  // rows of `base` in front of `range`
  auto next = rows.ranges().begin();
  for (const RowRange& range : base.ranges()) {
    while (next != rows.ranges().end() && next->end <= range.begin) ++next;
    for (auto row = next; row != rows.ranges().end() && row->begin < range.end; ++row) {
      local.Append(before + std::max(row->begin, range.begin) - range.begin,
                   before + std::min(row->end, range.end) - range.begin);
      if (row->end <= range.end) next = row + 1;
    }
    before += range.size();
  }
  return local;
}

RowRanges FromLocal(const RowRanges& base, const RowRanges& local) {
  RowRanges rows;
  std::int64_t before = 0;
  auto next = local.ranges().begin();
  for (const RowRange& range : base.ranges()) {
    const std::int64_t after = before + range.size();
    for (; next != local.ranges().end() && next->begin < after; ++next) {
      rows.Append(range.begin + std::max(next->begin, before) - before,
                  range.begin + std::min(next->end, after) - before);
      if (next->end > after) break;
    }
    before = after;
  }
  return rows;
}

RowRanges Without(std::int64_t row_count, std::span<const std::int64_t> positions) {
  RowRanges rest;
  std::int64_t next = 0;
  for (const std::int64_t position : positions) {
    if (position < next || position >= row_count) continue;
    rest.Append(next, position);
    next = position + 1;
  }
  rest.Append(next, row_count);
  return rest;
}

}  // namespace lamina::table
