#pragma once

/// \file lamina/catalog/verify.h
/// Is everything that the catalog names there, and unharmed? Looks at all, never stops at the first
/// problem, changes nothing. Thread-safe.

#include <cstdint>
#include <string>
#include <vector>

#include "lamina/base/parallel.h"
#include "lamina/base/result.h"
#include "lamina/catalog/catalog.h"

namespace lamina::catalog {

struct VerifyProblem {
  std::string kind;  ///< catalog, objects, head, lake_file, delete_file, chunk, chunk_ref
  std::string path;  ///< relative to the root
  std::string detail;
};

struct VerifyReport {
  std::int64_t lake_files = 0, delete_files = 0, chunks = 0;
  std::int64_t bytes = 0;               ///< of lake files and chunks, as stored
  std::vector<VerifyProblem> problems;  ///< by kind and path
  bool clean() const { return problems.empty(); }
};

struct VerifyOptions {
  /// false: the catalog's structure, and of every file and chunk that it is there with the right
  /// size (and footer). true: also every page of every lake file and the hash of every chunk.
  bool deep = false;
  std::size_t workers = 0;  ///< threads for the deep part; 0: all cores
  const CancelToken* cancel = nullptr;
};

/// Files and chunks of every kept snapshot. RETURNS kCancelled; damage is in the report.
Result<VerifyReport> VerifyCatalog(Catalog& catalog, const VerifyOptions& options = {});

}  // namespace lamina::catalog
