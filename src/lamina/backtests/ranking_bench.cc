// Top lists over synthetic rank tables, in one process with a warm page cache.

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <random>
#include <string>

#include <benchmark/benchmark.h>

#include "lamina/backtests/index_table.h"
#include "lamina/backtests/ranking.h"
#include "lamina/base/check.h"
#include "lamina/catalog/migrations.h"

namespace lamina::backtests {
namespace {

/// A catalog with `rows` rows of plausible metrics, made once per size and process.
class RankTable {
 public:
  explicit RankTable(std::int64_t rows) {
    std::string pattern = std::filesystem::temp_directory_path() / "lamina-rank-XXXXXX";
    folder_ = mkdtemp(pattern.data());
    auto opened = catalog::Database::Open(path(), catalog::OpenMode::kCreate);
    LAMINA_CHECK(opened.ok());
    database_ = *std::move(opened);
    LAMINA_CHECK(catalog::MigrateCatalog(*database_, "bench", Micros{0}).ok());
    std::mt19937_64 random(20240601);
    std::normal_distribution<double> normal;
    const auto filled = database_->Transact([&]() -> Status {
      for (std::int64_t i = 0; i < rows; ++i) {
        IndexRow row;
        row.bundle_path = "sweep/momentum_" + std::to_string(i);
        row.algorithm_id = "momentum_" + std::to_string(i);
        row.tag = "sweep_" + std::to_string(i % 7);
        row.engine = "vector";
        row.risk_free_rate = 0.027;
        row.number_of_runs = 3;
        row.parameters_json = "{\"fast\": " + std::to_string(i % 50) +
                              ", \"slow\": " + std::to_string(50 + i % 200) + ", \"stop\": 0.05}";
        row.strategy_ids_json = "[\"momentum\"]";
        row.has_summary = true;
        for (std::size_t field = 0; field < kSummaryFieldCount; ++field) {
          if (kSummaryFields[field].integer) {
            row.summary[field] = static_cast<std::int64_t>(random() % 500);
          } else if (random() % 20 != 0) {
            row.summary[field] = normal(random);
          }
        }
        IndexPlace place;
        place.backtest_id = i + 1;
        LAMINA_TRY(InsertIndexRow(*database_, row, place));
      }
      return Ok();
    });
    LAMINA_CHECK(filled.ok());
    LAMINA_CHECK(database_->Checkpoint().ok());
  }
  ~RankTable() {
    database_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  RankTable(const RankTable&) = delete;
  RankTable& operator=(const RankTable&) = delete;

  std::string path() const { return folder_ + "/catalog.sqlite"; }
  catalog::Database& database() { return *database_; }

  static RankTable& Of(std::int64_t rows) {
    static std::unique_ptr<RankTable> small, large;
    auto& table = rows > 100000 ? large : small;
    if (table == nullptr) table = std::make_unique<RankTable>(rows);
    return *table;
  }

 private:
  std::string folder_;
  std::unique_ptr<catalog::Database> database_;
};

RankQuery TopBy(const std::string& metric, const std::string& where) {
  RankQuery query;
  query.by = metric;
  query.limit = 20;
  query.rows.where = where;
  return query;
}

void RunTop(benchmark::State& state, const RankQuery& query) {
  RankTable& table = RankTable::Of(state.range(0));
  for (auto _ : state) {
    const auto rows = Rank(table.database(), query);
    if (!rows.ok()) return state.SkipWithError(std::string(rows.error().message()).c_str());
    LAMINA_CHECK(rows->rows.size() == 20);
  }
}

void BM_TopBySharpe(benchmark::State& state) { RunTop(state, TopBy("sharpe", "")); }
void BM_TopBySortino(benchmark::State& state) { RunTop(state, TopBy("sortino", "")); }
void BM_TopByStability(benchmark::State& state) { RunTop(state, TopBy("stability_score", "")); }
void BM_TopBySharpeFiltered(benchmark::State& state) {
  RunTop(state, TopBy("sharpe", "trades > 100 AND drawdown < 0.5"));
}
void BM_TopByCalmarFiltered(benchmark::State& state) {
  RunTop(state, TopBy("calmar", "trades > 100 AND tag LIKE 'sweep_1%'"));
}
void BM_TopByParameter(benchmark::State& state) {
  RunTop(state, TopBy("sharpe", "parameters.fast BETWEEN 10 AND 20"));
}

/// As a command does it: nothing in memory but the kernel's pages.
void BM_OpenAndTopBySortino(benchmark::State& state) {
  RankTable& table = RankTable::Of(state.range(0));
  for (auto _ : state) {
    auto database = catalog::Database::Open(table.path(), catalog::OpenMode::kReadOnly);
    LAMINA_CHECK(database.ok());
    const auto rows = Rank(**database, TopBy("sortino", ""));
    LAMINA_CHECK(rows.ok() && rows->rows.size() == 20);
  }
}

/// LAMINA_BENCH_LARGE=1 adds a million rows (a minute to make).
void Sizes(benchmark::internal::Benchmark* bench) {
  bench->Arg(12500)->Unit(benchmark::kMillisecond);
  if (std::getenv("LAMINA_BENCH_LARGE") != nullptr) bench->Arg(1000000);
}

#define LAMINA_RANK_BENCH(name) BENCHMARK(name)->Apply(Sizes)
LAMINA_RANK_BENCH(BM_TopBySharpe);
LAMINA_RANK_BENCH(BM_TopBySortino);
LAMINA_RANK_BENCH(BM_TopByStability);
LAMINA_RANK_BENCH(BM_TopBySharpeFiltered);
LAMINA_RANK_BENCH(BM_TopByCalmarFiltered);
LAMINA_RANK_BENCH(BM_TopByParameter);
LAMINA_RANK_BENCH(BM_OpenAndTopBySortino);

}  // namespace
}  // namespace lamina::backtests
