#include "lamina/tick_log/jsonl_group.h"

#include <gtest/gtest.h>

#include "lamina/base/matchers.h"
#include "lamina/tick_log/log_test_support.h"

namespace lamina::tick_log {
namespace {

constexpr Seat kSeat = {42, LogPayload::kJsonl};

DraftGroup Seated(const test::TicksAndOrder& made, const DraftOptions& extra = {}) {
  DraftOptions options = extra;
  options.payload = LogPayload::kJsonl;
  DraftGroup draft = test::Draft(made, options);
  draft.header.first_seq = 1000;
  draft.header.recv_ns = test::kStart;
  SeatGroup(draft, 4096, kSeat);
  return draft;
}

TEST(JsonlGroup, IsReadableText) {
  test::TicksAndOrder made{test::Trades(1), {}};
  made.ticks[0].values[0][0] = -0.0;
  made.ticks[0].flags = {kPastLimit};
  made.ticks[0].extra = {{1}, {"{\"a\":1}"}};
  const DraftGroup draft = Seated(made, {.producer = "p", .producer_seq = 3});
  EXPECT_EQ(draft.bytes.substr(0, draft.header.front),
            "{\"ts_ns\":1700000000000000000,\"contract_id\":1,\"tick_type\":\"last\","
            "\"price\":-0.0,\"size\":1.0,\"past_limit\":true,\"extra\":\"{\\\"a\\\":1}\"}\n");
  const std::string commit = draft.bytes.substr(draft.header.front);
  EXPECT_TRUE(commit.starts_with(
      "{\"_commit\":{\"first_seq\":1000,\"rows\":1,\"bytes\":127,\"synced_end\":0,"
      "\"recv_ns\":1700000000000000000,\"producer\":\"p\",\"producer_seq\":3},\"crc\":\""))
      << commit;
}

TEST(JsonlGroup, RandomGroupsComeBack) {
  std::mt19937_64 random(8);
  for (int i = 0; i < 20; ++i) {
    test::TicksAndOrder made = test::RandomTicks(random, 1 + random() % 60);
    for (TickBatch& batch : made.ticks) {
      if (batch.recv_ns.empty()) batch.recv_ns.assign(batch.size(), test::kStart);
    }
    const DraftGroup draft = Seated(made);
    Group group;
    ASSERT_EQ(LookAtJsonlGroup(draft.bytes, 4096, kSeat, group).found, Found::kGroup);
    TickCollector out(1);
    ASSERT_THAT(ForEachJsonlTick(group, draft.bytes, [&](const TickRow& row) { out.AddRow(row); }),
                IsOk());
    EXPECT_EQ(test::Lines(out.Take()), test::Expected(made, {1, 1000, 0, false}));
  }
}

TEST(JsonlGroup, EveryFlippedBitIsFound) {
  std::mt19937_64 random(9);
  const DraftGroup draft = Seated(test::RandomTicks(random, 5));
  for (std::size_t at = 0; at < draft.bytes.size(); ++at) {
    std::string damaged = draft.bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << random() % 8));
    Group group;
    EXPECT_NE(LookAtJsonlGroup(damaged, 4096, kSeat, group).found, Found::kGroup) << at;
  }
  for (std::size_t size = 1; size < draft.bytes.size(); ++size) {
    Group group;
    EXPECT_EQ(LookAtJsonlGroup(draft.bytes.substr(0, size), 4096, kSeat, group).found,
              Found::kMore);
  }
}

}  // namespace
}  // namespace lamina::tick_log
