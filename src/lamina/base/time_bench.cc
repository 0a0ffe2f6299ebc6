#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "lamina/base/time.h"

namespace lamina {
namespace {

/// Hours one after the other, as equity curves have them.
std::vector<std::string> Texts(std::int64_t fraction) {
  std::vector<std::string> texts;
  for (std::int64_t hour = 0; hour < 4096; ++hour) {
    texts.push_back(FormatTime(Micros{1'600'000'000'000'000 + hour * 3'600'000'000 + fraction}));
  }
  return texts;
}

void BM_ParseSpelledTime(benchmark::State& state) {
  const std::vector<std::string> texts = Texts(state.range(0));
  std::size_t i = 0;
  for (auto _ : state) benchmark::DoNotOptimize(ParseSpelledTime(texts[i++ & 4095]));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_ParseSpelledTime)->Arg(0)->Arg(123'456);

void BM_ParseTime(benchmark::State& state) {
  const std::vector<std::string> texts = Texts(state.range(0));
  std::size_t i = 0;
  for (auto _ : state) benchmark::DoNotOptimize(ParseTime(texts[i++ & 4095]));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_ParseTime)->Arg(0)->Arg(123'456);

void BM_AppendTime(benchmark::State& state) {
  std::string out;
  out.reserve(1 << 16);
  std::int64_t micros = 1'600'000'000'000'000 + state.range(0);
  for (auto _ : state) {
    if (out.size() > (1 << 16) - 64) out.clear();
    AppendTime(out, Micros{micros += 3'600'000'000}, {});
  }
  benchmark::DoNotOptimize(out.data());
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_AppendTime)->Arg(0)->Arg(123'456);

void BM_FormatLakeTime(benchmark::State& state) {
  std::int64_t micros = 1'600'000'000'000'000;
  for (auto _ : state) benchmark::DoNotOptimize(FormatLakeTime(Micros{micros += 3'600'000'000}));
}
BENCHMARK(BM_FormatLakeTime);

}  // namespace
}  // namespace lamina
