#include <gtest/gtest.h>

#include "lamina/bars/made_rows_internal.h"
#include "lamina/dataset/dataset_test_support.h"

namespace lamina::bars::internal {
namespace {

TEST(MadeRows, HaveAllColumnsAndThoseThatADatasetHas) {
  const auto bars = dataset::test::MakeTable(
      {{"timestamp", dataset::test::Times({5, 7}, "UTC", arrow::TimeUnit::NANO)},
       {"open", dataset::test::Doubles({1, 2})},
       {"high", dataset::test::Doubles({1, 2})},
       {"low", dataset::test::Doubles({1, 2})},
       {"close", dataset::test::Doubles({1, 2})}});
  EXPECT_EQ(*StampsOf(*bars), (std::vector<std::int64_t>{5, 7}));
  const auto rows = AsRows(*bars, "EUR", "1d", {true, false}, false);
  ASSERT_THAT(rows, IsOk());
  EXPECT_EQ((*rows)->ColumnNames(),
            (std::vector<std::string>{"instrument", "timeframe", "timestamp", "open", "high", "low",
                                      "close", "volume", "vwap", "n_ticks", "complete"}));
  EXPECT_EQ((*rows)->GetColumnByName("volume")->null_count(), 2);
  EXPECT_EQ((*(*rows)->GetColumnByName("complete")->GetScalar(1))->ToString(), "false");
  const auto kept = KnownColumns(*rows, dataset::OhlcvDefinition());
  ASSERT_THAT(kept, IsOk());
  EXPECT_EQ((*kept)->GetColumnByName("vwap"), nullptr);
  EXPECT_NE((*kept)->GetColumnByName("volume"), nullptr);
  EXPECT_NE((*AsRows(*bars, "EUR", "1d", {true, true}, true))->GetColumnByName("bid_close"),
            nullptr);
}

}  // namespace
}  // namespace lamina::bars::internal
