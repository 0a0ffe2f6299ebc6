#include "lamina/catalog/read_lease.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include <unistd.h>

#include "lamina/catalog/pins.h"

namespace lamina::catalog {

struct ReadLease::State {
  State(Catalog& of, std::int64_t at, const Options& with)
      : catalog(of), snapshot(at), options(with) {}

  /// Sleeps until then or the end. RETURNS whether to go on.
  bool Wait(Micros span) {
    std::unique_lock lock(mutex);
    return !wake.wait_for(lock, std::chrono::microseconds(span.value), [&] { return ended; });
  }

  /// Takes or renews. RETURNS how long that is good for.
  Micros Hold() {
    if (lease) {
      const Status renewed = lease->Renew(options.duration);
      if (renewed.ok()) return Micros{options.duration.value / 3};
      if (renewed.error().code() != ErrorCode::kNotFound) return options.retry;
      lease.reset();  // it had ended, in a process that was stopped for long; perhaps in time
    }
    auto taken = Lease::Take(catalog, snapshot, options.duration);
    const std::lock_guard lock(mutex);
    if (taken.ok()) {
      lease.emplace(*std::move(taken));
      holds = true;
      return Micros{options.duration.value / 3};
    }
    holds = false;
    if (taken.error().code() == ErrorCode::kNotFound) {
      lost = true;
      ended = true;
    }
    return options.retry;
  }

  void Run() {
    Micros next = options.after;
    while (Wait(next)) next = Hold();
    lease.reset();
  }

  Catalog& catalog;
  const std::int64_t snapshot;
  const Options options;
  const pid_t process = getpid();
  std::optional<Lease> lease;  ///< of the thread

  std::mutex mutex;
  std::condition_variable wake;
  bool ended = false, holds = false, lost = false;
  std::thread thread;
};

std::unique_ptr<ReadLease> ReadLease::Start(Catalog& catalog, std::int64_t snapshot) {
  return Start(catalog, snapshot, Options());
}

std::unique_ptr<ReadLease> ReadLease::Start(Catalog& catalog, std::int64_t snapshot,
                                            const Options& options) {
  auto state = std::make_unique<State>(catalog, snapshot, options);
  if (!catalog.read_only()) {
    state->thread = std::thread([own = state.get()] { own->Run(); });
  }
  return std::unique_ptr<ReadLease>(new ReadLease(std::move(state)));
}

ReadLease::ReadLease(std::unique_ptr<State> state) : state_(std::move(state)) {}

ReadLease::~ReadLease() {
  if (state_->process != getpid()) {  // a forked child: the thread and the lease are the parent's
    static_cast<void>(state_.release());
    return;
  }
  {
    const std::lock_guard lock(state_->mutex);
    state_->ended = true;
  }
  state_->wake.notify_all();
  if (state_->thread.joinable()) state_->thread.join();
}

std::int64_t ReadLease::snapshot() const { return state_->snapshot; }

bool ReadLease::held() const {
  const std::lock_guard lock(state_->mutex);
  return state_->holds;
}

Status ReadLease::Check() const {
  const std::lock_guard lock(state_->mutex);
  if (!state_->lost) return Ok();
  return NotFound("snapshot " + std::to_string(state_->snapshot) +
                  " was forgotten while it was read; start the read again");
}

}  // namespace lamina::catalog
