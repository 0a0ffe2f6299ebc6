#include "lamina/ticks/tick_source.h"

#include <atomic>
#include <thread>

#include <gmock/gmock.h>

#include "lamina/tick_log/tick_writer.h"
#include "lamina/ticks/query_test_support.h"

namespace lamina::ticks {
namespace {

using test::ArchivedTicks;
using test::kDay;
using test::kStart;
using test::RandomTicks;
using test::Tick;
using test::TicksOf;

const std::vector<TickType> kTrades = {TickType::kLast, TickType::kAllLast};

TickQuery AllOf(std::vector<TickType> types) {
  TickQuery query;
  query.contracts = {1, 2, 3};
  query.types = std::move(types);
  query.start_ns = kStart;
  query.end_ns = kStart + 10 * kDay;
  return query;
}

std::unique_ptr<tick_log::TickWriter> Writer(catalog::Catalog& catalog, std::int64_t number,
                                             tick_log::LogOptions options = {}) {
  options.durability = tick_log::Durability::kOs;
  EXPECT_THAT(catalog.Transact([&](catalog::Database& database) -> Status {
    return database.Execute("INSERT INTO tick_log(writer, created_at) VALUES(" +
                            std::to_string(number) + ", 0)");
  }),
              IsOk());
  auto writer = tick_log::TickWriter::Open(io::PosixEnv(), catalog.root(), catalog.store_id(),
                                           number, options);
  EXPECT_THAT(writer, IsOk());
  return *std::move(writer);
}

TickBatches Batches(TickBatch batch) {
  TickBatches all;
  for (std::size_t kind = 0; kind < 3; ++kind) all[kind].kind = static_cast<TickKind>(kind);
  all[static_cast<std::size_t>(batch.kind)] = std::move(batch);
  return all;
}

/// Append, and what is then to be found.
void Append(tick_log::TickWriter& writer, TickBatch batch, std::vector<Tick>& expected) {
  auto ack = writer.Append(Batches(batch));
  ASSERT_THAT(ack, IsOk());
  for (std::size_t i = 0; i < batch.size(); ++i) {
    batch.writer[i] = ack->writer;
    batch.seq[i] = ack->seq_first + static_cast<std::int64_t>(i);
  }
  const auto more = TicksOf(batch);
  expected.insert(expected.end(), more.begin(), more.end());
}

std::vector<Tick> Sorted(std::vector<Tick> ticks) {
  std::sort(ticks.begin(), ticks.end());
  return ticks;
}

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

TEST(TickSourceTest, TailsGiveEachTickOnceAcrossArchivingAndRetention) {
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
