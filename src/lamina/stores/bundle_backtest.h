#pragma once

/// \file lamina/stores/bundle_backtest.h
/// BundleBacktest: a backtest of a bundle, or a document, in no store, as a store would show it.
/// Thread-safe; taken apart when its rows are first asked for.

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lamina/backtests/backtest_store.h"
#include "lamina/backtests/index_row.h"
#include "lamina/backtests/run_batch.h"
#include "lamina/base/result.h"
#include "lamina/bundle/bundle_file.h"
#include "lamina/bundle/layout.h"
#include "lamina/bundle/msgpack.h"
#include "lamina/io/env.h"

namespace lamina::stores {

class BundleBacktest {
 public:
  /// RETURNS kNotFound, errors of bundle::ReadBundle naming the file.
  static Result<std::unique_ptr<BundleBacktest>> Read(io::Env& env, const std::string& path,
                                                      std::string_view handle);

  /// A document that is in no file. RETURNS errors of bundle::ReadLayout.
  static Result<std::unique_ptr<BundleBacktest>> Of(std::uint32_t version, std::string document,
                                                    std::string_view handle);

  /// Write the document as a bundle (level 19 unless given), atomically. RETURNS kUnsupported when
  /// the asked version cannot hold it, kInvalidArgument for another version or level.
  Result<backtests::ExportReport> Export(io::Env& env, const std::string& path,
                                         const backtests::ExportOptions& options) const;

  /// What a store would record of it; ids, snapshots and the skeleton are empty.
  const backtests::BacktestRecord& record() const { return record_; }
  const std::string& document() const { return document_; }
  const std::vector<backtests::IndexRow>& index_rows() const { return index_rows_; }

  /// Run ids are made from the runs' places and contents.
  Result<std::vector<backtests::RunRecord>> Runs();
  /// As backtests::BacktestStore::ReadRows.
  Result<std::shared_ptr<arrow::Table>> ReadRows(backtests::RunTable table,
                                                 const std::vector<Uuid>& run_ids = {});
  /// As backtests::ReadRunSeries.
  Result<std::shared_ptr<arrow::Table>> ReadSeries(const Uuid& run_id, std::string_view name);

 private:
  struct Parts;
  BundleBacktest() = default;
  static Result<std::unique_ptr<BundleBacktest>> Make(bundle::BundleFile read,
                                                      std::string_view handle);
  Result<std::shared_ptr<const Parts>> TakeApart();

  backtests::BacktestRecord record_;
  std::string document_;
  std::vector<backtests::IndexRow> index_rows_;
  std::mutex mutex_;  ///< guards what follows
  std::shared_ptr<const Parts> parts_;
};

}  // namespace lamina::stores
