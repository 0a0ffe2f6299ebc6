#include "lamina/series/window_tree.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include <gtest/gtest.h>

#include "lamina/series/reference_test_support.h"

namespace lamina::series {
namespace {

/// The stated order, from the values alone: block of `width` rows at `begin`.
double BlockSum(const std::vector<double>& values, std::size_t begin, std::size_t width) {
  double sum = 0;
  for (std::size_t part = begin; part < begin + width; part += width / 16) {
    const double value = width == 16 ? values[part] : BlockSum(values, part, width / 16);
    if (!std::isnan(value)) sum += value;
  }
  return sum;
}

double StretchSum(const std::vector<double>& values, std::size_t begin, std::size_t end) {
  std::vector<double> parts;
  const auto run = [&](std::size_t from, std::size_t to) {
    double sum = 0;
    for (std::size_t i = from; i < to; ++i) sum += std::isnan(values[i]) ? 0 : values[i];
    if (to > from) parts.push_back(sum);
  };
  std::size_t row = std::min(end, (begin + 15) / 16 * 16);
  run(begin, row);
  while (row + 16 <= end) {
    std::size_t width = 16;
    while (row % (width * 16) == 0 && row + width * 16 <= end) width *= 16;
    parts.push_back(BlockSum(values, row, width));
    row += width;
  }
  run(row, end);
  double sum = 0;
  for (const double part : parts) sum += part;
  return sum;
}

TEST(WindowTreeTest, EqualsTheStatedOrderBitForBit) {
  const RandomTicks ticks = MakeTicks(9000, 5, true);
  const std::vector<double>& values = ticks.price;
  std::mt19937_64 random(3);
  WindowTree tree(true);
  for (std::size_t row = 0; row < values.size();) {
    const std::size_t count = std::min<std::size_t>(random() % 700, values.size() - row);
    tree.Append(std::span(values).subspan(row, count));
    row += count;
  }
  for (int round = 0; round < 3000; ++round) {
    std::size_t begin = random() % values.size(), end = random() % values.size();
    if (round % 2 == 0) end = std::min(values.size(), begin + random() % 40);
    if (begin > end) std::swap(begin, end);
    const WindowSums sums =
        tree.Over(static_cast<std::int64_t>(begin), static_cast<std::int64_t>(end));
    ASSERT_EQ(Bits(sums.sum), Bits(StretchSum(values, begin, end))) << begin << ' ' << end;
    std::int64_t count = 0;
    double low = INFINITY, high = -INFINITY, mean = 0, m2 = 0;
    for (std::size_t i = begin; i < end; ++i) {
      if (std::isnan(values[i])) continue;
      low = std::min(low, values[i]);
      high = std::max(high, values[i]);
      mean += values[i];
      ++count;
    }
    ASSERT_EQ(sums.count, count);
    if (count == 0) continue;
    ASSERT_EQ(sums.min, low);
    ASSERT_EQ(sums.max, high);
    mean /= static_cast<double>(count);
    for (std::size_t i = begin; i < end; ++i) {
      if (!std::isnan(values[i])) m2 += (values[i] - mean) * (values[i] - mean);
    }
    ASSERT_NEAR(sums.m2, m2, 1e-9 * (m2 + 1));
  }
}

TEST(WindowTreeTest, ForgettingChangesNoAnswer) {
  std::vector<double> values(60'000);
  std::mt19937_64 random(9);
  for (double& value : values) value = static_cast<double>(random() % 1000) * 0.1;
  WindowTree all(true), forgetful(true);
  all.Append(values);
  for (std::size_t row = 0; row < values.size(); row += 500) {
    forgetful.Append(std::span(values).subspan(row, 500));
    const auto end = static_cast<std::int64_t>(row + 500);
    const std::int64_t begin = std::max<std::int64_t>(0, end - 1000);
    forgetful.Forget(begin);
    for (std::int64_t from = begin; from < end; from += 37) {
      const WindowSums a = all.Over(from, end), b = forgetful.Over(from, end);
      ASSERT_EQ(Bits(a.sum), Bits(b.sum));
      ASSERT_EQ(Bits(a.m2), Bits(b.m2));
      ASSERT_EQ(a.count, b.count);
    }
  }
}

TEST(WindowTreeTest, FirstAndLast) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  WindowTree tree(false);
  tree.Append(std::vector<double>{nan, 1, 2, nan});
  EXPECT_EQ(tree.First(0, 4), 1);
  EXPECT_EQ(tree.Last(0, 4), 2);
  EXPECT_TRUE(std::isnan(tree.First(3, 4)));
  EXPECT_TRUE(std::isnan(tree.Last(2, 2)));
  EXPECT_EQ(tree.Over(0, 0).count, 0);
}

}  // namespace
}  // namespace lamina::series
