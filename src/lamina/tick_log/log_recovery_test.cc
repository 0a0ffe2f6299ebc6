#include "lamina/tick_log/log_recovery.h"

#include <gtest/gtest.h>

#include "lamina/base/matchers.h"
#include "lamina/io/temporary_folder.h"
#include "lamina/tick_log/log_reader.h"
#include "lamina/tick_log/log_test_support.h"

namespace lamina::tick_log {
namespace {

using test::SegmentBuilder;
using test::StoreId;
using testing::HasSubstr;

class RecoveryTest : public testing::TestWithParam<LogPayload> {
 protected:
  std::vector<std::string> Seen() {
    LogReader reader(env_, folder_.path(), StoreId());
    return test::Lines(*reader.Read(1, 0, INT64_MAX));
  }
  io::Env& env_ = io::PosixEnv();
  io::TemporaryFolder folder_;
};

TEST_P(RecoveryTest, ATornTailIsCutOffAndTold) {
  SegmentBuilder segment(test::Header(GetParam()));
  segment.Add({test::Trades(20), {}}).Add({test::Trades(5), {}});
  const std::string torn =
      segment.bytes().substr(0, segment.bytes().size() - 3) + std::string(5000, '\0');
  test::Place(folder_.path(), 1, torn);
  test::Place(folder_.path(), 2, std::string(8192, '\0'));
  EXPECT_EQ(Seen().size(), 20U) << "readers stop there too";
  const auto words = RecoverLog(env_, folder_.path(), StoreId(), 1);
  ASSERT_THAT(words, IsOk());
  EXPECT_THAT(*words, HasSubstr("00000001.seg: torn at byte"));
  EXPECT_EQ(Seen().size(), 20U);
  EXPECT_EQ(ListSegments(env_, WriterFolder(folder_.path(), 1))->size(), 1U);
  LogReader reader(env_, folder_.path(), StoreId());
  const WriterLog log = (*reader.Logs())[0];
  EXPECT_TRUE(log.segments[0].sealed);
  EXPECT_EQ(log.durable_end, 20);
  EXPECT_EQ(*RecoverLog(env_, folder_.path(), StoreId(), 1), "") << "once is enough";
}

TEST_P(RecoveryTest, DamageIsNotCutOff) {
  SegmentBuilder segment(test::Header(GetParam()));
  segment.Add({test::Trades(20), {}}).Add({test::Trades(5), {}});
  segment.bytes()[4300] ^= 1;
  test::Place(folder_.path(), 1, segment.bytes());
  EXPECT_THAT(RecoverLog(env_, folder_.path(), StoreId(), 1),
              IsError(ErrorCode::kCorruption, HasSubstr("00000001.seg: group at byte 4096")));
  EXPECT_EQ(*env_.ReadFile(SegmentPath(WriterFolder(folder_.path(), 1), 1), 1 << 20),
            segment.bytes());
}

TEST_P(RecoveryTest, BehindAFailedWriteNothingCounts) {
  SegmentBuilder segment(test::Header(GetParam()));
  segment.Add({test::Trades(20), {}}).Add({test::Trades(5), {}});
  test::Place(folder_.path(), 1, segment.bytes());
  const std::string folder = WriterFolder(folder_.path(), 1);
  StatePage page(env_, folder, StoreId(), 1);
  LogState state{.segment = 1, .durable_end = segment.starts()[1], .end_seq = 20};
  state.failed = true;
  ASSERT_THAT(page.Publish(state), IsOk());
  EXPECT_EQ(Seen().size(), 20U);
  EXPECT_THAT(*RecoverLog(env_, folder_.path(), StoreId(), 1), HasSubstr("given up at byte"));
  EXPECT_EQ(Seen().size(), 20U);
}

TEST_P(RecoveryTest, ALivingWriterIsLeftAlone) {
  SegmentBuilder segment(test::Header(GetParam()));
  test::Place(folder_.path(), 1, segment.Add({test::Trades(20), {}}).bytes());
  const auto lock = *env_.TryLock(LockPath(WriterFolder(folder_.path(), 1)));
  EXPECT_THAT(RecoverLog(env_, folder_.path(), StoreId(), 1), IsError(ErrorCode::kConflict));
  EXPECT_THAT(RecoverLog(env_, folder_.path(), StoreId(), 2), IsError(ErrorCode::kNotFound));
}

INSTANTIATE_TEST_SUITE_P(Payloads, RecoveryTest,
                         testing::Values(LogPayload::kBinary, LogPayload::kJsonl));

}  // namespace
}  // namespace lamina::tick_log
