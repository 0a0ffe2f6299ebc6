#include "lamina/ticks/tick_query.h"

#include <gmock/gmock.h>

#include "lamina/series/bars.h"
#include "lamina/ticks/query_test_support.h"

namespace lamina::ticks {
namespace {

using test::ArchivedTicks;
using test::kDay;
using test::kSecond;
using test::kStart;
using test::RandomTicks;
using test::Tick;
using test::TicksOf;
using ::testing::HasSubstr;

const std::vector<TickType> kAllTypes = {TickType::kLast, TickType::kAllLast, TickType::kBidAsk,
                                         TickType::kMidPoint};

TickQuery Range(std::vector<std::int64_t> contracts, std::vector<TickType> types,
                std::int64_t begin, std::int64_t end) {
  TickQuery query;
  query.contracts = std::move(contracts);
  query.types = std::move(types);
  query.start_ns = begin;
  query.end_ns = end;
  return query;
}

/// Files that overlap in time, of all kinds, three contracts, three days.
void Fill(ArchivedTicks& ticks, std::size_t rows = 3000) {
  std::int64_t seq = 0;
  std::uint64_t seed = 1;
  for (int file = 0; file < 3; ++file) {
    for (const TickKind kind : tick_log::kTickKinds) {
      ticks.Add(RandomTicks(kind, rows, seed++, 3, 3, seq));
      seq += static_cast<std::int64_t>(rows);
    }
  }
}

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

TEST(TickQueryTest, TouchesOnlyWhatOverlaps) {
  ArchivedTicks ticks;
  for (std::int64_t day = 0; day < 20; ++day) {
    TickBatch batch =
        RandomTicks(TickKind::kQuotes, 2000, static_cast<std::uint64_t>(day), 3, 1, day * 2000);
    for (std::int64_t& ts : batch.ts_ns) ts += day * kDay;
    ticks.Add(batch);
  }
  TickReader reader(ticks.catalog(), {});
  auto narrow = reader.Query(
      Range({2}, {TickType::kBidAsk}, kStart + 7 * kDay, kStart + 7 * kDay + 3600 * kSecond));
  ASSERT_THAT(narrow, IsOk());
  EXPECT_EQ(narrow->counts.files_live, 20);
  EXPECT_EQ(narrow->counts.files_planned, 1);
  EXPECT_EQ(narrow->counts.row_groups_read, 1);
  EXPECT_GT(narrow->rows->num_rows(), 0);
  ticks.Add(RandomTicks(TickKind::kTrades, 60'000, 77, 3, 1, 100'000));
  TickQuery one_column = Range({2}, {TickType::kLast}, kStart, kStart + 20 * kDay);
  auto wide = reader.Query(one_column);
  ASSERT_THAT(wide, IsOk());
  one_column.columns = {{"price"}};
  auto thin = reader.Query(one_column);
  ASSERT_THAT(thin, IsOk());
  EXPECT_EQ(thin->rows->num_columns(), 1);
  EXPECT_LT(thin->counts.bytes_read, wide->counts.bytes_read);
  auto none = reader.Query(Range({9}, {TickType::kBidAsk}, kStart, kStart + 20 * kDay));
  ASSERT_THAT(none, IsOk());
  EXPECT_EQ(none->counts.files_planned, 0);
  EXPECT_EQ(none->counts.bytes_read, 0);
}

TEST(TickQueryTest, StreamsEqualQueriesHoweverTheyAreCut) {
  ArchivedTicks ticks;
  Fill(ticks);
  TickReader reader(ticks.catalog(), {});
  const TickQuery query = Range({1, 2, 3}, kAllTypes, kStart, kStart + 3 * kDay);
  const std::vector<Tick> expected = ticks.Expect(query);
  for (const StreamOptions options : {StreamOptions{}, StreamOptions{.batch_rows = 7},
                                      StreamOptions{.batch_rows = 1000, .slice_rows = 500}}) {
    auto stream = reader.Stream(query, options);
    ASSERT_THAT(stream, IsOk());
    std::vector<Tick> seen;
    for (;;) {
      auto batch = stream->Next();
      ASSERT_THAT(batch, IsOk());
      if (*batch == nullptr) break;
      EXPECT_LE((*batch)->num_rows(), options.batch_rows);
      const auto more = TicksOf(**batch);
      seen.insert(seen.end(), more.begin(), more.end());
    }
    EXPECT_EQ(seen, expected);
    if (options.slice_rows == 500) {
      EXPECT_GT(stream->counts().slices, 10);
    }
  }
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

TEST(TickQueryTest, BarsEqualTheKernelsOverAllRows) {
  ArchivedTicks ticks;
  Fill(ticks);
  TickReader reader(ticks.catalog(), {});
  TickQuery query = Range({2}, {TickType::kLast}, kStart, kStart + 3 * kDay);
  auto rows = reader.Query(query);
  ASSERT_THAT(rows, IsOk());
  const auto whole = *table::Combine(*rows->rows);
  const auto numbers = [&](const char* name) {
    const auto& column =
        static_cast<const arrow::DoubleArray&>(*whole->GetColumnByName(name)->chunk(0));
    return std::span(column.raw_values(), static_cast<std::size_t>(column.length()));
  };
  const auto& ts =
      static_cast<const arrow::Int64Array&>(*whole->GetColumnByName("ts_ns")->chunk(0));
  auto builder = series::BarBuilder::ForTrades({.rule = *series::ParseBarRule("7m")});
  ASSERT_THAT(builder->Add(series::TradeColumns{
                  std::span(ts.raw_values(), static_cast<std::size_t>(ts.length())),
                  numbers("price"), numbers("size")}),
              IsOk());
  ASSERT_THAT(builder->Finish(), IsOk());
  const series::Bars expected = builder->Take();
  query.resolution = "7m";
  auto bars = reader.Query(query);
  ASSERT_THAT(bars, IsOk());
  ASSERT_EQ(static_cast<std::size_t>(bars->rows->num_rows()), expected.size());
  const auto made = *table::Combine(*bars->rows);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const auto at = static_cast<std::int64_t>(i);
    const auto cell = [&](const char* name) {
      return static_cast<const arrow::DoubleArray&>(*made->GetColumnByName(name)->chunk(0))
          .Value(at);
    };
    EXPECT_EQ(
        static_cast<const arrow::TimestampArray&>(*made->GetColumnByName("timestamp")->chunk(0))
            .Value(at),
        expected.timestamp[i]);
    EXPECT_EQ(cell("open"), expected.open[i]);
    EXPECT_EQ(cell("close"), expected.close[i]);
    EXPECT_EQ(cell("volume"), expected.volume[i]);
  }
}

TEST(TickQueryTest, BarsOfManyContractsAndTypesShareStamps) {
  ArchivedTicks ticks;
  Fill(ticks);
  TickReader reader(ticks.catalog(), {});
  TickQuery query = Range({1, 2}, kAllTypes, kStart, kStart + 3 * kDay);
  query.resolution = "1h";
  auto bars = reader.Query(query);
  ASSERT_THAT(bars, IsOk());
  EXPECT_THAT(
      bars->rows->schema()->field_names(),
      testing::ElementsAre("timestamp", "contract_id", "tick_type", "open", "high", "low", "close",
                           "volume", "vwap", "n_ticks", "bid_close", "ask_close", "spread_mean"));
  // Every hour of three days has ticks of both contracts and all types.
  EXPECT_EQ(bars->rows->num_rows(), 3 * 24 * 2 * 4);
  std::int64_t counted = 0;
  for (const auto& chunk : bars->rows->GetColumnByName("n_ticks")->chunks()) {
    const auto& counts = static_cast<const arrow::Int64Array&>(*chunk);
    for (std::int64_t row = 0; row < counts.length(); ++row) counted += counts.Value(row);
  }
  EXPECT_EQ(counted, static_cast<std::int64_t>(ticks.Expect(query).size()));
  query.columns = {{"close", "timestamp"}};
  auto chosen = reader.Query(query);
  ASSERT_THAT(chosen, IsOk());
  EXPECT_THAT(chosen->rows->schema()->field_names(), testing::ElementsAre("close", "timestamp"));
  query.columns = {{"price"}};
  EXPECT_THAT(reader.Query(query), IsError(ErrorCode::kInvalidArgument));
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
