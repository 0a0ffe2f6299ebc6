#include "lamina/tick_log/segment_format.h"

#include <cstdlib>

#include <gtest/gtest.h>

#include "lamina/base/matchers.h"
#include "lamina/io/temporary_folder.h"
#include "lamina/tick_log/log_reader.h"
#include "lamina/tick_log/log_test_support.h"

namespace lamina::tick_log {
namespace {

using test::StoreId;
using testing::HasSubstr;

class FormatTest : public testing::TestWithParam<LogPayload> {};

TEST_P(FormatTest, HeadersComeBackAndEveryFlippedBitIsFound) {
  const SegmentHeader header = test::Header(GetParam(), 7, 1LL << 40);
  const std::string bytes = EncodeSegmentHeader(header);
  ASSERT_EQ(std::ssize(bytes), kSegmentHeaderBytes);
  const SegmentHeader read = *DecodeSegmentHeader(bytes);
  EXPECT_EQ(read.store_id, header.store_id);
  EXPECT_EQ(read.number, 7);
  EXPECT_EQ(read.first_seq, header.first_seq);
  EXPECT_EQ(read.created_ns, header.created_ns);
  EXPECT_EQ(read.salt, header.salt);
  EXPECT_EQ(read.payload, GetParam());
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 4);
    const auto again = DecodeSegmentHeader(damaged);
    // What follows the checksum's reach means nothing.
    if (again.ok()) {
      EXPECT_EQ(EncodeSegmentHeader(*again), bytes) << at;
    }
  }
  EXPECT_THAT(DecodeSegmentHeader(bytes.substr(0, 100)), IsError(ErrorCode::kCorruption));
}

TEST(StatePage, ALaterVersionIsRefused) {
  std::string bytes = EncodeSegmentHeader(test::Header(LogPayload::kBinary));
  bytes[8] = 2;
  EXPECT_THAT(DecodeSegmentHeader(bytes), IsError(ErrorCode::kUnsupported));
}

TEST(StatePage, TheNewerWholeSlotOfAStatePageCounts) {
  std::string page(kStatePageBytes, '\0');
  EXPECT_FALSE(DecodeStatePage(page, StoreId(), 3));
  LogState state{.counter = 1, .segment = 2, .durable_end = 4096, .end_seq = 5, .recv_ns = 6};
  for (int i = 1; i <= 4; ++i) {
    state.counter = i;
    state.end_seq = 100 * i;
    const std::string slot = EncodeState(state, StoreId(), 3);
    page.replace(static_cast<std::size_t>(StateSlotOffset(i)), slot.size(), slot);
    EXPECT_EQ(DecodeStatePage(page, StoreId(), 3)->end_seq, 100 * i);
  }
  // A torn or damaged newest slot leaves the one before it, which was true as well.
  for (std::size_t at = 0; at < 96; ++at) {
    std::string damaged = page;
    damaged[static_cast<std::size_t>(StateSlotOffset(4)) + at] ^= 1;
    EXPECT_EQ(DecodeStatePage(damaged, StoreId(), 3)->end_seq, 300) << at;
  }
  EXPECT_FALSE(DecodeStatePage(page, StoreId(), 4)) << "of another writer";
  EXPECT_FALSE(DecodeStatePage(page.substr(0, 50), StoreId(), 3));
}

/// A segment with one of everything; nothing in it is random.
std::string GoldenSegment(LogPayload payload) {
  std::mt19937_64 random(11);
  test::SegmentBuilder segment(test::Header(payload));
  segment.Add({test::Trades(3), {}});
  segment.Add(test::RandomTicks(random, 40), {.source = "feed"});
  segment.Add({test::Trades(2, 1LL << 40), {}}, {.producer = "recorder", .producer_seq = 17});
  return segment.AddInSameWrite(test::RandomTicks(random, 9)).Seal().bytes();
}

/// Bytes of version 1 stay readable, and are what is written today.
TEST_P(FormatTest, GoldenSegmentsStayAsTheyAre) {
  const bool binary = GetParam() == LogPayload::kBinary;
  const std::string path = std::string(LAMINA_SOURCE_DIR) + "/tests/golden/tick_log/version1_" +
                           (binary ? "binary" : "jsonl") + ".seg";
  const std::string made = GoldenSegment(GetParam());
  if (std::getenv("LAMINA_UPDATE_GOLDEN") != nullptr) {
    ASSERT_THAT(io::PosixEnv().CreateDirectories(io::ParentPath(path)), IsOk());
    ASSERT_THAT(io::PosixEnv().WriteFileAtomically(path, made), IsOk());
  }
  const std::string golden = *io::PosixEnv().ReadFile(path, 1 << 20);
  EXPECT_TRUE(golden == made) << "the bytes have changed: a new version is due";
  const io::TemporaryFolder folder;
  test::Place(folder.path(), 1, golden);
  LogReader reader(io::PosixEnv(), folder.path(), StoreId());
  const auto lines = test::Lines(*reader.Read(1, 0, INT64_MAX));
  ASSERT_EQ(lines.size(), 54U);
  EXPECT_EQ(lines[0], "1/0 1 last 1700000000000000000 r1700000000000000000 100.0 1.0");
  EXPECT_EQ(lines[44],
            "1/44 1099511627776 last 1700000001000000000 r1700000000000000043 100.25 "
            "2.0");
}

INSTANTIATE_TEST_SUITE_P(Payloads, FormatTest,
                         testing::Values(LogPayload::kBinary, LogPayload::kJsonl));

}  // namespace
}  // namespace lamina::tick_log
