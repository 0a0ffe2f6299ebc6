#include "lamina/bars/changed_inputs.h"

#include <gtest/gtest.h>

#include "lamina/bars/bars_test_support.h"

namespace lamina::bars {
namespace {

using test::TestStore;

TEST(InputChanged, BarsOfTheRange) {
  TestStore store;
  store.Save({0, 1, 2, 3}, "EUR");
  ResampleRequest request;
  request.shape.rule = "2h";
  request.time.end = dataset::test::At(4);
  const auto made = ResampleStored(store.datasets(), request);
  ASSERT_THAT(made, IsOk());
  const auto changed = [&] {
    const auto answer = InputChanged(store.datasets(), store.reader(), made->edges[0]);
    EXPECT_THAT(answer, IsOk());
    return answer.ok() && *answer;
  };
  EXPECT_FALSE(changed());
  store.Save({4, 5}, "EUR");
  store.Save({0, 1}, "GBP");
  EXPECT_FALSE(changed());
  ASSERT_THAT(store.datasets().Delete("ohlcv", {dataset::test::At(1), dataset::test::At(2)},
                                      {{"instrument", {"EUR"}}, {"timeframe", {"1h"}}}),
              IsOk());
  EXPECT_TRUE(changed());
  // Made again it is fresh.
  const auto again = ResampleStored(store.datasets(), request);
  ASSERT_THAT(again, IsOk());
  EXPECT_FALSE(*InputChanged(store.datasets(), store.reader(), again->edges[0]));
  EXPECT_EQ(store.registry().NewestEdges()->size(), 2U);  // one an instrument
}

TEST(InputChanged, TicksOfTheRange) {
  TestStore store;
  store.Trade(60);
  TickBarsRequest request;
  request.contract = 7;
  request.instrument = "SPY";
  request.start = Micros{ticks::test::kStart / 1000};
  request.end = Micros{(ticks::test::kStart + 60 * test::kMinute) / 1000};
  request.shape.rule = "1h";
  const auto made = BarsFromTicks(store.datasets(), store.ticks(), store.reader(), request);
  ASSERT_THAT(made, IsOk());
  const auto changed = [&] {
    const auto answer = InputChanged(store.datasets(), store.reader(), made->edges[0]);
    EXPECT_THAT(answer, IsOk());
    return answer.ok() && *answer;
  };
  EXPECT_FALSE(changed());
  store.Trade(5, 2, 100);  // behind the range
  EXPECT_FALSE(changed());
  ASSERT_THAT(store.ticks().ArchiveAll(true), IsOk());
  ASSERT_THAT(store.ticks().FoldDays(), IsOk());
  EXPECT_FALSE(changed());
  store.Trade(1, 2, 30);  // late, still in a log
  EXPECT_TRUE(changed());
  ASSERT_THAT(store.ticks().ArchiveAll(true), IsOk());
  EXPECT_TRUE(changed());
}

TEST(InputChanged, KnowsOnlySeriesAndTicks) {
  TestStore store;
  for (const dataset::LineageEdge& edge :
       {dataset::LineageEdge{"dataset", "a/b/c", "dataset", "ohlcv", 1},
        dataset::LineageEdge{"dataset", "a/b/c", "file", "1", 1},
        dataset::LineageEdge{"dataset", "a/b/c", "ticks", "everything", 1},
        dataset::LineageEdge{"dataset", "a/b/c", "dataset", "x/y/z", {}}}) {
    EXPECT_FALSE(*InputChanged(store.datasets(), store.reader(), edge)) << edge.input_id;
  }
  EXPECT_TRUE(*InputChanged(store.datasets(), store.reader(),
                            {"dataset", "a/b/c", "dataset", "gone/y/z", 1}));
}

}  // namespace
}  // namespace lamina::bars
