#include "lamina/table/row_ranges.h"

#include <random>
#include <set>

#include <gtest/gtest.h>

namespace lamina::table {
namespace {

RowRanges FromSet(const std::set<std::int64_t>& rows) {
  RowRanges ranges;
  for (const std::int64_t row : rows) ranges.Append(row, row + 1);
  return ranges;
}

std::set<std::int64_t> ToSet(const RowRanges& ranges) {
  std::set<std::int64_t> rows;
  for (const RowRange& range : ranges.ranges()) {
    for (std::int64_t row = range.begin; row < range.end; ++row) rows.insert(row);
  }
  return rows;
}

TEST(RowRanges, GrowsTogether) {
  RowRanges ranges(0, 3);
  ranges.Append(3, 5);
  ranges.Append(5, 5);
  ranges.Append(7, 8);
  ranges.Append(9, 2);
  EXPECT_EQ(ranges.ranges(), (std::vector<RowRange>{{0, 5}, {7, 8}}));
  EXPECT_EQ(ranges.row_count(), 6);
  EXPECT_TRUE(RowRanges(4, 4).empty());
}

TEST(RowRanges, AgreesWithSets) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 500; ++round) {
    std::set<std::int64_t> a, b, both, local;
    const std::uint64_t density = 1 + random() % 4;
    for (std::int64_t row = 0; row < 60; ++row) {
      if (random() % 4 < density) a.insert(row);
      if (random() % 4 < density) b.insert(row);
    }
    std::int64_t number = 0;
    for (const std::int64_t row : a) {
      if (b.count(row) != 0) {
        both.insert(row);
        local.insert(number);
      }
      ++number;
    }
    EXPECT_EQ(ToSet(Intersect(FromSet(a), FromSet(b))), both);
    EXPECT_EQ(ToSet(ToLocal(FromSet(a), FromSet(b))), local);
    EXPECT_EQ(ToSet(FromLocal(FromSet(a), FromSet(local))), both);

    std::vector<std::int64_t> positions(b.begin(), b.end());
    std::set<std::int64_t> rest;
    for (std::int64_t row = 0; row < 40; ++row) {
      if (b.count(row) == 0) rest.insert(row);
    }
    EXPECT_EQ(ToSet(Without(40, positions)), rest);
  }
}

TEST(RowRanges, WithoutIgnoresWhatIsOutside) {
  const std::vector<std::int64_t> positions = {-3, 1, 1, 4, 99};
  EXPECT_EQ(Without(5, positions).ranges(), (std::vector<RowRange>{{0, 1}, {2, 4}}));
  EXPECT_TRUE(Without(0, positions).empty());
}

}  // namespace
}  // namespace lamina::table
