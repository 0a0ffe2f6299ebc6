#pragma once

/// \file datasets.h
/// Reports and edges of datasets as Python has them. Pure functions; hold the GIL.

#include <cstdint>
#include <optional>
#include <vector>

#include "interop.h"

#include "lamina/dataset/datasets.h"
#include "lamina/dataset/registry.h"

namespace lamina::python {

/// Half-open, microseconds; None is open.
dataset::TimeRange RangeOf(std::optional<std::int64_t> start, std::optional<std::int64_t> end);
nb::dict ToDict(const dataset::SaveReport& report);
/// Tuples of output_kind, output_id, input_kind, input_id, input_snapshot.
nb::list ToList(const std::vector<dataset::LineageEdge>& edges);

}  // namespace lamina::python
