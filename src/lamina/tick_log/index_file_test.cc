#include "lamina/tick_log/index_file.h"

#include <array>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lamina/base/matchers.h"
#include "lamina/io/temporary_folder.h"
#include "lamina/tick_log/log_test_support.h"

namespace lamina::tick_log {
namespace {

using testing::ElementsAre;

class IndexFileTest : public testing::Test {
 protected:
  std::optional<IndexFile> Opened(const std::string& bytes, const SegmentHeader& header) {
    EXPECT_THAT(env_.WriteFileAtomically(path_, bytes), IsOk());
    return IndexFile::Open(env_, path_, header);
  }

  io::Env& env_ = io::PosixEnv();
  const io::TemporaryFolder folder_;
  const std::string path_ = folder_.File("00000001.idx");
};

Run MakeRun(std::int64_t contract, std::int64_t ts_min, std::int64_t ts_max) {
  Run run;
  run.contract_id = contract;
  run.ts_min = ts_min;
  run.ts_max = ts_max;
  run.rows = 2;
  run.offset = 64;
  run.bytes = 32;
  run.crc = 77;
  run.type = TickType::kBidAsk;
  run.columns = 3;
  run.text_widths = 9;
  return run;
}

/// Two groups with runs of three contracts, and a producer.
SegmentIndex SmallIndex() {
  SegmentIndex index;
  GroupHeader header;
  header.rows = 4;
  header.length = 200;
  header.front = 120;
  header.first_seq = 10;
  header.recv_ns = 5;
  index.Add(header, 4096, std::vector<Run>{MakeRun(9, 100, 200), MakeRun(3, 150, 160)});
  header.first_seq = 14;
  header.producer = "feed";
  header.producer_seq = 8;
  index.Add(header, 4296, std::vector<Run>{MakeRun(3, 300, 400), MakeRun(5'000'000'000, 1, 2)});
  return index;
}

SegmentHeader SmallHeader() { return test::Header(LogPayload::kBinary, 1, 10); }

TEST_F(IndexFileTest, GivesTheRunsOfOneContract) {
  const auto file = Opened(EncodeIndexFile(SmallIndex(), SmallHeader()), SmallHeader());
  ASSERT_TRUE(file);
  ASSERT_EQ(file->groups().size(), 2U);
  EXPECT_EQ(file->groups()[1].offset, 4296);
  EXPECT_EQ(file->groups()[1].end_seq(), 18);
  EXPECT_EQ(file->groups()[0].front, 120U);
  EXPECT_EQ(file->groups()[0].recv_ns, 5);
  const auto runs = file->RunsOf(3);
  ASSERT_TRUE(runs);
  ASSERT_EQ(runs->size(), 2U);
  const lamina::tick_log::Run& run = (*runs)[1].run;
  EXPECT_EQ((*runs)[1].group, 1U);
  EXPECT_THAT((std::array{run.contract_id, run.ts_min, run.ts_max}), ElementsAre(3, 300, 400));
  EXPECT_THAT((std::array{run.rows, run.offset, run.bytes, run.crc}), ElementsAre(2, 64, 32, 77));
  EXPECT_EQ(run.type, TickType::kBidAsk);
  EXPECT_EQ(run.columns, 3);
  EXPECT_EQ(run.text_widths, 9);
  EXPECT_TRUE(file->RunsOf(4)->empty());
  EXPECT_EQ(file->RunsOf(5'000'000'000)->size(), 1U);
}

TEST_F(IndexFileTest, TellsWhenAContractHasTicks) {
  const auto file = Opened(EncodeIndexFile(SmallIndex(), SmallHeader()), SmallHeader());
  ASSERT_TRUE(file);
  EXPECT_TRUE(file->MayHold(3, 400, 500));
  EXPECT_FALSE(file->MayHold(3, 401, 500));
  EXPECT_TRUE(file->MayHold(3, 0, 151));
  EXPECT_FALSE(file->MayHold(3, 0, 150));
  EXPECT_FALSE(file->MayHold(4, 0, 1000));
}

class IndexFilePayloads : public IndexFileTest, public testing::WithParamInterface<LogPayload> {};

/// What was looked through, written and read again; bytes exchanged anywhere are noticed.
TEST_P(IndexFilePayloads, HoldsAllOfASegment) {
  std::mt19937_64 random(4);
  const SegmentHeader header = test::Header(GetParam(), 1, 500);
  test::SegmentBuilder segment(header);
  for (int i = 0; i < 5; ++i) {
    segment.Add(test::RandomTicks(random, 50), {.producer = "p", .producer_seq = i});
  }
  const std::string path = test::Place(folder_.path(), 1, segment.bytes());
  SegmentFile file = **SegmentFile::Open(env_, path, test::StoreId(), header.writer, 1);
  SegmentIndex index;
  ASSERT_THAT(ExtendIndex(file, 750, std::ssize(segment.bytes()), index), IsOk());
  const std::string bytes = EncodeIndexFile(index, header);
  const auto opened = Opened(bytes, header);
  ASSERT_TRUE(opened);
  const auto all = opened->ReadAll();
  ASSERT_TRUE(all);
  EXPECT_EQ(EncodeIndexFile(*all, header), bytes);
  EXPECT_EQ(all->runs().size(), index.runs().size());
  ASSERT_EQ(all->produced().size(), 5U);
  EXPECT_EQ(all->produced()[4].producer, "p");
  EXPECT_EQ(all->produced()[4].first_seq, 700);

  SegmentHeader other = header;
  other.salt += 1;
  EXPECT_FALSE(Opened(bytes, other)) << "of another segment";
  for (std::size_t at = 0; at < bytes.size(); at += 7) {
    std::string damaged = bytes;
    damaged[at] ^= 1;
    const auto read = Opened(damaged, header);
    EXPECT_FALSE(read && read->ReadAll()) << at;
    EXPECT_FALSE(Opened(bytes.substr(0, at), header)) << at;
  }
}

TEST_F(IndexFileTest, AnOlderVersionIsNotUsed) {
  std::string bytes = EncodeIndexFile(SmallIndex(), SmallHeader());
  bytes[8] = 1;
  EXPECT_FALSE(Opened(bytes, SmallHeader()));
  EXPECT_FALSE(IndexFile::Open(env_, folder_.File("none.idx"), SmallHeader()));
}

INSTANTIATE_TEST_SUITE_P(Payloads, IndexFilePayloads,
                         testing::Values(LogPayload::kBinary, LogPayload::kJsonl));

}  // namespace
}  // namespace lamina::tick_log
