#pragma once

/// \file lamina/backtests/run_facts.h
/// What `backtests.runs` says of a run, read from its map; and the hash of a run's content.
/// Pure functions; thread-safe.

#include <string>

#include "lamina/backtests/decompose.h"
#include "lamina/base/hash.h"
#include "lamina/bundle/layout.h"

namespace lamina::backtests {

/// All of RunFacts but derived_series_mask. Values of an unexpected type count as absent.
RunFacts ReadRunFacts(const bundle::Layout& layout, const bundle::RunPart& run);

/// SHA-256 over algorithm id, window and every cell of `rows`: equal for runs that can share rows.
/// A column without any value counts like a column that is not there. See
/// docs/format/backtest_skeleton.md. RETURNS kCorruption when a column is missing.
Result<Sha256Digest> HashRun(const RunFacts& facts, const RunRows& rows);

}  // namespace lamina::backtests
