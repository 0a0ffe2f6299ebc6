#include "lamina/tick_log/tick_writer.h"

#include <algorithm>
#include <atomic>
#include <csignal>
#include <thread>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lamina/base/matchers.h"
#include "lamina/io/faulty_env.h"
#include "lamina/io/temporary_folder.h"
#include "lamina/tick_log/live_buffer.h"
#include "lamina/tick_log/log_files.h"
#include "lamina/tick_log/log_reader.h"
#include "lamina/tick_log/tick_test_support.h"

namespace lamina::tick_log {
namespace {

using test::kStart;
using test::Lines;
using test::StoreId;
using test::Trades;
using testing::HasSubstr;

class TickWriterTest : public testing::Test {
 protected:
  LogOptions Small() const {
    LogOptions options;
    options.segment_bytes = 64 << 10;
    return options;
  }
  std::unique_ptr<TickWriter> Open(const LogOptions& options, std::int64_t writer = 1,
                                   io::Env& env = io::PosixEnv()) {
    auto opened = TickWriter::Open(env, folder_.path(), StoreId(), writer, options);
    EXPECT_THAT(opened, IsOk());
    return *std::move(opened);
  }
  /// All that a reader of another process would see.
  std::vector<std::string> Seen(std::int64_t writer = 1, bool recv = true) {
    LogReader reader(io::PosixEnv(), folder_.path(), StoreId());
    auto read = reader.Read(writer, 0, INT64_MAX);
    EXPECT_THAT(read, IsOk());
    return read.ok() ? Lines(*read, true, recv) : std::vector<std::string>();
  }

