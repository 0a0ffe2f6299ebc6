#pragma once

/// \file lamina/backtests/weights.h
/// Weights of metrics for a rank by several at once, and the scores they give. Constant data and
/// pure functions; thread-safe.

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lamina/base/result.h"

namespace lamina::backtests {

/// Metric and weight, each metric once. Positive: more is better; negative: less is better.
using Weights = std::vector<std::pair<std::string, double>>;

/// Names of the presets: balanced, profit, frequency, risk_adjusted.
const std::vector<std::string>& FocusNames();

/// The weights of a preset of the Investing Algorithm Framework 8.10, as far as they are on summary
/// metrics. Letter case and `-`/`_` do not count. RETURNS kInvalidArgument naming the presets.
Result<Weights> FocusWeights(std::string_view focus);

/// `METRIC=WEIGHT,METRIC=WEIGHT`. RETURNS kInvalidArgument (form, a weight that is not finite).
Result<Weights> ParseWeights(std::string_view text);

/// The weights of preset `focus` ("": none) with `own` in their place or beside them, under the
/// names of their columns. RETURNS kInvalidArgument: no such focus or name, not a number's column,
/// a metric twice in `own`, no weight at all.
Result<Weights> ResolveWeights(std::string_view focus, const Weights& own);

/// A metric of one row; absent when it is missing or NaN.
using MetricValue = std::optional<double>;

/// The score of each row of `rows` (its metrics in the order of `weights`): the sum of weight times
/// the value's place between the least (0) and greatest (1) finite value of all rows; 0 when those
/// are equal. Infinities count as the greatest or least; a missing value counts as the worst one.
std::vector<double> ScoreRows(const Weights& weights,
                              const std::vector<std::vector<MetricValue>>& rows);

}  // namespace lamina::backtests
