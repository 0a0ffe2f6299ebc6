// Bundles of production shape: 7 runs of 2,192 hourly snapshots. The documents are made here: what
// counts is their number of values and bytes, not what they say.

#include <benchmark/benchmark.h>

#include "lamina/bundle/bundle_file.h"
#include "lamina/bundle/layout.h"
#include "lamina/bundle/msgpack.h"
#include "lamina/bundle/scan.h"

namespace lamina::bundle {
namespace {

constexpr std::uint32_t kRuns = 7;
constexpr std::uint32_t kSnapshots = 2'192;
constexpr std::uint32_t kInlinePoints = 8 * kSnapshots;  // version 1 keeps eight series inline

void WriteSnapshot(Writer& w, std::uint32_t i) {
  constexpr const char* kNumbers[] = {"pending_value", "unallocated", "total_net_gain",
                                      "total_revenue", "total_cost",  "cash_flow",
                                      "net_size",      "total_value"};
  w.MapHeader(12);
  w.String("metadata"), w.MapHeader(0);
  w.String("portfolio_id"), w.String("bitvavo");
  w.String("trading_symbol"), w.String("EUR");
  w.String("created_at"), w.String("2023-01-01T00:00:00+00:00");
  for (const char* name : kNumbers) w.String(name), w.Double(1000.0 + i * 0.37);
}

std::string ProductionDocument(bool inline_series) {
  std::string out;
  Writer w(out);
  w.MapHeader(inline_series ? 2 : 4);
  w.String("format_version"), w.Int(inline_series ? 1 : 2);
  if (inline_series) w.String("backtest"), w.MapHeader(2);
  if (!inline_series) w.String("engine_type"), w.String("vector");
  w.String(inline_series ? "backtest_runs" : "vector_runs"), w.ArrayHeader(kRuns);
  for (std::uint32_t run = 0; run < kRuns; ++run) {
    w.MapHeader(2);
    w.String("backtest_metrics"), w.MapHeader(1), w.String("equity_curve");
    w.ArrayHeader(inline_series ? kInlinePoints : 0);
    for (std::uint32_t i = 0; inline_series && i < kInlinePoints; ++i) {
      w.ArrayHeader(2), w.Double(i * 1.7), w.String("2023-01-01T00:00:00+00:00");
    }
    w.String("portfolio_snapshots"), w.ArrayHeader(kSnapshots);
    for (std::uint32_t i = 0; i < kSnapshots; ++i) WriteSnapshot(w, i);
  }
  w.String(inline_series ? "backtest_summary" : "vector_metrics"), w.MapHeader(1);
  w.String("sharpe_ratio"), w.Double(1.5);
  return out;
}

void BM_Parse(benchmark::State& state) {
  const std::string bytes = ProductionDocument(state.range(0) != 0);
  std::size_t nodes = 0;
  for (auto _ : state) {
    auto document = Document::Parse(bytes);
    nodes = document->node_count();
    benchmark::DoNotOptimize(document);
  }
  state.counters["nodes"] = static_cast<double>(nodes);
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * bytes.size()));
}

void BM_Outline(benchmark::State& state) {
  const std::string bytes = ProductionDocument(state.range(0) != 0);
  for (auto _ : state) benchmark::DoNotOptimize(Document::ParseOutline(bytes));
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * bytes.size()));
}

void BM_Scan(benchmark::State& state) {
  const bool inline_series = state.range(0) != 0;
  const auto file = WriteBundle(inline_series ? 1 : 2, ProductionDocument(inline_series), 3);
  for (auto _ : state) {
    const auto scan = ScanBundle(*file);
    if (!scan.ok() || scan->summaries.size() != 1 || scan->summaries[0].run_count != kRuns) {
      state.SkipWithError("the scan is wrong");
    }
    benchmark::DoNotOptimize(scan);
  }
}

BENCHMARK(BM_Parse)->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_Outline)->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_Scan)->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace lamina::bundle
