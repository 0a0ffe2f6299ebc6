#pragma once

/// \file lamina/backtests/decompose.h
/// A document taken apart into rows, chunks and a skeleton, and put together again, byte for byte.
/// Pure functions over memory; thread-safe. How: docs/format/backtest_skeleton.md.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "lamina/base/hash.h"
#include "lamina/base/result.h"
#include "lamina/base/time.h"
#include "lamina/bundle/layout.h"
#include "lamina/bundle/msgpack.h"
#include "lamina/catalog/chunk_store.h"

namespace arrow {
class Table;
}

namespace lamina::backtests {

/// The typed rows of one run, in the columns of lake_schema.h without `run_id`. Any may have 0
/// rows.
struct RunRows {
  std::shared_ptr<arrow::Table> snapshots, trades, orders, positions, series;
};

/// What `backtests.runs` says of one run (one row), apart from ids.
struct RunFacts {
  std::string algorithm_id, tag, engine, study, window_name, trading_symbol;
  std::string parameters_json;
  std::optional<Micros> start, end, created_at;
  std::optional<double> initial_unallocated;
  std::int64_t snapshot_count = 0, trade_count = 0, order_count = 0, position_count = 0;
  /// Bit i: series i of kSeriesNames follows from the snapshots; bit 8 + i: by its recipe 2.
  std::uint32_t derived_series_mask = 0;
  /// The scalar metrics of lake_schema.h's kRunMetricNames, in that order; absent when nil or
  /// missing.
  std::vector<std::optional<double>> metrics;
};

struct DecomposedRun {
  RunFacts facts;
  RunRows rows;
  /// Over the canonical typed columns, algorithm id, window and stored series: the v1, v2 and v5
  /// forms of a run agree.
  Sha256Digest content_hash;
};

struct DecomposedBacktest {
  Sha256Digest document_sha256;
  std::int64_t document_bytes = 0;
  std::string skeleton;  ///< MessagePack with extension values where parts were taken out
  std::vector<DecomposedRun> runs;             ///< position = slot that the skeleton names
  std::vector<catalog::PreparedChunk> chunks;  ///< every chunk that the skeleton names
  bool whole_document = false;  ///< the last resort: the skeleton is the document itself
  std::vector<std::string> warnings;
};

struct DecomposeOptions {
  /// Parts of the skeleton at least this long become chunks of their own.
  std::size_t chunk_threshold_bytes = 65536;
};

/// Take apart, assemble in memory, compare bytes. Never loses anything: a part that its table does
/// not reproduce stays in the skeleton. RETURNS kInternal only for a bug.
Result<DecomposedBacktest> Decompose(const bundle::Document& document, const bundle::Layout& layout,
                                     const DecomposeOptions& options = {});

/// Where Assemble gets what the skeleton names.
struct PartSource {
  std::function<Result<RunRows>(std::size_t slot)> run;
  std::function<Result<std::string>(const catalog::ChunkId& id)> chunk;
};

/// The document's bytes. RETURNS kCorruption when a part is missing or does not fit.
Result<std::string> Assemble(ByteView skeleton, const PartSource& source);

/// The chunks that a skeleton names, each once, in order of first appearance.
Result<std::vector<catalog::ChunkId>> ChunksOfSkeleton(ByteView skeleton);

}  // namespace lamina::backtests
