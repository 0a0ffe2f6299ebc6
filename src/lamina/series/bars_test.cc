#include "lamina/series/bars.h"

#include <algorithm>
#include <functional>
#include <limits>

#include <gtest/gtest.h>

#include "lamina/base/matchers.h"
#include "lamina/series/reference_test_support.h"

namespace lamina::series {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();

BarOptions Rule(const char* text) { return {.rule = *ParseBarRule(text)}; }

Bars Whole(const BarOptions& options, const TradeColumns& rows) {
  BarBuilder builder = *BarBuilder::ForTrades(options);
  EXPECT_THAT(builder.Add(rows), IsOk());
  EXPECT_THAT(builder.Finish(), IsOk());
  return builder.Take();
}

template <class T>
std::span<T> Part(std::span<T> whole, std::size_t offset, std::size_t count) {
  return whole.empty() ? whole : whole.subspan(offset, count);
}
TradeColumns Cut(const TradeColumns& rows, std::size_t offset, std::size_t count) {
  return {Part(rows.ts_ns, offset, count), Part(rows.price, offset, count),
          Part(rows.size, offset, count)};
}
QuoteColumns Cut(const QuoteColumns& rows, std::size_t offset, std::size_t count) {
  return {Part(rows.ts_ns, offset, count), Part(rows.bid, offset, count),
          Part(rows.ask, offset, count)};
}

/// Cut at random places, taking finished bars as they come.
template <class Columns>
Bars InPieces(BarBuilder builder, const Columns& rows, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  Bars all;
  for (std::size_t row = 0; row < rows.ts_ns.size();) {
    const std::size_t count = std::min<std::size_t>(random() % 30, rows.ts_ns.size() - row);
    EXPECT_THAT(builder.Add(Cut(rows, row, count)), IsOk());
    if (random() % 2 == 0) all.Append(builder.Take());
    row += count;
  }
  EXPECT_THAT(builder.Finish(), IsOk());
  all.Append(builder.Take());
  return all;
}

TEST(BarsTest, TimeBarsEqualTheReferenceBitForBit) {
  const struct {
    const char* rule;
    std::int64_t period;
  } cases[] = {{"1s", 1'000'000'000},
               {"1m", 60'000'000'000},
               {"7m", 420'000'000'000},
               {"1h", 3'600'000'000'000},
               {"1d", 86'400'000'000'000}};
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    RandomTicks ticks = MakeTicks(200 + seed * 50, seed, seed % 2 == 1,
                                  seed % 5 == 0 ? -3'000'000'000'000 : 1'700'000'000'000'000'000);
    TradeColumns rows = ticks.Trades();
    if (seed % 7 == 3) rows.size = {};
    for (const auto& c : cases) {
      std::vector<std::pair<std::size_t, std::size_t>> stretches;
      std::vector<std::int64_t> labels;
      ReferenceStretches(ticks.ts, c.period, stretches, labels);
      const std::string expected = Spell(ReferenceTradeBars(rows, stretches, labels));
      EXPECT_EQ(Spell(Whole(Rule(c.rule), rows)), expected) << c.rule << seed;
      EXPECT_EQ(Spell(InPieces(*BarBuilder::ForTrades(Rule(c.rule)), rows, seed)), expected);
    }
  }
}

/// Stretches of rows that end where `done`(row) after adding the row says so; unpriced rows first.
void CountedStretches(const TradeColumns& rows, const std::function<bool(std::size_t, bool)>& done,
                      std::vector<std::pair<std::size_t, std::size_t>>& stretches,
                      std::vector<std::int64_t>& labels) {
  bool fresh = true;
  for (std::size_t row = 0; row < rows.ts_ns.size(); ++row) {
    const bool begins = fresh;
    if (begins) stretches.emplace_back(row, row);
    fresh = done(row, begins);
    stretches.back().second = row + 1;
  }
  for (const auto& [begin, end] : stretches) {
    std::size_t first = begin;
    while (first < end && std::isnan(rows.price[first])) ++first;
    labels.push_back(first < end ? rows.ts_ns[first] : 0);
  }
}

TEST(BarsTest, TickVolumeAndNotionalBarsEqualTheReference) {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    const RandomTicks ticks = MakeTicks(1000, seed, seed % 2 == 1);
    const TradeColumns rows = ticks.Trades();
    double sum = 0;
    std::int64_t count = 0;
    const auto weight = [&](std::size_t row, bool notional) {
      if (std::isnan(rows.price[row]) || std::isnan(rows.size[row])) return 0.0;
      return notional ? rows.price[row] * rows.size[row] : rows.size[row];
    };
    const struct {
      const char* rule;
      std::function<bool(std::size_t, bool)> done;
    } cases[] = {
        {"17tick",
         [&](std::size_t row, bool begins) {
           count = (begins ? 0 : count) + (std::isnan(rows.price[row]) ? 0 : 1);
           return count == 17;
         }},
        {"100.5vol",
         [&](std::size_t row, bool begins) {
           sum = (begins ? 0 : sum) + weight(row, false);
           return sum >= 100.5;
         }},
        {"12345usd",
         [&](std::size_t row, bool begins) {
           sum = (begins ? 0 : sum) + weight(row, true);
           return sum >= 12345;
         }},
    };
    for (const auto& c : cases) {
      std::vector<std::pair<std::size_t, std::size_t>> stretches;
      std::vector<std::int64_t> labels;
      CountedStretches(rows, c.done, stretches, labels);
      const std::string expected = Spell(ReferenceTradeBars(rows, stretches, labels));
      EXPECT_EQ(Spell(Whole(Rule(c.rule), rows)), expected) << c.rule << seed;
      EXPECT_EQ(Spell(InPieces(*BarBuilder::ForTrades(Rule(c.rule)), rows, seed)), expected);
    }
  }
}

TEST(BarsTest, QuoteAndCandleBarsDoNotDependOnCuts) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const RandomTicks ticks = MakeTicks(800, seed, seed % 2 == 1);
    for (const char* rule : {"1m", "50tick"}) {
      BarOptions options = Rule(rule);
      if (options.rule.by_clock())
        options.fill = seed % 3 == 0 ? BarFill::kPrevious : BarFill::kNone;
      BarBuilder whole = *BarBuilder::ForQuotes(options);
      ASSERT_THAT(whole.Add(ticks.Quotes()), IsOk());
      ASSERT_THAT(whole.Finish(), IsOk());
      EXPECT_EQ(Spell(InPieces(*BarBuilder::ForQuotes(options), ticks.Quotes(), seed)),
                Spell(whole.Take()));
    }
  }
}

