#pragma once

/// \file lamina/bundle/layout.h
/// Where the parts of a backtest stand in documents of the five versions, as one version-free
/// picture. All Values point into the Document given. Immutable values.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lamina/base/result.h"
#include "lamina/bundle/msgpack.h"

namespace lamina::bundle {

/// One run (one engine over one window).
struct RunPart {
  Value run;                ///< the run map
  std::string engine;       ///< "vector", "event" or ""
  std::string study;        ///< "default" before version 5
  std::uint32_t index = 0;  ///< position in its array
  /// Prefix of its blob keys, e.g. "runs/0/metrics/" or "studies/s/vector_runs/0/metrics/".
  std::string blob_prefix;
};

/// One summary map (or its absence) of one engine of one study, pooled or of one universe.
struct SummaryPart {
  std::string engine;
  std::string study;
  std::string universe;            ///< "" = pooled
  std::optional<Value> study_map;  ///< version 5: the study
  std::optional<Value> summary;    ///< absent when nil
  std::optional<Value> risk_free_rate;
  std::uint32_t run_count = 0;
  std::string study_description;  ///< versions 4 and 5; empty when absent
};

struct Layout {
  std::uint32_t version = 0;
  Value backtest;  ///< the map that holds identity (v1: `backtest`, else the top)
  std::optional<Value> algorithm_id, anchor_algorithm_id, tag, parameters, strategy_ids, metadata,
      risk_free_rate, engine_type;
  std::vector<RunPart> runs;           ///< in document order
  std::vector<SummaryPart> summaries;  ///< in document order
  std::optional<Value> blobs;          ///< map key -> binary
  std::optional<Value> ohlcv;          ///< {"store_dir", "manifest"}
  std::vector<std::string> warnings;   ///< e.g. header version 1 around a version 2 document
};

/// RETURNS kInvalidArgument when the top is not a map with string keys, or a known part has an
/// impossible type (runs not an array of maps, blobs not a map of binaries, …), naming the path.
Result<Layout> ReadLayout(std::uint32_t version, const Document& document);

}  // namespace lamina::bundle
