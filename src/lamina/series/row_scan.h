#pragma once

/// \file lamina/series/row_scan.h
/// Searches in sorted columns of time stamps: where order breaks, where a stretch ends. Pure
/// functions; thread-safe.

#include <cstddef>
#include <cstdint>
#include <span>

#include "lamina/base/result.h"

namespace lamina::series {

/// The tick order: rows are sorted by ts_ns, then recv_ns, then writer, then seq. Only `ts_ns` must
/// be there; an empty column counts as equal in all rows.
struct OrderColumns {
  std::span<const std::int64_t> ts_ns;
  std::span<const std::int64_t> recv_ns = {};
  std::span<const std::int64_t> writer = {};
  std::span<const std::int64_t> seq = {};

  std::size_t size() const { return ts_ns.size(); }
  bool by_time_only() const { return recv_ns.empty() && writer.empty() && seq.empty(); }
  OrderColumns Slice(std::size_t offset, std::size_t count) const;
};

/// Below, at or above zero as row `a` of `left` comes before, with or after row `b` of `right`.
int CompareRows(const OrderColumns& left, std::size_t a, const OrderColumns& right, std::size_t b);

/// The first row whose stamp is smaller than that of the row above it (`previous` above row 0);
/// ts_ns.size() when there is none.
std::size_t FirstDescent(std::span<const std::int64_t> ts_ns, std::int64_t previous);

/// The first row at or after `begin` whose stamp is above `last`. Doubles its steps from `begin`:
/// time grows with the logarithm of the distance. REQUIRES: rows are sorted.
std::size_t StretchEnd(std::span<const std::int64_t> ts_ns, std::size_t begin, std::int64_t last);

/// RETURNS kInvalidArgument that names the first row out of order: rows count from `first_row`,
/// `what` says whose rows they are.
Status CheckSorted(const OrderColumns& rows, std::size_t first_row, const char* what);

}  // namespace lamina::series
