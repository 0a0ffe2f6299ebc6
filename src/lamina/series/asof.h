#pragma once

/// \file lamina/series/asof.h
/// As-of join: for each row on the left the row on the right that was in force. Both sides sorted.
/// Thread-compatible.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "lamina/base/result.h"
#include "lamina/series/row_scan.h"

namespace lamina::series {

enum class AsofDirection : std::uint8_t {
  kBackward,  ///< the last row on the right at or before the left row
  kForward,   ///< the first row on the right at or after it
  kNearest,   ///< the nearer one in ts_ns of these two; the backward one when both are as near
};

struct AsofOptions {
  AsofDirection direction = AsofDirection::kBackward;
  std::optional<std::int64_t> tolerance_ns = {};  ///< a match lies at most so far away; from 0
  bool allow_exact_matches = true;  ///< false: rows on the right with the same ts_ns do not match
};

/// A match without a row on the right.
inline constexpr std::int64_t kNoMatch = -1;

/// Rows of one side: their order and, to join by key, a key for each row: a number from 0, the
/// same one on both sides; empty: all rows are of one key.
struct AsofSide {
  OrderColumns order;
  std::span<const std::uint32_t> keys = {};
};

/// Fill `matches[i]` with the row on the right for row i on the left, or kNoMatch.
///
/// "Before" is the tick order (ts_ns, recv_ns, writer, seq) over the columns that both sides have;
/// equal rows on the right match in their row order: the last of them backward, the first forward.
/// With stamps of whole seconds it is recv_ns that keeps a later quote from an earlier trade.
/// The tolerance and allow_exact_matches look at ts_ns alone.
/// RETURNS kInvalidArgument that names the first unsorted row, for lengths that differ, for a
/// negative tolerance.
Status AsofJoin(const AsofSide& left, const AsofSide& right, const AsofOptions& options,
                std::span<std::int64_t> matches);

/// The backward join of streams: rows on the right in order, rows on the left once every row on
/// the right up to them has come. Holds one row for each key and the rows on the right beyond the
/// last left row. Same matches as AsofJoin; rows on the right are numbered over all batches.
class AsofStream {
 public:
  /// RETURNS kUnsupported unless backward: the others need the future.
  static Result<AsofStream> Make(const AsofOptions& options);

  Status AddRight(const AsofSide& rows);
  /// No more rows on the right.
  void FinishRight() { right_finished_ = true; }
  /// RETURNS kInvalidArgument when a left row is not before the last row on the right and
  /// FinishRight was not called: a row that is yet to come could match it.
  Status Match(const AsofSide& left, std::span<std::int64_t> matches);

 private:
  struct Row {
    std::int64_t ts_ns = 0, recv_ns = 0, writer = 0, seq = 0;
    std::uint32_t key = 0;
    std::int64_t number = kNoMatch;
  };
  struct Shape {  ///< which optional columns a side has
    bool recv_ns = false, writer = false, seq = false, keys = false;
    bool operator==(const Shape&) const = default;
  };
  explicit AsofStream(const AsofOptions& options) : options_(options) {}
  static Row RowAt(const AsofSide& side, std::size_t row);
  static Shape ShapeOf(const AsofSide& side);
  int Compare(const Row& left, const Row& right) const;
  /// `rows` are sorted, follow `last` and have the columns of earlier batches.
  Status Check(const AsofSide& rows, const char* what, std::optional<Shape>& shape,
               const std::optional<Row>& last, std::size_t before) const;

  AsofOptions options_;
  std::vector<Row> ahead_;  ///< rows on the right; from `ahead_begin_` on no left row passed
  std::size_t ahead_begin_ = 0;
  std::vector<Row> in_force_;         ///< by key
  std::vector<Row> strictly_before_;  ///< by key: the last row with a smaller stamp than in_force_
  std::optional<Row> last_left_, last_right_;
  std::optional<Shape> left_shape_, right_shape_;
  std::int64_t right_rows_ = 0, left_rows_ = 0;
  bool right_finished_ = false;
};

}  // namespace lamina::series
