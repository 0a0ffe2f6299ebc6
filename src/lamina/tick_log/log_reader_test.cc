#include "lamina/tick_log/log_reader.h"

#include <gtest/gtest.h>

#include "lamina/base/matchers.h"
#include "lamina/io/faulty_env.h"
#include "lamina/io/temporary_folder.h"
#include "lamina/tick_log/log_files.h"
#include "lamina/tick_log/log_recovery.h"
#include "lamina/tick_log/log_test_support.h"

namespace lamina::tick_log {
namespace {

using test::StoreId;
using testing::HasSubstr;

class LogReaderTest : public testing::Test {
 protected:
  std::unique_ptr<TickWriter> Open(std::int64_t writer, LogOptions options = {}) {
    options.segment_bytes = 256 << 10;
    options.background = false;
    return *TickWriter::Open(env_, folder_.path(), StoreId(), writer, options);
  }
  io::Env& env_ = io::PosixEnv();
  io::TemporaryFolder folder_;
  LogReader reader_{env_, folder_.path(), StoreId()};
};

TEST_F(LogReaderTest, FollowsSeveralWritersAsTheyGrow) {
  EXPECT_TRUE(reader_.Logs()->empty());
  const auto one = Open(1), two = Open(2);
  for (int round = 1; round <= 30; ++round) {
    ASSERT_THAT(one->Append(test::Trades(100)), IsOk());
    ASSERT_THAT(two->Append(test::Trades(10)), IsOk());
    const auto logs = reader_.Logs();
    ASSERT_EQ(logs->size(), 2U);
    EXPECT_TRUE((*logs)[0].alive);
    EXPECT_EQ((*logs)[0].durable_end, 100 * round);
    EXPECT_EQ((*logs)[1].durable_end, 10 * round);
    EXPECT_EQ((*reader_.Read(1, 100 * (round - 1), INT64_MAX))[0].size(), 100U);
  }
}

TEST_F(LogReaderTest, ALogThatIsBeingTakenOverEndsWhereItDid) {
  const std::string folder = WriterFolder(folder_.path(), 1);
  {
    const auto killed = Open(1);
    ASSERT_THAT(killed->Append(test::Trades(100)), IsOk());
    const std::string page = *env_.ReadFile(StatePath(folder), 1 << 20);
    ASSERT_THAT(killed->Append(test::Trades(50)), IsOk());
    ASSERT_THAT(killed->Close(), IsOk());
    // As a power cut may leave it: the page is older than the ticks.
    ASSERT_THAT(env_.WriteFileAtomically(StatePath(folder), page), IsOk());
  }
  EXPECT_EQ(reader_.Logs()->at(0).durable_end, 150);
  const auto repairing = *env_.TryLock(LockPath(folder));
  EXPECT_EQ(reader_.Logs()->at(0).durable_end, 150);
  EXPECT_EQ((*reader_.Read(1, 0, INT64_MAX))[0].size(), 150U);
}

/// Contracts, types and times, over groups so long that only runs of them are read.
TEST_F(LogReaderTest, FiltersReadTheirRowsOnly) {
  std::mt19937_64 random(2);
  const auto writer = Open(1);
  std::vector<std::string> all;
  for (int i = 0; i < 12; ++i) {
    const test::TicksAndOrder made = test::RandomTicks(random, 3000, 40);
    const Ack ack = *writer->Append(made.ticks, made.order);
    for (std::string& line : test::Expected(made, ack, {}, false)) all.push_back(std::move(line));
  }
  const std::vector<std::int64_t> contracts = {1 + 5'000'000'000, 1 + 35 * 5'000'000'000, 77};
  const std::vector<TickType> types = {TickType::kBidAsk, TickType::kAllLast};
  const std::int64_t begin = test::kStart + 200 * test::kSecond;
  const std::int64_t end = test::kStart + 800 * test::kSecond;
  std::vector<std::string> expected;
  for (const std::string& line : all) {
    const bool contract = line.find(" 5000000001 ") != std::string::npos ||
                          line.find(" 175000000001 ") != std::string::npos;
    const bool type =
        line.find(" bid_ask ") != std::string::npos || line.find(" all_last ") != std::string::npos;
    const std::int64_t ts = std::stoll(line.substr(line.find(" 17000") + 1));
    const std::int64_t seq = std::stoll(line.substr(2));
    if (contract && type && ts >= begin && ts < end && seq >= 500 && seq < 30'000) {
      expected.push_back(line);
    }
  }
  ASSERT_GT(expected.size(), 300U);
  const TickFilter filter{contracts, types, begin, end};
  for (int i = 0; i < 2; ++i) {  // from the writer's open segment, then from sealed ones
    LogReader fresh(env_, folder_.path(), StoreId());
    EXPECT_EQ(test::Lines(*fresh.Read(1, 500, 30'000, filter), true, false), expected);
    EXPECT_EQ(test::Lines(*reader_.Read(1, 500, 30'000, filter), true, false), expected);
    ASSERT_THAT(writer->Seal(), IsOk());
  }
}

/// Without texts not even the front of a long group is read.
TEST_F(LogReaderTest, RunsWithoutTextsAreReadFromLongGroups) {
  constexpr std::int64_t kContracts = 100, kRows = 5000;
  const auto writer = Open(1);
  for (int i = 0; i < 4; ++i) {
    TickBatches ticks = test::Trades(kRows);
    for (std::size_t row = 0; row < ticks[0].size(); ++row) {
      ticks[0].contract_id[row] = 1 + static_cast<std::int64_t>(row) % kContracts;
    }
    ASSERT_THAT(writer->Append(std::move(ticks)), IsOk());
  }
  const std::int64_t contract = 7;
  const auto read = reader_.Read(1, 0, INT64_MAX, {.contracts = {&contract, 1}});
  ASSERT_THAT(read, IsOk());
  ASSERT_EQ((*read)[0].size(), 4U * kRows / kContracts);
  for (std::size_t i = 0; i < (*read)[0].size(); ++i) {
    EXPECT_EQ((*read)[0].seq[i], 6 + kContracts * static_cast<std::int64_t>(i));
    EXPECT_EQ((*read)[0].contract_id[i], contract);
  }
}

/// What is kept of an open segment is what was asked for first; whatever is asked then comes whole.
TEST_F(LogReaderTest, OneContractAfterTheOtherOfAnOpenSegment) {
  constexpr std::size_t kRows = 500;
  const auto writer = Open(1);
  const auto append = [&] {
    TickBatches ticks = test::Trades(kRows);
    for (std::size_t row = 0; row < kRows; ++row) {
      ticks[0].contract_id[row] = 1 + static_cast<std::int64_t>(row) % 5;
    }
    ASSERT_THAT(writer->Append(std::move(ticks)), IsOk());
  };
  const auto count = [&](std::vector<std::int64_t> contracts) {
    const auto read = reader_.Read(1, 0, INT64_MAX, {.contracts = contracts});
    EXPECT_THAT(read, IsOk());
    return read.ok() ? (*read)[0].size() : 0;
  };
  append();
  EXPECT_EQ(count({3}), kRows / 5);
  append();
  EXPECT_EQ(count({3}), 2 * kRows / 5) << "it grew";
  EXPECT_EQ(count({4}), 2 * kRows / 5) << "another one";
  append();
  EXPECT_EQ(count({3}), 3 * kRows / 5);
  EXPECT_EQ(count({1, 5}), 6 * kRows / 5);
  EXPECT_EQ(count({}), 3 * kRows) << "all";
  EXPECT_EQ(count({9}), 0U);
  LogReader fresh(env_, folder_.path(), StoreId());
  const std::vector<std::int64_t> one = {2};
  EXPECT_EQ((*fresh.Read(1, 0, INT64_MAX, {.contracts = one}))[0].size(), 3 * kRows / 5);
  EXPECT_EQ((*fresh.Read(1, 0, INT64_MAX))[0].size(), 3 * kRows);
  ASSERT_THAT(writer->Seal(), IsOk());
  append();
  EXPECT_EQ((*fresh.Read(1, 0, INT64_MAX, {.contracts = one}))[0].size(), 4 * kRows / 5);
}

TEST_F(LogReaderTest, ASegmentThatWasRemovedIsNotFound) {
  auto writer = Open(1);
  ASSERT_THAT(writer->Append(test::Trades(10)), IsOk());
  EXPECT_THAT(RemoveSegment(env_, (*reader_.Logs())[0].segments[0]), IsError(ErrorCode::kConflict))
      << "it is not sealed";
  ASSERT_THAT(writer->Seal(), IsOk());
  ASSERT_THAT(writer->Append(test::Trades(10)), IsOk());
  const auto before = reader_.Logs();
  ASSERT_THAT(RemoveSegment(env_, (*before)[0].segments[0]), IsOk());
  EXPECT_FALSE(env_.Exists(IndexPath((*before)[0].segments[0].path)));
  EXPECT_THAT(reader_.Read(1, 9, 20), IsError(ErrorCode::kNotFound, HasSubstr("seq 9")));
  EXPECT_EQ((*reader_.Read(1, 10, 20))[0].size(), 10U);
  ASSERT_THAT(writer->Seal(), IsOk());
  ASSERT_THAT(RemoveSegment(env_, (*reader_.Logs())[0].segments[0]), IsOk());
  EXPECT_EQ((*reader_.Logs())[0].durable_end, 20);
  writer.reset();
  writer = Open(1);
  EXPECT_EQ(writer->Append(test::Trades(1))->seq_first, 20) << "a seq is never given twice";
}

/// Takes a file away once a folder was listed: retention beside a reader.
class RemovingEnv final : public io::FaultyEnv {
 public:
  RemovingEnv() : FaultyEnv(io::PosixEnv()) {}
  Result<std::vector<io::DirectoryEntry>> ListDirectory(const std::string& path) override {
    auto entries = FaultyEnv::ListDirectory(path);
    if (path == folder_) {
      for (const std::string& each : files_) EXPECT_THAT(io::PosixEnv().Unlink(each), IsOk());
      folder_.clear();
    }
    return entries;
  }
  void RemoveOnceListed(std::string folder, std::vector<std::string> files) {
    folder_ = std::move(folder);
    files_ = std::move(files);
  }

 private:
  std::string folder_;
  std::vector<std::string> files_;
};

TEST_F(LogReaderTest, SegmentsThatGoDuringALookAreLeftOut) {
  const std::string folder = WriterFolder(folder_.path(), 1);
  auto writer = Open(1);
  for (int i = 0; i < 4; ++i) {
    ASSERT_THAT(writer->Append(test::Trades(10)), IsOk());
    ASSERT_THAT(writer->Seal(), IsOk());
  }
  ASSERT_THAT(writer->Append(test::Trades(10)), IsOk());
  for (const bool known : {true, false}) {
    RemovingEnv env;
    LogReader reader(env, folder_.path(), StoreId());
    const auto before = known ? reader.Logs() : reader_.Logs();
    ASSERT_THAT(before, IsOk());
    const std::vector<SegmentInfo>& segments = (*before)[0].segments;
    ASSERT_GE(segments.size(), 3U);
    env.RemoveOnceListed(folder, {segments[0].path, segments[1].path});
    const auto after = reader.Logs();
    ASSERT_THAT(after, IsOk());
    ASSERT_EQ((*after)[0].segments.size(), segments.size() - 2);
    EXPECT_EQ((*after)[0].segments[0].first_seq, segments[2].first_seq);
    EXPECT_EQ((*after)[0].durable_end, 50);
    const auto read = reader.Read(1, segments[2].first_seq, INT64_MAX);
    ASSERT_THAT(read, IsOk());
    EXPECT_EQ((*read)[0].size(), static_cast<std::size_t>(50 - segments[2].first_seq));
  }
  // The last one, sealed and archived; and one that was filled ahead.
  ASSERT_THAT(writer->Close(), IsOk());
  RemovingEnv env;
  LogReader reader(env, folder_.path(), StoreId());
  const auto before = reader.Logs();
  ASSERT_THAT(before, IsOk());
  std::vector<std::string> all;
  for (const SegmentInfo& segment : (*before)[0].segments) all.push_back(segment.path);
  const std::string ahead = SegmentPath(folder, (*before)[0].segments.back().number + 1);
  ASSERT_THAT(env_.WriteFileAtomically(ahead, std::string(8192, '\0')), IsOk());
  env.RemoveOnceListed(folder, {ahead});
  EXPECT_EQ((*reader.Logs())[0].segments.size(), all.size()) << "nothing was lost";
  env.RemoveOnceListed(folder, all);
  const auto after = reader.Logs();
  ASSERT_THAT(after, IsOk());
  EXPECT_TRUE((*after)[0].segments.empty());
  EXPECT_EQ((*after)[0].durable_end, 50);
}

TEST_F(LogReaderTest, DamageIsNamedWhereItIsRead) {
  std::string path;
  {
    const auto writer = Open(1);
    for (int i = 0; i < 3; ++i) ASSERT_THAT(writer->Append(test::Trades(1000)), IsOk());
    ASSERT_THAT(writer->Close(), IsOk());
    path = (*reader_.Logs())[0].segments[0].path;
  }
  const std::string whole = *env_.ReadFile(path, 1 << 24);
  for (const bool with_index : {true, false}) {
    if (!with_index) {
      ASSERT_THAT(env_.Unlink(IndexPath(path)), IsOk());
    }
    std::mt19937_64 random(1);
    for (int i = 0; i < 60; ++i) {
      std::string damaged = whole;
      const std::size_t at = random() % damaged.size();
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << random() % 8));
      test::Place(folder_.path(), 1, damaged);
      LogReader fresh(env_, folder_.path(), StoreId());
      const auto read = fresh.Read(1, 0, INT64_MAX);
      if (read.ok()) {
        EXPECT_EQ((*read)[0].size(), 3000U) << at;
        EXPECT_EQ((*read)[0].values[0][2999], 100 + 0.25 * 39) << at;
      } else {
        EXPECT_EQ(read.error().code(), ErrorCode::kCorruption) << read.error().message();
        EXPECT_THAT(std::string(read.error().message()), HasSubstr("00000001.seg")) << at;
      }
    }
  }
}

TEST_F(LogReaderTest, OtherStoresAreRefused) {
  ASSERT_THAT(Open(1)->Append(test::Trades(1)), IsOk());
  LogReader other(env_, folder_.path(), RandomUuid4());
  EXPECT_THAT(other.Logs(), IsError(ErrorCode::kCorruption, HasSubstr("does not belong here")));
}

}  // namespace
}  // namespace lamina::tick_log