TEST(BarsTest, FinerBarsMakeTheSameBars) {
  const RandomTicks ticks = MakeTicks(5000, 3, false);
  const Bars direct = Whole(Rule("15m"), ticks.Trades());
  const Bars fine = Whole(Rule("1m"), ticks.Trades());
  BarBuilder builder = *BarBuilder::ForCandles(Rule("15m"));
  ASSERT_THAT(builder.Add(CandleColumns{fine.timestamp, fine.open, fine.high, fine.low, fine.close,
                                        fine.volume, fine.vwap, fine.n_ticks}),
              IsOk());
  ASSERT_THAT(builder.Finish(), IsOk());
  const Bars coarse = builder.Take();
  EXPECT_EQ(coarse.timestamp, direct.timestamp);
  EXPECT_EQ(coarse.open, direct.open);
  EXPECT_EQ(coarse.high, direct.high);
  EXPECT_EQ(coarse.low, direct.low);
  EXPECT_EQ(coarse.close, direct.close);
  EXPECT_EQ(coarse.n_ticks, direct.n_ticks);
  for (std::size_t i = 0; i < direct.size(); ++i) {
    EXPECT_NEAR(coarse.volume[i], direct.volume[i], 1e-9 * direct.volume[i]);
    EXPECT_NEAR(coarse.vwap[i], direct.vwap[i], 1e-9 * direct.vwap[i]);
  }
}

