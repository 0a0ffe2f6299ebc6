#include <cstdint>
#include <random>
#include <string>

#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include "lamina/base/check.h"
#include "lamina/catalog/catalog.h"
#include "lamina/io/temporary_folder.h"
#include "lamina/ticks/archive.h"
#include "lamina/ticks/fold_days.h"

namespace lamina::ticks {
namespace {

/// Quotes of `contracts` interleaved, as a log has them: one each millisecond, a walk by quarters.
TickBatches Quotes(std::int64_t rows, std::int64_t contracts, std::int64_t first) {
  std::mt19937_64 random(static_cast<std::uint64_t>(first) + 1);
  TickBatches batches;
  TickBatch& ticks = batches[static_cast<std::size_t>(TickKind::kQuotes)];
  ticks.kind = TickKind::kQuotes;
  batches[2].kind = TickKind::kMidpoints;
  std::vector<double> price(static_cast<std::size_t>(contracts), 5000);
  for (std::int64_t i = 0; i < rows; ++i) {
    const std::int64_t contract = static_cast<std::int64_t>(random()) % contracts;
    double& bid = price[static_cast<std::size_t>(contract < 0 ? contract + contracts : contract)];
    bid += (static_cast<double>(random() % 3) - 1) * 0.25;
    ticks.contract_id.push_back(1 + (contract < 0 ? contract + contracts : contract));
    ticks.type.push_back(TickType::kBidAsk);
    ticks.ts_ns.push_back(1'719'878'400'000'000'000 + (first + i) * 1'000'000);
    ticks.recv_ns.push_back(ticks.ts_ns.back() + static_cast<std::int64_t>(random() % 900'000));
    ticks.writer.push_back(1);
    ticks.seq.push_back(first + i);
    ticks.values[0].push_back(bid);
    ticks.values[1].push_back(static_cast<double>(1 + random() % 40));
    ticks.values[2].push_back(bid + 0.25);
    ticks.values[3].push_back(static_cast<double>(1 + random() % 40));
  }
  return batches;
}

/// Archive `parts` times `rows` quotes, then fold their day: rows/s of each and of both.
void BM_ArchiveAndFold(benchmark::State& state) {
  const std::int64_t rows = state.range(0), parts = state.range(1);
  std::int64_t archived = 0;
  double archive_ns = 0, fold_ns = 0, bytes = 0;
  io::Env& env = io::PosixEnv();
  for (auto _ : state) {
    io::TemporaryFolder folder;
    const std::string root = folder.File("store");
    LAMINA_CHECK(env.CreateDirectories(root).ok());
    LAMINA_CHECK(catalog::Catalog::Create(env, root, RandomUuid4()).ok());
    auto catalog = *catalog::Catalog::Open(env, root);
    LAMINA_CHECK(CreateTickTables(*catalog).ok());
    for (std::int64_t part = 0; part < parts; ++part) {
      TickBatches ticks = Quotes(rows, 20, part * rows);
      const Nanos begin = env.Monotonic();
      const auto done = ArchiveTicks(*catalog, std::move(ticks), std::nullopt);
      LAMINA_CHECK(done.ok());
      archive_ns += static_cast<double>(env.Monotonic().value - begin.value);
      archived += done->ticks;
    }
    const Nanos begin = env.Monotonic();
    const auto folded = FoldTickDays(*catalog, {});
    fold_ns += static_cast<double>(env.Monotonic().value - begin.value);
    LAMINA_CHECK(folded.ok() && folded->rows == rows * parts);
    bytes = static_cast<double>(folded->bytes_after) / static_cast<double>(folded->rows);
  }
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto count = static_cast<double>(archived) * 1e9;
  state.counters["archive_per_s"] = count / archive_ns;
  state.counters["fold_per_s"] = count / fold_ns;
  state.counters["both_per_s"] = count / (archive_ns + fold_ns);
  state.counters["bytes_a_tick"] = bytes;
  state.counters["peak_mb"] = static_cast<double>(usage.ru_maxrss) / 1024;
}
BENCHMARK(BM_ArchiveAndFold)->Args({20'000, 2})->Args({500'000, 4})->Iterations(1);

}  // namespace
}  // namespace lamina::ticks
