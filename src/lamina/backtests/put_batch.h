#pragma once

/// \file lamina/backtests/put_batch.h
/// PutBatch: backtests that come one at a time and are stored together, all or none. Thread-safe.

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "lamina/backtests/backtest_store.h"
#include "lamina/backtests/import_batch.h"

namespace lamina::backtests {

/// Each backtest is taken apart and checked when it is added, and kept in memory until Commit.
/// Without Commit nothing is stored.
class PutBatch {
 public:
  explicit PutBatch(BacktestStore& store) : store_(&store) {}

  /// A document in no file yet. RETURNS kAlreadyExists when the batch, or by now the store, holds
  /// another document under the handle and `replace` is false; errors as PutDocument.
  Status AddDocument(std::string_view handle, std::uint32_t version, std::string document,
                     bool replace);
  /// A bundle file, with the prices that it names.
  Status AddFile(std::string_view handle, const std::string& path, bool replace);

  std::size_t size() const;

  /// Store them all in one commit; the batch is empty afterwards, also when it fails.
  /// RETURNS kAlreadyExists when one is refused; then nothing is stored.
  Result<BatchReport> Commit();

 private:
  Status Add(PreparedBacktest backtest, bool replace);

  BacktestStore* store_;
  mutable std::mutex mutex_;  ///< guards what follows
  std::vector<PreparedBacktest> pending_;
  std::unordered_map<std::string, std::size_t> places_;  ///< handle: index into pending_
};

}  // namespace lamina::backtests
