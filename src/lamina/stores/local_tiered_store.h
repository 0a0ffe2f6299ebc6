#pragma once

/// \file lamina/stores/local_tiered_store.h
/// LocalTieredStore: the backtests of a Lamina store as a BacktestStore. Borrows them. Thread-safe.

#include <string>
#include <string_view>
#include <vector>

#include "lamina/stores/backtest_store.h"

namespace lamina::stores {

class LocalTieredStore final : public BacktestStore {
 public:
  explicit LocalTieredStore(backtests::BacktestStore& engine) : engine_(engine) {}

  backtests::BacktestStore& engine() { return engine_; }
  /// RETURNS kNotFound naming near handles.
  Result<backtests::BacktestRecord> Find(std::string_view handle);

  std::string_view kind() const override { return "local-tiered"; }
  Result<std::vector<std::string>> Handles() override;
  Result<std::vector<backtests::ImportFailure>> Unreachable() override;
  Result<bool> Exists(std::string_view handle) override;
  Result<StoredDocument> Read(std::string_view handle) override;
  Result<std::vector<backtests::IndexRow>> IndexRows(std::string_view handle) override;
  Result<backtests::PutReport> Put(std::string_view handle, std::uint32_t version,
                                   std::string document, bool replace) override;
  Result<backtests::MergeReport> Merge(std::string_view handle,
                                       const std::vector<backtests::MergeSource>& sources,
                                       bool replace_windows) override;
  Result<backtests::ImportReport> Import(const std::vector<backtests::ImportSource>& sources,
                                         const backtests::ImportOptions& options) override;
  Result<backtests::ExportReport> Export(std::string_view handle, const std::string& path,
                                         const backtests::ExportOptions& options) override;
  Status Delete(std::string_view handle) override;

 protected:
  Result<backtests::ImportReport> CopySlice(BacktestStore& source,
                                            const std::vector<std::string>& handles,
                                            const backtests::ImportOptions& options) override;

 private:
  /// The handle that the store has: as given, or without a bundle's suffix.
  Result<std::string> Known(std::string_view handle);

  backtests::BacktestStore& engine_;
};

}  // namespace lamina::stores
