#pragma once

/// \file lamina/stores/local_dir_store.h
/// LocalDirStore: a folder of bundle files as a BacktestStore. Nothing but the bundles and the
/// price files beside them is in the folder. Thread-safe; several processes may use one folder.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lamina/io/env.h"
#include "lamina/stores/backtest_store.h"

namespace lamina::stores {

class LocalTieredStore;

class LocalDirStore final : public BacktestStore {
 public:
  struct Options {
    bool create = false;  ///< make the folder when it is absent
    int level = 19;       ///< zstd level of documents that come without a file
  };
  /// RETURNS kNotFound; kInvalidArgument when `root` is no folder, or one of a Lamina store.
  static Result<std::unique_ptr<LocalDirStore>> Open(io::Env& env, const std::string& root,
                                                     const Options& options);

  const std::string& root() const { return root_; }  ///< absolute, links resolved

  std::string_view kind() const override { return "local-dir"; }
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

  /// The bundle's file. RETURNS kNotFound naming near handles; kConflict when two files have the
  /// handle; kInvalidArgument when it is a link that leads out of the folder.
  Result<std::string> PathOf(std::string_view handle);
  /// Every backtest with its file.
  Result<std::vector<backtests::ImportSource>> Sources();

 protected:
  Result<backtests::ImportReport> CopySlice(BacktestStore& source,
                                            const std::vector<std::string>& handles,
                                            const backtests::ImportOptions& options) override;

 private:
  struct Listing;
  class Writer;
  LocalDirStore(io::Env& env, std::string root, int level)
      : env_(env), root_(std::move(root)), level_(level) {}

  Result<Listing> List();
  /// Absent when there is no such file.
  Result<std::optional<std::string>> FindPath(std::string_view handle);
  Status CheckInside(const std::string& path);
  Result<backtests::PutReport> TakeFolder(const backtests::ImportSource& source,
                                          const backtests::ImportOptions& options);
  Result<backtests::PutReport> Take(const backtests::ImportSource& source,
                                    const backtests::ImportOptions& options);
  Result<backtests::PutReport> Receive(LocalTieredStore& source, const std::string& handle,
                                       bool replace);

  io::Env& env_;
  std::string root_;
  int level_;
};

}  // namespace lamina::stores
