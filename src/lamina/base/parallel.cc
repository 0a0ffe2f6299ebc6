#include "lamina/base/parallel.h"

#include <algorithm>
#include <exception>
#include <limits>
#include <mutex>
#include <new>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include <sched.h>

namespace lamina {
namespace {

using Work = std::function<Status(std::size_t index, std::size_t worker)>;

/// An exception must not leave a thread; memory may run out in any of them.
Status RunOne(const Work& work, std::size_t index, std::size_t worker) {
  try {
    return work(index, worker);
  } catch (const std::bad_alloc&) {
    return ResourceExhausted("out of memory");
  } catch (const std::exception& e) {
    return Internal(std::string("unexpected exception: ") + e.what());
  }
}

struct Shared {
  std::atomic<std::size_t> next{0};
  std::atomic<bool> failed{false};
  std::mutex mutex;
  std::size_t error_index = std::numeric_limits<std::size_t>::max();
  Status error;
};

void RunWorker(Shared& shared, std::size_t count, std::size_t worker, const Work& work) {
  while (!shared.failed.load(std::memory_order_relaxed)) {
    const std::size_t index = shared.next.fetch_add(1, std::memory_order_relaxed);
    if (index >= count) return;
    Status status = RunOne(work, index, worker);
    if (status.ok()) continue;
    shared.failed.store(true, std::memory_order_relaxed);
    const std::lock_guard lock(shared.mutex);
    if (index < shared.error_index) {
      shared.error_index = index;
      shared.error = std::move(status);
    }
    return;
  }
}

}  // namespace

std::size_t AvailableCores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) == 0) {
    const int cores = CPU_COUNT(&set);
    if (cores > 0) return static_cast<std::size_t>(cores);
  }
  return std::max<std::size_t>(1, std::thread::hardware_concurrency());
}

Status ParallelFor(std::size_t count, std::size_t workers, const Work& work) {
  if (workers == 0) workers = AvailableCores();
  workers = std::min(workers, count);
  if (workers <= 1) {
    for (std::size_t index = 0; index < count; ++index) LAMINA_TRY(RunOne(work, index, 0));
    return Ok();
  }
  Shared shared;
  std::vector<std::thread> threads;
  threads.reserve(workers - 1);
  for (std::size_t worker = 1; worker < workers; ++worker) {
    try {
      threads.emplace_back(
          [&shared, count, worker, &work] { RunWorker(shared, count, worker, work); });
    } catch (const std::system_error&) {
      break;  // The process may not have more threads: the ones there are do the work.
    }
  }
  RunWorker(shared, count, 0, work);
  for (std::thread& thread : threads) thread.join();
  return std::move(shared.error);
}

}  // namespace lamina
