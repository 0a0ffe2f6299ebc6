#pragma once

/// \file lamina/catalog/sqlite_locks_internal.h
/// What Database shares with the lock and fork machinery below it. Thread-safe.

#include <cstdint>
#include <functional>
#include <mutex>

namespace lamina::catalog::internal {

/// How many forks lie between the process that first used SQLite and this one.
std::uint64_t ForkGeneration();

/// One per connection; every call into SQLite for that connection holds its mutex, so that fork()
/// never happens while a thread is inside SQLite.
struct ConnectionGate {
  ConnectionGate();
  ~ConnectionGate();
  ConnectionGate(const ConnectionGate&) = delete;
  ConnectionGate& operator=(const ConnectionGate&) = delete;

  const std::uint64_t generation = ForkGeneration();
  const int process_id;
  std::mutex mutex;

  /// The connection was inherited over a fork: never to be touched again.
  bool foreign() const { return generation != ForkGeneration(); }
};

/// Runs `in_child` in every forked child, for as long as it lives. `in_child` is short and makes or
/// destroys no ForkWatch and no Database.
class ForkWatch {
 public:
  explicit ForkWatch(std::function<void()> in_child);
  ~ForkWatch();
  ForkWatch(const ForkWatch&) = delete;
  ForkWatch& operator=(const ForkWatch&) = delete;

 private:
  friend void RunForkWatches();
  std::function<void()> in_child_;
};

/// Enter SQLite for one connection. Descriptors that SQLite opens meanwhile are remembered, and
/// closed in a forked child.
class SqliteCall {
 public:
  explicit SqliteCall(ConnectionGate& gate);
  ~SqliteCall();
  SqliteCall(const SqliteCall&) = delete;
  SqliteCall& operator=(const SqliteCall&) = delete;

 private:
  std::lock_guard<std::mutex> lock_;
};

}  // namespace lamina::catalog::internal
