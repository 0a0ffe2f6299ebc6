#include "lamina/series/asof.h"

#include <algorithm>
#include <string>
#include <tuple>

namespace lamina::series {
namespace {

/// b - a for a <= b, which may exceed int64.
std::uint64_t Distance(std::int64_t a, std::int64_t b) {
  return static_cast<std::uint64_t>(b) - static_cast<std::uint64_t>(a);
}

/// Whether row `r` comes before or with row `l`.
template <bool by_time_only>
bool AtOrBefore(const OrderColumns& right, std::size_t r, const OrderColumns& left, std::size_t l) {
  if constexpr (by_time_only) return right.ts_ns[r] <= left.ts_ns[l];
  return CompareRows(right, r, left, l) <= 0;
}

/// Last rows by key, walking forward; `exact` also those of the left row's own stamp.
template <bool by_time_only>
void BackwardOneKey(const OrderColumns& left, const OrderColumns& right, bool exact,
                    std::span<std::int64_t> matches) {
  const std::size_t rows = right.size();
  std::size_t next = 0;  // first row on the right that is not yet in force
  for (std::size_t l = 0; l < matches.size(); ++l) {
    if (exact) {
      while (next < rows && AtOrBefore<by_time_only>(right, next, left, l)) ++next;
    } else {
      while (next < rows && right.ts_ns[next] < left.ts_ns[l]) ++next;
    }
    matches[l] = static_cast<std::int64_t>(next) - 1;
  }
}

/// First rows at or after, walking forward.
template <bool by_time_only>
void ForwardOneKey(const OrderColumns& left, const OrderColumns& right, bool exact,
                   std::span<std::int64_t> matches) {
  const std::size_t rows = right.size();
  std::size_t next = 0;
  for (std::size_t l = 0; l < matches.size(); ++l) {
    if (!exact) {
      while (next < rows && right.ts_ns[next] <= left.ts_ns[l]) ++next;
    } else if constexpr (by_time_only) {
      while (next < rows && right.ts_ns[next] < left.ts_ns[l]) ++next;
    } else {
      while (next < rows && CompareRows(right, next, left, l) < 0) ++next;
    }
    matches[l] = next < rows ? static_cast<std::int64_t>(next) : kNoMatch;
  }
}

std::uint32_t KeyCount(const AsofSide& side) {
  const auto last = std::max_element(side.keys.begin(), side.keys.end());
  return last == side.keys.end() ? 0 : *last + 1;
}

template <bool by_time_only>
void BackwardByKey(const AsofSide& left, const AsofSide& right, bool exact,
                   std::span<std::int64_t> matches) {
  std::vector<std::int64_t> last(std::max(KeyCount(left), KeyCount(right)), kNoMatch);
  std::size_t next = 0;
  const auto in_force = [&](std::size_t l) {
    return exact ? AtOrBefore<by_time_only>(right.order, next, left.order, l)
                 : right.order.ts_ns[next] < left.order.ts_ns[l];
  };
  for (std::size_t l = 0; l < matches.size(); ++l) {
    for (; next < right.order.size() && in_force(l); ++next) {
      last[right.keys[next]] = static_cast<std::int64_t>(next);
    }
    matches[l] = last[left.keys[l]];
  }
}

template <bool by_time_only>
void ForwardByKey(const AsofSide& left, const AsofSide& right, bool exact,
                  std::span<std::int64_t> matches) {
  std::vector<std::int64_t> first(std::max(KeyCount(left), KeyCount(right)), kNoMatch);
  std::size_t next = right.order.size();  // rows from here on are at or after the left row
  const auto follows = [&](std::size_t l) {
    if (!exact) return right.order.ts_ns[next - 1] > left.order.ts_ns[l];
    if constexpr (by_time_only) return right.order.ts_ns[next - 1] >= left.order.ts_ns[l];
    return CompareRows(right.order, next - 1, left.order, l) >= 0;
  };
  for (std::size_t l = matches.size(); l-- > 0;) {
    for (; next > 0 && follows(l); --next) {
      first[right.keys[next - 1]] = static_cast<std::int64_t>(next - 1);
    }
    matches[l] = first[left.keys[l]];
  }
}

template <bool by_time_only>
void Walk(const AsofSide& left, const AsofSide& right, bool forward, bool exact,
          std::span<std::int64_t> matches) {
  const bool by_key = !right.keys.empty() || !left.keys.empty();
  if (forward) {
    by_key ? ForwardByKey<by_time_only>(left, right, exact, matches)
           : ForwardOneKey<by_time_only>(left.order, right.order, exact, matches);
  } else {
    by_key ? BackwardByKey<by_time_only>(left, right, exact, matches)
           : BackwardOneKey<by_time_only>(left.order, right.order, exact, matches);
  }
}

void Walk(const AsofSide& left, const AsofSide& right, bool forward, bool exact,
          std::span<std::int64_t> matches) {
  if (right.order.size() == 0) {
    std::fill(matches.begin(), matches.end(), kNoMatch);
  } else if (left.order.by_time_only() || right.order.by_time_only()) {
    Walk<true>(left, right, forward, exact, matches);
  } else {
    Walk<false>(left, right, forward, exact, matches);
  }
}

Status CheckSide(const AsofSide& side, const char* what) {
  const std::size_t rows = side.order.size();
  const auto fits = [&](std::size_t size) { return size == 0 || size == rows; };
  if (!fits(side.order.recv_ns.size()) || !fits(side.order.writer.size()) ||
      !fits(side.order.seq.size()) || !fits(side.keys.size())) {
    return InvalidArgument(std::string(what) + " columns differ in length");
  }
  return Ok();
}

void Nearest(const AsofSide& left, const AsofSide& right, std::span<const std::int64_t> ahead,
             std::span<std::int64_t> matches) {
  for (std::size_t l = 0; l < matches.size(); ++l) {
    if (ahead[l] == kNoMatch) continue;
    const std::int64_t ts = left.order.ts_ns[l];
    const auto stamp = [&](std::int64_t row) {
      return right.order.ts_ns[static_cast<std::size_t>(row)];
    };
    if (matches[l] == kNoMatch || Distance(ts, stamp(ahead[l])) < Distance(stamp(matches[l]), ts)) {
      matches[l] = ahead[l];
    }
  }
}

}  // namespace

Status AsofJoin(const AsofSide& left, const AsofSide& right, const AsofOptions& options,
                std::span<std::int64_t> matches) {
  LAMINA_TRY(CheckSide(left, "left"));
  LAMINA_TRY(CheckSide(right, "right"));
  if (matches.size() != left.order.size()) return InvalidArgument("matches differ from left rows");
  if (left.keys.empty() != right.keys.empty() && left.order.size() > 0 && right.order.size() > 0) {
    return InvalidArgument("one side has keys and the other has none");
  }
  if (options.tolerance_ns.value_or(0) < 0) return InvalidArgument("tolerance is negative");
  LAMINA_TRY(CheckSorted(left.order, 0, "left"));
  LAMINA_TRY(CheckSorted(right.order, 0, "right"));
  const bool exact = options.allow_exact_matches;
  Walk(left, right, options.direction == AsofDirection::kForward, exact, matches);
  if (options.direction == AsofDirection::kNearest) {
    std::vector<std::int64_t> ahead(matches.size());
    Walk(left, right, /*forward=*/true, exact, ahead);
    Nearest(left, right, ahead, matches);
  }
  if (!options.tolerance_ns.has_value()) return Ok();
  const auto tolerance = static_cast<std::uint64_t>(*options.tolerance_ns);
  for (std::size_t l = 0; l < matches.size(); ++l) {
    if (matches[l] == kNoMatch) continue;
    const std::int64_t a = left.order.ts_ns[l];
    const std::int64_t b = right.order.ts_ns[static_cast<std::size_t>(matches[l])];
    if (Distance(std::min(a, b), std::max(a, b)) > tolerance) matches[l] = kNoMatch;
  }
  return Ok();
}

// ---- streams -----------------------------------------------------------------------------------

Result<AsofStream> AsofStream::Make(const AsofOptions& options) {
  if (options.direction != AsofDirection::kBackward) {
    return Unsupported("a join of streams is backward only");
  }
  if (options.tolerance_ns.value_or(0) < 0) return InvalidArgument("tolerance is negative");
  return AsofStream(options);
}

AsofStream::Row AsofStream::RowAt(const AsofSide& side, std::size_t row) {
  const auto at = [&](std::span<const std::int64_t> column) {
    return column.empty() ? 0 : column[row];
  };
  return {.ts_ns = side.order.ts_ns[row],
          .recv_ns = at(side.order.recv_ns),
          .writer = at(side.order.writer),
          .seq = at(side.order.seq),
          .key = side.keys.empty() ? 0 : side.keys[row],
          .number = kNoMatch};
}

AsofStream::Shape AsofStream::ShapeOf(const AsofSide& side) {
  return {!side.order.recv_ns.empty(), !side.order.writer.empty(), !side.order.seq.empty(),
          !side.keys.empty()};
}

int AsofStream::Compare(const Row& left, const Row& right) const {
  const auto compare = [](std::int64_t a, std::int64_t b) { return a < b ? -1 : a > b ? 1 : 0; };
  int order = compare(left.ts_ns, right.ts_ns);
  if (!left_shape_.has_value() || !right_shape_.has_value()) return order;
  if (order == 0 && left_shape_->recv_ns && right_shape_->recv_ns) {
    order = compare(left.recv_ns, right.recv_ns);
  }
  if (order == 0 && left_shape_->writer && right_shape_->writer) {
    order = compare(left.writer, right.writer);
  }
  if (order == 0 && left_shape_->seq && right_shape_->seq) order = compare(left.seq, right.seq);
  return order;
}

Status AsofStream::Check(const AsofSide& rows, const char* what, std::optional<Shape>& shape,
                         const std::optional<Row>& last, std::size_t before) const {
  LAMINA_TRY(CheckSide(rows, what));
  LAMINA_TRY(CheckSorted(rows.order, before, what));
  if (shape.has_value() && *shape != ShapeOf(rows)) {
    return InvalidArgument(std::string(what) + " columns differ from those of earlier batches");
  }
  shape = ShapeOf(rows);
  const Row first = RowAt(rows, 0);
  if (last.has_value() && std::tie(first.ts_ns, first.recv_ns, first.writer, first.seq) <
                              std::tie(last->ts_ns, last->recv_ns, last->writer, last->seq)) {
    return InvalidArgument(std::string(what) + " row " + std::to_string(before) +
                           " is out of order: it is before the row above it");
  }
  return Ok();
}

Status AsofStream::AddRight(const AsofSide& rows) {
  if (rows.order.size() == 0) return Ok();
  LAMINA_TRY(
      Check(rows, "right", right_shape_, last_right_, static_cast<std::size_t>(right_rows_)));
  if (ahead_begin_ > ahead_.size() / 2) {
    ahead_.erase(ahead_.begin(), ahead_.begin() + static_cast<std::ptrdiff_t>(ahead_begin_));
    ahead_begin_ = 0;
  }
  for (std::size_t row = 0; row < rows.order.size(); ++row) {
    ahead_.push_back(RowAt(rows, row));
    ahead_.back().number = right_rows_++;
  }
  last_right_ = ahead_.back();
  return Ok();
}

Status AsofStream::Match(const AsofSide& left, std::span<std::int64_t> matches) {
  if (matches.size() != left.order.size()) return InvalidArgument("matches differ from left rows");
  if (left.order.size() == 0) return Ok();
  LAMINA_TRY(Check(left, "left", left_shape_, last_left_, static_cast<std::size_t>(left_rows_)));
  const Row last = RowAt(left, left.order.size() - 1);
  if (!right_finished_ && (!last_right_.has_value() || Compare(last, *last_right_) >= 0)) {
    return InvalidArgument(
        "left row " + std::to_string(left_rows_ + static_cast<std::int64_t>(matches.size()) - 1) +
        " needs more rows on the right first");
  }
  for (std::size_t l = 0; l < matches.size(); ++l) {
    const Row row = RowAt(left, l);
    for (; ahead_begin_ < ahead_.size() && Compare(ahead_[ahead_begin_], row) <= 0;
         ++ahead_begin_) {
      const Row& next = ahead_[ahead_begin_];
      if (next.key >= in_force_.size()) {
        in_force_.resize(next.key + 1);
        strictly_before_.resize(next.key + 1);
      }
      Row& current = in_force_[next.key];
      if (current.number != kNoMatch && current.ts_ns < next.ts_ns) {
        strictly_before_[next.key] = current;
      }
      current = next;
    }
    matches[l] = kNoMatch;
    if (row.key >= in_force_.size()) continue;
    const Row* found = &in_force_[row.key];
    if (!options_.allow_exact_matches && found->ts_ns == row.ts_ns) {
      found = &strictly_before_[row.key];
    }
    if (found->number == kNoMatch) continue;
    if (options_.tolerance_ns.has_value() &&
        Distance(found->ts_ns, row.ts_ns) > static_cast<std::uint64_t>(*options_.tolerance_ns)) {
      continue;
    }
    matches[l] = found->number;
  }
  last_left_ = last;
  left_rows_ += static_cast<std::int64_t>(matches.size());
  return Ok();
}

}  // namespace lamina::series
