#include "lamina/series/tick_merge.h"

#include <algorithm>
#include <limits>
#include <string>
#include <tuple>

namespace lamina::series {
namespace {

constexpr std::int64_t kEnd = std::numeric_limits<std::int64_t>::max();

std::int64_t ValueAt(std::span<const std::int64_t> column, std::size_t row) {
  return column.empty() ? 0 : column[row];
}

}  // namespace

TickMerge::TickMerge(std::uint32_t inputs)
    : inputs_(inputs), head_(inputs, kEnd), losers_(inputs) {}

Status TickMerge::Push(std::uint32_t input, const OrderColumns& rows) {
  if (input >= inputs_.size()) return InvalidArgument("no input " + std::to_string(input));
  Input& in = inputs_[input];
  const std::string name = "input " + std::to_string(input);
  if (in.finished) return InvalidArgument(name + " is finished");
  if (in.position < in.rows.size()) return InvalidArgument(name + " still has rows to merge");
  if (rows.size() == 0) return Ok();
  const bool has[3] = {!rows.recv_ns.empty(), !rows.writer.empty(), !rows.seq.empty()};
  if (shaped_ && !std::equal(has, has + 3, has_)) {
    return InvalidArgument(name + " differs from the others in having recv_ns, writer or seq");
  }
  std::copy(has, has + 3, has_);
  shaped_ = true;
  by_time_only_ = rows.by_time_only();
  const auto fits = [&](std::span<const std::int64_t> column) {
    return column.empty() || column.size() == rows.size();
  };
  if (!fits(rows.recv_ns) || !fits(rows.writer) || !fits(rows.seq)) {
    return InvalidArgument(name + " has columns that differ in length");
  }
  const std::int64_t before = in.rows_before + static_cast<std::int64_t>(in.rows.size());
  LAMINA_TRY(CheckSorted(rows, static_cast<std::size_t>(before), name.c_str()));
  const auto tuple_at = [](const OrderColumns& columns, std::size_t row) {
    return std::make_tuple(columns.ts_ns[row], ValueAt(columns.recv_ns, row),
                           ValueAt(columns.writer, row), ValueAt(columns.seq, row));
  };
  if (before > 0 &&
      tuple_at(rows, 0) < std::make_tuple(in.last[0], in.last[1], in.last[2], in.last[3])) {
    return InvalidArgument(name + " row " + std::to_string(before) +
                           " is out of order: it is before the row above it");
  }
  std::tie(in.last[0], in.last[1], in.last[2], in.last[3]) = tuple_at(rows, rows.size() - 1);
  in.rows_before = before;
  in.rows = rows;
  in.position = 0;
  built_ = false;
  return Ok();
}

void TickMerge::Finish(std::uint32_t input) {
  if (input >= inputs_.size()) return;
  inputs_[input].finished = true;
  built_ = false;
}

/// Inputs that are used up come last; those that still lack rows are handled before.
bool TickMerge::Less(std::uint32_t a, std::uint32_t b) const {
  if (head_[a] != head_[b]) return head_[a] < head_[b];
  return LessOfEqualStamps(a, b);
}

bool TickMerge::LessOfEqualStamps(std::uint32_t a, std::uint32_t b) const {
  const Input &left = inputs_[a], &right = inputs_[b];
  const bool left_ended = left.position == left.rows.size();
  const bool right_ended = right.position == right.rows.size();
  if (left_ended || right_ended) return left_ended == right_ended ? a < b : right_ended;
  if (!by_time_only_) {
    const int order = CompareRows(left.rows, left.position, right.rows, right.position);
    if (order != 0) return order < 0;
  }
  return a < b;
}

void TickMerge::Build() {
  const auto count = static_cast<std::uint32_t>(inputs_.size());
  for (std::uint32_t i = 0; i < count; ++i) {
    const Input& in = inputs_[i];
    head_[i] = in.position < in.rows.size() ? in.rows.ts_ns[in.position] : kEnd;
  }
  // winners[node] for inner nodes 1..count-1 and leaves count..2*count-1
  std::vector<std::uint32_t> winners(2 * static_cast<std::size_t>(count));
  for (std::uint32_t i = 0; i < count; ++i) winners[count + i] = i;
  for (std::uint32_t node = count - 1; node >= 1; --node) {
    const std::uint32_t left = winners[2 * node], right = winners[2 * node + 1];
    const bool left_wins = Less(left, right);
    winners[node] = left_wins ? left : right;
    losers_[node] = left_wins ? right : left;
  }
  losers_[0] = count == 1 ? 0 : winners[1];
  built_ = true;
}

void TickMerge::Replay(std::uint32_t input) {
  std::uint32_t winner = input;
  std::int64_t winner_head = head_[input];
  for (std::size_t node = (input + losers_.size()) / 2; node >= 1; node /= 2) {
    const std::uint32_t other = losers_[node];
    const std::int64_t other_head = head_[other];
    bool swap = other_head < winner_head;
    if (other_head == winner_head) [[unlikely]] {
      swap = LessOfEqualStamps(other, winner);
    }
    losers_[node] = swap ? winner : other;  // both become conditional moves
    winner = swap ? other : winner;
    winner_head = swap ? other_head : winner_head;
  }
  losers_[0] = winner;
}

TickMerge::Progress TickMerge::Next(std::span<MergedRow> out) {
  Progress progress;
  if (inputs_.empty()) {
    progress.done = true;
    return progress;
  }
  for (std::uint32_t i = 0; i < inputs_.size(); ++i) {
    if (!Starves(inputs_[i])) continue;
    progress.starved = i;
    return progress;
  }
  if (!built_) Build();
  while (progress.rows < out.size()) {
    const std::uint32_t winner = losers_[0];
    Input& in = inputs_[winner];
    if (in.position == in.rows.size()) {
      progress.done = true;
      return progress;
    }
    out[progress.rows++] = {winner, in.rows_before + static_cast<std::int64_t>(in.position)};
    if (++in.position < in.rows.size()) {
      head_[winner] = in.rows.ts_ns[in.position];
    } else if (!in.finished) {
      progress.starved = winner;
      return progress;
    } else {
      head_[winner] = kEnd;
    }
    Replay(winner);
  }
  return progress;
}

}  // namespace lamina::series
