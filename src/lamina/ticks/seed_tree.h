#pragma once

/// \file lamina/ticks/seed_tree.h
/// Ticks of a snapshot as plain folders:
/// contracts/<contract>/YYYY/MM/DD/<tick_type>_<HH>.parquet with a metadata.json for each contract
/// and day. Made anew from the archive at any time. Free functions; thread-safe.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "lamina/base/parallel.h"
#include "lamina/base/result.h"
#include "lamina/catalog/catalog.h"

namespace lamina::ticks {

struct SeedTreeOptions {
  std::optional<std::int64_t> snapshot = {};  ///< absent: the latest
  std::int64_t partition_hours = 1;           ///< of one file; divides 24
  int zstd_level = 3;
  const CancelToken* cancel = nullptr;
  /// Of the contract days, how many are done.
  std::function<void(std::int64_t done, std::int64_t total)> progress = {};
};

struct SeedTreeReport {
  std::int64_t contracts = 0, days = 0, files = 0, ticks = 0, bytes = 0, snapshot = 0;
  std::int64_t removed = 0;  ///< files of an earlier tree that have no ticks any more
};

/// Below `destination`, which is made; what an earlier tree left there is replaced, or taken away
/// where the snapshot has no ticks; other files stay. Columns as in the lake. A day's metadata.json
/// is written after its files, and tells them. RETURNS kInvalidArgument (hours that do not divide a
/// day, a destination inside the store), kNotFound (an expired snapshot), kCancelled.
Result<SeedTreeReport> WriteSeedTree(catalog::Catalog& catalog, const std::string& destination,
                                     const SeedTreeOptions& options = {});

}  // namespace lamina::ticks
