#pragma once

/// \file lamina/catalog/verify.h
/// Is everything that the catalog names there, and unharmed? Looks at all, never stops at the first
/// problem, changes nothing. Thread-safe.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "lamina/base/parallel.h"
#include "lamina/base/result.h"
#include "lamina/catalog/catalog.h"

namespace lamina::catalog {

/// How far a long work is. Given now and then, one call at a time, by any thread.
struct WorkProgress {
  std::int64_t files_done = 0, files_total = 0, bytes_done = 0, bytes_total = 0;
};
using WorkProgressCall = std::function<void(const WorkProgress&)>;

struct VerifyProblem {
  std::string kind;  ///< "catalog", "objects", "head", "lake-file", "delete-file", "statistics",
                     ///< "chunk", "chunk-ref"
  std::string path;  ///< relative to the root; of a chunk its kind and id
  std::string detail;
};

struct VerifyReport {
  std::int64_t checked_files = 0, checked_chunks = 0, checked_bytes = 0;
  std::vector<VerifyProblem> problems;  ///< by kind and path
};

/// Every lake file and delete file that any snapshot sees: present, of the right size, with the
/// right footer; every chunk: its bytes present with the right size; no reference to a chunk that
/// is not there; SQLite's own check of the catalog. `deep` reads every page and hashes every chunk,
/// on all cores. Damage is in the report; RETURNS kCancelled.
Result<VerifyReport> VerifyCatalog(Catalog& catalog, bool deep, const CancelToken* cancel = nullptr,
                                   const WorkProgressCall& progress = {});

}  // namespace lamina::catalog
