#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <arrow/api.h>
#include <benchmark/benchmark.h>

#include "lamina/catalog/catalog.h"
#include "lamina/catalog/statistics_check.h"
#include "lamina/catalog/verify.h"
#include "lamina/table/lake_type.h"
#include "lamina/table/parquet_file.h"

// What `verify --deep` does, by CPU time of all threads, so that rates are those of one core. The
// answers are checked: nothing is found, and after a byte was changed that is.

namespace lamina::catalog {
namespace {

using table::LakeType;

constexpr std::int64_t kChunks = 16;
constexpr std::int64_t kChunkBytes = 8 << 20;
constexpr std::int64_t kRows = 1'000'000;

std::uint64_t Mixed(std::uint64_t seed) {
  seed = (seed ^ (seed >> 30)) * 0xBF58476D1CE4E5B9ULL;
  seed = (seed ^ (seed >> 27)) * 0x94D049BB133111EBULL;
  return seed ^ (seed >> 31);
}

std::string Noise(std::int64_t length, std::uint64_t seed) {
  std::string bytes;
  for (std::int64_t i = 0; i < length / 8; ++i)
    AppendLittleEndian(bytes, Mixed(seed * 1'000'003 + static_cast<std::uint64_t>(i) * 977));
  return bytes;
}

/// Times, two prices with all their digits, a size, text of few values.
std::shared_ptr<arrow::Table> Rows() {
  arrow::TimestampBuilder times(arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"),
                                arrow::default_memory_pool());
  arrow::DoubleBuilder bids, asks;
  arrow::Int64Builder sizes;
  bool good = true;
  for (std::int64_t i = 0; i < kRows; ++i) {
    const auto mixed = Mixed(static_cast<std::uint64_t>(i) + 1);
    const double price = 100.0 + static_cast<double>(mixed >> 40) / (1 << 24);
    good = good && times.Append(1'700'000'000'000'000 + i * 1'000).ok() &&
           bids.Append(price).ok() && asks.Append(price * 1.0001).ok() &&
           sizes.Append(static_cast<std::int64_t>(mixed % 1'000)).ok();
  }
  if (!good) std::abort();
  return arrow::Table::Make(arrow::schema({table::MakeField("ts", LakeType::kTimestampTz, 1),
                                           table::MakeField("bid", LakeType::kDouble, 2),
                                           table::MakeField("ask", LakeType::kDouble, 3),
                                           table::MakeField("size", LakeType::kInt64, 4)}),
                            {*times.Finish(), *bids.Finish(), *asks.Finish(), *sizes.Finish()});
}

constexpr std::int64_t kRowBytes = kRows * 4 * 8;

class BenchStore {
 public:
  BenchStore() {
    std::string pattern = std::filesystem::temp_directory_path() / "lamina-bench-XXXXXX";
    folder_ = mkdtemp(pattern.data());
    if (!Catalog::Create(io::PosixEnv(), folder_, RandomUuid4()).ok()) std::abort();
    auto opened = Catalog::Open(io::PosixEnv(), folder_);
    if (!opened.ok()) std::abort();
    catalog_ = *std::move(opened);
  }
  ~BenchStore() {
    catalog_.reset();
    std::filesystem::remove_all(folder_);
  }

  Status PutChunks() {
    LAMINA_ASSIGN(const auto commit, catalog_->BeginCommit("chunks"));
    for (std::int64_t i = 0; i < kChunks; ++i) {
      const auto content = Noise(kChunkBytes, static_cast<std::uint64_t>(i) + 1);
      LAMINA_ASSIGN(const ChunkId id, commit->PutChunk(ChunkKind::kSeries, content));
      static_cast<void>(id);
    }
    LAMINA_ASSIGN(const auto done, commit->Finish([](Database&, LakeWriter&) { return Ok(); }));
    static_cast<void>(done);
    return Ok();
  }

  Status PutRows() {
    LakeTable table;
    const auto make = [&](Database&, LakeWriter& lake) -> Status {
      LAMINA_TRY(lake.CreateSchema("bench"));
      const std::vector<LakeColumn> columns = {{.name = "ts", .type = LakeType::kTimestampTz},
                                               {.name = "bid", .type = LakeType::kDouble},
                                               {.name = "ask", .type = LakeType::kDouble},
                                               {.name = "size", .type = LakeType::kInt64}};
      LAMINA_ASSIGN(table, lake.CreateTable("bench", "ticks", columns));
      return Ok();
    };
    LAMINA_ASSIGN(const auto first, catalog_->BeginCommit("table"));
    LAMINA_ASSIGN(const auto made, first->Finish(make));
    static_cast<void>(made);
    LAMINA_ASSIGN(const auto commit, catalog_->BeginCommit("rows"));
    LAMINA_ASSIGN(const std::string staged, commit->StageLakeFile());
    LAMINA_ASSIGN(auto written, table::WriteParquet(catalog_->env(), staged, *Rows()));
    LAMINA_TRY(commit->AddLakeFile(table, staged, std::move(written)));
    LAMINA_ASSIGN(const auto done, commit->Finish([](Database&, LakeWriter&) { return Ok(); }));
    static_cast<void>(done);
    return Ok();
  }

  /// Whether nothing is found now, and something in the first large file once it is damaged.
  bool AnswersRight() {
    const auto whole = VerifyCatalog(*catalog_, true);
    if (!whole.ok() || !whole->problems.empty()) return false;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_)) {
      const std::string path = entry.path();
      const bool stored = path.find("/chunks/") != path.npos || path.find("/lake/") != path.npos;
      if (!stored || entry.is_directory()) continue;
      std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
      file.seekg(1'000'000);
      const char byte = static_cast<char>(file.get());
      file.seekp(1'000'000);
      file.put(static_cast<char>(byte ^ 4));
      file.close();
      const auto damaged = VerifyCatalog(*catalog_, true);
      return damaged.ok() && !damaged->problems.empty();
    }
    return false;
  }

  Catalog& catalog() { return *catalog_; }

 private:
  std::string folder_;
  std::unique_ptr<Catalog> catalog_;
};

void VerifyWhole(benchmark::State& state, std::int64_t bytes,
                 const std::function<Status(BenchStore&)>& fill) {
  BenchStore store;
  if (!fill(store).ok()) return state.SkipWithError("the store could not be made");
  for (auto step : state) {
    const auto report = VerifyCatalog(store.catalog(), true);
    if (!report.ok() || !report->problems.empty()) state.SkipWithError("problems were found");
  }
  state.SetBytesProcessed(state.iterations() * bytes);
  if (!store.AnswersRight()) state.SkipWithError("damage was not found");
}

void BM_VerifyChunks(benchmark::State& state) {
  VerifyWhole(state, kChunks * kChunkBytes, [](BenchStore& store) { return store.PutChunks(); });
}
BENCHMARK(BM_VerifyChunks)->MeasureProcessCPUTime()->Unit(benchmark::kMillisecond);

/// Checksums, unpacking and statistics; bytes are those of the values.
void BM_VerifyRows(benchmark::State& state) {
  VerifyWhole(state, kRowBytes, [](BenchStore& store) { return store.PutRows(); });
}
BENCHMARK(BM_VerifyRows)->MeasureProcessCPUTime()->Unit(benchmark::kMillisecond);

/// Statistics alone, of rows that were read.
void BM_Statistics(benchmark::State& state) {
  const auto rows = Rows();
  const auto of = [](std::int64_t id, LakeType type, const char* min, const char* max) {
    StoredStatistics one;
    one.column_id = id;
    one.column = "c";
    one.type = type;
    one.value_count = kRows;
    one.null_count = 0;
    one.min_value = min;
    one.max_value = max;
    return one;
  };
  std::vector<StoredStatistics> stored = {
      of(1, LakeType::kTimestampTz, "2023-11-14 22:13:20+00", "2024-01-01 00:00:00+00"),
      of(2, LakeType::kDouble, "99.0", "102.0"), of(3, LakeType::kDouble, "99.0", "102.0"),
      of(4, LakeType::kInt64, "0", "999")};
  for (auto step : state) {
    const auto problems = StatisticsProblems(stored, *rows);
    if (!problems.ok() || !problems->empty()) state.SkipWithError("problems were found");
  }
  stored[3].max_value = "998";
  const auto problems = StatisticsProblems(stored, *rows);
  if (!problems.ok() || problems->size() != 1) state.SkipWithError("an untruth was not found");
  state.SetBytesProcessed(state.iterations() * kRowBytes);
}
BENCHMARK(BM_Statistics)->MeasureProcessCPUTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace lamina::catalog