  io::TemporaryFolder folder_;
};

TEST_F(TickWriterTest, WhatIsAcknowledgedIsRead) {
  const auto writer = Open(Small());
  const Ack first = *writer->Append(Trades(3));
  EXPECT_EQ(first.seq_first, 0);
  EXPECT_EQ(first.seq_last, 2);
  EXPECT_EQ(Seen().size(), 3U);
  const Ack second = *writer->Append(Trades(2, 1LL << 40));
  EXPECT_EQ(second.seq_first, 3);
  const std::vector<std::string> seen = Seen(1, false);
  ASSERT_EQ(seen.size(), 5U);
  EXPECT_EQ(seen[0], "1/0 1 last 1700000000000000000 100.0 1.0");
  EXPECT_EQ(seen[4], "1/4 1099511627776 last 1700000001000000000 100.25 2.0");
  EXPECT_THAT(writer->Close(), IsOk());
  EXPECT_EQ(Seen(1, false), seen);
}

struct PolicyCase {
  LogPayload payload;
  Durability durability;
  bool background;
};

class TickWriterPolicyTest : public TickWriterTest,
                             public testing::WithParamInterface<PolicyCase> {};

TEST_P(TickWriterPolicyTest, RandomTicksComeBackExactly) {
  std::mt19937_64 random(7);
  std::vector<std::string> expected;
  for (int opening = 0; opening < 3; ++opening) {
    LogOptions options = Small();
    options.payload = GetParam().payload;
    options.durability = GetParam().durability;
    options.background = GetParam().background;
    options.source = opening == 1 ? "feed" : "";
    const auto writer = Open(options);
    EXPECT_EQ(writer->recovered(), "");
    for (int i = 0; i < 30; ++i) {
      test::TicksAndOrder made = test::RandomTicks(random, 1 + random() % 200);
      const Ack ack = *writer->Append(made.ticks, made.order);
      for (std::string& line : test::Expected(made, ack, options.source, false)) {
        expected.push_back(std::move(line));
      }
      if (i % 11 == 0) {
        EXPECT_THAT(writer->Seal(), IsOk());
      }
    }
    EXPECT_THAT(writer->Flush(), IsOk());
    EXPECT_EQ(writer->counts().durable, writer->counts().appended);
    EXPECT_THAT(writer->Close(), IsOk());
  }
  LogReader reader(io::PosixEnv(), folder_.path(), StoreId());
  TickBatches read = *reader.Read(1, 0, INT64_MAX);
  std::int64_t last = 0;
  for (TickBatch& batch : read) {
    for (const std::int64_t recv : batch.recv_ns) EXPECT_GT(recv, 0);
    last = std::max(last, batch.seq.empty() ? 0 : batch.seq.back());
    EXPECT_TRUE(std::is_sorted(batch.seq.begin(), batch.seq.end()));
  }
  EXPECT_EQ(Lines(read, true, false), expected);
  EXPECT_GT((*reader.Logs())[0].segments.size(), 6U);
}

INSTANTIATE_TEST_SUITE_P(
    All, TickWriterPolicyTest,
    testing::Values(PolicyCase{LogPayload::kBinary, Durability::kFsync, true},
                    PolicyCase{LogPayload::kBinary, Durability::kFsync, false},
                    PolicyCase{LogPayload::kBinary, Durability::kOs, true},
                    PolicyCase{LogPayload::kBinary, Durability::kMemory, true},
                    PolicyCase{LogPayload::kBinary, Durability::kMemory, false},
                    PolicyCase{LogPayload::kJsonl, Durability::kFsync, true},
                    PolicyCase{LogPayload::kJsonl, Durability::kMemory, false}));

// ---- producers

TEST_F(TickWriterTest, ARetryIsNotStoredTwice) {
  LogOptions options = Small();
  options.producer = "recorder";
  std::vector<Ack> first;
  {
    const auto writer = Open(options);
    for (int i = 0; i < 3; ++i) first.push_back(*writer->Append(Trades(10), {}, i));
    const Ack again = *writer->Append(Trades(10), {}, 1);
    EXPECT_TRUE(again.repeated);
    EXPECT_EQ(again.seq_first, 10);
    EXPECT_EQ(again.seq_last, 19);
  }
  for (const std::int64_t number : {1, 2}) {  // the same log again, then that of another writer
    const auto writer = Open(options, number);
    for (int i = 0; i < 3; ++i) {
      const Ack again = *writer->Append(Trades(10), {}, i);
      EXPECT_TRUE(again.repeated);
      EXPECT_EQ(again.writer, 1);
      EXPECT_EQ(again.seq_first, first[static_cast<std::size_t>(i)].seq_first);
    }
    EXPECT_FALSE(writer->Append(Trades(10), {}, 10 + number)->repeated);
  }
  EXPECT_EQ(Seen(1).size(), 40U);
  EXPECT_EQ(Seen(2).size(), 10U);
  options.producer = "another";
  EXPECT_FALSE(Open(options)->Append(Trades(1), {}, 1)->repeated);
  EXPECT_THAT(Open(Small())->Append(Trades(1), {}, 1), IsError(ErrorCode::kInvalidArgument));
}

// ---- queues and limits

TEST_F(TickWriterTest, AFullQueueRefusesAndCountsForItsContractOnly) {
  LogOptions options = Small();
  options.durability = Durability::kMemory;
  options.background = false;  // nothing is written before Flush
  options.queue_ticks = 100;
  options.full_queue = FullQueue::kRefuse;
  const auto writer = Open(options);
  ASSERT_THAT(writer->Append(Trades(90, 7)), IsOk());
  EXPECT_THAT(writer->Append(Trades(11, 7)),
              IsError(ErrorCode::kResourceExhausted, HasSubstr("100 ticks wait")));
  EXPECT_THAT(writer->Append(Trades(90, 8)), IsOk()) << "another contract has its own queue";
  EXPECT_THAT(writer->Append(Trades(10, 7)), IsOk());
  EXPECT_EQ(writer->counts().refused, 11);
  EXPECT_THAT(writer->Flush(), IsOk());
  EXPECT_THAT(writer->Append(Trades(500, 9)), IsOk()) << "one that would never fit goes alone";
  EXPECT_THAT(writer->Close(), IsOk());
  EXPECT_EQ(Seen().size(), 690U);
}

TEST_F(TickWriterTest, AFullQueueBlocksUntilThereIsRoom) {
  LogOptions options = Small();
  options.durability = Durability::kMemory;
  options.queue_ticks = 50;
  const auto writer = Open(options);
  for (int i = 0; i < 200; ++i) ASSERT_THAT(writer->Append(Trades(20, 7)), IsOk());
  EXPECT_THAT(writer->Close(), IsOk());
  EXPECT_EQ(Seen().size(), 4000U);
  EXPECT_EQ(writer->counts().refused, 0);
}

TEST_F(TickWriterTest, AboveItsLimitTheLogRefusesUntilItIsArchived) {
  LogOptions options = Small();
  options.log_max_bytes = 200 << 10;
  auto writer = Open(options);
  std::int64_t rows = 0;
  Result<Ack> ack = Ack();
  while ((ack = writer->Append(Trades(500))).ok()) rows += 500;
  EXPECT_THAT(ack, IsError(ErrorCode::kResourceExhausted, HasSubstr("log_max_bytes")));
  EXPECT_GT(rows, 7000);
  EXPECT_LT(rows, 10'000);
  writer.reset();
  writer = Open(options);
  EXPECT_FALSE(writer->Append(Trades(1)).ok()) << "what was there before counts too";
  writer->SetArchivedEnd(rows);
  EXPECT_THAT(writer->Append(Trades(500)), IsOk());
}

TEST_F(TickWriterTest, ManyThreadsShareSyncs) {
  LogOptions options = Small();
  options.concurrent_appends = 2;  // those who wait for a sync are not among them
  const auto writer = Open(options);
  std::vector<std::thread> threads;
  std::atomic<int> failed{0};
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 40; ++i) {
        const auto ack = writer->Append(Trades(5, t + 1, kStart + i * test::kSecond, 0));
        if (!ack.ok() || ack->seq_last - ack->seq_first != 4) ++failed;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failed, 0);
  EXPECT_EQ(Seen().size(), 8U * 40U * 5U);
  const WriterCounts counts = writer->counts();
  EXPECT_EQ(counts.groups, 320);
  EXPECT_LT(counts.syncs, 320) << "later waiters join the next sync";
  LogReader reader(io::PosixEnv(), folder_.path(), StoreId());
  for (std::int64_t t = 1; t <= 8; ++t) {
    const auto own = *reader.Read(1, 0, INT64_MAX, {.contracts = {&t, 1}});
    EXPECT_TRUE(std::is_sorted(own[0].ts_ns.begin(), own[0].ts_ns.end()));
    EXPECT_TRUE(std::is_sorted(own[0].recv_ns.begin(), own[0].recv_ns.end()));
    EXPECT_EQ(writer->live().Read(t, TickType::kLast, 0, INT64_MAX).ticks.seq, own[0].seq);
  }
}

TEST_F(TickWriterTest, ReceiveTimesNeverGoBack) {
  io::FaultyEnv env(io::PosixEnv());
  env.SetNow(Nanos{kStart + 100});
  auto writer = Open(Small(), 1, env);
  ASSERT_THAT(writer->Append(Trades(1)), IsOk());
  env.SetNow(Nanos{kStart + 50});  // the clock was set back
  ASSERT_THAT(writer->Append(Trades(1)), IsOk());
  writer.reset();
  writer = Open(Small(), 1, env);
  ASSERT_THAT(writer->Append(Trades(1)), IsOk());
  LogReader reader(env, folder_.path(), StoreId());
  EXPECT_EQ((*reader.Read(1, 0, 9))[0].recv_ns,
            (std::vector<std::int64_t>{kStart + 100, kStart + 100, kStart + 100}));
}

// ---- failures

TEST_F(TickWriterTest, RefusedTicksLeaveNothing) {
  const auto writer = Open(Small());
  TickBatches bad = Trades(10);
  bad[0].ts_ns[7] = 12;
  EXPECT_THAT(writer->Append(bad),
              IsError(ErrorCode::kInvalidArgument, HasSubstr("trades row 7: ts_ns 12")));
  EXPECT_EQ(writer->Append(Trades(0))->seq_last, -1);
  EXPECT_EQ(writer->Append(Trades(1))->seq_first, 0);
  EXPECT_EQ(Seen().size(), 1U);
}

TEST_F(TickWriterTest, OneWriterAtATime) {
  const auto writer = Open(Small());
  EXPECT_THAT(TickWriter::Open(io::PosixEnv(), folder_.path(), StoreId(), 1, Small()),
              IsError(ErrorCode::kConflict));
}

/// A disk that is full for a while: nothing half, and it goes on when there is room again.
TEST_F(TickWriterTest, AFullDiskIsToldAndOvercome) {
  io::FaultyEnv env(io::PosixEnv());
  LogOptions options = Small();
  options.background = false;
  const auto writer = Open(options, 1, env);
  ASSERT_THAT(writer->Append(Trades(10)), IsOk());
  env.SetFault({.at = 1,
                .code = ErrorCode::kResourceExhausted,
                .and_all_after = true,
                .effect = io::Fault::Effect::kTorn});
  EXPECT_THAT(writer->Append(Trades(10)), IsError(ErrorCode::kResourceExhausted));
  EXPECT_EQ(Seen().size(), 10U);
  env.ClearFault();
  EXPECT_EQ(writer->Append(Trades(10))->seq_first, 10);
  EXPECT_THAT(writer->Close(), IsOk());
  EXPECT_EQ(Seen().size(), 20U);
}

/// Acknowledged from memory: it stays until the disk takes it.
TEST_F(TickWriterTest, WhatMemoryAcknowledgedWaitsForTheDisk) {
  io::FaultyEnv env(io::PosixEnv());
  LogOptions options = Small();
  options.durability = Durability::kMemory;
  options.background = false;
  const auto writer = Open(options, 1, env);
  env.SetFault({.at = 1, .and_all_after = true, .operations = {io::Operation::kAppend}});
  ASSERT_THAT(writer->Append(Trades(10)), IsOk());
  EXPECT_THAT(writer->Flush(), IsError(ErrorCode::kIo));
  env.ClearFault();
  EXPECT_THAT(writer->Flush(), IsOk());
  EXPECT_EQ(Seen().size(), 10U);
}

/// A process is killed in mid-append, again and again: what it was told is there, once, in order.
TEST_F(TickWriterTest, KilledInMidAppendNothingAcknowledgedIsLost) {
  std::mt19937_64 random(99);
  std::int64_t last = -1;
  for (int kill = 0; kill < 12; ++kill) {
    int acknowledged[2];
    ASSERT_EQ(pipe(acknowledged), 0);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      LogOptions options = Small();
      options.producer = "p";
      auto writer = TickWriter::Open(io::PosixEnv(), folder_.path(), StoreId(), 1, options);
      if (!writer.ok()) _exit(1);
      for (std::int64_t number = last + 1;; ++number) {
        const auto ack = (*writer)->Append(Trades(7, number + 1), {}, number);
        if (!ack.ok() || ack->seq_first != 7 * number) _exit(1);
        if (write(acknowledged[1], &number, sizeof(number)) < 0) _exit(1);
      }
    }
    close(acknowledged[1]);
    std::this_thread::sleep_for(std::chrono::milliseconds(20 + random() % 60));
    ASSERT_EQ(::kill(child, SIGKILL), 0);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "it failed by itself";
    for (std::int64_t number; read(acknowledged[0], &number, sizeof(number)) > 0;) last = number;
    close(acknowledged[0]);
    const std::vector<std::string> seen = Seen(1, false);
    ASSERT_GE(std::ssize(seen), 7 * (last + 1));
    ASSERT_EQ(seen.size() % 7, 0U) << "an append is whole or absent";
    for (std::size_t i = 0; i < seen.size(); ++i) {
      ASSERT_TRUE(seen[i].starts_with("1/" + std::to_string(i) + " " + std::to_string(i / 7 + 1) +
                                      " last "))
          << seen[i];
    }
  }
  EXPECT_GE(last, 5);
}

}  // namespace
}  // namespace lamina::tick_log
