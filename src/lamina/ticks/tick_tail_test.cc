#include "lamina/ticks/tick_tail.h"

#include <gmock/gmock.h>

#include "lamina/ticks/query_test_support.h"

namespace lamina::ticks {
namespace {

using test::AllOf;
using test::Append;
using test::ArchivedTicks;
using test::RandomTicks;
using test::Sorted;
using test::Tick;
using test::TicksOf;
using test::Writer;

const std::vector<TickType> kTrades = {TickType::kLast, TickType::kAllLast};

TEST(TickTailTest, TailsGiveEachTickOnceAcrossArchivingAndRetention) {
  ArchivedTicks store;
  TickReader reader(store.catalog(), {});
  tick_log::LogReader logs(io::PosixEnv(), store.catalog().root(), store.catalog().store_id());
  std::vector<Tick> expected, seen, before;
  auto writer = Writer(store.catalog(), 1);
  Append(*writer, RandomTicks(TickKind::kTrades, 200, 1), before);
  const TickSelection selection{{1, 2, 3}, kTrades};
  auto query = reader.Query(AllOf(kTrades));
  ASSERT_THAT(query, IsOk());
  auto follower = reader.Tail(selection, query->tail_cursor);
  ASSERT_THAT(follower, IsOk());
  const auto poll = [&](TickTail& tail, std::vector<Tick>& into) {
    for (;;) {
      auto rows = tail.Poll();
      ASSERT_THAT(rows, IsOk());
      if ((*rows)->num_rows() == 0) return;
      const auto more = TicksOf(**rows);
      EXPECT_TRUE(std::is_sorted(more.begin(), more.end()));
      into.insert(into.end(), more.begin(), more.end());
    }
  };
  for (std::uint64_t round = 0; round < 5; ++round) {
    Append(*writer, RandomTicks(TickKind::kTrades, 200, 10 + round), expected);
    if (round == 1) {  // what the tail has not seen yet leaves the log
      ASSERT_THAT(writer->Seal(), IsOk());
      ASSERT_THAT(ArchiveLogs(store.catalog(), logs), IsOk());
      auto all = logs.Logs();
      ASSERT_THAT(all, IsOk());
      for (const auto& segment : (*all)[0].segments) {
        if (!segment.sealed) continue;
        ASSERT_THAT(tick_log::RemoveSegment(io::PosixEnv(), segment), IsOk());
      }
    }
    if (round != 0) poll(*follower, seen);
    auto again = reader.Tail(selection, follower->cursor());  // as another process would
    ASSERT_THAT(again, IsOk());
    *follower = *std::move(again);
  }
  EXPECT_EQ(Sorted(seen), Sorted(expected));
  std::vector<Tick> all = before, from_start;
  all.insert(all.end(), expected.begin(), expected.end());
  auto whole = reader.Tail(selection, kFromStart);
  ASSERT_THAT(whole, IsOk());
  poll(*whole, from_start);
  EXPECT_EQ(Sorted(from_start), Sorted(all));
  auto now = reader.Tail(selection, "");
  ASSERT_THAT(now, IsOk());
  EXPECT_EQ((*now->Poll())->num_rows(), 0);
  EXPECT_THAT(reader.Tail(selection, "t1.1.5"), IsError(ErrorCode::kInvalidArgument));
}

}  // namespace
}  // namespace lamina::ticks
