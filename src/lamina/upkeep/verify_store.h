#pragma once

/// \file lamina/upkeep/verify_store.h
/// Everything that can be checked about a store, in one report that says what can be done.
/// Thread-safe.

#include <cstdint>
#include <string>
#include <vector>

#include "lamina/base/parallel.h"
#include "lamina/base/result.h"
#include "lamina/catalog/verify.h"
#include "lamina/store/store.h"

namespace lamina::upkeep {

struct StoreProblem {
  std::string kind;    ///< as in catalog/verify.h and backtests/verify.h
  std::string path;    ///< relative to the root, or the thing's own name
  std::string detail;  ///< what is wrong
  std::string remedy;  ///< what can be done
  bool repairable = false;
};

struct StoreVerification {
  std::int64_t checked_files = 0, checked_chunks = 0, checked_bytes = 0;
  std::int64_t checked_backtests = 0, checked_runs = 0, checked_documents = 0;
  std::vector<StoreProblem> problems;
  bool ok() const { return problems.empty(); }
};

/// VerifyCatalog, VerifyBacktests and VerifyTicks. Damage is in the report; RETURNS kCancelled.
Result<StoreVerification> VerifyStore(store::Store& store, bool deep,
                                      const CancelToken* cancel = nullptr,
                                      const catalog::WorkProgressCall& progress = {});

}  // namespace lamina::upkeep
