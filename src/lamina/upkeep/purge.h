#pragma once

/// \file lamina/upkeep/purge.h
/// Taking backtests out of a store for good, from its older snapshots too. Thread-safe.

#include <cstdint>
#include <string>
#include <vector>

#include "lamina/base/parallel.h"
#include "lamina/base/result.h"
#include "lamina/store/store.h"

namespace lamina::upkeep {

struct PurgeReport {
  std::vector<std::string> purged;
  std::int64_t expired_snapshots = 0, removed_files = 0, removed_chunks = 0, freed_bytes = 0;
};

/// Delete the backtests, rewrite the lake files that hold their rows, forget every snapshot since
/// the first that saw one of them (of the same document under an earlier handle, too), and unlink
/// what only those needed, without a grace. What another live backtest shares stays. Backups are
/// not touched. Can be run again after it was cut short. RETURNS kNotFound (a handle that no kept
/// snapshot knows; nothing has changed), kConflict (a pin or lease holds such a snapshot; nothing
/// has changed).
Result<PurgeReport> PurgeBacktests(store::Store& store, const std::vector<std::string>& handles,
                                   const CancelToken* cancel = nullptr);

}  // namespace lamina::upkeep
