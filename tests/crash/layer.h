#pragma once

/// \file tests/crash/layer.h
/// Layer: a scenario of one part of the program, which the harness interrupts at every point.
/// To join: a Layer (for what lives in a store: a StoreLayer with a list of steps) in a file of its
/// own and its function in kLayers.

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lamina/base/result.h"
#include "lamina/store/store.h"

namespace lamina::crash {

/// A step, or the check of one, RETURNS what went wrong. All paths are below the folder given to
/// the constructor's caller; nothing else may be changed.
class Layer {
 public:
  virtual ~Layer() = default;

  /// What is there, durably, before the recording.
  virtual Status Prepare() { return Ok(); }
  /// Open for work (or only to read) what the steps and Describe use; Close gives it back.
  virtual Status Open(bool read_only) = 0;
  virtual void Close() = 0;
  /// Steps that are acknowledged one by one. Each may be asked for again when it was cut short.
  virtual int steps() const = 0;
  virtual Status Step(int number) = 0;
  /// Whether a step that was cut short may leave some of its lines (several commits).
  virtual bool in_parts(int /*number*/) const { return false; }
  /// All that a user can see, one fact a line; the same for the same content. Contents are read.
  virtual Result<std::vector<std::string>> Describe() = 0;
  /// What must hold whenever it is open: the program's own verification.
  virtual Status Verify() { return Ok(); }
  /// What must hold after the next writer began its work: nothing left over.
  virtual Status CheckLeftovers() { return Ok(); }
};

/// A store at `root`; a list of steps with its backtests, instruments and catalog.
class StoreLayer : public Layer {
 public:
  using Work = std::function<Status(store::Store&)>;

  explicit StoreLayer(std::string root) : root_(std::move(root)) {}

  Status Prepare() override;
  Status Open(bool read_only) override;
  void Close() override { store_.reset(); }
  int steps() const override { return static_cast<int>(steps_.size()); }
  Status Step(int number) override {
    return steps_[static_cast<std::size_t>(number)].work(*store_);
  }
  bool in_parts(int number) const override {
    return steps_[static_cast<std::size_t>(number)].in_parts;
  }
  Result<std::vector<std::string>> Describe() override;
  Status Verify() override;
  Status CheckLeftovers() override;

  StoreLayer& Before(Work work) {
    before_.push_back(std::move(work));
    return *this;
  }
  StoreLayer& Then(Work work, bool in_parts = false) {
    steps_.push_back({std::move(work), in_parts});
    return *this;
  }

 private:
  struct OneStep {
    Work work;
    bool in_parts = false;
  };
  std::string root_;
  std::vector<Work> before_;
  std::vector<OneStep> steps_;
  std::unique_ptr<store::Store> store_;
};

/// A description of each backtest of a store, with all that belongs to it.
Result<std::vector<std::string>> DescribeBacktests(backtests::BacktestStore& store);

/// Rows of datasets and of the registry, edges of lineage, behind `lines`.
Status DescribeDatasets(store::Store& store, std::vector<std::string>& lines);

/// Verification of a catalog finds nothing, every byte read.
Status CheckCatalogVerifies(catalog::Catalog& catalog);
/// Recover as the next writer does; then every file has a row that names it.
Status CheckCatalogLeftovers(catalog::Catalog& catalog);

struct NamedLayer {
  std::string_view name;
  std::unique_ptr<Layer> (*make)(const std::string& folder);
};
/// What its steps leave, to be damaged: a store with one of everything.
extern const NamedLayer kDamaged;
/// In the order of the reports.
const std::vector<NamedLayer>& Layers();

}  // namespace lamina::crash
