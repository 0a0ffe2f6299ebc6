#include "lamina/series/windows.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include <gtest/gtest.h>

#include "lamina/base/matchers.h"
#include "lamina/series/reference_test_support.h"

namespace lamina::series {
namespace {

using ::testing::HasSubstr;

constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kSecond = 1'000'000'000;

TEST(RollingTest, WindowsEqualTheReferenceHoweverCut) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    std::mt19937_64 random(seed);
    const RandomTicks ticks = MakeTicks(3000, seed, seed % 2 == 1);
    RollingOptions options;
    if (seed % 2 == 0) {
      options.rows = 1 + static_cast<std::int64_t>(random() % 400);
    } else {
      options.span_ns = 1 + static_cast<std::int64_t>(random() % 300) * kSecond;
    }
    Rolling rolling = *Rolling::Make(options, 2, true);
    WindowTree whole(true);
    whole.Append(ticks.price);
    for (std::size_t row = 0; row < ticks.ts.size();) {
      const std::size_t count = std::min<std::size_t>(random() % 300, ticks.ts.size() - row);
      std::vector<WindowRows> windows(count);
      const std::span<const double> values[] = {std::span(ticks.price).subspan(row, count),
                                                std::span(ticks.size).subspan(row, count)};
      ASSERT_THAT(rolling.Add(std::span(ticks.ts).subspan(row, count), values, windows), IsOk());
      for (std::size_t i = 0; i < count; ++i) {
        const auto at = static_cast<std::int64_t>(row + i);
        std::int64_t begin = at;
        const auto holds = [&](std::int64_t r) {
          return options.rows.has_value()
                     ? at - r < *options.rows
                     : ticks.ts[static_cast<std::size_t>(r)] > ticks.ts[row + i] - *options.span_ns;
        };
        while (begin > 0 && holds(begin - 1)) --begin;
        ASSERT_EQ(windows[i], (WindowRows{begin, at + 1}));
        ASSERT_EQ(Bits(rolling.column(0).Over(begin, at + 1).m2),
                  Bits(whole.Over(begin, at + 1).m2));
      }
      row += count;
    }
  }
}

TEST(RollingTest, Refuses) {
  EXPECT_THAT(Rolling::Make({}, 1, false), IsError(ErrorCode::kInvalidArgument));
  EXPECT_THAT(Rolling::Make({.rows = 0}, 1, false), IsError(ErrorCode::kInvalidArgument));
  EXPECT_THAT(Rolling::Make({.rows = 1, .span_ns = 1}, 1, false),
              IsError(ErrorCode::kInvalidArgument));
  Rolling rolling = *Rolling::Make({.span_ns = kMax}, 1, false);
  const std::vector<std::int64_t> ends{kMin, kMax}, back{5};
  const std::vector<double> ones{1, 1}, one{1};
  std::vector<WindowRows> windows(2);
  const std::span<const double> two_values[] = {ones};
  ASSERT_THAT(rolling.Add(ends, two_values, windows), IsOk());
  EXPECT_EQ(windows[1], (WindowRows{1, 2}));
  const std::span<const double> one_value[] = {one};
  EXPECT_THAT(rolling.Add(back, one_value, std::span(windows).first(1)),
              IsError(ErrorCode::kInvalidArgument, HasSubstr("input row 2 is out of order")));
  EXPECT_THAT(rolling.Add(ends, one_value, windows), IsError(ErrorCode::kInvalidArgument));
}

