#pragma once

/// \file lamina/store/store.h
/// Store: the front door of the engine. Opens a root folder and gives its layers.
/// Thread-safe. After fork() the child must open the store again.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "lamina/backtests/backtest_store.h"
#include "lamina/base/result.h"
#include "lamina/base/uuid.h"
#include "lamina/catalog/catalog.h"
#include "lamina/dataset/datasets.h"
#include "lamina/dataset/registry.h"
#include "lamina/io/env.h"
#include "lamina/store/config.h"
#include "lamina/store/instruments.h"
#include "lamina/ticks/tick_query.h"
#include "lamina/ticks/tick_store.h"

namespace lamina::store {

struct StoreOptions {
  bool read_only = false;
  /// Make the store when `root` is absent or an empty folder.
  bool create = false;
  bool allow_network_filesystem = false;
};

class Store {
 public:
  /// RETURNS kNotFound (no store at `root`), kAlreadyExists (`create` on another non-empty folder),
  /// kUnsupported (newer format, network file system), kCorruption.
  static Result<std::unique_ptr<Store>> Open(io::Env& env, const std::string& root,
                                             const StoreOptions& options = {});
  /// For reading only. A store of an earlier version is brought to this one first, which writes.
  static Result<std::unique_ptr<Store>> OpenToRead(io::Env& env, const std::string& root);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  const std::string& root() const { return root_; }
  const StoreConfig& config() const { return config_; }
  bool created() const { return created_; }  ///< by this very Open
  catalog::Catalog& catalog() { return *catalog_; }
  backtests::BacktestStore& backtests() { return backtests_; }
  Instruments& instruments() { return instruments_; }
  ticks::TickStore& ticks() { return ticks_; }
  ticks::TickReader& tick_reader() { return tick_reader_; }
  dataset::Datasets& datasets() { return datasets_; }
  dataset::Registry& registry() { return registry_; }

  Result<std::vector<catalog::LakeSnapshot>> Snapshots();

  /// Catalog::Compact, and for tables of ticks TickStore::FoldDays.
  Result<std::vector<catalog::TableCompaction>> Compact(const catalog::CompactionRequest& request);

 private:
  Store(std::string root, StoreConfig config, std::unique_ptr<catalog::Catalog> catalog);

  std::string root_;
  StoreConfig config_;
  std::unique_ptr<catalog::Catalog> catalog_;
  backtests::BacktestStore backtests_;
  Instruments instruments_;
  ticks::TickStore ticks_;
  ticks::TickReader tick_reader_;
  dataset::Datasets datasets_;
  dataset::Registry registry_;
  bool created_ = false;
};

}  // namespace lamina::store
