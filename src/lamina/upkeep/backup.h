#pragma once

/// \file lamina/upkeep/backup.h
/// A store copied while it is written, and made again from the copy. Layout of the copy:
/// docs/format/upkeep.md. Free functions; thread-safe.

#include <cstdint>
#include <string>

#include "lamina/base/parallel.h"
#include "lamina/base/result.h"
#include "lamina/base/uuid.h"
#include "lamina/catalog/verify.h"
#include "lamina/io/env.h"
#include "lamina/store/store.h"

namespace lamina::upkeep {

struct BackupReport {
  std::int64_t files = 0, bytes = 0;                ///< of the whole backup
  std::int64_t copied_files = 0, copied_bytes = 0;  ///< by this run
  std::int64_t snapshot = 0;
};

/// Copy the store, with all its kept snapshots, into the folder `destination`: absent, empty, or an
/// earlier backup of the same store, of which only what is new is copied. Ticks that are durable
/// now are archived first, so that the copy has them without the logs. Writers go on meanwhile,
/// gc waits. Every file is checked as it is copied. An earlier backup stays whole until this one
/// is; an interrupted one goes on where it was. RETURNS kAlreadyExists (a folder of other things, a
/// backup of another store), kCorruption (a file is damaged: the backup is not made), kConflict.
Result<BackupReport> BackupStore(store::Store& store, const std::string& destination,
                                 const CancelToken* cancel = nullptr,
                                 const catalog::WorkProgressCall& progress = {});

struct RestoreReport {
  std::int64_t files = 0, bytes = 0, snapshot = 0;
  Uuid store_id;  ///< a new one: the original may still be there
};

/// Make the store of the backup `source` in `root`, absent or empty, or left by a restore of the
/// same backup that was interrupted. The new store is verified before it can be opened. RETURNS
/// kNotFound (no whole backup at `source`), kAlreadyExists, kCorruption.
Result<RestoreReport> RestoreStore(io::Env& env, const std::string& source, const std::string& root,
                                   const CancelToken* cancel = nullptr,
                                   const catalog::WorkProgressCall& progress = {});

}  // namespace lamina::upkeep
