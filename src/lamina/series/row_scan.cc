#include "lamina/series/row_scan.h"

#include <algorithm>
#include <string>

#include "lamina/series/row_scan_internal.h"
#include "lamina/series/vector_path_internal.h"

namespace lamina::series {
namespace internal {
namespace {

[[gnu::always_inline]] inline std::size_t Descent(const std::int64_t* ts, std::size_t rows) {
  constexpr std::size_t kStep = 16;
  std::size_t row = 1;
  for (; row + kStep <= rows; row += kStep) {
    Integers worse{};
    for (std::size_t i = row; i < row + kStep; i += 4) {
      Integers here, above;
      Load(here, ts + i);
      Load(above, ts + i - 1);
      worse |= here < above;
    }
    if ((worse[0] | worse[1] | worse[2] | worse[3]) != 0) break;
  }
  while (row < rows && ts[row] >= ts[row - 1]) ++row;
  return row < rows ? row : rows;
}

LAMINA_AVX2 std::size_t DescentAvx2(const std::int64_t* ts, std::size_t rows) {
  return Descent(ts, rows);
}

}  // namespace

std::size_t FirstDescentPortable(const std::int64_t* ts, std::size_t rows) {
  return Descent(ts, rows);
}

std::size_t FirstDescentWithin(const std::int64_t* ts, std::size_t rows) {
  static const auto chosen = HasAvx2() ? &DescentAvx2 : &FirstDescentPortable;
  return chosen(ts, rows);
}

}  // namespace internal

OrderColumns OrderColumns::Slice(std::size_t offset, std::size_t count) const {
  const auto part = [&](std::span<const std::int64_t> column) {
    return column.empty() ? column : column.subspan(offset, count);
  };
  return {part(ts_ns), part(recv_ns), part(writer), part(seq)};
}

int CompareRows(const OrderColumns& left, std::size_t a, const OrderColumns& right, std::size_t b) {
  const auto compare = [&](std::span<const std::int64_t> l, std::span<const std::int64_t> r) {
    if (l.empty() || r.empty()) return 0;
    return l[a] < r[b] ? -1 : l[a] > r[b] ? 1 : 0;
  };
  int order = compare(left.ts_ns, right.ts_ns);
  if (order == 0) order = compare(left.recv_ns, right.recv_ns);
  if (order == 0) order = compare(left.writer, right.writer);
  if (order == 0) order = compare(left.seq, right.seq);
  return order;
}

std::size_t FirstDescent(std::span<const std::int64_t> ts_ns, std::int64_t previous) {
  if (ts_ns.empty()) return 0;
  if (ts_ns[0] < previous) return 0;
  return internal::FirstDescentWithin(ts_ns.data(), ts_ns.size());
}

std::size_t StretchEnd(std::span<const std::int64_t> ts_ns, std::size_t begin, std::int64_t last) {
  const std::size_t rows = ts_ns.size();
  if (begin >= rows || ts_ns[begin] > last) return begin;
  std::size_t low = begin, step = 8;  // ts_ns[low] <= last
  while (low + step < rows && ts_ns[low + step] <= last) {
    low += step;
    step *= 2;
  }
  const std::size_t high = std::min(low + step, rows);
  return static_cast<std::size_t>(
      std::upper_bound(ts_ns.begin() + static_cast<std::ptrdiff_t>(low),
                       ts_ns.begin() + static_cast<std::ptrdiff_t>(high), last) -
      ts_ns.begin());
}

Status CheckSorted(const OrderColumns& rows, std::size_t first_row, const char* what) {
  if (rows.size() == 0) return Ok();
  std::size_t row = internal::FirstDescentWithin(rows.ts_ns.data(), rows.size());
  if (row == rows.size() && !rows.by_time_only()) {
    for (row = 1; row < rows.size() && CompareRows(rows, row - 1, rows, row) <= 0;) ++row;
  }
  if (row >= rows.size()) return Ok();
  std::string why = "stamp " + std::to_string(rows.ts_ns[row]) +
                    (rows.ts_ns[row] < rows.ts_ns[row - 1]
                         ? " is before " + std::to_string(rows.ts_ns[row - 1])
                         : std::string(" comes with a smaller recv_ns, writer or seq than that"));
  return InvalidArgument(std::string(what) + " row " + std::to_string(first_row + row) +
                         " is out of order: " + why + " of the row above it; sort the rows first");
}

}  // namespace lamina::series
