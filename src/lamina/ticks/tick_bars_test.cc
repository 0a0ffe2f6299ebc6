#include "lamina/ticks/tick_bars.h"

#include <gmock/gmock.h>

#include "lamina/series/bars.h"
#include "lamina/ticks/query_test_support.h"

namespace lamina::ticks {
namespace {

using test::ArchivedTicks;
using test::Fill;
using test::kAllTypes;
using test::kDay;
using test::kStart;
using test::Range;

TEST(TickBarsTest, BarsEqualTheKernelsOverAllRows) {
  ArchivedTicks ticks;
  Fill(ticks);
  TickReader reader(ticks.catalog(), {});
  TickQuery query = Range({2}, {TickType::kLast}, kStart, kStart + 3 * kDay);
  auto rows = reader.Query(query);
  ASSERT_THAT(rows, IsOk());
  const auto whole = *table::Combine(*rows->rows);
  const auto numbers = [&](const char* name) {
    const auto& column =
        static_cast<const arrow::DoubleArray&>(*whole->GetColumnByName(name)->chunk(0));
    return std::span(column.raw_values(), static_cast<std::size_t>(column.length()));
  };
  const auto& ts =
      static_cast<const arrow::Int64Array&>(*whole->GetColumnByName("ts_ns")->chunk(0));
  auto builder = series::BarBuilder::ForTrades({.rule = *series::ParseBarRule("7m")});
  ASSERT_THAT(builder->Add(series::TradeColumns{
                  std::span(ts.raw_values(), static_cast<std::size_t>(ts.length())),
                  numbers("price"), numbers("size")}),
              IsOk());
  ASSERT_THAT(builder->Finish(), IsOk());
  const series::Bars expected = builder->Take();
  query.resolution = "7m";
  auto bars = reader.Query(query);
  ASSERT_THAT(bars, IsOk());
  ASSERT_EQ(static_cast<std::size_t>(bars->rows->num_rows()), expected.size());
  const auto made = *table::Combine(*bars->rows);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const auto at = static_cast<std::int64_t>(i);
    const auto cell = [&](const char* name) {
      return static_cast<const arrow::DoubleArray&>(*made->GetColumnByName(name)->chunk(0))
          .Value(at);
    };
    EXPECT_EQ(
        static_cast<const arrow::TimestampArray&>(*made->GetColumnByName("timestamp")->chunk(0))
            .Value(at),
        expected.timestamp[i]);
    EXPECT_EQ(cell("open"), expected.open[i]);
    EXPECT_EQ(cell("close"), expected.close[i]);
    EXPECT_EQ(cell("volume"), expected.volume[i]);
  }
}

TEST(TickBarsTest, BarsOfManyContractsAndTypesShareStamps) {
  ArchivedTicks ticks;
  Fill(ticks);
  TickReader reader(ticks.catalog(), {});
  TickQuery query = Range({1, 2}, kAllTypes, kStart, kStart + 3 * kDay);
  query.resolution = "1h";
  auto bars = reader.Query(query);
  ASSERT_THAT(bars, IsOk());
  EXPECT_THAT(
      bars->rows->schema()->field_names(),
      testing::ElementsAre("timestamp", "contract_id", "tick_type", "open", "high", "low", "close",
                           "volume", "vwap", "n_ticks", "bid_close", "ask_close", "spread_mean"));
  // Every hour of three days has ticks of both contracts and all types.
  EXPECT_EQ(bars->rows->num_rows(), 3 * 24 * 2 * 4);
  std::int64_t counted = 0;
  for (const auto& chunk : bars->rows->GetColumnByName("n_ticks")->chunks()) {
    const auto& counts = static_cast<const arrow::Int64Array&>(*chunk);
    for (std::int64_t row = 0; row < counts.length(); ++row) counted += counts.Value(row);
  }
  EXPECT_EQ(counted, static_cast<std::int64_t>(ticks.Expect(query).size()));
  query.columns = {{"close", "timestamp"}};
  auto chosen = reader.Query(query);
  ASSERT_THAT(chosen, IsOk());
  EXPECT_THAT(chosen->rows->schema()->field_names(), testing::ElementsAre("close", "timestamp"));
  query.columns = {{"price"}};
  EXPECT_THAT(reader.Query(query), IsError(ErrorCode::kInvalidArgument));
}

}  // namespace
}  // namespace lamina::ticks
