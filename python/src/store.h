#pragma once

/// \file store.h
/// One open store as Python holds it. Thread-safe: calls keep the engine alive, Close drops it.

#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "interop.h"

#include "lamina/catalog/lake_bytes.h"
#include "lamina/store/store.h"

namespace lamina::stores {
class BundleBacktest;
}

namespace lamina::python {

class OpenStore {
 public:
  explicit OpenStore(std::shared_ptr<store::Store> store) : store_(std::move(store)) {}

  /// The engine; raises InvalidArgument when the store was closed.
  std::shared_ptr<store::Store> Get() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (store_ == nullptr) throw Raised(InvalidArgument("this store was closed"));
    return store_;
  }
  /// Calls that run go on to their end.
  std::shared_ptr<store::Store> Take() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return std::move(store_);
  }

  /// What of its lake this opening has compared with checksums.
  catalog::LakeBytes& lake_bytes() const { return *lake_bytes_; }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<store::Store> store_;
  std::unique_ptr<catalog::LakeBytes> lake_bytes_ = std::make_unique<catalog::LakeBytes>();
};

void BindStores(nb::module_& module, nb::class_<OpenStore>& store);
void BindMadeBacktests(nb::module_& module, nb::class_<stores::BundleBacktest>& backtest);
void BindBacktests(nb::module_& module, nb::class_<OpenStore>& store);
void BindUpkeep(nb::module_& module, nb::class_<OpenStore>& store);
void BindInstruments(nb::class_<OpenStore>& store);
void BindDatasets(nb::class_<OpenStore>& store);
void BindBarFiles(nb::module_& module);
void BindMadeBars(nb::class_<OpenStore>& store);

}  // namespace lamina::python
