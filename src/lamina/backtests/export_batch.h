#pragma once

/// \file lamina/backtests/export_batch.h
/// Many backtests of a store as bundle files in a folder, on all cores. Free function; the
/// BacktestStore may be used by others meanwhile.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "lamina/backtests/backtest_store.h"
#include "lamina/backtests/import.h"
#include "lamina/base/parallel.h"

namespace lamina::backtests {

struct ExportBatchOptions {
  ExportOptions file;
  AsOf as_of;
  std::size_t workers = 0;  ///< 0: all cores; each takes the memory of one backtest
  const CancelToken* cancel = nullptr;
  /// Called from worker threads, one at a time.
  std::function<void(const ImportProgress&)> progress;
};

struct ExportBatchReport {
  std::vector<ExportReport> exported;  ///< in the order of the handles
  std::vector<ImportFailure> failed;   ///< `path` is the handle
  std::int64_t bytes = 0;
};

/// Write each of `handles`, all as of one snapshot on which it holds a lease (read_lease.h), to
/// `folder`/<handle>.iafbt (versions 3 and later: .obtf), with the price files it names beside it.
/// A file that is there is replaced. One that fails does not stop the others. RETURNS
/// kInvalidArgument for two handles that would be one file (on file systems that ignore case they
/// are two names, and this cannot know it), kNotFound naming near handles before anything is
/// written, kCancelled (what was written stays).
Result<ExportBatchReport> ExportBatch(BacktestStore& store, const std::vector<std::string>& handles,
                                      const std::string& folder,
                                      const ExportBatchOptions& options = {});

}  // namespace lamina::backtests
