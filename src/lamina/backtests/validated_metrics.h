#pragma once

/// \file lamina/backtests/validated_metrics.h
/// The metrics that we compute from the snapshots and trades of a backtest (module metrics), beside
/// the recorded ones. Values and pure functions; thread-safe.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lamina/backtests/decompose.h"
#include "lamina/backtests/disagreements.h"
#include "lamina/backtests/index_row.h"
#include "lamina/base/result.h"
#include "lamina/bundle/layout.h"
#include "lamina/metrics/pooling.h"

namespace lamina::backtests {

/// The metrics of one run from its rows. RETURNS kCorruption when the rows lack a column.
Result<CheckedRun> CheckRun(const DecomposedRun& run, std::optional<double> risk_free_rate);

/// Fill `validated` of each row, pooled over the runs of its engine, study and universe.
/// `runs` are those of `layout`, in its order. RETURNS kCorruption when rows lack a column,
/// kInternal when they are not the layout's.
Status FillValidatedMetrics(const bundle::Layout& layout, const std::vector<DecomposedRun>& runs,
                            std::vector<IndexRow>& rows);

/// What the column validated_details_json holds (docs/format/catalog.md), and back. Parts of an
/// unknown form are left out.
std::string ValidatedDetailsJson(const ValidatedMetrics& validated);
void ReadValidatedDetails(std::string_view json, ValidatedMetrics& validated);

/// For display: {"definitions": 1, "metrics": {name: number or null}, "windows": {name: count where
/// fewer than all}, "reasons": {name: text}, "disagreements": [{"metric", "run", "kind",
/// "counted", "recorded", "validated", "relative_difference", "why"}]}.
std::string ValidatedJson(const IndexRow& row);

}  // namespace lamina::backtests
