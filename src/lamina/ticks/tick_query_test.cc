#include "lamina/ticks/tick_query.h"

#include <gmock/gmock.h>

#include "lamina/ticks/query_test_support.h"

namespace lamina::ticks {
namespace {

using test::ArchivedTicks;
using test::Fill;
using test::kAllTypes;
using test::kDay;
using test::kSecond;
using test::kStart;
using test::RandomTicks;
using test::Range;
using test::Tick;
using test::TicksOf;

TEST(TickQueryTest, GivesEachTickOnceInTheOneOrder) {
  ArchivedTicks ticks;
  Fill(ticks);
  const std::vector<TickQuery> queries = {
      Range({1}, {TickType::kLast}, kStart, kStart + 3 * kDay),
      Range({2, 1}, kAllTypes, kStart + kDay / 2, kStart + 2 * kDay + 7 * kSecond),
      Range({3}, {TickType::kBidAsk, TickType::kAllLast}, kStart + kDay - kSecond,
            kStart + kDay + kSecond),
      Range({1, 2, 3}, {TickType::kMidPoint}, 0, kStart + 30 * kDay),
      Range({4}, kAllTypes, kStart, kStart + 3 * kDay),
      Range({}, kAllTypes, kStart, kStart + 3 * kDay),
      Range({1}, kAllTypes, kStart + kDay, kStart + kDay)};
  for (const std::size_t workers : {1U, 4U}) {
    TickReader reader(ticks.catalog(), {.cache = {}, .workers = workers});
    for (const TickQuery& query : queries) {
      auto answer = reader.Query(query);
      ASSERT_THAT(answer, IsOk());
      ASSERT_TRUE(answer->rows->ValidateFull().ok());
      EXPECT_EQ(TicksOf(*answer->rows), ticks.Expect(query));
    }
  }
}

TEST(TickQueryTest, EndsAreHalfOpenAndCheckedAndOmittedMeansNow) {
  ArchivedTicks ticks;
  TickReader reader(ticks.catalog(), {});
  auto backwards = reader.Query(Range({1}, kAllTypes, 10, 9));
  ASSERT_THAT(backwards, IsError(ErrorCode::kInvalidArgument));
  TickQuery open = Range({1}, {TickType::kLast}, kStart, 0);
  open.end_ns.reset();
  auto answer = reader.Query(open);
  ASSERT_THAT(answer, IsOk());
  EXPECT_EQ(answer->rows->num_rows(), 0);
  EXPECT_EQ(answer->rows->schema()->GetFieldByName("price")->type()->id(), arrow::Type::DOUBLE);
  TickQuery odd = Range({1}, {TickType::kLast}, kStart, kStart + kDay);
  odd.resolution = "1x";
  EXPECT_THAT(reader.Query(odd), IsError(ErrorCode::kInvalidArgument));
  odd.resolution = "";
  odd.types = {};
  EXPECT_THAT(reader.Query(odd), IsError(ErrorCode::kInvalidArgument));
  odd = Range({1}, {TickType::kLast}, kStart, kStart + kDay);
  odd.snapshot = 99;
  EXPECT_THAT(reader.Query(odd), IsError(ErrorCode::kNotFound));
}

TEST(TickQueryTest, PagesFollowTheirCursor) {
  ArchivedTicks ticks;
  Fill(ticks, 300);
  TickReader reader(ticks.catalog(), {});
  for (const char* resolution : {"", "6h"}) {
    TickQuery query = Range({1, 3}, kAllTypes, kStart, kStart + 3 * kDay);
    query.resolution = resolution;
    auto whole = reader.Query(query);
    ASSERT_THAT(whole, IsOk());
    EXPECT_FALSE(whole->truncated);
    query.limit = 17;
    std::vector<std::shared_ptr<arrow::Table>> pages;
    for (;;) {
      auto page = reader.Query(query);
      ASSERT_THAT(page, IsOk());
      pages.push_back(page->rows);
      EXPECT_EQ(page->truncated, !page->next_cursor.empty());
      if (!page->truncated) break;
      EXPECT_EQ(page->rows->num_rows(), 17);
      query.cursor = page->next_cursor;
    }
    EXPECT_TRUE((*arrow::ConcatenateTables(pages))->Equals(*whole->rows)) << resolution;
    query.types = {TickType::kLast};
    EXPECT_THAT(reader.Query(query), IsError(ErrorCode::kInvalidArgument));
  }
}

TEST(TickQueryTest, SessionsCutRangesAndAlignBars) {
  ArchivedTicks ticks;
  Fill(ticks);
  TickReader reader(ticks.catalog(), {});
  TickQuery query = Range({1}, {TickType::kBidAsk}, kStart, kStart + 2 * kDay);
  query.sessions = {.calendar = "XNYS", .session = "regular", .zone = {}};
  auto answer = reader.Query(query);
  ASSERT_THAT(answer, IsOk());
  std::vector<Tick> expected;
  for (const Tick& tick : ticks.Expect(query)) {
    const std::int64_t of_day = (std::get<0>(tick) - kStart) % kDay;
    // 2024-07-02 whole, 2024-07-03 closes at 13:00 in New York.
    const std::int64_t close = std::get<0>(tick) < kStart + kDay ? 20 * 3600 : 17 * 3600;
    if (of_day >= (13 * 3600 + 1800) * kSecond && of_day < close * kSecond)
      expected.push_back(tick);
  }
  EXPECT_EQ(TicksOf(*answer->rows), expected);
  query.resolution = "1h";
  auto bars = reader.Query(query);
  ASSERT_THAT(bars, IsOk());
  EXPECT_EQ(bars->rows->num_rows(), 7 + 4);
  const auto stamps = bars->rows->GetColumnByName("timestamp")->chunk(0);
  EXPECT_EQ(static_cast<const arrow::TimestampArray&>(*stamps).Value(0),
            kStart + (13 * 3600 + 1800) * kSecond);
  query.sessions.session = "lunch";
  EXPECT_THAT(reader.Query(query), IsError(ErrorCode::kInvalidArgument));
}

TEST(TickQueryTest, CachedAnswersAreNeverStaleNorOfAnotherQuestion) {
  ArchivedTicks ticks;
  Fill(ticks, 500);
  TickReader reader(ticks.catalog(), {});
  TickQuery query = Range({1, 2}, {TickType::kLast, TickType::kBidAsk}, kStart, kStart + 2 * kDay);
  EXPECT_FALSE(reader.Query(query)->cached);
  EXPECT_TRUE(reader.Query(query)->cached);
  std::swap(query.types[0], query.types[1]);
  std::swap(query.contracts[0], query.contracts[1]);
  EXPECT_TRUE(reader.Query(query)->cached);
  query.resolution = "1m";
  auto bars = reader.Query(query);
  EXPECT_FALSE(bars->cached);
  EXPECT_NE(bars->rows->schema()->GetFieldIndex("open"), -1);
  query.resolution = "5m";
  EXPECT_FALSE(reader.Query(query)->cached);
  query.resolution = "";
  // Another day's ticks change nothing here; late ones of these days do.
  TickBatch other = RandomTicks(TickKind::kTrades, 50, 90, 3, 1, 100'000);
  for (std::int64_t& ts : other.ts_ns) ts += 9 * kDay;
  ticks.Add(other);
  EXPECT_TRUE(reader.Query(query)->cached);
  ticks.Add(RandomTicks(TickKind::kTrades, 50, 91, 3, 1, 200'000));
  auto late = reader.Query(query);
  EXPECT_FALSE(late->cached);
  EXPECT_EQ(TicksOf(*late->rows), ticks.Expect(query));
  EXPECT_EQ(*reader.Warm({query, query}), 2);
  EXPECT_GT(reader.cache_counts().hits, 3);
}

TEST(TickQueryTest, AnOlderSnapshotIsWhole) {
  ArchivedTicks ticks;
  ticks.Add(RandomTicks(TickKind::kTrades, 400, 1));
  const std::int64_t before = *ticks.catalog().LatestSnapshot();
  TickReader reader(ticks.catalog(), {});
  TickQuery query = Range({1, 2, 3}, kAllTypes, kStart, kStart + kDay);
  const auto expected = ticks.Expect(query);
  ticks.Add(RandomTicks(TickKind::kTrades, 400, 2, 3, 1, 400));
  EXPECT_EQ(TicksOf(*reader.Query(query)->rows).size(), 800U);
  query.snapshot = before;
  auto old = reader.Query(query);
  ASSERT_THAT(old, IsOk());
  EXPECT_EQ(old->snapshot, before);
  EXPECT_EQ(TicksOf(*old->rows), expected);
}

}  // namespace
}  // namespace lamina::ticks
