#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "lamina/io/env.h"
#include "lamina/io/temporary_folder.h"
#include "lamina/tick_log/group_draft.h"
#include "lamina/tick_log/live_buffer.h"
#include "lamina/tick_log/log_reader.h"
#include "lamina/tick_log/log_recovery.h"
#include "lamina/tick_log/tick_test_support.h"
#include "lamina/tick_log/tick_writer.h"

namespace lamina::tick_log {
namespace {

constexpr std::size_t kBatch = 1000;

/// With the tests everything runs once and small; LAMINA_BENCH_FULL=1 asks for the real sizes.
const bool kFull = std::getenv("LAMINA_BENCH_FULL") != nullptr;

/// A benchmark that cannot be set up stops, and says why.
template <class Outcome>
void Require(const Outcome& outcome) {
  if (outcome.ok()) return;
  std::fprintf(stderr, "%s\n", std::string(outcome.error().message()).c_str());
  std::abort();
}

/// One tick of each of `contracts`, round after round: as a recorder of many contracts sends them.
TickBatches Mixed(std::size_t rows, std::int64_t contracts, std::int64_t begin_ns,
                  std::int64_t step_ns) {
  TickBatches ticks = test::Trades(rows, 1, begin_ns, step_ns);
  for (std::size_t i = 0; i < rows; ++i) {
    ticks[0].contract_id[i] = 1 + static_cast<std::int64_t>(i) % contracts;
  }
  return ticks;
}

std::unique_ptr<TickWriter> OpenWriter(const std::string& root, const LogOptions& options = {}) {
  auto writer = TickWriter::Open(io::PosixEnv(), root, test::StoreId(), 1, options);
  Require(writer);
  return *std::move(writer);
}

double Middle(std::vector<double>& values, double part) {
  const auto at = static_cast<std::ptrdiff_t>(static_cast<double>(values.size() - 1) * part);
  std::nth_element(values.begin(), values.begin() + at, values.end());
  return values[static_cast<std::size_t>(at)];
}

/// A bare loop over a file that was filled before, and durable appends of as many bytes, in turns.
void BM_DurableAppend(benchmark::State& state) {
  const io::TemporaryFolder folder;
  const auto contracts = static_cast<std::int64_t>(state.range(0));
  const TickBatches ticks = Mixed(kBatch, contracts, test::kStart, 1'000'000);
  const RowPositions positions = *PositionsOf(ticks, {});
  const std::string bytes =
      DraftBinaryGroup(ticks, positions, FindRuns(ticks, positions), {})->bytes;
  const auto bare = *io::PosixEnv().OpenPlaced(folder.File("bare"), io::Env::Place::kNew);
  const std::int64_t room = std::int64_t{64} << 20;
  if (!bare->WriteAt(0, std::string(static_cast<std::size_t>(room), '\0')).ok() ||
      !bare->Sync().ok()) {
    std::abort();
  }
  const auto writer = OpenWriter(folder.path());
  std::int64_t at = 0, appended = 0;
  std::vector<double> bare_us, log_us;
  const auto microseconds = [](auto work) {
    const auto begin = std::chrono::steady_clock::now();
    if (!work()) std::abort();
    return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begin)
        .count();
  };
  for (auto _ : state) {
    for (int i = 0; i < 20; ++i) {
      if (at + std::ssize(bytes) > room) at = 0;
      bare_us.push_back(
          microseconds([&] { return bare->WriteAt(at, bytes).ok() && bare->Sync().ok(); }));
      at += std::ssize(bytes);
    }
    for (int i = 0; i < 20; ++i) {
      TickBatches copy = ticks;
      log_us.push_back(microseconds([&] { return writer->Append(std::move(copy)).ok(); }));
      appended += kBatch;
    }
  }
  const auto mean = [](const std::vector<double>& values) {
    double sum = 0;
    for (const double value : values) sum += value;
    return sum / static_cast<double>(values.size());
  };
  state.counters["bytes_per_tick"] = static_cast<double>(bytes.size()) / kBatch;
  state.counters["bare_rows_per_s"] = kBatch / mean(bare_us) * 1e6;
  state.counters["log_rows_per_s"] = kBatch / mean(log_us) * 1e6;
  state.counters["share_of_bare"] = mean(bare_us) / mean(log_us);
  state.counters["p50_us"] = Middle(log_us, 0.5);
  state.counters["bare_p50_us"] = Middle(bare_us, 0.5);
  state.counters["p99_us"] = Middle(log_us, 0.99);
  state.counters["bare_p99_us"] = Middle(bare_us, 0.99);
  state.counters["syncs_per_1000"] =
      static_cast<double>(writer->counts().syncs) * 1000 / static_cast<double>(appended);
  if (writer->counts().durable != appended || !writer->Close().ok()) {
    state.SkipWithError("not everything is durable");
  }
}
BENCHMARK(BM_DurableAppend)->Arg(1)->Arg(100)->Arg(1000);

/// What the processor does for an append, without the disk.
void BM_Draft(benchmark::State& state) {
  const TickBatches ticks =
      Mixed(kBatch, static_cast<std::int64_t>(state.range(0)), test::kStart, 1'000'000);
  for (auto _ : state) {
    const RowPositions positions = *PositionsOf(ticks, {});
    benchmark::DoNotOptimize(DraftBinaryGroup(ticks, positions, FindRuns(ticks, positions), {}));
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * kBatch));
}
BENCHMARK(BM_Draft)->Arg(1)->Arg(100)->Arg(1000);

