#include "lamina/tick_log/group_read.h"

#include <gtest/gtest.h>

#include "lamina/base/matchers.h"
#include "lamina/tick_log/log_test_support.h"

namespace lamina::tick_log {
namespace {

using test::kStart;

constexpr Seat kSeat = {42, LogPayload::kBinary};
constexpr std::int64_t kOffset = 4096;

DraftGroup Seated(const test::TicksAndOrder& made) {
  DraftGroup draft = test::Draft(made, {});
  draft.header.first_seq = 1000;
  draft.header.recv_ns = kStart;
  SeatGroup(draft, kOffset, kSeat);
  return draft;
}

/// Every run of a group, or those of one contract.
std::vector<std::string> Collect(const DraftGroup& draft, const RowFilter& filter,
                                 std::int64_t contract = 0) {
  Group group;
  const Look look = LookAtBinaryGroup(draft.bytes, kOffset, kSeat, true, group);
  EXPECT_EQ(look.found, Found::kGroup) << look.reason;
  std::vector<TickCollector::RunBytes> runs;
  for (const Run& run : group.runs) {
    if (contract != 0 && run.contract_id != contract) continue;
    runs.push_back({&run, ByteView(draft.bytes).substr(run.offset, run.bytes)});
  }
  TickCollector out(1);
  EXPECT_THAT(out.AddRuns(group, ByteView(draft.bytes).substr(0, group.header.front), runs, filter),
              IsOk());
  return test::Lines(out.Take());
}

TEST(GroupRead, RandomGroupsComeBackAndAreFiltered) {
  std::mt19937_64 random(5);
  for (int i = 0; i < 60; ++i) {
    test::TicksAndOrder made = test::RandomTicks(random, 1 + random() % 300);
    for (TickBatch& batch : made.ticks) {
      if (batch.recv_ns.empty()) batch.recv_ns.assign(batch.size(), kStart);
    }
    const DraftGroup draft = Seated(made);
    const std::vector<std::string> all = test::Expected(made, {1, 1000, 0, false});
    EXPECT_EQ(Collect(draft, {}), all);
    const RowFilter some{1003, 1100, kStart + 100 * test::kSecond, kStart + 700 * test::kSecond};
    std::vector<std::string> expected;
    for (const std::string& line : all) {
      const std::int64_t seq = std::stoll(line.substr(2));
      const std::int64_t ts = std::stoll(line.substr(line.find(" 17") + 1));
      if (some.Has(seq, ts)) expected.push_back(line);
    }
    EXPECT_EQ(Collect(draft, some), expected);
    const std::int64_t contract = 1 + 5'000'000'000;
    std::vector<std::string> of_one;
    for (const std::string& line : all) {
      if (line.find(" " + std::to_string(contract) + " ") != std::string::npos) {
        of_one.push_back(line);
      }
    }
    EXPECT_EQ(Collect(draft, {}, contract), of_one);
  }
}

TEST(GroupRead, EveryFlippedBitIsFound) {
  std::mt19937_64 random(6);
  const DraftGroup draft = Seated(test::RandomTicks(random, 25));
  for (std::size_t at = 0; at < draft.bytes.size(); ++at) {
    std::string damaged = draft.bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << random() % 8));
    Group group;
    const Look look = LookAtBinaryGroup(damaged, kOffset, kSeat, true, group);
    EXPECT_NE(look.found, Found::kGroup) << at;
  }
}

TEST(GroupRead, AGroupBelongsToItsPlaceAndItsSegment) {
  const DraftGroup draft = Seated({test::Trades(3), {}});
  Group group;
  EXPECT_EQ(LookAtBinaryGroup(draft.bytes, kOffset + 8, kSeat, true, group).found, Found::kBad);
  EXPECT_EQ(LookAtBinaryGroup(draft.bytes, kOffset, {43, LogPayload::kBinary}, true, group).found,
            Found::kBad);
  EXPECT_EQ(LookAtBinaryGroup(std::string(64, '\0'), kOffset, kSeat, true, group).found,
            Found::kNothing);
  const Look cut =
      LookAtBinaryGroup(ByteView(draft.bytes).substr(0, 70), kOffset, kSeat, true, group);
  EXPECT_EQ(cut.found, Found::kMore);
  EXPECT_EQ(cut.needed, draft.header.front);
}

}  // namespace
}  // namespace lamina::tick_log
