#pragma once

/// \file lamina/ticks/verify_ticks.h
/// Whether what the catalog says of ticks is so: statistics, rows of files, logs. Thread-safe.

#include <string>
#include <vector>

#include "lamina/base/parallel.h"
#include "lamina/base/result.h"
#include "lamina/catalog/catalog.h"

namespace lamina::ticks {

struct TickProblem {
  std::string kind;    ///< `tick-statistics`, `tick-archive`, `tick-log`
  std::string path;    ///< relative to the root, or the thing's own name
  std::string detail;  ///< what is wrong
};

/// Rows of `tick_archives` against the lake's files, and every group of every log against its
/// checksum; `deep`: statistics against a count of all ticks, too. RETURNS kCancelled.
Result<std::vector<TickProblem>> VerifyTicks(catalog::Catalog& catalog, bool deep,
                                             const CancelToken* cancel = nullptr);

}  // namespace lamina::ticks
