#include "lamina/tick_log/segment_index.h"

#include <gtest/gtest.h>

#include "lamina/base/matchers.h"
#include "lamina/io/temporary_folder.h"
#include "lamina/tick_log/log_test_support.h"

namespace lamina::tick_log {
namespace {

class IndexTest : public testing::TestWithParam<LogPayload> {};

TEST_P(IndexTest, GrowsWithItsSegment) {
  std::mt19937_64 random(4);
  const io::TemporaryFolder folder;
  const SegmentHeader header = test::Header(GetParam(), 1, 500);
  test::SegmentBuilder segment(header);
  for (int i = 0; i < 5; ++i) {
    segment.Add(test::RandomTicks(random, 50), {.producer = "p", .producer_seq = i});
  }
  const std::string path = test::Place(folder.path(), 1, segment.bytes());
  SegmentFile file =
      **SegmentFile::Open(io::PosixEnv(), path, test::StoreId(), header.writer, header.number);
  SegmentIndex index;
  // Bit by bit, as of a segment that grows.
  for (const std::int64_t end : {550, 600, 750}) {
    ASSERT_THAT(ExtendIndex(file, end, std::ssize(segment.bytes()), index), IsOk());
    EXPECT_EQ(index.end_seq(500), end);
  }
  EXPECT_THAT(ExtendIndex(file, 751, std::ssize(segment.bytes()), index),
              IsError(ErrorCode::kCorruption));
  ASSERT_EQ(index.groups().size(), 5U);
  EXPECT_EQ(index.groups()[4].first_seq, 700);
  ASSERT_EQ(index.produced().size(), 5U);
  EXPECT_EQ(index.produced()[4].producer_seq, 4);
  EXPECT_EQ(index.produced()[4].first_seq, 700);
  std::uint32_t rows = 0;
  for (const IndexedRun& run : index.runs()) rows += run.run.rows;
  EXPECT_EQ(rows, 250U);
}

/// Long enough for two threads: the same index as group by group, and damage is named alike.
TEST(LongSegmentTest, IsLookedThroughFromTwoPlaces) {
  const io::TemporaryFolder folder;
  const SegmentHeader header = test::Header(LogPayload::kBinary, 1, 0);
  test::SegmentBuilder segment(header);
  for (int i = 0; i < 40; ++i) segment.Add({test::Trades(10'000), {}}, {.producer_seq = i});
  const std::int64_t size = std::ssize(segment.bytes());
  ASSERT_GT(size, 9 << 20);
  const auto open = [&](const std::string& bytes) {
    const std::string path = test::Place(folder.path(), 1, bytes);
    return *SegmentFile::Open(io::PosixEnv(), path, test::StoreId(), header.writer, 1);
  };
  auto file = open(segment.bytes());
  SegmentIndex once, bit_by_bit;
  ASSERT_THAT(ExtendIndex(*file, 400'000, size, once), IsOk());
  const std::int64_t one = (size - kSegmentHeaderBytes) / 40;
  for (std::int64_t end = 10'000; end <= 400'000; end += 10'000) {
    ASSERT_THAT(ExtendIndex(*file, end, kSegmentHeaderBytes + one * end / 10'000, bit_by_bit),
                IsOk());
  }
  ASSERT_EQ(once.groups().size(), 40U);
  ASSERT_EQ(once.runs().size(), 40U);
  ASSERT_EQ(once.produced().size(), 40U);
  for (std::uint32_t i = 0; i < 40; ++i) {
    EXPECT_EQ(once.groups()[i].offset, bit_by_bit.groups()[i].offset);
    EXPECT_EQ(once.groups()[i].first_seq, 10'000 * std::int64_t{i});
    EXPECT_EQ(once.runs()[i].group, i);
    EXPECT_EQ(once.produced()[i].producer_seq, i);
  }
  for (const std::size_t damaged : {5U, 35U}) {
    std::string bytes = segment.bytes();
    const auto at = static_cast<std::size_t>(once.groups()[damaged].offset);
    bytes[at + 20] ^= 1;
    auto broken = open(bytes);
    SegmentIndex index;
    const Status status = ExtendIndex(*broken, 400'000, size, index);
    ASSERT_THAT(status, IsError(ErrorCode::kCorruption));
    EXPECT_NE(std::string(status.error().message()).find("byte " + std::to_string(at)),
              std::string::npos)
        << status.error().message();
    EXPECT_EQ(index.groups().size(), damaged);
  }
}

INSTANTIATE_TEST_SUITE_P(Payloads, IndexTest,
                         testing::Values(LogPayload::kBinary, LogPayload::kJsonl));

}  // namespace
}  // namespace lamina::tick_log
