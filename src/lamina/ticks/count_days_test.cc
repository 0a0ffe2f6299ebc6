#include "lamina/ticks/count_days.h"

#include <gmock/gmock.h>

#include "lamina/ticks/archive.h"
#include "lamina/ticks/ticks_test_support.h"

namespace lamina::ticks {
namespace {

using test::RandomTicks;
using test::TestCatalog;
using testing::IsEmpty;

void Fill(TestCatalog& store) {
  for (int part = 0; part < 2; ++part) {
    TickBatches ticks;
    ticks[0] =
        RandomTicks(TickKind::kTrades, 400, 5 + static_cast<std::uint64_t>(part), 2, 2, part * 800);
    ticks[1] = RandomTicks(TickKind::kQuotes, 400, 6 + static_cast<std::uint64_t>(part), 2, 2,
                           part * 800 + 400);
    ASSERT_THAT(ArchiveTicks(*store, std::move(ticks), std::nullopt), IsOk());
  }
}

TEST(CountDays, FalseStatisticsAreFoundAndMadeAnew) {
  TestCatalog store;
  Fill(store);
  EXPECT_THAT(*CheckStatistics(*store), IsEmpty());
  ASSERT_THAT(store->Transact([](catalog::Database& database) {
    return database.Execute(
        "UPDATE data_statistics SET unique_prices = unique_prices + 1 WHERE tick_type = 'last' AND "
        "contract_id = 1 AND date = '2024-07-02';"
        "DELETE FROM data_statistics WHERE tick_type = 'bid_ask' AND contract_id = 2;"
        "INSERT INTO data_statistics SELECT 9, tick_type, date, total_ticks, unique_prices, "
        "total_volume, vwap, high_price, low_price, first_time, last_time, evidence, "
        "updated_snapshot FROM data_statistics WHERE tick_type = 'all_last' AND contract_id = 1 "
        "AND date = '2024-07-02'");
  }),
              IsOk());
  EXPECT_EQ(CheckStatistics(*store)->size(), 4u);
  EXPECT_EQ(*RebuildStatistics(*store), 12);
  EXPECT_THAT(*CheckStatistics(*store), IsEmpty());
}

}  // namespace
}  // namespace lamina::ticks
