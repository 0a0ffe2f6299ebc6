#include "lamina/ticks/day_statistics.h"

#include <cmath>

#include <gmock/gmock.h>

#include "lamina/ticks/ticks_test_support.h"

namespace lamina::ticks {
namespace {

TEST(DayStatistics, OfTrades) {
  DayStatistics day;
  const double rows[][2] = {{10, 2}, {11, 1}, {NAN, 5}, {10, NAN}, {9.5, 0}};
  for (int i = 0; i < 5; ++i) day.Add(TickType::kLast, 100 - i, rows[i]);
  EXPECT_EQ(day.total_ticks(), 5);
  EXPECT_EQ(day.unique_prices(), 3);
  EXPECT_EQ(day.total_volume(TickType::kLast), 8);
  EXPECT_EQ(day.vwap(TickType::kLast), 31.0 / 3);
  EXPECT_EQ(day.high_price(), 11);
  EXPECT_EQ(day.low_price(), 9.5);
  EXPECT_EQ(day.first_ns(), 96);
  EXPECT_EQ(day.last_ns(), 100);
}

TEST(DayStatistics, OfQuotesAndMidpoints) {
  DayStatistics quotes, midpoints;
  const double quote[] = {10, 1, 10.5, 2}, midpoint[] = {7};
  quotes.Add(TickType::kBidAsk, 1, quote);
  midpoints.Add(TickType::kMidPoint, 1, midpoint);
  EXPECT_EQ(quotes.unique_prices(), 2);
  EXPECT_EQ(quotes.high_price(), 10.5);
  EXPECT_FALSE(quotes.vwap(TickType::kBidAsk).has_value());
  EXPECT_FALSE(quotes.total_volume(TickType::kBidAsk).has_value());
  EXPECT_EQ(midpoints.low_price(), 7);
}

TEST(DayStatistics, MergedInAnyOrderTheSameBytes) {
  const TickBatch ticks = test::RandomTicks(TickKind::kTrades, 1000, 5);
  DayStatistics whole, parts[3];
  for (std::size_t i = 0; i < ticks.size(); ++i) {
    const double values[] = {ticks.values[0][i], ticks.values[1][i]};
    whole.Add(TickType::kLast, ticks.ts_ns[i], values);
    parts[i % 3].Add(TickType::kLast, ticks.ts_ns[i], values);
  }
  parts[2].Merge(parts[0]);
  parts[2].Merge(parts[1]);
  EXPECT_EQ(parts[2].Encode(), whole.Encode());
  const std::string bytes = whole.Encode();
  auto back = DayStatistics::Decode(bytes);
  ASSERT_THAT(back, IsOk());
  EXPECT_EQ(back->Encode(), bytes);
  for (std::size_t cut = 0; cut < bytes.size(); cut += 11)
    EXPECT_THAT(DayStatistics::Decode(ByteView(bytes).substr(0, cut)),
                IsError(ErrorCode::kCorruption));
}

TEST(DayStatistics, RowsAreMergedReplacedAndDropped) {
  test::TestCatalog store;
  const StatisticsKey key{7, TickType::kLast, 19'906};
  const double first[] = {10, 2}, second[] = {12, 2};
  DayStatistics a, b;
  a.Add(TickType::kLast, test::kStart, first);
  b.Add(TickType::kLast, test::kStart + 5, second);
  const auto change = [&](const auto& work) { EXPECT_THAT(store->Transact(work), IsOk()); };
  change([&](auto& database) { return MergeStatistics(database, 1, key, a); });
  change([&](auto& database) { return MergeStatistics(database, 2, key, b); });
  EXPECT_THAT(store->Read([&](auto& database) -> Status {
    LAMINA_ASSIGN(const auto rows, ReadStatistics(database, "1"));
    const StatisticsRow expected{7,   TickType::kLast, 19'906,          2, 2, 4., 11., 12.,
                                 10., test::kStart,    test::kStart + 5};
    EXPECT_THAT(rows, testing::ElementsAre(expected));
    return Ok();
  }),
              IsOk());
  EXPECT_EQ(store.Ask("SELECT date FROM data_statistics"), "2024-07-02");
  change([&](auto& database) { return ReplaceStatistics(database, 3, key, DayStatistics()); });
  EXPECT_EQ(store.Ask("SELECT count(*) FROM data_statistics"), "0");
}

}  // namespace
}  // namespace lamina::ticks
