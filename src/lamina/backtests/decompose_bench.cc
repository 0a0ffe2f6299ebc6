// Taking bundles apart, putting them together, and what they need on disk, part by part.
// LAMINA_BENCH_BUNDLES names a folder of bundles (tools/gen_bundles.py makes some) and
// LAMINA_BENCH_COUNT how many of them to take (40); without it a small document made here.

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include <arrow/api.h>
#include <benchmark/benchmark.h>

#include "lamina/backtests/decompose.h"
#include "lamina/backtests/lake_schema.h"
#include "lamina/backtests/run_batch.h"
#include "lamina/backtests/validated_metrics.h"
#include "lamina/base/check.h"
#include "lamina/base/time.h"
#include "lamina/bundle/bundle_file.h"
#include "lamina/io/temporary_folder.h"
#include "lamina/table/parquet_file.h"

namespace lamina::backtests {
namespace {

namespace fs = std::filesystem;

/// A version 1 document of one run, with equity_curve inline.
std::string SmallDocument() {
  std::string out, snapshots, curve;
  constexpr std::uint32_t kRows = 240;
  bundle::Writer rows(snapshots), points(curve);
  rows.ArrayHeader(kRows);
  points.ArrayHeader(kRows);
  for (std::uint32_t i = 0; i < kRows; ++i) {
    const double value = 1000.0 + std::sin(i) * i;
    const std::string time = FormatTime(Micros{1'704'067'200'000'000 + i * 3'600'000'000LL});
    rows.MapHeader(4);
    rows.String("created_at");
    rows.String(time);
    rows.String("cash_flow");
    rows.Double(0);
    rows.String("unallocated");
    rows.Double(value / 2);
    rows.String("total_value");
    rows.Double(value);
    points.ArrayHeader(2);
    points.Double(value);
    points.String(time);
  }
  bundle::Writer writer(out);
  writer.MapHeader(2);
  writer.String("format_version");
  writer.Int(1);
  writer.String("backtest");
  writer.MapHeader(1);
  writer.String("backtest_runs");
  writer.ArrayHeader(1);
  writer.MapHeader(2);
  writer.String("backtest_metrics");
  writer.MapHeader(1);
  writer.String("equity_curve");
  writer.Raw(curve);
  writer.String("portfolio_snapshots");
  writer.Raw(snapshots);
  return out;
}

struct Input {
  std::unique_ptr<bundle::Document> document;
  std::optional<bundle::Layout> layout;
  std::string text;
  std::uint32_t version = 1;
};

void Add(std::vector<Input>& inputs, std::uint32_t version, std::string text) {
  Input input;
  input.text = text;
  input.version = version;
  auto document = bundle::Document::Parse(std::move(text));
  LAMINA_CHECK(document.ok());
  input.document = std::make_unique<bundle::Document>(*std::move(document));
  auto layout = bundle::ReadLayout(version, *input.document);
  LAMINA_CHECK(layout.ok());
  input.layout = *std::move(layout);
  inputs.push_back(std::move(input));
}

const std::vector<Input>& Inputs() {
  static const std::vector<Input>* const kInputs = [] {
    auto* inputs = new std::vector<Input>;
    const char* folder = std::getenv("LAMINA_BENCH_BUNDLES");
    if (folder == nullptr) {
      Add(*inputs, 1, SmallDocument());
      return inputs;
    }
    std::vector<fs::path> paths;
    for (const auto& entry : fs::directory_iterator(folder)) {
      const auto suffix = entry.path().extension();
      if (suffix == ".iafbt" || suffix == ".obtf") paths.push_back(entry.path());
    }
    std::sort(paths.begin(), paths.end());
    const char* count = std::getenv("LAMINA_BENCH_COUNT");
    const std::size_t limit = count != nullptr ? std::strtoul(count, nullptr, 10) : 40;
    if (paths.size() > limit) paths.resize(limit);
    for (const fs::path& path : paths) {
      std::ifstream in(path, std::ios::binary);
      std::stringstream file;
      file << in.rdbuf();
      auto bundle = bundle::ReadBundle(file.str());
      LAMINA_CHECK(bundle.ok());
      Add(*inputs, bundle->version, std::move(bundle->document));
    }
    return inputs;
  }();
  return *kInputs;
}

void BM_ParseDocument(benchmark::State& state) {
  const auto& inputs = Inputs();
  std::size_t next = 0;
  for (auto _ : state) {
    const Input& input = inputs[next++ % inputs.size()];
    auto document = bundle::Document::Parse(input.text);
    benchmark::DoNotOptimize(bundle::ReadLayout(input.version, *document));
  }
}
BENCHMARK(BM_ParseDocument)->Unit(benchmark::kMillisecond);

void BM_Decompose(benchmark::State& state) {
  const auto& inputs = Inputs();
  std::size_t next = 0;
  std::int64_t bytes = 0;
  for (auto _ : state) {
    const Input& input = inputs[next++ % inputs.size()];
    auto parts = Decompose(*input.document, *input.layout);
    LAMINA_CHECK(parts.ok() && !parts->whole_document);
    bytes += parts->document_bytes;
    benchmark::DoNotOptimize(parts);
  }
  state.SetBytesProcessed(bytes);
}
BENCHMARK(BM_Decompose)->Unit(benchmark::kMillisecond);

/// What import computes besides: metrics from rows, disagreements, their text.
void BM_ValidatedMetrics(benchmark::State& state) {
  const auto& inputs = Inputs();
  std::vector<DecomposedBacktest> all;
  for (std::size_t i = 0; i < std::min<std::size_t>(inputs.size(), 20); ++i) {
    auto parts = Decompose(*inputs[i].document, *inputs[i].layout);
    LAMINA_CHECK(parts.ok());
    all.push_back(*std::move(parts));
  }
  std::size_t next = 0;
  for (auto _ : state) {
    const std::size_t i = next++ % all.size();
    state.PauseTiming();
    auto rows = IndexRowsOf(*inputs[i].layout, "bench");
    state.ResumeTiming();
    LAMINA_CHECK(FillValidatedMetrics(*inputs[i].layout, all[i].runs, rows).ok());
    for (const IndexRow& row : rows) {
      benchmark::DoNotOptimize(ValidatedDetailsJson(*row.validated));
    }
  }
}
BENCHMARK(BM_ValidatedMetrics)->Unit(benchmark::kMicrosecond);

PartSource SourceOf(const DecomposedBacktest& parts) {
  PartSource source;
  source.run = [&parts](std::size_t slot) -> Result<RunRows> { return parts.runs[slot].rows; };
  source.chunk = [&parts](const catalog::ChunkId& id) -> Result<std::string> {
    for (const auto& chunk : parts.chunks) {
      if (chunk.id != id) continue;
      catalog::ChunkRow row;
      row.content_bytes = chunk.content_bytes;
      row.stored_bytes = static_cast<std::int64_t>(chunk.stored.size());
      row.compressed = chunk.compressed;
      return catalog::DecodeChunk(id, row, chunk.stored, "memory");
    }
    return NotFound("chunk");
  };
  return source;
}

void BM_Assemble(benchmark::State& state) {
  const auto& inputs = Inputs();
  std::vector<DecomposedBacktest> all;
  for (std::size_t i = 0; i < std::min<std::size_t>(inputs.size(), 4); ++i) {
    auto parts = Decompose(*inputs[i].document, *inputs[i].layout);
    LAMINA_CHECK(parts.ok());
    all.push_back(*std::move(parts));
  }
  std::size_t next = 0;
  for (auto _ : state) {
    const std::size_t i = next++ % all.size();
    auto document = Assemble(all[i].skeleton, SourceOf(all[i]));
    LAMINA_CHECK(document.ok() && *document == inputs[i].document->bytes());
  }
}
BENCHMARK(BM_Assemble)->Unit(benchmark::kMillisecond);

/// Bytes a bundle when all inputs are committed together, by table and column.
void BM_StoredBytes(benchmark::State& state) {
  const auto& inputs = Inputs();
  const auto count = static_cast<double>(inputs.size());
  for (auto _ : state) {
    RunBatch batch;
    Uuid7Source ids;
    double skeletons = 0, chunks = 0, documents = 0;
    for (const Input& input : inputs) {
      auto parts = Decompose(*input.document, *input.layout);
      LAMINA_CHECK(parts.ok());
      auto skeleton = catalog::PrepareChunk(catalog::ChunkKind::kDocument, parts->skeleton);
      LAMINA_CHECK(skeleton.ok());
      skeletons += static_cast<double>(skeleton->stored.size());
      documents += static_cast<double>(parts->document_bytes);
      for (const auto& chunk : parts->chunks) chunks += static_cast<double>(chunk.stored.size());
      for (const auto& run : parts->runs) LAMINA_CHECK(batch.Append(ids.Next(1), run).ok());
    }
    auto rows = batch.Finish();
    LAMINA_CHECK(rows.ok());
    const std::pair<const TableDefinition*, std::shared_ptr<arrow::Table>> tables[] = {
        {&RunsTable(), rows->runs},           {&SnapshotsTable(), rows->snapshots},
        {&TradesTable(), rows->trades},       {&OrdersTable(), rows->orders},
        {&PositionsTable(), rows->positions}, {&SeriesTable(), rows->series}};
    const io::TemporaryFolder folder;
    double total = skeletons + chunks;
    std::ostringstream text;
    for (const auto& [definition, table] : tables) {
      table::WriteOptions options;
      options.sorted_by = definition->sorted_by;
      auto written =
          table::WriteParquet(io::PosixEnv(), folder.File(definition->name), *table, options);
      LAMINA_CHECK(written.ok());
      total += static_cast<double>(written->size_bytes);
      text << "  " << definition->name << " " << static_cast<double>(written->size_bytes) / count
           << " (" << static_cast<double>(written->rows) / count << " rows)\n";
      for (const auto& column : written->columns) {
        const auto bytes = static_cast<double>(column.size_bytes) / count;
        for (const auto& named : definition->columns) {
          if (named.column_id == column.field_id && bytes >= 20) {
            text << "      " << named.name << " " << bytes << "\n";
          }
        }
      }
    }
    text << "  skeletons " << skeletons / count << "\n  chunks " << chunks / count << "\n";
    if (std::getenv("LAMINA_BENCH_BUNDLES") != nullptr) {
      std::cout << "bytes a bundle: " << total / count << " of a document of " << documents / count
                << "\n"
                << text.str();
    }
    state.counters["bytes_a_bundle"] = total / count;
    state.counters["skeleton_bytes"] = skeletons / count;
  }
}
BENCHMARK(BM_StoredBytes)->Unit(benchmark::kMillisecond)->Iterations(1);

}  // namespace
}  // namespace lamina::backtests
