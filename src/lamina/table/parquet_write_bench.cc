/// Writing and reading portfolio snapshots: 14 columns, mostly constant, runs of 2,192 hours.

#include <cmath>
#include <random>

#include <arrow/api.h>
#include <arrow/extension/uuid.h>
#include <benchmark/benchmark.h>

#include "lamina/base/check.h"
#include "lamina/io/temporary_folder.h"
#include "lamina/table/lake_type.h"
#include "lamina/table/parquet_file.h"

namespace lamina::table {
namespace {

constexpr std::int64_t kRunRows = 2192;

void Must(const arrow::Status& status) { LAMINA_CHECK(status.ok()); }

std::string RunId(std::int64_t run) {
  std::string id(16, '\x70');
  for (int i = 0; i < 6; ++i) {
    id[static_cast<std::size_t>(i)] = static_cast<char>((0x0190AAAA0000 + run) >> (40 - 8 * i));
  }
  return id;
}

std::shared_ptr<arrow::Table> Snapshots(std::int64_t rows) {
  arrow::FixedSizeBinaryBuilder run_ids(arrow::fixed_size_binary(16));
  arrow::Int32Builder seqs;
  arrow::TimestampBuilder stamps(ArrowType(LakeType::kTimestampTz), arrow::default_memory_pool());
  arrow::StringBuilder texts;
  arrow::DoubleBuilder zeros, noise[3];
  std::mt19937_64 random(1);
  double value = 1000;
  double cash = 1000;
  for (std::int64_t row = 0; row < rows; ++row) {
    const std::int64_t seq = row % kRunRows;
    if (seq == 0) value = cash = 1000;
    value *= 1 + (static_cast<double>(random() % 2001) - 1000) / 1e6;
    if (random() % 50 == 0) cash = value / 3;  // changes with trades only
    Must(run_ids.Append(RunId(row / kRunRows)));
    Must(seqs.Append(static_cast<std::int32_t>(seq)));
    Must(stamps.Append((1'640'995'200 + seq * 3600) * 1'000'000));
    Must(texts.Append("EUR"));
    Must(zeros.Append(0));
    Must(noise[0].Append(value));
    Must(noise[1].Append(cash));
    Must(noise[2].Append(cash - 1000));
  }
  const auto ids = arrow::ExtensionType::WrapArray(arrow::extension::uuid(), *run_ids.Finish());
  const auto text = *texts.Finish();
  const auto zero = *zeros.Finish();
  const std::vector<std::pair<std::string, std::shared_ptr<arrow::Array>>> columns = {
      {"run_id", ids},
      {"seq", *seqs.Finish()},
      {"ts", *stamps.Finish()},
      {"trading_symbol", text},
      {"pending_value", zero},
      {"unallocated", *noise[1].Finish()},
      {"total_net_gain", *noise[2].Finish()},
      {"total_revenue", zero},
      {"total_cost", zero},
      {"cash_flow", zero},
      {"net_size", zero},
      {"total_value", *noise[0].Finish()},
      {"portfolio_id", text},
      {"metadata", text}};
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  for (const auto& [name, array] : columns) {
    fields.push_back(
        MakeField(name, *LakeTypeOf(*array->type()), static_cast<std::int32_t>(fields.size() + 1)));
    arrays.push_back(array);
  }
  return arrow::Table::Make(arrow::schema(fields), arrays);
}

void SetRows(benchmark::State& state, std::int64_t rows) {
  state.SetItemsProcessed(state.iterations() * rows);
}

void BM_WriteSnapshots(benchmark::State& state) {
  const auto rows = Snapshots(state.range(0));
  const io::TemporaryFolder folder;
  WrittenFile written;
  for (auto _ : state) {
    auto result = WriteParquet(io::PosixEnv(), folder.File("x"), *rows,
                               {.encoding_trial = state.range(1) != 0});
    LAMINA_CHECK(result.ok());
    written = *result;
  }
  SetRows(state, rows->num_rows());
  state.counters["bytes_per_row"] =
      static_cast<double>(written.size_bytes) / static_cast<double>(written.rows);
}
BENCHMARK(BM_WriteSnapshots)
    ->Args({2192, 1})
    ->Args({2192, 0})
    ->Args({500'000, 1})
    ->Args({500'000, 0})
    ->Unit(benchmark::kMillisecond);

void BM_ReadSnapshots(benchmark::State& state) {
  const auto rows = Snapshots(state.range(0));
  const io::TemporaryFolder folder;
  LAMINA_CHECK(WriteParquet(io::PosixEnv(), folder.File("x"), *rows).ok());
  for (auto _ : state) {
    auto read = ReadParquet(io::PosixEnv(), folder.File("x"));
    LAMINA_CHECK(read.ok() && (*read)->num_rows() == rows->num_rows());
  }
  SetRows(state, rows->num_rows());
}
BENCHMARK(BM_ReadSnapshots)->Arg(2192)->Arg(500'000)->Unit(benchmark::kMillisecond);

void BM_ReadOneRun(benchmark::State& state) {
  const auto rows = Snapshots(state.range(0));
  const io::TemporaryFolder folder;
  LAMINA_CHECK(WriteParquet(io::PosixEnv(), folder.File("x"), *rows).ok());
  const auto id = *rows->GetColumnByName("run_id")->GetScalar(rows->num_rows() / 2);
  ReadStatistics counts;
  for (auto _ : state) {
    auto read =
        ReadParquet(io::PosixEnv(), folder.File("x"), {.ranges = {{"run_id", id, id}}}, &counts);
    LAMINA_CHECK(read.ok() && (*read)->num_rows() == kRunRows);
  }
  SetRows(state, kRunRows);
  state.counters["bytes_read"] = static_cast<double>(counts.bytes_read);
}
BENCHMARK(BM_ReadOneRun)->Arg(500'000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace lamina::table
