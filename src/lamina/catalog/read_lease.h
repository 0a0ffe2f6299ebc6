#pragma once

/// \file lamina/catalog/read_lease.h
/// ReadLease: what a long read holds on to, so that expiry and gc leave its snapshot and files.

#include <cstdint>
#include <memory>

#include "lamina/base/result.h"
#include "lamina/base/time.h"
#include "lamina/catalog/catalog.h"

namespace lamina::catalog {

/// A lease (pins.h) taken and renewed by a thread of its own, so that a reader never waits for a
/// writer. Reads that end within `after` take none: the grace of gc covers them. Without effect on
/// a read-only catalog, which has only that grace. Thread-safe; the catalog outlives it.
class ReadLease {
 public:
  struct Options {
    Micros after{1'000'000};
    Micros duration{
        600'000'000};         ///< renewed after a third of it; a killed reader's ends by itself
    Micros retry{1'000'000};  ///< after kConflict: writers are busy
  };

  /// On `snapshot`. Returns at once.
  static std::unique_ptr<ReadLease> Start(Catalog& catalog, std::int64_t snapshot);
  static std::unique_ptr<ReadLease> Start(Catalog& catalog, std::int64_t snapshot,
                                          const Options& options);
  ReadLease(const ReadLease&) = delete;
  ReadLease& operator=(const ReadLease&) = delete;
  /// Gives the lease back; a failure leaves it to its end.
  ~ReadLease();

  std::int64_t snapshot() const;
  /// Whether there is a lease now.
  bool held() const;
  /// RETURNS kNotFound when the snapshot was forgotten before or between leases: what was read may
  /// be incomplete.
  Status Check() const;

 private:
  struct State;
  explicit ReadLease(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace lamina::catalog
