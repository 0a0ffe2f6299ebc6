#pragma once

/// \file lamina/series/tick_merge.h
/// Merge of many sorted inputs into the tick order, batch by batch. Thread-compatible.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "lamina/base/result.h"
#include "lamina/series/row_scan.h"

namespace lamina::series {

/// Where a row of the output comes from.
struct MergedRow {
  std::uint32_t input = 0;
  std::int64_t row = 0;  ///< counted over all batches of that input
  bool operator==(const MergedRow&) const = default;
};

/// A tournament tree of losers over the next row of each input (Knuth, The Art of Computer
/// Programming, volume 3, section 5.4.1). Rows that are equal in (ts_ns, recv_ns, writer, seq)
/// come in the order of their inputs, and within one input in its own. Holds one batch an input:
/// the columns are the caller's and must stay until the next Push of that input.
class TickMerge {
 public:
  explicit TickMerge(std::uint32_t inputs);

  /// The next rows of `input`, whose last batch must be used up. RETURNS kInvalidArgument that
  /// names the row out of order, also against the batch before; and when the inputs do not all
  /// have the same of the columns recv_ns, writer, seq.
  Status Push(std::uint32_t input, const OrderColumns& rows);
  /// `input` has no more rows.
  void Finish(std::uint32_t input);

  /// What Next stopped for.
  struct Progress {
    std::size_t rows = 0;       ///< written to `out`
    bool done = false;          ///< every input is finished and merged
    std::uint32_t starved = 0;  ///< when rows < out.size() and not done: Push or Finish this one
  };
  Progress Next(std::span<MergedRow> out);

 private:
  struct Input {
    OrderColumns rows;
    std::size_t position = 0;
    std::int64_t rows_before = 0;  ///< in earlier batches
    bool finished = false;
    std::int64_t last[4] = {};  ///< the last row of the batch before
  };
  bool Less(std::uint32_t a, std::uint32_t b) const;
  bool LessOfEqualStamps(std::uint32_t a, std::uint32_t b) const;
  void Build();
  void Replay(std::uint32_t input);
  bool Starves(const Input& input) const {
    return !input.finished && input.position == input.rows.size();
  }

  std::vector<Input> inputs_;
  std::vector<std::int64_t> head_;     ///< stamp of the next row of each input; the largest at end
  std::vector<std::uint32_t> losers_;  ///< inner nodes 1..; [0] is the winner
  bool built_ = false;
  bool by_time_only_ = true;
  bool shaped_ = false;  ///< some input has shown which columns there are
  bool has_[3] = {};     ///< recv_ns, writer, seq
};

}  // namespace lamina::series
