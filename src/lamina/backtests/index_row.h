#pragma once

/// \file lamina/backtests/index_row.h
/// One row of the rank table: identity, parameters and the 55 summary metrics of one engine of one
/// study of a backtest, pooled or of one universe. Values and pure functions; thread-safe.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "lamina/backtests/disagreements.h"
#include "lamina/base/result.h"
#include "lamina/base/time.h"
#include "lamina/bundle/layout.h"
#include "lamina/bundle/scan.h"

namespace lamina::backtests {

inline constexpr std::size_t kSummaryFieldCount = 55;

struct SummaryField {
  std::string_view name;
  bool integer = false;  ///< its column holds integers
};

/// The summary metrics in the order of index columns; a field's position is its bit in the NaN
/// mask.
inline constexpr std::array<SummaryField, kSummaryFieldCount> kSummaryFields = {{
    {"total_net_gain"},
    {"total_net_gain_percentage"},
    {"total_growth"},
    {"total_growth_percentage"},
    {"total_loss"},
    {"total_loss_percentage"},
    {"average_net_gain"},
    {"average_net_gain_percentage"},
    {"average_growth"},
    {"average_growth_percentage"},
    {"average_loss"},
    {"average_loss_percentage"},
    {"average_trade_return"},
    {"average_trade_return_percentage"},
    {"average_trade_loss"},
    {"average_trade_loss_percentage"},
    {"average_trade_gain"},
    {"average_trade_gain_percentage"},
    {"cagr"},
    {"sharpe_ratio"},
    {"sortino_ratio"},
    {"calmar_ratio"},
    {"profit_factor"},
    {"annual_volatility"},
    {"max_drawdown"},
    {"max_drawdown_duration", true},
    {"trades_per_year"},
    {"trades_per_month"},
    {"trades_per_week"},
    {"win_rate"},
    {"current_win_rate"},
    {"win_loss_ratio"},
    {"current_win_loss_ratio"},
    {"number_of_trades", true},
    {"number_of_trades_closed", true},
    {"cumulative_exposure"},
    {"exposure_ratio"},
    {"number_of_windows", true},
    {"number_of_profitable_windows", true},
    {"number_of_windows_with_trades", true},
    {"var_95"},
    {"cvar_95"},
    {"average_trade_duration"},
    {"average_win_duration"},
    {"average_loss_duration"},
    {"max_consecutive_wins", true},
    {"max_consecutive_losses", true},
    {"return_consistency"},
    {"win_rate_consistency"},
    {"sharpe_consistency"},
    {"consistency_score"},
    {"return_stability"},
    {"win_rate_stability"},
    {"sharpe_stability"},
    {"stability_score"},
}};

/// Positions in kSummaryFields, in the order of the bundle's summary map and of the flat row.
inline constexpr std::array<std::uint8_t, kSummaryFieldCount> kSummaryFileOrder = {
    0,  1,  2,  3,  4,  5,  10, 11, 6,  7,  8,  9,  12, 13, 14, 15, 16, 17, 18,
    19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37,
    38, 39, 42, 43, 44, 40, 41, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54};

/// Position in kSummaryFields of a bare name; absent when it is none.
std::optional<std::size_t> FindSummaryField(std::string_view name);

/// A number as the bundle has it: absent (nil), an integer, or a float (NaN and infinities
/// included).
using Number = std::variant<std::monostate, std::int64_t, double>;

struct IndexRow {
  std::string bundle_path;  ///< the handle
  std::optional<std::string> algorithm_id, anchor_algorithm_id, tag, framework_version;
  std::string engine;    ///< "vector", "event"; "" when the bundle does not say
  std::string universe;  ///< "": pooled over universes
  std::string study = "default";
  std::optional<std::string> study_description;
  Number risk_free_rate;
  std::int64_t number_of_runs = 0;
  /// Python JSON texts; absent when empty.
  std::optional<std::string> parameters_json, strategy_ids_json;
  std::optional<std::string> extras_json;  ///< the backtest's metadata
  std::optional<std::string>
      summary_extras_json;  ///< summary keys that have no column of their own
  std::optional<std::int64_t> bundle_mtime_ns, bundle_size;
  bool has_summary = false;
  std::array<Number, kSummaryFieldCount> summary;
  /// First start and last end of the runs; absent when unknown.
  std::optional<Micros> start, end;
  /// Our own metrics; absent when not computed (a scan; a row of an earlier program).
  std::optional<ValidatedMetrics> validated;

  bool operator==(const IndexRow&) const = delete;  // NaN: compare with SameRow
};

/// Equal in every part but `validated`, NaN equal to NaN.
bool SameRow(const IndexRow& left, const IndexRow& right);

/// Whether the run is one of those that the row is about.
bool BelongsTo(const bundle::RunPart& run, const IndexRow& row);

/// Bit i set: summary field i is NaN (SQL holds NULL there).
std::int64_t NanMask(const IndexRow& row);

/// The rows of a backtest, at least one: one per engine, study and universe that has a summary or
/// runs, as the framework gives; a backtest without any has one of its identity alone. From version
/// 3 on a missing risk-free rate reads as the framework's 0.027.
std::vector<IndexRow> IndexRowsOf(const bundle::Layout& layout, std::string_view bundle_path);

/// The same from a scan. RETURNS kCorruption when the scan's parts are
/// not MessagePack.
Result<std::vector<IndexRow>> IndexRowsOf(const bundle::BundleScan& scan,
                                          std::string_view bundle_path);

/// The framework's flat row as JSON (`summary.<field>` keys). `bundle_version` below 3 leaves
/// out the keys that version 3 brought (anchor, universe, study). NaN and infinities are written
/// bare.
std::string ToFlatJson(const IndexRow& row, std::uint32_t bundle_version);

}  // namespace lamina::backtests
