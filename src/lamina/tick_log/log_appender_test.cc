#include "lamina/tick_log/log_appender.h"

#include <gtest/gtest.h>

#include "lamina/base/matchers.h"
#include "lamina/io/faulty_env.h"
#include "lamina/io/temporary_folder.h"
#include "lamina/tick_log/log_reader.h"
#include "lamina/tick_log/log_test_support.h"

namespace lamina::tick_log {
namespace {

using test::StoreId;

class LogAppenderTest : public testing::Test {
 protected:
  std::unique_ptr<LogAppender> Open(std::int64_t segment_bytes = 16 << 10) {
    LogOptions options;
    options.segment_bytes = segment_bytes;
    options.background = false;
    auto log = LogAppender::Open(env_, folder_.path(), StoreId(), 1, options);
    EXPECT_THAT(log, IsOk());
    return *std::move(log);
  }
  static Status Append(LogAppender& log, std::size_t rows, bool sync = true) {
    DraftGroup draft = test::Draft({test::Trades(rows), {}}, {});
    draft.header.first_seq = log.end_seq();
    draft.header.recv_ns = test::kStart;
    DraftGroup* const group = &draft;
    return log.Append({&group, 1}, sync);
  }
  std::int64_t Seen() {
    LogReader reader(io::PosixEnv(), folder_.path(), StoreId());
    return std::ssize((*reader.Read(1, 0, INT64_MAX))[0].ts_ns);
  }
  io::TemporaryFolder folder_;
  io::FaultyEnv env_{io::PosixEnv()};
};

TEST_F(LogAppenderTest, SegmentsFollowEachOther) {
  const auto log = Open();
  for (int i = 0; i < 10; ++i) ASSERT_THAT(Append(*log, 200), IsOk());
  ASSERT_THAT(Append(*log, 5000), IsOk()) << "longer than a segment: it has one of its own";
  ASSERT_THAT(Append(*log, 1), IsOk());
  LogReader reader(io::PosixEnv(), folder_.path(), StoreId());
  const WriterLog known = (*reader.Logs())[0];
  EXPECT_EQ(known.segments.size(), 7U);
  for (std::size_t i = 1; i < known.segments.size(); ++i) {
    EXPECT_EQ(known.segments[i].first_seq, known.segments[i - 1].end_seq);
    EXPECT_TRUE(known.segments[i - 1].sealed);
    EXPECT_TRUE(io::PosixEnv().Exists(IndexPath(known.segments[i - 1].path)));
  }
  EXPECT_EQ(log->end_seq(), 7001);
  EXPECT_EQ(Seen(), 7001);
  EXPECT_GT(log->UnarchivedBytes(0), 7000 * 24);
  EXPECT_LT(log->UnarchivedBytes(7000), 20'000);
}

TEST_F(LogAppenderTest, SegmentsAreSealedByAge) {
  env_.SetNow(Nanos{test::kStart});
  const auto log = Open();
  ASSERT_THAT(Append(*log, 1), IsOk());
  EXPECT_FALSE(log->SealIsDue());
  env_.AdvanceClock(16 * 60 * test::kSecond);
  EXPECT_TRUE(log->SealIsDue());
  ASSERT_THAT(Append(*log, 1), IsOk());
  EXPECT_EQ(log->segments(), 2);
}

TEST_F(LogAppenderTest, AFailedSyncIsNeverRepeated) {
  const auto log = Open();
  ASSERT_THAT(Append(*log, 10), IsOk());
  env_.ClearRecords();
  env_.SetFault({.at = 1, .operations = {io::Operation::kSync}});
  ASSERT_THAT(Append(*log, 10), IsOk()) << "in a new segment";
  EXPECT_TRUE(env_.fired());
  std::string failed;
  for (const auto& record : env_.Records()) {
    if (record.operation != io::Operation::kSync) continue;
    if (!record.ok)
      failed = record.path;
    else
      EXPECT_NE(record.path, failed);
  }
  EXPECT_EQ(Seen(), 20);
  EXPECT_EQ(log->segments(), 2);
}

TEST_F(LogAppenderTest, EveryLostPowerLeavesWhatWasSynced) {
  for (const auto tail :
       {io::FaultyEnv::Tail::kLost, io::FaultyEnv::Tail::kHalf, io::FaultyEnv::Tail::kZeros}) {
    auto log = Open();
    const std::int64_t before = log->end_seq();
    ASSERT_THAT(Append(*log, 30), IsOk());
    ASSERT_THAT(Append(*log, 30, false), IsOk()) << "published, but not on the disk";
    ASSERT_THAT(env_.LoseUnsynced(tail), IsOk());
    log.reset();
    log = Open();
    EXPECT_GE(log->end_seq(), before + 30);
    EXPECT_EQ(Seen(), log->end_seq());
    ASSERT_THAT(log->Close(), IsOk());
  }
}

}  // namespace
}  // namespace lamina::tick_log
