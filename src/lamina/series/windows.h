#pragma once

/// \file lamina/series/windows.h
/// Windows of time or rows that slide over sorted rows: rolling statistics and window joins, batch
/// by batch. Memory is that of the widest window. Thread-compatible.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lamina/base/result.h"
#include "lamina/series/window_tree.h"

namespace lamina::series {

enum class WindowStat : std::uint8_t { kMean, kStd, kVar, kMin, kMax, kSum, kCount, kFirst, kLast };

/// `mean`, `std`, `var`, `min`, `max`, `sum`, `count`, `first`, `last`. RETURNS kInvalidArgument
/// that lists them.
Result<WindowStat> ParseWindowStat(std::string_view name);
std::string_view StatName(WindowStat stat);
inline bool NeedsVariance(WindowStat stat) {
  return stat == WindowStat::kStd || stat == WindowStat::kVar;
}
/// NaN when there is no value (fewer than two for std and var, which divide by count - 1); the sum
/// of no values is 0. Not for kFirst and kLast.
double StatOf(const WindowSums& sums, WindowStat stat);

/// Rows of the right side, counted over all batches.
struct WindowRows {
  std::int64_t begin = 0, end = 0;
  bool operator==(const WindowRows&) const = default;
};

struct RollingOptions {
  std::optional<std::int64_t> rows = {};  ///< the row and the rows - 1 before it
  std::optional<std::int64_t> span_ns =
      {};  ///< the rows up to this one with a stamp above ts - span
};

/// Which rows the window of each row holds, and what they add up to.
class Rolling {
 public:
  /// Over `columns` value columns. RETURNS kInvalidArgument unless exactly one of rows and span_ns
  /// is there and above 0.
  static Result<Rolling> Make(const RollingOptions& options, std::size_t columns,
                              bool with_variance);

  /// The next rows, and the window of each of them. RETURNS kInvalidArgument that names the first
  /// unsorted row, and when columns differ in length or number.
  Status Add(std::span<const std::int64_t> ts_ns, std::span<const std::span<const double>> values,
             std::span<WindowRows> windows);
  /// Valid for the windows of the last Add until the next.
  const WindowTree& column(std::size_t index) const { return columns_[index]; }

 private:
  explicit Rolling(const RollingOptions& options) : options_(options) {}
  RollingOptions options_;
  std::vector<WindowTree> columns_;
  std::vector<std::int64_t> ts_;  ///< stamps from row ts_base_ on
  std::int64_t ts_base_ = 0, begin_ = 0;
};

/// The window [ts + from_ns, ts + to_ns] around each left row.
struct WindowBounds {
  std::int64_t from_ns = 0, to_ns = 0;
  bool with_from = true, with_to = true;  ///< whether the ends themselves belong to it
};

class WindowJoin {
 public:
  /// RETURNS kInvalidArgument when from_ns is above to_ns.
  static Result<WindowJoin> Make(const WindowBounds& bounds, std::size_t columns,
                                 bool with_variance);

  /// The next rows on the right. Errors as Rolling::Add.
  Status AddRight(std::span<const std::int64_t> ts_ns,
                  std::span<const std::span<const double>> values);
  void FinishRight() { right_finished_ = true; }
  /// The window of each of the next left rows. RETURNS kInvalidArgument that names the first
  /// unsorted row, or the row whose window may reach beyond the rows on the right so far.
  Status Match(std::span<const std::int64_t> left_ts_ns, std::span<WindowRows> windows);
  /// Valid for the windows of the last Match until the next AddRight.
  const WindowTree& column(std::size_t index) const { return columns_[index]; }

 private:
  explicit WindowJoin(const WindowBounds& bounds) : bounds_(bounds) {}
  WindowBounds bounds_;
  std::vector<WindowTree> columns_;
  std::vector<std::int64_t> ts_;  ///< stamps on the right from row ts_base_ on
  std::int64_t ts_base_ = 0;
  WindowRows window_;  ///< of the last left row
  std::optional<std::int64_t> last_left_;
  std::int64_t left_rows_ = 0;
  bool right_finished_ = false;
};

}  // namespace lamina::series
