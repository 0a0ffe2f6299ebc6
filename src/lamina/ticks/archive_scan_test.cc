#include "lamina/ticks/archive_scan.h"

#include <gmock/gmock.h>

#include "lamina/ticks/query_test_support.h"

namespace lamina::ticks {
namespace {

using test::ArchivedTicks;
using test::kDay;
using test::kSecond;
using test::kStart;
using test::RandomTicks;
using test::Range;

TEST(ArchiveScanTest, TouchesOnlyWhatOverlaps) {
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

TEST(ArchiveScanTest, GivesTradesOfTheTypesThatAreAskedFor) {
  ArchivedTicks ticks;
  TickBatch batch = RandomTicks(TickKind::kTrades, 3000, 5, 2, 1, 0);
  std::int64_t last = 0, all_last = 0;
  for (std::size_t row = 0; row < batch.size(); ++row) {
    batch.type[row] = row % 3 == 0 ? TickType::kLast : TickType::kAllLast;
    if (batch.contract_id[row] == 2) ++(row % 3 == 0 ? last : all_last);
  }
  ticks.Add(batch);
  TickReader reader(ticks.catalog(), {});
  const auto count = [&](const std::vector<TickType>& types) {
    const auto answer = reader.Query(Range({2}, types, kStart - kDay, kStart + 20 * kDay));
    EXPECT_THAT(answer, IsOk());
    return answer->rows->num_rows();
  };
  EXPECT_GT(last, 0);
  EXPECT_EQ(count({TickType::kLast}), last);
  EXPECT_EQ(count({TickType::kAllLast}), all_last);
  EXPECT_EQ(count({TickType::kLast, TickType::kAllLast}), last + all_last);
}

}  // namespace
}  // namespace lamina::ticks
