#include "lamina/tick_log/tick_writer.h"

#include <atomic>
#include <filesystem>
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

}  // namespace
}  // namespace lamina::tick_log
