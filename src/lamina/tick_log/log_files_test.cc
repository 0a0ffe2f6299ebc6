#include "lamina/tick_log/log_files.h"

#include <gtest/gtest.h>

#include "lamina/base/matchers.h"
#include "lamina/io/temporary_folder.h"
#include "lamina/tick_log/log_test_support.h"

namespace lamina::tick_log {
namespace {

using test::SegmentBuilder;
using test::StoreId;
using testing::HasSubstr;

class SegmentEndTest : public testing::TestWithParam<LogPayload> {
 protected:
  Result<SegmentEnd> Find(ByteView bytes, std::int64_t durable_end = 0) {
    const std::string path = test::Place(folder_.path(), 1, bytes);
    LAMINA_ASSIGN(auto file, SegmentFile::Open(io::PosixEnv(), path, StoreId(), 1, 1));
    if (!file) return NotFound("not begun");
    SegmentEnd from;
    from.offset = kSegmentHeaderBytes;
    return FindSegmentEnd(*file, from, durable_end, {});
  }
  /// Three groups, each durable before the next was written.
  SegmentBuilder Three() const {
    SegmentBuilder segment(test::Header(GetParam()));
    for (int i = 0; i < 3; ++i) segment.Add({test::Trades(20), {}});
    return segment;
  }
  io::TemporaryFolder folder_;
};

TEST_P(SegmentEndTest, ACutAnywhereIsATornTail) {
  const SegmentBuilder whole = Three();
  const std::string bytes = SegmentBuilder(whole).bytes();
  const std::vector<std::int64_t> starts = whole.starts();
  for (std::int64_t cut = kSegmentHeaderBytes; cut <= std::ssize(bytes); cut += 13) {
    const auto end = Find(ByteView(bytes).substr(0, static_cast<std::size_t>(cut)));
    ASSERT_THAT(end, IsOk()) << cut;
    const auto groups =
        cut == std::ssize(bytes)
            ? 3
            : std::upper_bound(starts.begin(), starts.end(), cut) - starts.begin() - 1;
    EXPECT_EQ(end->end_seq, 20 * groups) << cut;
    EXPECT_FALSE(end->sealed);
    const bool clean =
        cut == std::ssize(bytes) || std::find(starts.begin(), starts.end(), cut) != starts.end();
    EXPECT_EQ(end->torn.empty(), clean) << cut << " " << end->torn;
  }
}

TEST_P(SegmentEndTest, AGroupBeforeALaterOneIsDamageAndNamed) {
  SegmentBuilder segment = Three();
  const auto at = static_cast<std::size_t>(segment.starts()[1] + 100);
  segment.bytes()[at] ^= 1;
  EXPECT_THAT(Find(segment.bytes()),
              IsError(ErrorCode::kCorruption,
                      HasSubstr("00000001.seg: group at byte " +
                                std::to_string(segment.starts()[1]) + ": wrong checksum")));
}

TEST_P(SegmentEndTest, AGroupOfTheSameWriteMayBeThereWithoutTheOneBefore) {
  SegmentBuilder segment(test::Header(GetParam()));
  segment.Add({test::Trades(20), {}}).Add({test::Trades(20), {}});
  segment.AddInSameWrite({test::Trades(20), {}});
  segment.bytes()[static_cast<std::size_t>(segment.starts()[1] + 100)] ^= 1;
  const auto end = Find(segment.bytes());
  ASSERT_THAT(end, IsOk()) << "a power cut may keep the later sectors only";
  EXPECT_EQ(end->end_seq, 20);
  EXPECT_THAT(end->torn, HasSubstr("torn at byte " + std::to_string(segment.starts()[1])));
}

TEST_P(SegmentEndTest, TheLastGroupIsDamagedWhenItWasDurable) {
  SegmentBuilder segment = Three();
  segment.bytes()[static_cast<std::size_t>(segment.starts()[2] + 100)] ^= 1;
  EXPECT_THAT(Find(segment.bytes()), IsOk());
  EXPECT_THAT(Find(segment.bytes(), std::ssize(segment.bytes())),
              IsError(ErrorCode::kCorruption, HasSubstr("it was durable up to byte")));
}

TEST_P(SegmentEndTest, WhatFollowsASealDoesNotCount) {
  SegmentBuilder segment = Three();
  segment.Seal();
  segment.bytes() += "anything";
  const auto end = Find(segment.bytes());
  ASSERT_THAT(end, IsOk());
  EXPECT_TRUE(end->sealed);
  EXPECT_EQ(end->end_seq, 60);
}

TEST_P(SegmentEndTest, HeadersOfOthersAndDamagedOnesAreToldApart) {
  SegmentBuilder segment = Three();
  SegmentHeader other = test::Header(GetParam());
  other.writer = 2;
  EXPECT_THAT(Find(SegmentBuilder(other).Add({test::Trades(1), {}}).bytes()),
              IsError(ErrorCode::kCorruption, HasSubstr("does not belong here")));
  std::string damaged = segment.bytes();
  damaged[60] ^= 1;
  EXPECT_THAT(Find(damaged), IsError(ErrorCode::kCorruption, HasSubstr("header at byte 0")));
  EXPECT_THAT(Find(ByteView(damaged).substr(0, 4096)), IsError(ErrorCode::kNotFound))
      << "cut off in its first write: nothing was ever in it";
  EXPECT_THAT(Find(std::string(20'000, '\0')), IsError(ErrorCode::kNotFound));
}

TEST(LogFiles, ZerosBehindASealMayBeCutOffWhileItIsRead) {
  const io::TemporaryFolder folder;
  SegmentBuilder segment(test::Header(LogPayload::kBinary));
  segment.Add({test::Trades(20), {}}).Seal();
  const std::string path =
      test::Place(folder.path(), 1, segment.bytes() + std::string(100'000, '\0'));
  SegmentFile file = **SegmentFile::Open(io::PosixEnv(), path, StoreId(), 1, 1);
  const std::int64_t size = *file.Size();
  ASSERT_THAT((*io::PosixEnv().OpenPlaced(path, io::Env::Place::kExisting))
                  ->Truncate(std::ssize(segment.bytes())),
              IsOk());
  Group group;
  ByteView bytes;
  const auto look = file.LookAt(kSegmentHeaderBytes, size, false, group, bytes);
  ASSERT_THAT(look, IsOk());
  EXPECT_EQ(look->found, Found::kGroup);
}

INSTANTIATE_TEST_SUITE_P(Payloads, SegmentEndTest,
                         testing::Values(LogPayload::kBinary, LogPayload::kJsonl));

TEST(LogFiles, NamesAndLists) {
  const io::TemporaryFolder folder;
  io::Env& env = io::PosixEnv();
  EXPECT_TRUE(ListLogWriters(env, folder.path())->empty());
  test::Place(folder.path(), 12, "");
  test::Place(folder.path(), 3, "");
  ASSERT_THAT(env.CreateDirectories(folder.path() + "/log/not-a-writer"), IsOk());
  EXPECT_EQ(*ListLogWriters(env, folder.path()), (std::vector<std::int64_t>{1}));
  const std::string own = WriterFolder(folder.path(), 1);
  EXPECT_EQ(*ListSegments(env, own), (std::vector<std::int64_t>{3, 12}));
  EXPECT_EQ(SegmentPath("f", 12), "f/00000012.seg");
  EXPECT_EQ(IndexPath("f/00000012.seg"), "f/00000012.idx");
  EXPECT_FALSE(LogIsAlive(env, own));
  const auto lock = *env.TryLock(LockPath(own));
  EXPECT_FALSE(LogIsAlive(env, own)) << "being taken over";
  const auto ready = *env.TryLock(ReadyPath(own));
  EXPECT_TRUE(LogIsAlive(env, own));
}

}  // namespace
}  // namespace lamina::tick_log