TEST(WindowJoinTest, EqualsTheReferenceHoweverCut) {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    std::mt19937_64 random(seed);
    const RandomTicks left = MakeTicks(random() % 300, seed, false);
    const RandomTicks right = MakeTicks(random() % 900, seed + 1000, false);
    WindowBounds bounds{.from_ns = -static_cast<std::int64_t>(random() % 90) * kSecond};
    bounds.to_ns = bounds.from_ns + static_cast<std::int64_t>(random() % 120) * kSecond;
    bounds.with_from = random() % 2 == 0;
    bounds.with_to = random() % 2 == 0;
    WindowJoin join = *WindowJoin::Make(bounds, 1, false);
    WindowTree whole(false);
    whole.Append(right.price);
    std::size_t r = 0;
    const auto feed = [&] {
      const std::size_t count = std::min<std::size_t>(1 + random() % 50, right.ts.size() - r);
      const std::span<const double> values[] = {std::span(right.price).subspan(r, count)};
      ASSERT_THAT(join.AddRight(std::span(right.ts).subspan(r, count), values), IsOk());
      r += count;
      if (r == right.ts.size()) join.FinishRight();
    };
    for (std::size_t l = 0; l < left.ts.size();) {
      const std::size_t count = std::min<std::size_t>(1 + random() % 9, left.ts.size() - l);
      std::vector<WindowRows> windows(count);
      if (!join.Match(std::span(left.ts).subspan(l, count), windows).ok()) {
        feed();
        continue;
      }
      for (std::size_t i = 0; i < count; ++i) {
        std::int64_t begin = -1, end = -1;
        for (std::size_t row = 0; row < right.ts.size(); ++row) {
          const std::int64_t away = right.ts[row] - left.ts[l + i];
          if (away < bounds.from_ns || (away == bounds.from_ns && !bounds.with_from)) continue;
          if (away > bounds.to_ns || (away == bounds.to_ns && !bounds.with_to)) continue;
          if (begin < 0) begin = static_cast<std::int64_t>(row);
          end = static_cast<std::int64_t>(row) + 1;
        }
        if (begin < 0) {
          ASSERT_EQ(windows[i].begin, windows[i].end);
          continue;
        }
        ASSERT_EQ(windows[i], (WindowRows{begin, end})) << seed;
        ASSERT_EQ(Bits(join.column(0).Over(begin, end).sum), Bits(whole.Over(begin, end).sum));
      }
      l += count;
    }
  }
}

TEST(WindowJoinTest, RefusesAndHoldsTheEndsOfTime) {
  EXPECT_THAT(WindowJoin::Make({.from_ns = 1, .to_ns = 0}, 1, false),
              IsError(ErrorCode::kInvalidArgument));
  WindowJoin join = *WindowJoin::Make({.from_ns = kMin, .to_ns = kMax}, 1, false);
  const std::vector<std::int64_t> ends{kMin, kMax};
  const std::vector<double> ones{1, 1};
  const std::span<const double> values[] = {ones};
  ASSERT_THAT(join.AddRight(ends, values), IsOk());
  std::vector<WindowRows> windows(2);
  EXPECT_THAT(join.Match(ends, windows),
              IsError(ErrorCode::kInvalidArgument, HasSubstr("needs more rows")));
  join.FinishRight();
  ASSERT_THAT(join.Match(ends, windows), IsOk());
  EXPECT_EQ(windows[0], (WindowRows{0, 1}));
  EXPECT_EQ(windows[1], (WindowRows{1, 2}));
  const std::vector<std::int64_t> back{0};
  EXPECT_THAT(join.Match(back, std::span(windows).first(1)),
              IsError(ErrorCode::kInvalidArgument, HasSubstr("left row 2 is out of order")));
}

TEST(WindowStatTest, NamesAndValues) {
  for (const char* name : {"mean", "std", "var", "min", "max", "sum", "count", "first", "last"}) {
    EXPECT_EQ(StatName(*ParseWindowStat(name)), name);
  }
  EXPECT_THAT(ParseWindowStat("average"),
              IsError(ErrorCode::kInvalidArgument, HasSubstr("mean, std")));
  WindowSums sums{.count = 2, .sum = 6, .min = 2, .max = 4, .mean = 3, .m2 = 2};
  EXPECT_EQ(StatOf(sums, WindowStat::kMean), 3);
  EXPECT_EQ(StatOf(sums, WindowStat::kVar), 2);
  EXPECT_EQ(StatOf(sums, WindowStat::kStd), std::sqrt(2.0));
  sums.count = 1;
  EXPECT_TRUE(std::isnan(StatOf(sums, WindowStat::kStd)));
  EXPECT_EQ(StatOf({}, WindowStat::kSum), 0);
  EXPECT_TRUE(std::isnan(StatOf({}, WindowStat::kMax)));
}

}  // namespace
}  // namespace lamina::series
