#include "lamina/ticks/tick_order.h"

#include <numeric>
#include <set>
#include <tuple>

#include <gmock/gmock.h>

#include "lamina/ticks/ticks_test_support.h"

namespace lamina::ticks {
namespace {

TEST(TickOrder, IsThatOfTheArchive) {
  const TickBatch ticks = test::RandomTicks(TickKind::kQuotes, 2000, 9, 4, 3);
  std::set<std::uint32_t> seen;
  std::int32_t day_before = 0;
  for (const DayRows& day : ArchiveOrder(ticks)) {
    EXPECT_LT(day_before, day.day);
    day_before = day.day;
    const TickBatch rows = TakeTicks(ticks, day.rows);
    ASSERT_EQ(rows.size(), day.rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      EXPECT_TRUE(seen.insert(day.rows[i]).second);
      EXPECT_EQ(TickDay(rows.ts_ns[i]), day.day);
      EXPECT_EQ(rows.values[3][i], ticks.values[3][day.rows[i]]);
      EXPECT_EQ(rows.exchange.at(i), ticks.exchange.at(day.rows[i]));
      const auto key = [&](std::size_t at) {
        return std::tuple(rows.contract_id[at], rows.ts_ns[at], rows.recv_ns[at], rows.writer[at],
                          rows.seq[at]);
      };
      if (i > 0) {
        EXPECT_LT(key(i - 1), key(i));
      }
    }
  }
  EXPECT_EQ(seen.size(), ticks.size());
  EXPECT_TRUE(ArchiveOrder(TickBatch()).empty());
}

/// As files and logs behind each other are: each sorted, in time one over the other.
TEST(TickOrder, SortedStretchesAreMerged) {
  for (const std::size_t stretches : {2, 5, 63, 64, 200}) {
    TickBatch ticks;
    for (std::size_t stretch = 0; stretch < stretches; ++stretch) {
      for (std::int64_t i = 0; i < 40; ++i) {
        ticks.contract_id.push_back(1 + i % 3);
        ticks.ts_ns.push_back(test::kStart + i * 10 + static_cast<std::int64_t>(stretch * 7 % 50));
        ticks.recv_ns.push_back(0);
        ticks.writer.push_back(1);
        ticks.seq.push_back(static_cast<std::int64_t>(ticks.seq.size()));
      }
    }
    const std::vector<DayRows> days = ArchiveOrder(ticks);
    ASSERT_EQ(days.size(), 1U);
    const std::vector<std::uint32_t>& rows = days[0].rows;
    ASSERT_EQ(rows.size(), 40 * stretches);
    const auto key = [&](std::uint32_t row) {
      return std::tuple(ticks.contract_id[row], ticks.ts_ns[row], ticks.seq[row]);
    };
    for (std::size_t i = 1; i < rows.size(); ++i) EXPECT_LT(key(rows[i - 1]), key(rows[i]));
  }
}

}  // namespace
}  // namespace lamina::ticks
