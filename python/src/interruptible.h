#pragma once

/// \file interruptible.h
/// Long work on a thread of its own while the calling Python thread shows progress and hears
/// Ctrl-C. Used by one thread.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "interop.h"

#include "lamina/base/parallel.h"

namespace lamina::python {

class Interruptible {
 public:
  /// `progress`: None, or a function of (done, total).
  explicit Interruptible(nb::object progress) : progress_(std::move(progress)) {}

  const CancelToken& cancel() const { return cancel_; }
  /// From any thread.
  void Progress(std::int64_t done, std::int64_t total) {
    total_.store(total, std::memory_order_relaxed);
    done_.store(done, std::memory_order_relaxed);
  }

  /// Run `work`, which returns Result<T> and touches no Python object. A Python exception (from a
  /// signal handler or `progress`) cancels it, waits for it, and is raised; else its error is.
  template <class Work>
  auto Run(Work work) {
    using Answer = decltype(work());
    std::optional<Answer> answer;
    std::mutex mutex;
    std::condition_variable ended;
    std::thread worker([&] {
      Answer done = work();
      const std::lock_guard<std::mutex> lock(mutex);
      answer.emplace(std::move(done));
      ended.notify_one();
    });
    std::exception_ptr stopped;
    for (bool running = true; running;) {
      {
        nb::gil_scoped_release release;
        std::unique_lock<std::mutex> lock(mutex);
        ended.wait_for(lock, kPollInterval, [&] { return answer.has_value(); });
        running = !answer.has_value();
      }
      if (stopped) continue;
      try {
        if (PyErr_CheckSignals() != 0) throw nb::python_error();
        Show();
      } catch (...) {
        stopped = std::current_exception();
        cancel_.Cancel();
      }
    }
    worker.join();
    if (stopped) std::rethrow_exception(stopped);
    return OrRaise(*std::move(answer));
  }

 private:
  static constexpr std::chrono::milliseconds kPollInterval{50};

  void Show() {
    const std::int64_t done = done_.load(std::memory_order_relaxed);
    const std::int64_t total = total_.load(std::memory_order_relaxed);
    if (progress_.is_none() || total == 0 || std::pair(done, total) == shown_) return;
    shown_ = {done, total};
    progress_(done, total);
  }

  nb::object progress_;
  CancelToken cancel_;
  std::atomic<std::int64_t> done_{0}, total_{0};
  std::pair<std::int64_t, std::int64_t> shown_{-1, -1};
};

}  // namespace lamina::python
