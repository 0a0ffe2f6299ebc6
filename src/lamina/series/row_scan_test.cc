#include "lamina/series/row_scan.h"

#include <algorithm>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "lamina/base/matchers.h"
#include "lamina/series/row_scan_internal.h"

namespace lamina::series {
namespace {

using ::testing::HasSubstr;

TEST(RowScanTest, FindsTheFirstDescentOnEachPath) {
  std::vector<std::int64_t> ts(200);
  for (std::size_t rows = 0; rows < ts.size(); ++rows) {
    for (std::size_t bad = 1; bad <= rows; ++bad) {
      for (std::size_t i = 0; i < rows; ++i) ts[i] = static_cast<std::int64_t>(i / 3);
      if (bad < rows) ts[bad] = -1;
      EXPECT_EQ(internal::FirstDescentWithin(ts.data(), rows), bad);
      EXPECT_EQ(internal::FirstDescentPortable(ts.data(), rows), bad);
    }
  }
  const std::vector<std::int64_t> ordered{INT64_MIN, 0, 0, INT64_MAX};
  EXPECT_EQ(FirstDescent(ordered, INT64_MIN), 4u);
  EXPECT_EQ(FirstDescent(ordered, 0), 0u);
  EXPECT_EQ(FirstDescent({}, 0), 0u);
}

TEST(RowScanTest, FindsTheEndOfAStretch) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 300; ++round) {
    std::vector<std::int64_t> ts(random() % 400);
    for (auto& value : ts) value = static_cast<std::int64_t>(random() % 50);
    std::sort(ts.begin(), ts.end());
    const std::size_t begin = ts.empty() ? 0 : random() % (ts.size() + 1);
    const auto last = static_cast<std::int64_t>(random() % 52) - 1;
    std::size_t expected = begin;
    while (expected < ts.size() && ts[expected] <= last) ++expected;
    EXPECT_EQ(StretchEnd(ts, begin, last), expected);
  }
}

TEST(RowScanTest, NamesTheRowOutOfOrder) {
  const std::vector<std::int64_t> ts{1, 1, 2}, recv{5, 4, 1};
  EXPECT_THAT(CheckSorted({.ts_ns = ts}, 0, "left"), IsOk());
  EXPECT_THAT(CheckSorted({.ts_ns = ts, .recv_ns = recv}, 10, "left"),
              IsError(ErrorCode::kInvalidArgument, HasSubstr("left row 11 is out of order")));
  const std::vector<std::int64_t> back{3, 2};
  EXPECT_THAT(CheckSorted({.ts_ns = back}, 0, "right"),
              IsError(ErrorCode::kInvalidArgument, HasSubstr("stamp 2 is before 3")));
}

TEST(RowScanTest, ComparesInTheTickOrder) {
  const std::vector<std::int64_t> ts{1, 1}, recv{2, 2}, writer{3, 3}, seq{4, 5};
  const OrderColumns rows{ts, recv, writer, seq};
  EXPECT_LT(CompareRows(rows, 0, rows, 1), 0);
  EXPECT_EQ(CompareRows(rows, 0, rows, 0), 0);
  EXPECT_EQ(CompareRows(rows, 0, {.ts_ns = ts}, 1), 0);
  EXPECT_EQ(rows.Slice(1, 1).seq[0], 5);
}

}  // namespace
}  // namespace lamina::series
