#pragma once

/// \file lamina/catalog/row_digest.h
/// What a set of rows is, whatever their order: compared before files are swapped for others.
/// Values and pure functions; thread-safe. Not stored: may change between versions.

#include <cstdint>

#include "lamina/base/result.h"

namespace arrow {
class Table;
}

namespace lamina::catalog {

struct RowDigest {
  std::int64_t rows = 0;
  std::uint64_t low = 0, high = 0;  ///< sums of two hashes of each row
  RowDigest& operator+=(const RowDigest& other);
  bool operator==(const RowDigest&) const = default;
};

/// Bit-exact in floating-point values (-0.0 is not 0.0, NaNs differ by payload); NULL is a value.
/// Columns count by position. RETURNS kUnsupported for a type outside LakeType.
Result<RowDigest> DigestRows(const arrow::Table& rows);

}  // namespace lamina::catalog
