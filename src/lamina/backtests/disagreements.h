#pragma once

/// \file lamina/backtests/disagreements.h
/// Where recorded metrics and ours differ, and in what way. Values and pure functions; thread-safe.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lamina/metrics/pooling.h"

namespace lamina::backtests {

struct IndexRow;

/// Recorded and own values further apart than this, relative to the larger, disagree. Differences
/// below kAgreementFloor are rounding whatever they are relative to.
inline constexpr double kAgreement = 1e-6;
inline constexpr double kAgreementFloor = 1e-12;

enum class DisagreementKind : std::uint8_t {
  kDiffers,     ///< one definition, two numbers
  kPercent,     ///< one is a hundred times the other: percent and fraction
  kSign,        ///< the same number with the other sign
  kNotANumber,  ///< recorded NaN or infinite where there is a number
  kDefinition,  ///< the recorded one follows another definition; listed, not counted
};
std::string_view NameOf(DisagreementKind kind);
std::optional<DisagreementKind> FindDisagreementKind(std::string_view name);

struct Disagreement {
  std::string metric;               ///< as recorded, without `summary_`
  std::optional<std::int64_t> run;  ///< position of the run in the bundle; absent: the summary
  DisagreementKind kind = DisagreementKind::kDiffers;
  double recorded = 0, validated = 0;

  bool counted() const { return kind != DisagreementKind::kDefinition; }
  /// |recorded - validated| / the larger of both magnitudes; NaN when one is not finite.
  double relative_difference() const;
  /// One sentence.
  std::string Explanation() const;
  bool operator==(const Disagreement&) const = delete;  // NaN
};

/// One run: our metrics, what it recorded, and what its recorded definitions give on its rows.
struct CheckedRun {
  metrics::WindowMetrics window;
  /// By Metric; absent when it recorded none. `has_metrics`: it recorded any.
  std::array<std::optional<double>, metrics::kMetricCount> recorded{};
  bool has_metrics = false;
  /// By the recorded definitions: deposits left in, snapshots of a gain in file order.
  std::optional<double> gain, gain_percentage, drawdown;
  double initial_capital = 0;
  std::int64_t trades_open = 0;
  std::int64_t slot = 0;
};

/// Metrics of a backtest (one row of the rank table) as we compute them.
struct ValidatedMetrics {
  metrics::PooledMetrics pooled;
  std::int64_t definitions = metrics::kDefinitions;
  /// Without those that AllDisagreements derives.
  std::vector<Disagreement> disagreements;

  std::int64_t CountDisagreements() const;
};

/// Compares the summary recorded in `row`, and what `runs` recorded, with `pooled`.
std::vector<Disagreement> FindDisagreements(const IndexRow& row,
                                            const std::vector<const CheckedRun*>& runs,
                                            const metrics::PooledMetrics& pooled);

/// Those of `row.validated`, and one kDefinition for each metric whose recorded definition is
/// always another (cagr, volatility, the ratios, VaR) and that differs. Counted ones first. Empty
/// when the row has no validated metrics.
std::vector<Disagreement> AllDisagreements(const IndexRow& row);

}  // namespace lamina::backtests
