#include "lamina/tick_log/live_buffer.h"

#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "lamina/tick_log/tick_test_support.h"

namespace lamina::tick_log {
namespace {

void Add(LiveBuffer& buffer, const test::TicksAndOrder& made, std::int64_t first_seq,
         std::int64_t recv_ns = test::kStart, std::string_view source = {}) {
  const RowPositions positions = *PositionsOf(made.ticks, made.order);
  GroupHeader header;
  header.first_seq = first_seq;
  header.recv_ns = recv_ns;
  for (const TickBatch& batch : made.ticks) header.rows += static_cast<std::uint32_t>(batch.size());
  buffer.Add(made.ticks, positions, FindRuns(made.ticks, positions), header, source);
}

std::vector<std::string> All(const LiveBuffer& buffer) {
  std::vector<std::pair<std::int64_t, std::string>> lines;
  for (const auto& [contract, type] : buffer.Contracts()) {
    TickBatches ticks;
    const auto kind = static_cast<std::size_t>(KindOf(type));
    ticks[kind] = buffer.Read(contract, type, INT64_MIN, INT64_MAX).ticks;
    const std::vector<std::int64_t> seqs = ticks[kind].seq;
    const std::vector<std::string> own = test::Lines(ticks);
    for (std::size_t i = 0; i < own.size(); ++i) lines.emplace_back(seqs[i], own[i]);
  }
  std::sort(lines.begin(), lines.end());
  std::vector<std::string> sorted;
  for (auto& line : lines) sorted.push_back(std::move(line.second));
  return sorted;
}

TEST(LiveBuffer, HoldsWhatWasAddedByContractAndType) {
  std::mt19937_64 random(12);
  LiveBuffer buffer(1, 0, {});
  std::vector<std::string> expected;
  std::int64_t next = 0;
  for (int i = 0; i < 40; ++i) {
    test::TicksAndOrder made = test::RandomTicks(random, 1 + random() % 700);
    for (TickBatch& batch : made.ticks) {
      if (batch.recv_ns.empty()) batch.recv_ns.assign(batch.size(), test::kStart);
    }
    Add(buffer, made, next, test::kStart, "feed");
    for (std::string& line : test::Expected(made, {1, next, 0, false}, "feed")) {
      expected.push_back(std::move(line));
    }
    next = std::ssize(expected);
  }
  EXPECT_EQ(All(buffer), expected);
  EXPECT_EQ(buffer.counts().rows, next);
}

TEST(LiveBuffer, RangesAreHalfOpenAndByEventTime) {
  LiveBuffer buffer(1, 0, {});
  Add(buffer, {test::Trades(100), {}}, 0);
  const LiveTicks some = buffer.Read(1, TickType::kLast, test::kStart + 10 * test::kSecond,
                                     test::kStart + 20 * test::kSecond, 15);
  EXPECT_EQ(some.ticks.seq, (std::vector<std::int64_t>{15, 16, 17, 18, 19}));
  EXPECT_EQ(some.complete_from, 0);
  EXPECT_EQ(buffer.Read(1, TickType::kAllLast, 0, INT64_MAX).ticks.size(), 0U);
  EXPECT_EQ(buffer.Read(2, TickType::kLast, 0, INT64_MAX).ticks.size(), 0U);
}

TEST(LiveBuffer, ForgetsByTimeAndByBytesAndSaysFromWhereItIsComplete) {
  LiveBuffer by_time(1, 5, {.keep_ns = 100});
  for (int i = 0; i < 10; ++i) {
    Add(by_time, {test::Trades(4096), {}}, 5 + i * 4096, test::kStart + 50 * i);
  }
  const LiveTicks kept = by_time.Read(1, TickType::kLast, INT64_MIN, INT64_MAX);
  EXPECT_EQ(kept.complete_from, 5 + 7 * 4096);
  EXPECT_EQ(kept.ticks.seq.front(), kept.complete_from);
  EXPECT_EQ(kept.ticks.size(), 3U * 4096U);
  LiveBuffer by_bytes(1, 0, {.max_bytes = 1 << 20});
  for (int i = 0; i < 40; ++i) Add(by_bytes, {test::Trades(4096, 1 + i % 2), {}}, i * 4096);
  EXPECT_LE(by_bytes.counts().bytes, 1 << 20);
  EXPECT_EQ(by_bytes.counts().complete_from, 40 * 4096 - by_bytes.counts().rows);
  LiveBuffer none(1, 0, {.max_bytes = 0});
  Add(none, {test::Trades(10), {}}, 0);
  EXPECT_EQ(none.counts().complete_from, 10);
}

TEST(LiveBuffer, ReadersSeeAPrefixWhileOthersAdd) {
  LiveBuffer buffer(1, 0, {});
  std::atomic<bool> done{false};
  std::thread reader([&] {
    while (!done) {
      const LiveTicks seen = buffer.Read(1, TickType::kLast, INT64_MIN, INT64_MAX);
      for (std::size_t i = 0; i < seen.ticks.size(); ++i) {
        ASSERT_EQ(seen.ticks.seq[i], static_cast<std::int64_t>(i));
        ASSERT_EQ(seen.ticks.values[0][i], 100 + 0.25 * static_cast<double>(i % 10 % 40));
      }
    }
  });
  for (int i = 0; i < 2000; ++i) Add(buffer, {test::Trades(10), {}}, 10 * i);
  done = true;
  reader.join();
}

}  // namespace
}  // namespace lamina::tick_log
