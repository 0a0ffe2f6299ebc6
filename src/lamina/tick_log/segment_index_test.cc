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

INSTANTIATE_TEST_SUITE_P(Payloads, IndexTest,
                         testing::Values(LogPayload::kBinary, LogPayload::kJsonl));

}  // namespace
}  // namespace lamina::tick_log
