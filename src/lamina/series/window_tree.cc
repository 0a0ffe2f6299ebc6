#include "lamina/series/window_tree.h"

#include <algorithm>
#include <limits>

namespace lamina::series {
namespace {

constexpr std::int64_t kFan = 16;
constexpr int kFanBits = 4;

}  // namespace

WindowSums WindowTree::OfRun(std::int64_t begin, std::int64_t end) const {
  WindowSums sums;
  for (std::int64_t row = begin; row < end; ++row) {
    const double value = At(row);
    if (value != value) continue;
    sums.min = sums.count == 0 || value < sums.min ? value : sums.min;
    sums.max = sums.count == 0 || value > sums.max ? value : sums.max;
    sums.sum += value;
    ++sums.count;
  }
  sums.min += 0.0;
  sums.max += 0.0;
  if (!with_variance_ || sums.count == 0) return sums;
  sums.mean = sums.sum / static_cast<double>(sums.count);
  for (std::int64_t row = begin; row < end; ++row) {
    const double away = At(row) - sums.mean;
    if (away == away) sums.m2 += away * away;
  }
  return sums;
}

void WindowTree::Join(WindowSums& to, const WindowSums& part) const {
  if (part.count == 0) return;
  if (to.count == 0) {
    to = part;
    return;
  }
  if (with_variance_) {
    const auto left = static_cast<double>(to.count), right = static_cast<double>(part.count);
    const double away = part.mean - to.mean, all = left + right;
    to.mean += away * (right / all);
    to.m2 += part.m2 + away * away * (left * right / all);
  }
  to.count += part.count;
  to.sum += part.sum;
  to.min = part.min < to.min ? part.min : to.min;
  to.max = part.max > to.max ? part.max : to.max;
}

void WindowTree::Append(std::span<const double> values) {
  values_.insert(values_.end(), values.begin(), values.end());
  CloseBlocks();
}

void WindowTree::CloseBlocks() {
  if (levels_.empty()) levels_.emplace_back();
  const auto next = [](const Level& level) {
    return level.base + static_cast<std::int64_t>(level.blocks.size());
  };
  for (std::int64_t block = next(levels_[0]); (block + 1) * kFan <= rows(); ++block) {
    levels_[0].blocks.push_back(OfRun(block * kFan, (block + 1) * kFan));
  }
  for (std::size_t i = 1; next(levels_[i - 1]) >= kFan; ++i) {
    if (i == levels_.size()) levels_.emplace_back();
    const Level& below = levels_[i - 1];
    for (std::int64_t block = next(levels_[i]); (block + 1) * kFan <= next(below); ++block) {
      WindowSums sums;
      for (std::int64_t part = block * kFan; part < (block + 1) * kFan; ++part) {
        Join(sums, below.blocks[static_cast<std::size_t>(part - below.base)]);
      }
      levels_[i].blocks.push_back(sums);
    }
  }
}

/// Blocks whose parent is not closed yet stay, whatever is forgotten.
void WindowTree::Forget(std::int64_t row) {
  constexpr std::int64_t kSlack = 4096;
  row = std::min(row, rows()) / kFan * kFan;
  if (row - base_ < std::max<std::int64_t>(kSlack, static_cast<std::int64_t>(values_.size()) / 2)) {
    return;
  }
  values_.erase(values_.begin(), values_.begin() + static_cast<std::ptrdiff_t>(row - base_));
  base_ = row;
  std::int64_t keep = row;
  for (Level& level : levels_) {
    keep = (keep / kFan) / kFan * kFan;  // whole families
    const std::int64_t drop =
        std::min(keep - level.base, static_cast<std::int64_t>(level.blocks.size()));
    if (drop <= 0) break;
    level.blocks.erase(level.blocks.begin(),
                       level.blocks.begin() + static_cast<std::ptrdiff_t>(drop));
    level.base += drop;
  }
}

WindowSums WindowTree::Over(std::int64_t begin, std::int64_t end) const {
  const std::int64_t head = std::min(end, (begin + kFan - 1) / kFan * kFan);
  WindowSums sums = OfRun(begin, head);
  std::int64_t row = head;
  while (row + kFan <= end) {
    // The largest whole block that begins here and ends in the stretch.
    std::size_t level = 0;
    std::int64_t width = kFan;
    while (level + 1 < levels_.size() && row % (width * kFan) == 0 && row + width * kFan <= end) {
      ++level;
      width *= kFan;
    }
    const Level& blocks = levels_[level];
    Join(sums, blocks.blocks[static_cast<std::size_t>(
                   (row >> (kFanBits * (static_cast<int>(level) + 1))) - blocks.base)]);
    row += width;
  }
  Join(sums, OfRun(row, end));
  return sums;
}

double WindowTree::First(std::int64_t begin, std::int64_t end) const {
  while (begin < end && At(begin) != At(begin)) ++begin;
  return begin < end ? At(begin) : std::numeric_limits<double>::quiet_NaN();
}

double WindowTree::Last(std::int64_t begin, std::int64_t end) const {
  while (begin < end && At(end - 1) != At(end - 1)) --end;
  return begin < end ? At(end - 1) : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace lamina::series
