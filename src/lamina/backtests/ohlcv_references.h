#pragma once

/// \file lamina/backtests/ohlcv_references.h
/// Which price files the backtests of a store name, which of them it holds, and the removal of
/// those that nobody names any more. Functions over a BacktestStore; thread-safe.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lamina/backtests/backtest_store.h"
#include "lamina/base/hash.h"
#include "lamina/base/parallel.h"
#include "lamina/base/result.h"

namespace lamina::backtests {

/// One entry of the manifest of one backtest.
struct OhlcvUse {
  std::string handle;
  std::string key;                     ///< e.g. "BTC/EUR:1h"
  std::string name;                    ///< of the file, as the document has it
  std::optional<Sha256Digest> sha256;  ///< absent when the name is no hash
};

/// Every entry of every live backtest, by handle and then as the document has them. Read from the
/// documents themselves. RETURNS the first error, naming the backtest: an answer is whole or none.
Result<std::vector<OhlcvUse>> OhlcvUses(BacktestStore& store, const CancelToken* cancel = nullptr);

/// Those of one backtest. RETURNS kNotFound (handle), else as OhlcvUses.
Result<std::vector<OhlcvUse>> OhlcvUsesOf(BacktestStore& store, const std::string& handle);

/// A price file whose bytes are in the store.
struct OhlcvBlob {
  Sha256Digest sha256;
  std::int64_t bytes = 0;
};
/// Those that are there with the right size, by hash.
Result<std::vector<OhlcvBlob>> OhlcvBlobs(BacktestStore& store);

struct OhlcvStats {
  std::int64_t stored_blobs = 0, stored_bytes = 0;
  std::int64_t referenced_blobs = 0;  ///< different hashes that documents name
  std::int64_t orphan_blobs = 0;      ///< stored, and no live backtest names them
  std::int64_t missing_blobs = 0;     ///< named, and not stored
};
Result<OhlcvStats> ReadOhlcvStats(BacktestStore& store);

struct OhlcvCollection {
  /// Find out what would go, and leave it.
  bool dry_run = false;
  /// Spare what deleted backtests name: `undelete` brings them back with their prices.
  bool keep_deleted = false;
  /// Only files first stored at or before this snapshot: a bundle may come after its prices.
  std::optional<std::int64_t> stored_until = {};
};
/// Remove the price files that no live backtest names. Refuses (the error, naming the backtest)
/// when any reference cannot be read. A writer that stores one of them meanwhile keeps it. RETURNS
/// the hashes removed (or that would be), sorted.
Result<std::vector<Sha256Digest>> CollectOhlcv(BacktestStore& store, const OhlcvCollection& what);

}  // namespace lamina::backtests