TEST(BarsTest, FillsGapsOnlyWhenAsked) {
  const std::vector<std::int64_t> ts{0, 180'000'000'000};
  const std::vector<double> price{5, 7}, size{1, 2};
  EXPECT_THAT(Whole(Rule("1m"), {ts, price, size}).timestamp, ElementsAre(0, 180'000'000'000));
  BarOptions options = Rule("1m");
  options.fill = BarFill::kPrevious;
  const Bars previous = Whole(options, {ts, price, size});
  EXPECT_THAT(previous.timestamp, ElementsAre(0, 60'000'000'000, 120'000'000'000, 180'000'000'000));
  EXPECT_THAT(previous.open, ElementsAre(5, 5, 5, 7));
  EXPECT_THAT(previous.volume, ElementsAre(1, 0, 0, 2));
  EXPECT_THAT(previous.n_ticks, ElementsAre(1, 0, 0, 1));
  EXPECT_TRUE(std::isnan(previous.vwap[1]));
  options.fill = BarFill::kNull;
  options.label = BarLabel::kRight;
  const Bars null = Whole(options, {ts, price, size});
  EXPECT_EQ(null.timestamp[1], 120'000'000'000);
  EXPECT_TRUE(std::isnan(null.close[1]));
  options = Rule("5tick");
  options.fill = BarFill::kNull;
  EXPECT_THAT(BarBuilder::ForTrades(options),
              IsError(ErrorCode::kInvalidArgument, HasSubstr("no gaps")));
}

TEST(BarsTest, TooManyFilledBarsAreRefused) {
  BarOptions options = Rule("1s");
  options.fill = BarFill::kNull;
  BarBuilder builder = *BarBuilder::ForTrades(options);
  const std::vector<std::int64_t> ts{kMin, 0};
  const std::vector<double> price{5, 7};
  ASSERT_THAT(builder.Add(TradeColumns{ts, price, {}}), IsOk());
  EXPECT_THAT(builder.Finish(), IsError(ErrorCode::kResourceExhausted));
}

TEST(BarsTest, SessionsClipAndDrop) {
  BarOptions options = Rule("1m");
  constexpr std::int64_t kSecond = 1'000'000'000;
  options.ranges = {{30 * kSecond, 120 * kSecond, 0}, {300 * kSecond, 330 * kSecond, 1}};
  std::vector<std::int64_t> ts;
  std::vector<double> price;
  for (std::int64_t second = 0; second < 400; second += 10) {
    ts.push_back(second * kSecond);
    price.push_back(static_cast<double>(second));
  }
  BarBuilder builder = *BarBuilder::ForTrades(options);
  ASSERT_THAT(builder.Add(TradeColumns{ts, price, {}}), IsOk());
  ASSERT_THAT(builder.Finish(), IsOk());
  const Bars bars = builder.Take();
  EXPECT_THAT(bars.timestamp, ElementsAre(30 * kSecond, 90 * kSecond, 300 * kSecond));
  EXPECT_THAT(bars.close, ElementsAre(80, 110, 320));
  EXPECT_EQ(builder.rows_outside_ranges(), 40 - 6 - 3 - 3);
  options.rule = *ParseBarRule("7tick");  // bars of rows begin anew with each trading day
  EXPECT_THAT(Whole(options, {ts, price, {}}).n_ticks, ElementsAre(7, 2, 3));
  options.keep_partial = false;
  EXPECT_THAT(Whole(options, {ts, price, {}}).n_ticks, ElementsAre(7));
}

TEST(BarsTest, SmallAndExtremeInput) {
  EXPECT_EQ(Whole(Rule("1m"), {}).size(), 0u);
  const std::vector<std::int64_t> one{7};
  const std::vector<double> price{5}, size{2};
  EXPECT_THAT(Whole(Rule("1m"), {one, price, size}).vwap, ElementsAre(5));
  EXPECT_THAT(Whole(Rule("3tick"), {one, price, size}).n_ticks, ElementsAre(1));
  const std::vector<std::int64_t> ends{kMin, kMin, -1, 0, kMax, kMax};
  const std::vector<double> prices{1, 2, 3, 4, 5, 6};
  for (const char* rule : {"1s", "1d", "1w", "1month", "12000month"}) {
    for (const BarLabel label : {BarLabel::kLeft, BarLabel::kRight}) {
      BarOptions options = Rule(rule);
      options.label = label;
      const Bars bars = Whole(options, {ends, prices, {}});
      EXPECT_EQ(bars.open.front(), 1) << rule;
      EXPECT_EQ(bars.close.back(), 6) << rule;
    }
  }
  const std::vector<double> none{kNaN};
  BarBuilder builder = *BarBuilder::ForTrades(Rule("1m"));
  ASSERT_THAT(builder.Add(TradeColumns{one, none, size}), IsOk());
  ASSERT_THAT(builder.Finish(), IsOk());
  EXPECT_EQ(builder.Take().size(), 0u);
  EXPECT_EQ(builder.unpriced_rows(), 1);
}

TEST(BarsTest, RefusesAndNamesTheRow) {
  const std::vector<std::int64_t> ts{1, 2, 3}, unsorted{1, 3, 2};
  const std::vector<double> price{1, 1, 1}, size{0, 1, -1}, two{1, 1};
  const auto add = [](const TradeColumns& rows, const char* rule = "1m") {
    BarBuilder builder = *BarBuilder::ForTrades(Rule(rule));
    const std::vector<std::int64_t> before{0, 1};
    const std::vector<double> ones{1, 1};
    if (!rows.size.empty()) {
      EXPECT_THAT(builder.Add(TradeColumns{before, ones, ones}), IsOk());
    }
    return builder.Add(rows);
  };
  EXPECT_THAT(add({unsorted, price, {}}),
              IsError(ErrorCode::kInvalidArgument, HasSubstr("row 2 is out of order")));
  EXPECT_THAT(add({ts, price, size}),
              IsError(ErrorCode::kInvalidArgument, HasSubstr("row 4 has a negative size")));
  const std::vector<std::int64_t> early{0, 2, 3};
  EXPECT_THAT(add({early, price, price}),
              IsError(ErrorCode::kInvalidArgument, HasSubstr("row 2 is out of order")));
  EXPECT_THAT(add({ts, two, {}}), IsError(ErrorCode::kInvalidArgument, HasSubstr("length")));
  EXPECT_THAT(add({ts, price, {}}, "5vol"),
              IsError(ErrorCode::kInvalidArgument, HasSubstr("sizes")));
  BarBuilder quotes = *BarBuilder::ForQuotes(Rule("1m"));
  EXPECT_THAT(quotes.Add(TradeColumns{ts, price, {}}), IsError(ErrorCode::kInvalidArgument));
  EXPECT_THAT(BarBuilder::ForQuotes(Rule("5vol")), IsError(ErrorCode::kInvalidArgument));
}

}  // namespace
}  // namespace lamina::series