const std::int64_t kContracts = 100, kPerSecond = 100, kSeconds = kFull ? 300 : 3;

/// Five minutes of 100 contracts with 100 ticks a second each, in batches of 1,000.
void FillFiveMinutes(TickWriter& writer) {
  const std::int64_t rows = kContracts * kPerSecond * kSeconds;
  const std::int64_t step = test::kSecond / (kContracts * kPerSecond);
  for (std::int64_t row = 0; row < rows; row += kBatch) {
    Require(writer.Append(Mixed(kBatch, kContracts, test::kStart + row * step, step)));
  }
}

/// All five minutes of one contract, from the reader of another process: a new one, or one that
/// has read before.
void BM_ReadFromLog(benchmark::State& state) {
  const io::TemporaryFolder folder;
  const bool fresh = state.range(0) != 0;
  LogOptions options;
  options.durability = Durability::kOs;
  const auto writer = OpenWriter(folder.path(), options);
  FillFiveMinutes(*writer);
  Require(writer->Flush());
  auto reader = std::make_unique<LogReader>(io::PosixEnv(), folder.path(), test::StoreId());
  const std::int64_t contract = 42;
  for (auto _ : state) {
    if (fresh) {
      state.PauseTiming();
      reader = std::make_unique<LogReader>(io::PosixEnv(), folder.path(), test::StoreId());
      state.ResumeTiming();
    }
    const auto read = reader->Read(1, 0, INT64_MAX, {.contracts = {&contract, 1}});
    if (!read.ok() || std::ssize((*read)[0].ts_ns) != kPerSecond * kSeconds) {
      state.SkipWithError("not the ticks that were appended");
      return;
    }
  }
}
BENCHMARK(BM_ReadFromLog)->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond);

void BM_ReadFromLiveBuffer(benchmark::State& state) {
  const io::TemporaryFolder folder;
  LogOptions options;
  options.durability = Durability::kOs;
  const auto writer = OpenWriter(folder.path(), options);
  FillFiveMinutes(*writer);
  for (auto _ : state) {
    const LiveTicks read = writer->live().Read(42, TickType::kLast, INT64_MIN, INT64_MAX);
    if (std::ssize(read.ticks.ts_ns) != kPerSecond * kSeconds) {
      state.SkipWithError("not the ticks that were appended");
      return;
    }
  }
}
BENCHMARK(BM_ReadFromLiveBuffer)->Unit(benchmark::kMillisecond);

/// A log of 1 GiB (or 8 MiB) after a kill: one segment, every group checked.
void BM_Recovery(benchmark::State& state) {
  const io::TemporaryFolder folder;
  const std::int64_t bytes = std::int64_t{kFull ? 1024 : 8} << 20;
  {
    LogOptions options;
    options.durability = Durability::kOs;
    options.segment_bytes = 2 * bytes;
    options.log_max_bytes = 4 * bytes;
    options.buffer_minutes = 0;
    // The first segment is small: the next one takes the rest.
    const auto writer = OpenWriter(folder.path(), options);
    while (writer->counts().bytes < bytes) {
      Require(writer->Append(test::Trades(100'000)));
    }
    Require(writer->Flush());
    std::string copy = "cp -r '" + folder.path() + "/log' '" + folder.path() + "/killed'";
    if (std::system(copy.c_str()) != 0) std::abort();
  }
  const std::string root = folder.File("again");
  for (auto _ : state) {
    state.PauseTiming();
    const std::string copy = "rm -rf '" + root + "'; mkdir '" + root + "'; cp -r '" +
                             folder.path() + "/killed' '" + root + "/log'";
    if (std::system(copy.c_str()) != 0) std::abort();
    state.ResumeTiming();
    const auto recovered = RecoverLog(io::PosixEnv(), root, test::StoreId(), 1);
    if (!recovered.ok() || !recovered->empty()) state.SkipWithError("not recovered");
  }
}
BENCHMARK(BM_Recovery)->Unit(benchmark::kMillisecond)->Iterations(2);

}  // namespace
}  // namespace lamina::tick_log
