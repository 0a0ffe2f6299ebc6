#pragma once

/// \file lamina/series/row_scan_internal.h
/// The two paths of FirstDescent, so that tests can hold one against the other. Pure functions.

#include <cstddef>
#include <cstdint>

namespace lamina::series::internal {

/// The first row from 1 on that is smaller than the row above it; `rows` when there is none.
std::size_t FirstDescentWithin(const std::int64_t* ts, std::size_t rows);
std::size_t FirstDescentPortable(const std::int64_t* ts, std::size_t rows);

}  // namespace lamina::series::internal
