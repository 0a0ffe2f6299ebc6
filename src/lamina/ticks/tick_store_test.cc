#include "lamina/ticks/tick_store.h"

#include <gmock/gmock.h>

#include "lamina/ticks/ticks_test_support.h"

namespace lamina::ticks {
namespace {

using test::OneKind;
using test::RandomTicks;
using test::TestCatalog;

TEST(TickStore, FromRecorderToStatisticsAndBack) {
  TestCatalog root;
  TickStore store(*root, TickConfig{});
  RecorderOptions options = store.DefaultRecorder();
  EXPECT_EQ(options.log.segment_seconds, 900);
  options.log.background = false;
  options.archive_in_background = false;
  auto recorder = store.OpenRecorder(options);
  ASSERT_THAT(recorder, IsOk());
  ASSERT_THAT((*recorder)->writer().Append(OneKind(RandomTicks(TickKind::kTrades, 200, 1, 2))),
              IsOk());
  EXPECT_TRUE(store.Statistics()->empty());
  // A void reaches ticks that are in the log only.
  VoidRequest request;
  request.contract_id = 1;
  request.begin_ns = test::kStart;
  request.end_ns = test::kStart + test::kDay;
  request.reason = "test print";
  auto voided = store.Void(request);
  ASSERT_THAT(voided, IsOk());
  EXPECT_GT(voided->ticks, 0);
  auto rows = store.Statistics();
  ASSERT_THAT(rows, IsOk());
  ASSERT_EQ(rows->size(), 2u);
  for (const StatisticsRow& row : *rows) EXPECT_EQ(row.contract_id, 2);
  EXPECT_EQ(store.Statistics({.type = TickType::kLast})->size(), 1u);
  EXPECT_EQ(store.Statistics({.contract_id = 1})->size(), 0u);
  EXPECT_EQ(store.Statistics({.first_day = 19'907})->size(), 0u);
  EXPECT_EQ(store.Voids()->size(), 1u);
  EXPECT_EQ(store.Unvoid(voided->void_id, "real after all")->ticks, voided->ticks);
  EXPECT_EQ(store.Statistics()->size(), 4u);
  EXPECT_EQ(store.ArchiveAll()->ticks, 0);
  EXPECT_EQ(store.ApplyRetention(true)->files, 2);
}

TEST(TickStore, CoverageSeesLogAndArchive) {
  TestCatalog root;
  TickStore store(*root, TickConfig{});
  RecorderOptions options = store.DefaultRecorder();
  options.log.background = false;
  options.archive_in_background = false;
  auto recorder = store.OpenRecorder(options);
  ASSERT_THAT(recorder, IsOk());
  TickBatch ticks = RandomTicks(TickKind::kTrades, 4, 1, 1);
  for (std::size_t i = 0; i < 4; ++i) {
    ticks.type[i] = TickType::kLast;
    ticks.ts_ns[i] = test::kStart + static_cast<std::int64_t>(i / 2) * 3600 * test::kSecond +
                     static_cast<std::int64_t>(i % 2) * 60 * test::kSecond;
  }
  ASSERT_THAT((*recorder)->writer().Append(OneKind(ticks)), IsOk());
  const auto states = [&] {
    std::vector<CoverageState> found;
    const auto spans = store.Coverage(1, TickType::kLast, test::kStart,
                                      test::kStart + 2 * 3600 * test::kSecond, nullptr);
    EXPECT_THAT(spans, IsOk());
    for (const CoverageSpan& span : *spans) found.push_back(span.state);
    return found;
  };
  const auto expected = testing::ElementsAre(CoverageState::kPresent, CoverageState::kUnknown,
                                             CoverageState::kPresent, CoverageState::kUnknown);
  EXPECT_THAT(states(), expected);
  ASSERT_THAT(store.ArchiveAll(true), IsOk());
  EXPECT_THAT(states(), expected);
  TickEvent gap;
  gap.kind = "gap";
  gap.contract_id = 1;
  gap.start_ns = test::kStart + 120 * test::kSecond;
  gap.end_ns = test::kStart + 240 * test::kSecond;
  gap.reason = "feed down";
  ASSERT_THAT(store.Event(gap), IsOk());
  EXPECT_EQ(states().size(), 6u);
  EXPECT_EQ(store.Events(test::kStart, test::kStart + test::kDay)->size(), 1u);
  gap.contract_id = 2;
  ASSERT_THAT(store.Event(gap), IsOk());
  EXPECT_EQ(states().size(), 6u);
}

}  // namespace
}  // namespace lamina::ticks
