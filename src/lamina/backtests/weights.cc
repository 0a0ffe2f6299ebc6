#include "lamina/backtests/weights.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "lamina/backtests/columns.h"
#include "lamina/base/near_names.h"

namespace lamina::backtests {
namespace {

struct Preset {
  std::string_view metric;
  /// In the order of FocusNames(); 0: not in that preset.
  std::array<double, 4> weights;
};

/// Of the framework's presets; its weights on metrics that no summary holds
/// (percentage_positive_trades, percentage_negative_trades, percentage_winning_months,
/// average_monthly_return) have no effect there either.
constexpr std::array<Preset, 20> kPresets = {{
    {"total_net_gain_percentage", {2.0, 3.0, 1.5, 1.0}},
    {"total_net_gain", {0.0, 2.0, 0.0, 0.0}},
    {"cagr", {1.5, 2.5, 0.0, 0.0}},
    {"average_trade_return_percentage", {1.0, 1.5, 2.0, 1.5}},
    {"average_trade_gain_percentage", {0.0, 1.0, 0.0, 0.0}},
    {"average_trade_loss_percentage", {0.0, 0.0, 0.0, -1.0}},
    {"sharpe_ratio", {2.0, 1.0, 1.0, 3.0}},
    {"sortino_ratio", {1.5, 0.0, 0.0, 2.5}},
    {"calmar_ratio", {1.0, 0.0, 0.0, 2.0}},
    {"profit_factor", {1.5, 2.0, 1.2, 1.8}},
    {"max_drawdown", {-1.5, -1.0, -1.5, -3.0}},
    {"max_drawdown_duration", {-0.5, 0.0, 0.0, -1.5}},
    {"annual_volatility", {-0.8, 0.0, 0.0, -2.0}},
    {"win_rate", {1.5, 2.0, 2.5, 2.0}},
    {"win_loss_ratio", {1.0, 0.0, 1.5, 1.5}},
    {"number_of_trades", {0.8, 0.5, 3.0, 0.5}},
    {"trades_per_year", {0.3, 0.0, 2.5, 0.0}},
    {"exposure_ratio", {0.5, 0.0, 2.0, 0.0}},
    {"average_trade_duration", {0.0, 0.0, -0.3, 0.0}},
    {"consistency_score", {1.5, 1.0, 1.0, 2.5}},
}};
/// stability_score has the weights of consistency_score everywhere.
constexpr std::string_view kTwinOfLast = "stability_score";

std::string Normal(std::string_view name) {
  std::string out(name);
  for (char& c : out) {
    if (c == '-') c = '_';
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::string_view Trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

struct Range {
  double least = std::numeric_limits<double>::infinity();
  double greatest = -std::numeric_limits<double>::infinity();

  void Add(const MetricValue& value) {
    if (!value || !std::isfinite(*value)) return;
    least = std::min(least, *value);
    greatest = std::max(greatest, *value);
  }
  /// 0 (least) to 1 (greatest).
  double PlaceOf(double value) const {
    if (std::isinf(value)) return value > 0 ? 1.0 : 0.0;
    if (!(greatest > least)) return 0.0;
    // Halves: the difference of two finite numbers may be infinite.
    return (value / 2 - least / 2) / (greatest / 2 - least / 2);
  }
};

}  // namespace

const std::vector<std::string>& FocusNames() {
  static const std::vector<std::string> names = {"balanced", "profit", "frequency",
                                                 "risk_adjusted"};
  return names;
}

Result<Weights> FocusWeights(std::string_view focus) {
  const std::string wanted = Normal(focus);
  const auto& names = FocusNames();
  const auto found = std::find(names.begin(), names.end(), wanted);
  if (found == names.end()) {
    return InvalidArgument("no focus '" + std::string(focus) +
                           "'; there are balanced, profit, frequency, risk_adjusted" +
                           DidYouMean(wanted, names));
  }
  const auto column = static_cast<std::size_t>(found - names.begin());
  Weights weights;
  for (const Preset& preset : kPresets) {
    if (preset.weights[column] != 0) weights.emplace_back(preset.metric, preset.weights[column]);
  }
  weights.emplace_back(kTwinOfLast, kPresets.back().weights[column]);
  return weights;
}

Result<Weights> ParseWeights(std::string_view text) {
  Weights weights;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    const std::string_view one = Trim(text.substr(0, comma));
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
    const std::size_t equals = one.rfind('=');
    if (equals == std::string_view::npos || equals == 0) {
      return InvalidArgument("weight '" + std::string(one) +
                             "' is not METRIC=NUMBER, as in sharpe_ratio=2,max_drawdown=-1");
    }
    const std::string metric(Trim(one.substr(0, equals)));
    const std::string_view number = Trim(one.substr(equals + 1));
    double weight = 0;
    const auto parsed = std::from_chars(number.data(), number.data() + number.size(), weight);
    if (parsed.ec != std::errc() || parsed.ptr != number.data() + number.size() ||
        !std::isfinite(weight)) {
      return InvalidArgument("'" + std::string(number) + "' is not a weight for " + metric);
    }
    weights.emplace_back(metric, weight);
  }
  return weights;
}

Result<Weights> ResolveWeights(std::string_view focus, const Weights& own) {
  Weights resolved;
  if (!focus.empty()) {
    LAMINA_ASSIGN(resolved, FocusWeights(focus));
    for (auto& [metric, weight] : resolved) metric = FindColumn(metric)->name;
  }
  std::vector<std::string> given;
  for (const auto& [metric, weight] : own) {
    LAMINA_ASSIGN(const NameRef name, ResolveName(metric));
    const bool number =
        name.column->type == ColumnType::kReal || name.column->type == ColumnType::kInteger;
    if (!name.path.empty() || !number) {
      return InvalidArgument("'" + metric + "' is not a metric that can be weighed");
    }
    if (!std::isfinite(weight)) return InvalidArgument("the weight of " + metric + " is no number");
    const std::string column(name.column->name);
    if (std::find(given.begin(), given.end(), column) != given.end()) {
      return InvalidArgument("two weights for " + metric);
    }
    given.push_back(column);
    const auto same = std::find_if(resolved.begin(), resolved.end(),
                                   [&](const auto& known) { return known.first == column; });
    if (same == resolved.end()) {
      resolved.emplace_back(column, weight);
    } else {
      same->second = weight;
    }
  }
  if (resolved.empty()) return InvalidArgument("no weights; write sharpe_ratio=2,max_drawdown=-1");
  return resolved;
}

std::vector<double> ScoreRows(const Weights& weights,
                              const std::vector<std::vector<MetricValue>>& rows) {
  std::vector<Range> ranges(weights.size());
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < weights.size(); ++i) ranges[i].Add(row[i]);
  }
  std::vector<double> scores;
  scores.reserve(rows.size());
  for (const auto& row : rows) {
    double score = 0;
    for (std::size_t i = 0; i < weights.size(); ++i) {
      const double weight = weights[i].second;
      const double worst = weight < 0 ? 1.0 : 0.0;
      score += weight * (row[i] ? ranges[i].PlaceOf(*row[i]) : worst);
    }
    scores.push_back(score);
  }
  return scores;
}

}  // namespace lamina::backtests
