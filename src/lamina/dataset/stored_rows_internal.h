#pragma once

/// \file lamina/dataset/stored_rows_internal.h
/// The stored rows of a range with their places in files, and new rows set against them.
/// Functions; thread-safe.

#include <cstdint>
#include <memory>
#include <vector>

#include "lamina/catalog/catalog.h"
#include "lamina/dataset/datasets.h"
#include "lamina/dataset/ranges_internal.h"

namespace lamina::dataset::internal {

/// Live rows of one file that are inside the ranges.
struct StoredRows {
  catalog::LakeFile file;
  std::vector<std::int64_t> positions;  ///< of `rows` in the file, ascending
  std::shared_ptr<arrow::Table> rows;   ///< all columns of the table
};

/// Files without such a row are left out.
Result<std::vector<StoredRows>> ReadStored(catalog::Catalog& catalog, const StoredDataset& dataset,
                                           const std::vector<catalog::LakeFile>& files,
                                           const Ranges& ranges);

/// What saving comes to.
struct Resolution {
  std::vector<std::int64_t> write;                ///< of the new rows, ascending
  std::vector<std::vector<std::int64_t>> remove;  ///< positions, one list for each StoredRows
  SaveReport report;                              ///< the counts
};

/// `rows`: sorted by the keys. With kReplace all of `stored` goes.
/// RETURNS kAlreadyExists (kAppend) naming the first key that is stored.
Result<Resolution> Resolve(const Definition& definition, WriteMode mode,
                           const std::vector<StoredRows>& stored,
                           const std::shared_ptr<arrow::Table>& rows);

}  // namespace lamina::dataset::internal
