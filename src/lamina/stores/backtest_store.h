#pragma once

/// \file lamina/stores/backtest_store.h
/// BacktestStore: one face of everything that keeps backtests by handle. A folder of bundles
/// (local_dir_store.h) and a Lamina store (local_tiered_store.h) are behind it. Thread-safe.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lamina/backtests/backtest_store.h"
#include "lamina/backtests/import.h"
#include "lamina/backtests/index_row.h"
#include "lamina/backtests/merge.h"
#include "lamina/base/result.h"

namespace lamina::stores {

/// A document with the bundle version whose layout it has.
struct StoredDocument {
  std::uint32_t version = 0;
  std::string document;  ///< MessagePack
};

/// Handles are those of backtests::CheckHandle, without `.iafbt` and `.obtf`; with such a suffix
/// they name the same backtest. A handle that is none does not exist, and deleting it does nothing;
/// everything else RETURNS kInvalidArgument for it. Nothing merges but Merge: what is put under a
/// handle is all that it holds.
class BacktestStore {
 public:
  virtual ~BacktestStore() = default;

  virtual std::string_view kind() const = 0;  ///< "local-dir", "local-tiered"

  /// Sorted; each one opens.
  virtual Result<std::vector<std::string>> Handles() = 0;
  /// What lies there like a backtest and has no handle, or not one of its own.
  virtual Result<std::vector<backtests::ImportFailure>> Unreachable() = 0;
  virtual Result<bool> Exists(std::string_view handle) = 0;

  /// RETURNS kNotFound naming near handles, kCorruption.
  virtual Result<StoredDocument> Read(std::string_view handle) = 0;
  /// Its rows of the rank table, with the handle as bundle_path.
  virtual Result<std::vector<backtests::IndexRow>> IndexRows(std::string_view handle) = 0;

  /// Durable on return. RETURNS kAlreadyExists when the handle holds another document and `replace`
  /// is false; kInvalidArgument, kCorruption for what is no document.
  virtual Result<backtests::PutReport> Put(std::string_view handle, std::uint32_t version,
                                           std::string document, bool replace) = 0;
  /// Add the runs of the sources, in their order, with their prices; all or nothing. RETURNS
  /// kNotFound and what backtests::MergeBacktest does.
  virtual Result<backtests::MergeReport> Merge(std::string_view handle,
                                               const std::vector<backtests::MergeSource>& sources,
                                               bool replace_windows) = 0;
  /// Bundle files with their prices, as backtests::ImportBundles.
  virtual Result<backtests::ImportReport> Import(
      const std::vector<backtests::ImportSource>& sources,
      const backtests::ImportOptions& options) = 0;
  /// Write the bundle and its prices to `path`, as backtests::BacktestStore::Export.
  virtual Result<backtests::ExportReport> Export(std::string_view handle, const std::string& path,
                                                 const backtests::ExportOptions& options) = 0;
  /// Nothing happens when it is not there. Price files stay: others may share them.
  virtual Status Delete(std::string_view handle) = 0;

  /// Copy backtests (all when `handles` is empty) with their prices. What is there already is left
  /// alone; can be interrupted and run again. Errors of single ones are in the report, the handle
  /// as `path`. RETURNS kCancelled, or an error of a store as a whole.
  Result<backtests::ImportReport> CopyFrom(BacktestStore& source,
                                           const std::vector<std::string>& handles,
                                           const backtests::ImportOptions& options);

 protected:
  /// The existing handles in order, each once; one that does not exist fails in the report.
  virtual Result<backtests::ImportReport> CopySlice(BacktestStore& source,
                                                    const std::vector<std::string>& handles,
                                                    const backtests::ImportOptions& options) = 0;
};

/// `handle` without `.iafbt` or `.obtf`.
std::string_view WithoutBundleSuffix(std::string_view handle);
bool HasBundleSuffix(std::string_view handle);

/// "no backtest 'x'; near: …"
Error NoSuchBacktest(std::string_view handle, const std::vector<std::string>& handles);

}  // namespace lamina::stores
