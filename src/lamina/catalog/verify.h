#pragma once

/// \file lamina/catalog/verify.h
/// Checks that what the catalog names is there and undamaged. Reads only; thread-safe.

#include <cstdint>
#include <string>
#include <vector>

#include "lamina/base/parallel.h"
#include "lamina/base/result.h"
#include "lamina/catalog/catalog.h"

namespace lamina::catalog {

struct VerifyProblem {
  std::string kind;    ///< "catalog", "lake-file", "chunk"
  std::string path;    ///< file or chunk
  std::string detail;  ///< what is wrong
};

struct VerifyReport {
  std::int64_t checked_files = 0, checked_chunks = 0, checked_bytes = 0;
  std::vector<VerifyProblem> problems;
};

/// Every lake file and delete file that any snapshot sees: present, of the right size, with the
/// right footer; every chunk row: its bytes present with the right size; SQLite's own check of the
/// catalog. `deep` reads every page and hashes every chunk, on all cores. Problems are in the
/// report; RETURNS an error only when checking itself is impossible, or kCancelled.
Result<VerifyReport> VerifyCatalog(Catalog& catalog, bool deep,
                                   const CancelToken* cancel = nullptr);

}  // namespace lamina::catalog
