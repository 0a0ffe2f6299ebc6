#pragma once

/// \file lamina/table/leaf_type.h
/// Which LakeType a Parquet column (leaf) spells. Pure functions; thread-safe.

#include <optional>

#include "lamina/table/lake_type.h"

namespace parquet {
class ColumnDescriptor;
}  // namespace parquet

namespace lamina::table {

/// The type of the lake column that this leaf stores; kInt32List for the element of a three-level
/// list of int32 that stands at the top level. Absent for every other shape or type.
std::optional<LakeType> LeafLakeType(const parquet::ColumnDescriptor& leaf);

}  // namespace lamina::table
