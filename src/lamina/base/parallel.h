#pragma once

/// \file lamina/base/parallel.h
/// Run independent work on a few threads.

#include <atomic>
#include <cstddef>
#include <functional>

#include "lamina/base/result.h"

namespace lamina {

/// Set by a signal handler or another thread to ask long work to stop. Thread-safe.
class CancelToken {
 public:
  void Cancel() { cancelled_.store(true, std::memory_order_relaxed); }
  bool cancelled() const { return cancelled_.load(std::memory_order_relaxed); }

 private:
  std::atomic<bool> cancelled_{false};
};

/// Cores this process may use (affinity respected), at least 1.
std::size_t AvailableCores();

/// Call `work(index, worker)` for every index in [0, count), on `workers` threads (0 = all cores,
/// 1 = this thread). Indices are handed out in increasing order. After the first error no new index
/// is started; RETURNS that error (the one with the lowest index among those that failed).
Status ParallelFor(std::size_t count, std::size_t workers,
                   const std::function<Status(std::size_t index, std::size_t worker)>& work);

}  // namespace lamina
