#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <random>
#include <vector>

#include <benchmark/benchmark.h>

#include "lamina/series/asof.h"
#include "lamina/series/bars.h"
#include "lamina/series/reference_test_support.h"
#include "lamina/series/tick_merge.h"
#include "lamina/series/windows.h"

namespace lamina::series {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

/// One row each 2 ms on average: a busy instrument's day has ten million.
std::vector<std::int64_t> SortedStamps(std::size_t rows, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<std::int64_t> ts(rows);
  std::int64_t now = 1'700'000'000 * kSecond;
  for (std::int64_t& stamp : ts) {
    now += static_cast<std::int64_t>(random() % 4'000'000);
    stamp = now;
  }
  return ts;
}

std::vector<double> Walk(std::size_t rows, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<double> values(rows);
  double value = 100;
  for (double& out : values) {
    value += (static_cast<double>(random() % 5) - 2) * 0.01;
    out = value;
  }
  return values;
}

/// The answer is checked once, before the clock starts.
void BM_TradeBars(benchmark::State& state, const char* rule, bool check) {
  const auto rows = static_cast<std::size_t>(state.range(0));
  const std::vector<std::int64_t> ts = SortedStamps(rows, 1);
  const std::vector<double> price = Walk(rows, 2), size = Walk(rows, 3);
  const BarOptions options{.rule = *ParseBarRule(rule)};
  const auto build = [&] {
    BarBuilder builder = *BarBuilder::ForTrades(options);
    if (!builder.Add(TradeColumns{ts, price, size}).ok() || !builder.Finish().ok()) std::abort();
    return builder.Take();
  };
  if (check) {
    std::vector<std::pair<std::size_t, std::size_t>> stretches;
    std::vector<std::int64_t> labels;
    ReferenceStretches(ts, options.rule.period_ns, stretches, labels);
    if (Spell(build()) != Spell(ReferenceTradeBars({ts, price, size}, stretches, labels))) {
      state.SkipWithError("bars differ from the reference");
      return;
    }
  }
  for (auto _ : state) benchmark::DoNotOptimize(build());
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK_CAPTURE(BM_TradeBars, minutes, "1m", true)
    ->Arg(10'000'000)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_TradeBars, seconds, "1s", true)
    ->Arg(10'000'000)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_TradeBars, ticks, "100tick", false)
    ->Arg(1'000'000)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_TradeBars, volume, "10000vol", false)
    ->Arg(1'000'000)
    ->Unit(benchmark::kMillisecond);

void BM_QuoteBars(benchmark::State& state) {
  const auto rows = static_cast<std::size_t>(state.range(0));
  const std::vector<std::int64_t> ts = SortedStamps(rows, 1);
  const std::vector<double> bid = Walk(rows, 2), ask = Walk(rows, 3);
  for (auto _ : state) {
    BarBuilder builder = *BarBuilder::ForQuotes({.rule = *ParseBarRule("1m")});
    if (!builder.Add(QuoteColumns{ts, bid, ask}).ok() || !builder.Finish().ok()) std::abort();
    benchmark::DoNotOptimize(builder.Take());
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_QuoteBars)->Arg(1'000'000)->Unit(benchmark::kMillisecond);

/// Items are left rows; as many quotes as trades.
void BM_Asof(benchmark::State& state, AsofDirection direction, std::uint32_t keys) {
  const auto rows = static_cast<std::size_t>(state.range(0));
  const std::vector<std::int64_t> left = SortedStamps(rows, 1), right = SortedStamps(rows, 2);
  std::vector<std::uint32_t> left_keys, right_keys;
  std::mt19937_64 random(4);
  for (std::size_t i = 0; keys > 1 && i < rows; ++i) {
    left_keys.push_back(static_cast<std::uint32_t>(random() % keys));
    right_keys.push_back(static_cast<std::uint32_t>(random() % keys));
  }
  std::vector<std::int64_t> matches(rows);
  const AsofOptions options{.direction = direction};
  for (auto _ : state) {
    if (!AsofJoin({{left}, left_keys}, {{right}, right_keys}, options, matches).ok()) std::abort();
    benchmark::DoNotOptimize(matches.data());
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
  for (std::size_t i = 0; keys == 1 && i < rows; i += 997) {
    if (direction != AsofDirection::kBackward) break;
    const auto after = std::upper_bound(right.begin(), right.end(), left[i]) - right.begin();
    if (matches[i] != after - 1) state.SkipWithError("a match is wrong");
  }
}
BENCHMARK_CAPTURE(BM_Asof, backward, AsofDirection::kBackward, 1)
    ->Arg(5'000'000)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_Asof, nearest, AsofDirection::kNearest, 1)
    ->Arg(1'000'000)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_Asof, by_100_keys, AsofDirection::kBackward, 100)
    ->Arg(1'000'000)
    ->Unit(benchmark::kMillisecond);

void BM_Merge(benchmark::State& state) {
  const auto inputs = static_cast<std::uint32_t>(state.range(0));
  const std::size_t rows = 10'000'000 / inputs;
  std::vector<std::vector<std::int64_t>> ts;
  for (std::uint32_t i = 0; i < inputs; ++i) ts.push_back(SortedStamps(rows, i));
  std::vector<MergedRow> out(8192);
  for (auto _ : state) {
    TickMerge merge(inputs);
    for (std::uint32_t i = 0; i < inputs; ++i) {
      if (!merge.Push(i, {ts[i]}).ok()) std::abort();
      merge.Finish(i);
    }
    std::size_t total = 0;
    std::int64_t last = INT64_MIN;
    bool sorted = true;
    for (bool done = false; !done;) {
      const TickMerge::Progress progress = merge.Next(out);
      total += progress.rows;
      done = progress.done;
      for (std::size_t i = 0; i < progress.rows; i += 64) {
        const std::int64_t stamp = ts[out[i].input][static_cast<std::size_t>(out[i].row)];
        sorted = sorted && stamp >= last;
        last = stamp;
      }
    }
    if (!sorted || total != rows * inputs) state.SkipWithError("the merge is wrong");
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(rows * inputs));
}
BENCHMARK(BM_Merge)->Arg(2)->Arg(100)->Unit(benchmark::kMillisecond);

void BM_Rolling(benchmark::State& state) {
  const std::size_t rows = 1'000'000;
  const std::vector<std::int64_t> ts = SortedStamps(rows, 1);
  const std::vector<double> price = Walk(rows, 2);
  std::vector<WindowRows> windows(rows);
  for (auto _ : state) {
    Rolling rolling = *Rolling::Make({.rows = state.range(0)}, 1, false);
    const std::span<const double> values[] = {price};
    if (!rolling.Add(ts, values, windows).ok()) std::abort();
    double sum = 0;
    for (const WindowRows& window : windows)
      sum += rolling.column(0).Over(window.begin, window.end).sum;
    benchmark::DoNotOptimize(sum);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(rows));
}
BENCHMARK(BM_Rolling)->Arg(20)->Arg(10'000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace lamina::series
