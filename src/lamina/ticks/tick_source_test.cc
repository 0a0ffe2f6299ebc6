#include "lamina/ticks/tick_source.h"

#include <atomic>
#include <thread>

#include <gmock/gmock.h>

#include "lamina/ticks/query_test_support.h"

namespace lamina::ticks {
namespace {

using test::AllOf;
using test::Append;
using test::ArchivedTicks;
using test::Batches;
using test::RandomTicks;
using test::Sorted;
using test::Tick;
using test::TicksOf;
using test::Writer;

const std::vector<TickType> kTrades = {TickType::kLast, TickType::kAllLast};

TEST(TickSourceTest, JoinsLogsAndArchiveWithoutGapOrRepetition) {
  ArchivedTicks store;
  TickReader reader(store.catalog(), {});
  tick_log::LogReader logs(io::PosixEnv(), store.catalog().root(), store.catalog().store_id());
  std::vector<Tick> expected;
  auto first = Writer(store.catalog(), 1), second = Writer(store.catalog(), 2);
  for (std::uint64_t round = 0; round < 6; ++round) {
    Append(*first, RandomTicks(TickKind::kTrades, 300, 2 * round), expected);
    Append(*second, RandomTicks(TickKind::kTrades, 100, 2 * round + 1), expected);
    auto answer = reader.Query(AllOf(kTrades));
    ASSERT_THAT(answer, IsOk());
    EXPECT_EQ(TicksOf(*answer->rows), Sorted(expected)) << round;
    EXPECT_GT(answer->counts.log_rows, 0);
    // Archive a part: sealed segments of one, or all that is durable of both.
    if (round % 2 == 0) {
      ASSERT_THAT(first->Seal(), IsOk());
    }
    ASSERT_THAT(ArchiveLogs(store.catalog(), logs, {.open_segments = round == 3}), IsOk());
    answer = reader.Query(AllOf(kTrades));
    ASSERT_THAT(answer, IsOk());
    EXPECT_EQ(TicksOf(*answer->rows), Sorted(expected)) << round;
    EXPECT_GT(answer->counts.archive_rows, 0);
  }
  TickQuery old = AllOf(kTrades);
  old.snapshot = *store.catalog().LatestSnapshot();
  auto answer = reader.Query(old);
  ASSERT_THAT(answer, IsOk());
  EXPECT_EQ(answer->counts.log_rows, 0);
  EXPECT_LT(answer->rows->num_rows(), static_cast<std::int64_t>(expected.size()));
}

TEST(TickSourceTest, ReadsItsOwnWritersMemory) {
  ArchivedTicks store;
  TickReader reader(store.catalog(), {});
  std::vector<Tick> expected;
  std::shared_ptr<tick_log::TickWriter> writer = Writer(store.catalog(), 1);
  reader.source().AddLive(writer);
  Append(*writer, RandomTicks(TickKind::kQuotes, 500, 1), expected);
  Append(*writer, RandomTicks(TickKind::kTrades, 500, 2), expected);
  TickQuery query = AllOf({TickType::kLast, TickType::kAllLast, TickType::kBidAsk});
  EXPECT_EQ(TicksOf(*reader.Query(query)->rows), Sorted(expected));
  writer.reset();
  EXPECT_EQ(TicksOf(*reader.Query(query)->rows), Sorted(expected));
}

TEST(TickSourceTest, ReadersSeeEveryAcknowledgedTickWhileArchiversWork) {
  ArchivedTicks store;
  TickReader reader(store.catalog(), {});
  tick_log::LogReader logs(io::PosixEnv(), store.catalog().root(), store.catalog().store_id());
  auto writer = Writer(store.catalog(), 1, {.segment_bytes = 1 << 16});
  constexpr int kRounds = 60, kRows = 200;
  std::atomic<std::int64_t> acknowledged{0};
  std::atomic<bool> done{false};
  std::thread recorder([&] {
    for (int round = 0; round < kRounds; ++round) {
      auto ack = writer->Append(
          Batches(RandomTicks(TickKind::kTrades, kRows, static_cast<std::uint64_t>(round))));
      EXPECT_THAT(ack, IsOk());
      acknowledged += kRows;
    }
    done = true;
  });
  std::thread archiver([&] {
    while (!done) {
      EXPECT_THAT(ArchiveLogs(store.catalog(), logs, {.open_segments = true}), IsOk());
      auto all = logs.Logs();
      if (!all.ok() || all->empty()) continue;
      for (const auto& segment : (*all)[0].segments) {
        std::int64_t watermark = 0;
        EXPECT_THAT(store.catalog().Read([&](catalog::Database& database) -> Status {
          LAMINA_ASSIGN(const auto marks, ReadWatermarks(database));
          for (const Watermark& mark : marks) watermark = mark.end_seq;
          return Ok();
        }),
                    IsOk());
        if (segment.sealed && segment.end_seq <= watermark) {
          (void)tick_log::RemoveSegment(io::PosixEnv(), segment).ok();
        }
      }
    }
  });
  while (!done) {
    const std::int64_t least = acknowledged;
    auto answer = reader.Query(AllOf(kTrades));
    ASSERT_THAT(answer, IsOk());
    EXPECT_GE(answer->rows->num_rows(), least);
    const auto ticks = TicksOf(*answer->rows);
    EXPECT_EQ(std::adjacent_find(ticks.begin(), ticks.end(),
                                 [](const Tick& a, const Tick& b) { return !(a < b); }),
              ticks.end());
  }
  recorder.join();
  archiver.join();
  EXPECT_EQ(reader.Query(AllOf(kTrades))->rows->num_rows(), kRounds * kRows);
}

}  // namespace
}  // namespace lamina::ticks
