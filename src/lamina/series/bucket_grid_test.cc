#include "lamina/series/bucket_grid.h"

#include <limits>

#include <gtest/gtest.h>

#include "lamina/base/matchers.h"
#include "lamina/base/time.h"

namespace lamina::series {
namespace {

using ::testing::HasSubstr;

constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();

std::int64_t At(const char* text) { return ParseTime(text)->value * 1000; }
std::int64_t Day(const char* text) { return At(text) / 86'400'000'000'000; }
BucketGrid Grid(const char* rule, std::vector<SessionRange> ranges = {}) {
  return *BucketGrid::Make(*ParseBarRule(rule), ranges);
}

TEST(BucketGridTest, CountsFromTheEpoch) {
  const struct {
    const char *rule, *at, *begin, *end;
  } cases[] = {
      {"1s", "2024-05-05T10:00:00.5Z", "2024-05-05T10:00:00Z", "2024-05-05T10:00:01Z"},
      {"15m", "2024-05-05T10:15:00Z", "2024-05-05T10:15:00Z", "2024-05-05T10:30:00Z"},
      {"4h", "2024-05-05T11:59:59Z", "2024-05-05T08:00:00Z", "2024-05-05T12:00:00Z"},
      {"1d", "1969-12-31T23:59:59Z", "1969-12-31", "1970-01-01"},
      {"1w", "2024-05-05T10:00:00Z", "2024-04-29", "2024-05-06"},
      {"1w", "1970-01-01", "1969-12-29", "1970-01-05"},
      {"1month", "2024-02-29T10:00:00Z", "2024-02-01", "2024-03-01"},
      {"3month", "2024-02-29T10:00:00Z", "2024-01-01", "2024-04-01"},
      {"12month", "1969-06-01", "1969-01-01", "1970-01-01"},
  };
  for (const auto& c : cases) {
    const Bucket bucket = Grid(c.rule).Find(At(c.at));
    EXPECT_TRUE(bucket.inside);
    EXPECT_EQ(bucket.bar_begin, At(c.begin)) << c.rule << ' ' << c.at;
    EXPECT_EQ(bucket.bar_end, At(c.end)) << c.rule << ' ' << c.at;
    EXPECT_EQ(bucket.first, bucket.bar_begin);
    EXPECT_EQ(bucket.last, bucket.bar_end - 1);
    EXPECT_EQ(Grid(c.rule).Next(bucket).bar_begin, bucket.bar_end);
  }
}

TEST(BucketGridTest, HoldsTheEndsOfTime) {
  for (const char* rule :
       {"1s", "7m", "1d", "1w", "1month", "5month", "12000month", "106751d", "10tick"}) {
    for (const std::int64_t ts :
         {kMin, kMin + 1, std::int64_t{-1}, std::int64_t{0}, kMax - 1, kMax}) {
      const Bucket bucket = Grid(rule).Find(ts);
      EXPECT_TRUE(bucket.inside) << rule;
      EXPECT_LE(bucket.first, ts) << rule;
      EXPECT_GE(bucket.last, ts) << rule;
    }
    EXPECT_FALSE(Grid(rule).Next(Grid(rule).Find(kMax)).inside) << rule;
  }
  const BucketGrid whole = Grid("7s", {{kMin, kMax, 0}});
  EXPECT_EQ(whole.Find(kMin).first, kMin);
  EXPECT_EQ(whole.Find(kMax - 1).last, kMax - 1);
  EXPECT_FALSE(whole.Find(kMax).inside);
}

// Tokyo: a lunch break, then the next day.
std::vector<SessionRange> Tokyo() {
  return {{At("2024-05-07T00:00:00Z"), At("2024-05-07T02:30:00Z"), Day("2024-05-07")},
          {At("2024-05-07T03:30:00Z"), At("2024-05-07T06:00:00Z"), Day("2024-05-07")},
          {At("2024-05-08T00:00:00Z"), At("2024-05-08T02:30:00Z"), Day("2024-05-08")}};
}

TEST(BucketGridTest, CountsFromSessionOpens) {
  const BucketGrid grid = Grid("1h", Tokyo());
  Bucket bucket = grid.Find(At("2024-05-07T02:15:00Z"));
  EXPECT_EQ(bucket.bar_begin, At("2024-05-07T02:00:00Z"));
  EXPECT_EQ(bucket.bar_end, At("2024-05-07T02:30:00Z"));  // shorter: the hour does not divide it
  bucket = grid.Next(bucket);
  EXPECT_EQ(bucket.bar_begin, At("2024-05-07T03:30:00Z"));
  const Bucket lunch = grid.Find(At("2024-05-07T02:30:00Z"));
  EXPECT_FALSE(lunch.inside);
  EXPECT_EQ(lunch.last, At("2024-05-07T03:30:00Z") - 1);
  EXPECT_FALSE(grid.Find(At("2020-01-01")).inside);
  EXPECT_FALSE(grid.Next(grid.Find(At("2024-05-08T02:00:00Z"))).inside);
}

TEST(BucketGridTest, HoldsWholeTradingDays) {
  const BucketGrid days = Grid("1d", Tokyo());
  const Bucket morning = days.Find(At("2024-05-07T01:00:00Z"));
  const Bucket afternoon = days.Find(At("2024-05-07T05:00:00Z"));
  EXPECT_EQ(morning.bar_begin, afternoon.bar_begin);
  EXPECT_NE(morning.last, afternoon.last);
  EXPECT_EQ(morning.bar_end, At("2024-05-07T06:00:00Z"));
  EXPECT_EQ(days.Next(morning).bar_begin, At("2024-05-08T00:00:00Z"));
  EXPECT_EQ(Grid("1w", Tokyo()).Find(At("2024-05-08T00:00:01Z")).bar_begin,
            At("2024-05-07T00:00:00Z"));
  EXPECT_EQ(Grid("1month", Tokyo()).Find(At("2024-05-08T00:00:01Z")).bar_end,
            At("2024-05-08T02:30:00Z"));
  EXPECT_EQ(Grid("9tick", Tokyo()).Find(At("2024-05-07T05:00:00Z")).bar_begin, morning.bar_begin);
}

TEST(BucketGridTest, RefusesRanges) {
  const BarRule rule = *ParseBarRule("1m");
  const struct {
    std::vector<SessionRange> ranges;
    const char* why;
  } cases[] = {
      {{{5, 5, 0}}, "range 0 is empty"},
      {{{0, 5, 0}, {4, 9, 0}}, "range 1 begins before"},
      {{{0, 5, 3}, {5, 9, 2}}, "earlier trading day"},
      {{{0, 5, kMax}}, "outside the calendar"},
  };
  for (const auto& c : cases) {
    EXPECT_THAT(BucketGrid::Make(rule, c.ranges),
                IsError(ErrorCode::kInvalidArgument, HasSubstr(c.why)));
  }
}

}  // namespace
}  // namespace lamina::series
