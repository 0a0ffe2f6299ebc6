#include "lamina/series/windows.h"

#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "lamina/base/near_names.h"
#include "lamina/series/row_scan.h"

namespace lamina::series {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

constexpr std::array<std::pair<std::string_view, WindowStat>, 9> kStats{{
    {"mean", WindowStat::kMean},
    {"std", WindowStat::kStd},
    {"var", WindowStat::kVar},
    {"min", WindowStat::kMin},
    {"max", WindowStat::kMax},
    {"sum", WindowStat::kSum},
    {"count", WindowStat::kCount},
    {"first", WindowStat::kFirst},
    {"last", WindowStat::kLast},
}};

__extension__ using Wide = __int128;

/// Append to every column after checking that all have the stamps' length and follow them.
Status AppendRows(std::span<const std::int64_t> ts, std::span<const std::span<const double>> values,
                  const char* what, std::int64_t rows_before, std::vector<std::int64_t>& stamps,
                  std::vector<WindowTree>& columns) {
  if (values.size() != columns.size()) {
    return InvalidArgument("expected " + std::to_string(columns.size()) + " columns of values");
  }
  for (const auto& column : values) {
    if (column.size() != ts.size()) return InvalidArgument("columns differ in length");
  }
  if (ts.empty()) return Ok();
  if (!stamps.empty() && ts[0] < stamps.back()) {
    return InvalidArgument(std::string(what) + " row " + std::to_string(rows_before) +
                           " is out of order: stamp " + std::to_string(ts[0]) + " is before " +
                           std::to_string(stamps.back()) + " of the row above it");
  }
  LAMINA_TRY(CheckSorted({.ts_ns = ts}, static_cast<std::size_t>(rows_before), what));
  stamps.insert(stamps.end(), ts.begin(), ts.end());
  for (std::size_t i = 0; i < values.size(); ++i) columns[i].Append(values[i]);
  return Ok();
}

/// Give back what lies before row `row`, but keep the last stamp.
void ForgetRows(std::int64_t row, std::int64_t& base, std::vector<std::int64_t>& stamps,
                std::vector<WindowTree>& columns) {
  for (WindowTree& column : columns) column.Forget(row);
  const std::int64_t drop = std::min(row - base, static_cast<std::int64_t>(stamps.size()) - 1);
  if (drop <= static_cast<std::int64_t>(stamps.size()) / 2) return;
  stamps.erase(stamps.begin(), stamps.begin() + static_cast<std::ptrdiff_t>(drop));
  base += drop;
}

std::vector<WindowTree> MakeColumns(std::size_t columns, bool with_variance) {
  return std::vector<WindowTree>(columns, WindowTree(with_variance));
}

}  // namespace

Result<WindowStat> ParseWindowStat(std::string_view name) {
  std::vector<std::string> known;
  std::string list;
  for (const auto& [spelling, stat] : kStats) {
    if (spelling == name) return stat;
    known.emplace_back(spelling);
    list += (list.empty() ? "" : ", ") + std::string(spelling);
  }
  return InvalidArgument("unknown statistic `" + std::string(name) + "`" + DidYouMean(name, known) +
                         "; known: " + list);
}

std::string_view StatName(WindowStat stat) {
  for (const auto& [spelling, known] : kStats) {
    if (known == stat) return spelling;
  }
  return "";
}

double StatOf(const WindowSums& sums, WindowStat stat) {
  if (stat == WindowStat::kCount) return static_cast<double>(sums.count);
  if (stat == WindowStat::kSum) return sums.sum;
  if (sums.count < (NeedsVariance(stat) ? 2 : 1)) return kNone;
  switch (stat) {
    case WindowStat::kMean:
      return sums.sum / static_cast<double>(sums.count);
    case WindowStat::kStd:
      return std::sqrt(sums.variance(1));
    case WindowStat::kVar:
      return sums.variance(1);
    case WindowStat::kMin:
      return sums.min;
    case WindowStat::kMax:
      return sums.max;
    default:
      return kNone;
  }
}

// ---- rolling -----------------------------------------------------------------------------------

