#include "lamina/series/asof.h"

#include <algorithm>
#include <random>

#include <gtest/gtest.h>

#include "lamina/base/matchers.h"

namespace lamina::series {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();

std::vector<std::int64_t> Join(const AsofSide& left, const AsofSide& right,
                               const AsofOptions& options) {
  std::vector<std::int64_t> matches(left.order.size());
  EXPECT_THAT(AsofJoin(left, right, options, matches), IsOk());
  return matches;
}

struct Side {
  std::vector<std::int64_t> ts, recv, writer, seq;
  std::vector<std::uint32_t> keys;

  AsofSide View(bool full, bool by_key) const {
    AsofSide side{.order = {.ts_ns = ts}};
    if (full) side.order = {ts, recv, writer, seq};
    if (by_key) side.keys = keys;
    return side;
  }
};

Side RandomSide(std::mt19937_64& random, std::size_t rows) {
  std::vector<std::array<std::int64_t, 4>> order(rows);
  for (auto& row : order) {
    for (std::size_t i = 0; i < 4; ++i)
      row[i] = static_cast<std::int64_t>(random() % (i == 0 ? 60 : 3));
  }
  std::sort(order.begin(), order.end());
  Side side;
  for (const auto& row : order) {
    side.ts.push_back(row[0]);
    side.recv.push_back(row[1]);
    side.writer.push_back(row[2]);
    side.seq.push_back(row[3]);
    side.keys.push_back(static_cast<std::uint32_t>(random() % 4));
  }
  return side;
}

/// Every pair looked at.
std::vector<std::int64_t> Reference(const AsofSide& left, const AsofSide& right,
                                    const AsofOptions& options) {
  std::vector<std::int64_t> matches;
  for (std::size_t l = 0; l < left.order.size(); ++l) {
    std::int64_t before = kNoMatch, after = kNoMatch;
    for (std::size_t r = 0; r < right.order.size(); ++r) {
      if (!left.keys.empty() && left.keys[l] != right.keys[r]) continue;
      const std::int64_t away = right.order.ts_ns[r] - left.order.ts_ns[l];
      if (away == 0 && !options.allow_exact_matches) continue;
      const int order = CompareRows(right.order, r, left.order, l);
      if (order <= 0) before = static_cast<std::int64_t>(r);
      if (order >= 0 && after == kNoMatch) after = static_cast<std::int64_t>(r);
    }
    const auto away = [&](std::int64_t r) {
      return std::abs(right.order.ts_ns[static_cast<std::size_t>(r)] - left.order.ts_ns[l]);
    };
    std::int64_t match = options.direction == AsofDirection::kForward ? after : before;
    if (options.direction == AsofDirection::kNearest && after != kNoMatch &&
        (before == kNoMatch || away(after) < away(before))) {
      match = after;
    }
    if (match != kNoMatch && options.tolerance_ns.has_value() &&
        away(match) > *options.tolerance_ns) {
      match = kNoMatch;
    }
    matches.push_back(match);
  }
  return matches;
}

TEST(AsofTest, EqualsTheReference) {
  std::mt19937_64 random(11);
  for (int round = 0; round < 400; ++round) {
    const Side left = RandomSide(random, random() % 40), right = RandomSide(random, random() % 60);
    const bool full = random() % 2 == 0, by_key = random() % 2 == 0;
    for (const AsofDirection direction :
         {AsofDirection::kBackward, AsofDirection::kForward, AsofDirection::kNearest}) {
      AsofOptions options{.direction = direction};
      if (random() % 2 == 0) options.tolerance_ns = static_cast<std::int64_t>(random() % 5);
      options.allow_exact_matches = random() % 3 != 0;
      const AsofSide l = left.View(full, by_key), r = right.View(full, by_key);
      EXPECT_EQ(Join(l, r, options), Reference(l, r, options)) << round;
    }
  }
}

TEST(AsofTest, StreamsGiveTheSameMatches) {
  std::mt19937_64 random(12);
  for (int round = 0; round < 200; ++round) {
    const Side left = RandomSide(random, random() % 80), right = RandomSide(random, random() % 120);
    const bool full = random() % 2 == 0, by_key = random() % 2 == 0;
    AsofOptions options{.tolerance_ns = static_cast<std::int64_t>(random() % 9)};
    options.allow_exact_matches = random() % 2 == 0;
    const AsofSide l = left.View(full, by_key), r = right.View(full, by_key);
    const auto part = [](const AsofSide& side, std::size_t offset, std::size_t count) {
      return AsofSide{side.order.Slice(offset, count),
                      side.keys.empty() ? side.keys : side.keys.subspan(offset, count)};
    };
    AsofStream stream = *AsofStream::Make(options);
    std::vector<std::int64_t> matches(l.order.size());
    std::size_t l_row = 0, r_row = 0;
    while (l_row < matches.size()) {
      const std::size_t count = std::min<std::size_t>(random() % 10, matches.size() - l_row);
      const auto out = std::span(matches).subspan(l_row, count);
      if (count > 0 && !stream.Match(part(l, l_row, count), out).ok()) {
        const std::size_t more = std::min<std::size_t>(1 + random() % 20, r.order.size() - r_row);
        ASSERT_THAT(stream.AddRight(part(r, r_row, more)), IsOk());
        r_row += more;
        if (r_row == r.order.size()) stream.FinishRight();
        continue;
      }
      l_row += count;
    }
    EXPECT_EQ(matches, Join(l, r, options)) << round;
  }
  EXPECT_THAT(AsofStream::Make({.direction = AsofDirection::kForward}),
              IsError(ErrorCode::kUnsupported));
}

// Whole-second stamps: the quote that was received after the trade must not be joined to it.
TEST(AsofTest, RecordingOrderDecidesWithinOneStamp) {
  const std::vector<std::int64_t> ts{10, 10, 10}, quote_recv{2, 5, 9}, trade_recv{1, 6, 9};
  EXPECT_THAT(Join({{ts, trade_recv}}, {{ts, quote_recv}}, {}), ElementsAre(kNoMatch, 1, 2));
  EXPECT_THAT(Join({{ts}}, {{ts, quote_recv}}, {}), ElementsAre(2, 2, 2));
  EXPECT_THAT(Join({{ts, trade_recv}}, {{ts, quote_recv}}, {.direction = AsofDirection::kForward}),
              ElementsAre(0, 2, 2));
}

TEST(AsofTest, EndsOfTime) {
  const std::vector<std::int64_t> left{kMin, 0, kMax}, right{kMin, kMax};
  EXPECT_THAT(Join({{left}}, {{right}}, {.tolerance_ns = kMax}), ElementsAre(0, kNoMatch, 1));
  EXPECT_THAT(Join({{left}}, {{right}}, {.direction = AsofDirection::kNearest}),
              ElementsAre(0, 1, 1));
  EXPECT_THAT(Join({{left}}, {}, {}), ElementsAre(kNoMatch, kNoMatch, kNoMatch));
  EXPECT_TRUE(Join({}, {{right}}, {}).empty());
}

TEST(AsofTest, Refuses) {
  const std::vector<std::int64_t> sorted{1, 2}, unsorted{2, 1};
  const std::vector<std::uint32_t> keys{0, 0};
  std::vector<std::int64_t> matches(2);
  EXPECT_THAT(AsofJoin({{unsorted}}, {{sorted}}, {}, matches),
              IsError(ErrorCode::kInvalidArgument, HasSubstr("left row 1 is out of order")));
  EXPECT_THAT(AsofJoin({{sorted}}, {{unsorted}}, {}, matches),
              IsError(ErrorCode::kInvalidArgument, HasSubstr("right row 1 is out of order")));
  EXPECT_THAT(AsofJoin({{sorted}}, {{sorted}}, {.tolerance_ns = -1}, matches),
              IsError(ErrorCode::kInvalidArgument, HasSubstr("tolerance")));
  EXPECT_THAT(AsofJoin({{sorted}, keys}, {{sorted}}, {}, matches),
              IsError(ErrorCode::kInvalidArgument, HasSubstr("keys")));
  EXPECT_THAT(AsofJoin({{sorted}}, {{sorted}}, {}, std::span(matches).first(1)),
              IsError(ErrorCode::kInvalidArgument));
}

}  // namespace
}  // namespace lamina::series
