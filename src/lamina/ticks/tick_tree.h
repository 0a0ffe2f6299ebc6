#pragma once

/// \file lamina/ticks/tick_tree.h
/// Ticks of a snapshot as plain folders, for tools that walk them. Made anew from the archive at
/// any time. Free functions; thread-safe.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "lamina/base/parallel.h"
#include "lamina/base/result.h"
#include "lamina/catalog/catalog.h"

namespace lamina::ticks {

enum class TreeLayout : std::uint8_t {
  /// contracts/<contract>/YYYY/MM/DD/<tick_type>_<HH>.parquet with a metadata.json for each
  /// contract
  /// and day; columns as in the lake.
  kSeed,
  /// <kind>/contract_id=<contract>/date=YYYY-MM-DD/<tick_type>_<HH>.parquet, <kind> as the tables:
  /// trades, quotes, midpoints; columns as in the lake without those that the folders say. The
  /// files
  /// below a kind are one dataset of Hive.
  kHive,
};
/// `seed`, `hive`. RETURNS kInvalidArgument.
Result<TreeLayout> ParseTreeLayout(std::string_view name);

struct TickTreeOptions {
  TreeLayout layout = TreeLayout::kSeed;
  std::optional<std::int64_t> snapshot = {};  ///< absent: the latest
  std::int64_t partition_hours = 1;           ///< of one file; divides 24
  int zstd_level = 3;
  const CancelToken* cancel = nullptr;
  /// Of the contract days, how many are done.
  std::function<void(std::int64_t done, std::int64_t total)> progress = {};
};

struct TickTreeReport {
  std::int64_t contracts = 0;
  std::int64_t days = 0;  ///< of contracts
  std::int64_t files = 0, ticks = 0, bytes = 0, snapshot = 0;
  std::int64_t removed = 0;  ///< files of an earlier tree that have no ticks any more
};

/// Below `destination`, which is made; what an earlier tree left there is replaced, or taken away
/// where the snapshot has no ticks; other files stay. A day's metadata.json is written after its
/// files, and tells them. RETURNS kInvalidArgument (hours that do not divide a
/// day, a destination inside the store), kNotFound (an expired snapshot), kCancelled.
Result<TickTreeReport> WriteTickTree(catalog::Catalog& catalog, const std::string& destination,
                                     const TickTreeOptions& options = {});

}  // namespace lamina::ticks
