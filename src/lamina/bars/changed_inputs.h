#pragma once

/// \file lamina/bars/changed_inputs.h
/// Whether what bars were made from is other than it was. Thread-safe.

#include "lamina/base/result.h"
#include "lamina/dataset/datasets.h"
#include "lamina/dataset/registry.h"
#include "lamina/ticks/tick_query.h"

namespace lamina::bars {

/// Whether the rows of the edge's input (a series of bars, or ticks, of a range) differ from those
/// at its snapshot. When no file of the range changed nothing is read; rows are compared when one
/// did. With the snapshot expired a changed file counts as changed rows. False for edges from
/// something else, or without a snapshot.
Result<bool> InputChanged(dataset::Datasets& datasets, ticks::TickReader& reader,
                          const dataset::LineageEdge& edge);

}  // namespace lamina::bars
