#include "lamina/tick_log/segment_index.h"

#include <gtest/gtest.h>

#include "lamina/base/matchers.h"
#include "lamina/io/temporary_folder.h"
#include "lamina/tick_log/log_test_support.h"

namespace lamina::tick_log {
namespace {

class IndexTest : public testing::TestWithParam<LogPayload> {};

TEST_P(IndexTest, IsRebuiltWrittenAndReadAlike) {
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
  const std::string bytes = index.Encode(header);
  const auto read = SegmentIndex::Decode(bytes, header);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->Encode(header), bytes);
  ASSERT_EQ(read->produced().size(), 5U);
  EXPECT_EQ(read->produced()[4].producer_seq, 4);
  EXPECT_EQ(read->produced()[4].first_seq, 700);
  std::size_t runs = 0;
  for (int contract = 0; contract < 5; ++contract) {
    for (const std::uint32_t run : read->RunsOf(1 + contract * 5'000'000'000)) {
      EXPECT_EQ(read->runs()[run].run.contract_id, 1 + contract * 5'000'000'000);
      ++runs;
    }
  }
  EXPECT_EQ(runs, read->runs().size());
  EXPECT_TRUE(read->RunsOf(7).empty());
  SegmentHeader other = header;
  other.salt += 1;
  EXPECT_FALSE(SegmentIndex::Decode(bytes, other)) << "of another segment";
  for (std::size_t at = 0; at < bytes.size(); at += 7) {
    std::string damaged = bytes;
    damaged[at] ^= 1;
    EXPECT_FALSE(SegmentIndex::Decode(damaged, header)) << at;
    EXPECT_FALSE(SegmentIndex::Decode(ByteView(bytes).substr(0, at), header)) << at;
  }
}

INSTANTIATE_TEST_SUITE_P(Payloads, IndexTest,
                         testing::Values(LogPayload::kBinary, LogPayload::kJsonl));

}  // namespace
}  // namespace lamina::tick_log
