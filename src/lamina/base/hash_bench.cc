#include <string>

#include <benchmark/benchmark.h>

#include "lamina/base/hash.h"
#include "lamina/base/hash_internal.h"

namespace lamina {
namespace {

std::string Data(benchmark::State& state) {
  std::string data(static_cast<std::size_t>(state.range(0)), '\0');
  for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<char>(i * 7 + i / 251);
  return data;
}

void BM_Crc32c(benchmark::State& state) {
  const std::string data = Data(state);
  for (auto _ : state) benchmark::DoNotOptimize(Crc32c(data));
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_Crc32c)->Arg(16)->Arg(64)->Arg(1 << 10)->Arg(16 << 10)->Arg(1 << 20);

void BM_Crc32cPortable(benchmark::State& state) {
  const std::string data = Data(state);
  for (auto _ : state) benchmark::DoNotOptimize(internal::Crc32cPortable(data, 0));
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_Crc32cPortable)->Arg(16 << 10);

void BM_Sha256(benchmark::State& state) {
  const std::string data = Data(state);
  for (auto _ : state) benchmark::DoNotOptimize(Sha256(data));
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_Sha256)->Arg(64)->Arg(1 << 10)->Arg(1 << 20);

}  // namespace
}  // namespace lamina
