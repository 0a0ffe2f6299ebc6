#include "lamina/bars/make_bars.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lamina/bars/bars_test_support.h"

namespace lamina::bars {
namespace {

using test::TestStore;
using ::testing::HasSubstr;

ResampleRequest Rule(const std::string& rule, std::vector<std::string> instruments = {}) {
  ResampleRequest request;
  request.instruments = std::move(instruments);
  request.shape.rule = rule;
  return request;
}

TEST(ResampleStored, MakesBarsOfEachInstrumentAndTheirEdges) {
  TestStore store;
  store.Save({0, 1, 2, 3, 4, 5}, "EUR");
  store.Save({0, 1}, "GBP");
  const std::int64_t before = *store.catalog().LatestSnapshot();
  const auto made = ResampleStored(store.datasets(), Rule("2h"));
  ASSERT_THAT(made, IsOk());
  EXPECT_EQ(made->saved.added, 4);
  EXPECT_EQ(store.Text("EUR", "2h"), "0:1/2.5/0.5/2/null 2:3/4.5/2.5/4/null 4:5/6.5/4.5/6/null");
  EXPECT_EQ(store.Text("GBP", "2h"), "0:1/2.5/0.5/2/null");
  ASSERT_EQ(made->edges.size(), 2U);
  EXPECT_EQ(made->edges[0].output_id, "ohlcv/EUR/2h");
  EXPECT_EQ(made->edges[0].input_id, "ohlcv/EUR/1h");
  EXPECT_EQ(made->edges[0].input_snapshot, before);
  const auto lineage = store.registry().Lineage("dataset", "ohlcv");
  ASSERT_THAT(lineage, IsOk());
  EXPECT_EQ(lineage->size(), 4U);  // to both series, and from each to its source
  // Made again it is the same, and made from the finest there is.
  const auto again = ResampleStored(store.datasets(), Rule("2h"));
  ASSERT_THAT(again, IsOk());
  EXPECT_EQ(again->saved.unchanged, 4);
  EXPECT_FALSE(again->saved.snapshot);
  EXPECT_EQ(again->edges[0].input_id, "ohlcv/EUR/1h");
}

TEST(ResampleStored, TellsWhatIsNotComplete) {
  TestStore store;
  store.Save({0, 1, 2, 3, 4}, "EUR");
  store.Save({5}, "EUR", /*complete=*/false);
  store.Save({6, 7, 8}, "EUR");
  const auto made = ResampleStored(store.datasets(), Rule("4h", {"EUR"}));
  ASSERT_THAT(made, IsOk());
  // The second holds an open bar, the third is cut short.
  EXPECT_EQ(store.Text("EUR", "4h"), "0:1/4.5/0.5/4/null 4:5/8.5/4.5/8/null? 8:9/9.5/8.5/9/null?");
  store.Save({5, 9, 10, 11}, "EUR");
  ASSERT_THAT(ResampleStored(store.datasets(), Rule("4h", {"EUR"})), IsOk());
  EXPECT_EQ(store.Text("EUR", "4h"), "0:1/4.5/0.5/4/null 4:5/8.5/4.5/8/null 8:9/12.5/8.5/12/null");
  // A range that cuts bars on both sides loses against the complete ones.
  ResampleRequest part = Rule("4h", {"EUR"});
  part.time = {dataset::test::At(1), dataset::test::At(7)};
  const auto cut = ResampleStored(store.datasets(), part);
  ASSERT_THAT(cut, IsOk());
  EXPECT_EQ(cut->saved.kept, 2);
  EXPECT_THAT(cut->edges[0].input_id, HasSubstr("ohlcv/EUR/1h[2022-01-01T01:00:00"));
}

TEST(ResampleStored, RefusesWhatItCannotMake) {
  TestStore store;
  store.Save({0, 1}, "EUR");
  const auto fails = [&](const ResampleRequest& request) {
    return ResampleStored(store.datasets(), request);
  };
  EXPECT_THAT(fails(Rule("10tick")), IsError(ErrorCode::kInvalidArgument, HasSubstr("of time")));
  EXPECT_THAT(fails(Rule("1h")), IsError(ErrorCode::kInvalidArgument, HasSubstr("1h")));
  EXPECT_THAT(fails(Rule("90m")), IsError(ErrorCode::kInvalidArgument));
  EXPECT_THAT(fails(Rule("30m")), IsError(ErrorCode::kInvalidArgument));
  EXPECT_THAT(fails(Rule("two days")), IsError(ErrorCode::kInvalidArgument));
  EXPECT_THAT(fails(Rule("2h", {"EUR", "USD"})), IsError(ErrorCode::kNotFound, HasSubstr("'USD'")));
  ResampleRequest other = Rule("2h");
  other.dataset = "bars";
  EXPECT_THAT(fails(other), IsError(ErrorCode::kNotFound));
  ResampleRequest late = Rule("2h");
  late.time.start = dataset::test::At(100);
  EXPECT_THAT(fails(late), IsError(ErrorCode::kNotFound, HasSubstr("in the range")));
  EXPECT_EQ(store.registry().NewestEdges()->size(), 0U);
  // Into another dataset, which is made.
  ResampleRequest into = Rule("2h");
  into.into = "coarse";
  ASSERT_THAT(fails(into), IsOk());
  EXPECT_EQ(store.Text("EUR", "2h"), "");
  EXPECT_NE(store.Text("EUR", "2h", dataset::test::kStart, "coarse"), "");
}

TickBarsRequest Ticks(const std::string& rule, std::int64_t minutes) {
  TickBarsRequest request;
  request.contract = 7;
  request.instrument = "SPY";
  request.start = Micros{ticks::test::kStart / 1000};
  request.end = Micros{(ticks::test::kStart + minutes * test::kMinute) / 1000};
  request.shape.rule = rule;
  return request;
}

TEST(BarsFromTicks, AreMadeOfArchiveAndLogs) {
  TestStore store;
  store.Trade(150);
  const auto made =
      BarsFromTicks(store.datasets(), store.ticks(), store.reader(), Ticks("1h", 150));
  ASSERT_THAT(made, IsOk());
  EXPECT_EQ(store.Text("SPY", "1h", ticks::test::kStart / 1000),
            "0:100/159/100/159/120 1:160/219/160/219/120 2:220/249/220/249/60?");
  ASSERT_EQ(made->edges.size(), 1U);
  EXPECT_EQ(made->edges[0].input_kind, "ticks");
  EXPECT_THAT(made->edges[0].input_id, HasSubstr("7/last[2024-07-02T00:00:00"));
  EXPECT_TRUE(made->edges[0].input_snapshot);
  EXPECT_NE(made->rows->GetColumnByName("vwap"), nullptr);
  // Later ones complete the last bar.
  store.Trade(30, 2, 150);
  ASSERT_THAT(BarsFromTicks(store.datasets(), store.ticks(), store.reader(), Ticks("1h", 180)),
              IsOk());
  EXPECT_THAT(store.Text("SPY", "1h", ticks::test::kStart / 1000),
              HasSubstr("2:220/249/100/129/120"));
  EXPECT_EQ(TickBarsDataset(ticks::TickType::kBidAsk), "ohlcv_bid_ask");
}

TEST(BarsFromTicks, RefusesWhatItWouldChange) {
  TestStore store;
  store.Trade(3, 0.25);
  const auto make = [&](const TickBarsRequest& request) {
    return BarsFromTicks(store.datasets(), store.ticks(), store.reader(), request);
  };
  EXPECT_THAT(make(Ticks("1h", 60)), IsError(ErrorCode::kInvalidArgument, HasSubstr("volume")));
  EXPECT_THAT(make(Ticks("3tick", 60)), IsError(ErrorCode::kInvalidArgument));
  TickBarsRequest none = Ticks("1h", 60);
  none.contract = 8;
  EXPECT_THAT(make(none), IsError(ErrorCode::kNotFound, HasSubstr("8/last")));
  EXPECT_EQ(store.Text("SPY", "1h"), "");
  // A dataset of its own keeps fractions, and what bars of ticks have more.
  dataset::Definition own = dataset::OhlcvDefinition("own");
  for (dataset::Column& column : own.columns) {
    if (column.name == "volume") column.type = table::LakeType::kDouble;
  }
  own.columns.push_back({"vwap"});
  ASSERT_THAT(store.datasets().Create(own), IsOk());
  TickBarsRequest into = Ticks("1h", 60);
  into.into = "own";
  ASSERT_THAT(make(into), IsOk());
  EXPECT_EQ(store.Text("SPY", "1h", ticks::test::kStart / 1000, "own"), "0:100/102/100/102/0.75");
}

}  // namespace
}  // namespace lamina::bars