Result<Rolling> Rolling::Make(const RollingOptions& options, std::size_t columns,
                              bool with_variance) {
  if (options.rows.has_value() == options.span_ns.has_value() || options.rows.value_or(1) < 1 ||
      options.span_ns.value_or(1) < 1) {
    return InvalidArgument("a rolling window needs a number of rows or a span of time above 0");
  }
  Rolling rolling(options);
  rolling.columns_ = MakeColumns(columns, with_variance);
  return rolling;
}

Status Rolling::Add(std::span<const std::int64_t> ts_ns,
                    std::span<const std::span<const double>> values,
                    std::span<WindowRows> windows) {
  if (windows.size() != ts_ns.size()) return InvalidArgument("windows differ from rows");
  ForgetRows(begin_, ts_base_, ts_, columns_);
  const std::int64_t first = ts_base_ + static_cast<std::int64_t>(ts_.size());
  LAMINA_TRY(AppendRows(ts_ns, values, "input", first, ts_, columns_));
  for (std::size_t i = 0; i < ts_ns.size(); ++i) {
    const std::int64_t row = first + static_cast<std::int64_t>(i);
    if (options_.rows.has_value()) {
      begin_ = row < *options_.rows ? 0 : row + 1 - *options_.rows;
    } else {
      const Wide after = static_cast<Wide>(ts_ns[i]) - *options_.span_ns;
      while (ts_[static_cast<std::size_t>(begin_ - ts_base_)] <= after) ++begin_;
    }
    windows[i] = {begin_, row + 1};
  }
  return Ok();
}

// ---- window join -------------------------------------------------------------------------------

Result<WindowJoin> WindowJoin::Make(const WindowBounds& bounds, std::size_t columns,
                                    bool with_variance) {
  if (bounds.from_ns > bounds.to_ns) return InvalidArgument("the window ends before it begins");
  WindowJoin join(bounds);
  join.columns_ = MakeColumns(columns, with_variance);
  return join;
}

Status WindowJoin::AddRight(std::span<const std::int64_t> ts_ns,
                            std::span<const std::span<const double>> values) {
  ForgetRows(window_.begin, ts_base_, ts_, columns_);
  return AppendRows(ts_ns, values, "right", ts_base_ + static_cast<std::int64_t>(ts_.size()), ts_,
                    columns_);
}

Status WindowJoin::Match(std::span<const std::int64_t> left_ts_ns, std::span<WindowRows> windows) {
  if (windows.size() != left_ts_ns.size()) return InvalidArgument("windows differ from left rows");
  if (left_ts_ns.empty()) return Ok();
  if (last_left_.has_value() && left_ts_ns[0] < *last_left_) {
    return InvalidArgument("left row " + std::to_string(left_rows_) +
                           " is out of order: it is before the row above it");
  }
  LAMINA_TRY(CheckSorted({.ts_ns = left_ts_ns}, static_cast<std::size_t>(left_rows_), "left"));
  const Wide reach = static_cast<Wide>(left_ts_ns.back()) + bounds_.to_ns;
  if (!right_finished_ && (ts_.empty() || ts_.back() <= reach)) {
    return InvalidArgument(
        "left row " +
        std::to_string(left_rows_ + static_cast<std::int64_t>(left_ts_ns.size()) - 1) +
        " needs more rows on the right first");
  }
  const std::int64_t rows = ts_base_ + static_cast<std::int64_t>(ts_.size());
  const auto stamp = [&](std::int64_t row) {
    return ts_[static_cast<std::size_t>(row - ts_base_)];
  };
  for (std::size_t i = 0; i < left_ts_ns.size(); ++i) {
    const Wide from =
        static_cast<Wide>(left_ts_ns[i]) + bounds_.from_ns - (bounds_.with_from ? 1 : 0);
    const Wide to = static_cast<Wide>(left_ts_ns[i]) + bounds_.to_ns - (bounds_.with_to ? 0 : 1);
    while (window_.begin < rows && stamp(window_.begin) <= from) ++window_.begin;
    window_.end = std::max(window_.end, window_.begin);
    while (window_.end < rows && stamp(window_.end) <= to) ++window_.end;
    windows[i] = window_;
  }
  last_left_ = left_ts_ns.back();
  left_rows_ += static_cast<std::int64_t>(left_ts_ns.size());
  return Ok();
}

}  // namespace lamina::series
