#pragma once

/// \file lamina/dataset/ranges_internal.h
/// A request as ranges of columns, for planning and for reading. Pure functions; thread-safe.

#include <vector>

#include "lamina/base/result.h"
#include "lamina/catalog/lake.h"
#include "lamina/dataset/datasets.h"
#include "lamina/table/parquet_file.h"

namespace lamina::dataset::internal {

/// The same ranges twice: as DuckLake spells bounds, and as scalars. Filters with one value come
/// first: they prune most.
struct Ranges {
  std::vector<catalog::LakeRange> plan;
  std::vector<table::ColumnRange> read;
  bool nothing = false;  ///< a range that no row can be in
};

/// RETURNS kInvalidArgument for a filter of a column that is no key, or of a value that is none of
/// its type.
Result<Ranges> MakeRanges(const Definition& definition, const TimeRange& time,
                          const std::vector<KeyFilter>& keys);

/// Keep the rows whose keys are among several values; ranges cover only their span.
Result<std::shared_ptr<arrow::Table>> KeepKeys(const std::shared_ptr<arrow::Table>& rows,
                                               const std::vector<KeyFilter>& keys);

}  // namespace lamina::dataset::internal
