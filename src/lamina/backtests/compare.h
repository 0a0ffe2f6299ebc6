#pragma once

/// \file lamina/backtests/compare.h
/// Backtests side by side: the parameters that differ and the summary metrics. Pure; thread-safe.

#include <optional>
#include <string>
#include <vector>

#include "lamina/backtests/index_row.h"
#include "lamina/backtests/ranking.h"
#include "lamina/base/result.h"

namespace lamina::backtests {

/// One of the backtests compared.
struct ComparedBacktest {
  std::string label;  ///< the handle, with what tells rows of one handle apart; unique
  IndexRow row;
};

struct ComparedParameter {
  std::string name;  ///< members of nested objects by dotted names
  /// One a backtest; absent: it has no such parameter (null is a value).
  std::vector<std::optional<Cell>> values;
};

struct ComparedMetric {
  std::string name;  ///< without `summary_`
  std::vector<Cell> values;
};

struct Comparison {
  std::vector<ComparedBacktest> backtests;
  std::vector<ComparedParameter> differing;  ///< in order of first appearance
  std::vector<std::string> equal;            ///< names of the parameters that do not differ
  std::vector<ComparedMetric> metrics;       ///< in the bundle's order; those that any of them has
};

struct CompareOptions {
  std::vector<std::string> metrics;  ///< empty: all 55; else these, in this order
};

/// Rows given twice count once. Numbers are equal by value (10 and 10.0), NaN to itself. RETURNS
/// kInvalidArgument for no rows, or a metric that is none (naming near ones).
Result<Comparison> Compare(const std::vector<IndexRow>& rows, const CompareOptions& options = {});

/// Two tables: parameters that differ (`-` where there is none), then metrics.
std::string RenderComparison(const Comparison& comparison);

/// {"backtests": [{"label", "handle", "engine", "study", "universe", "algorithm_id", "tag",
/// "start", "end"}], "parameters": {name: {label: value}}, "equal_parameters": [name], "metrics":
/// {name: {label: value}}}
std::string ComparisonJson(const Comparison& comparison);

}  // namespace lamina::backtests
