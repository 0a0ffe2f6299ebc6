#include <array>
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lamina/catalog/database.h"
#include "lamina/catalog/page_checksum_internal.h"
#include "lamina/catalog/sqlite_locks_internal.h"

// Open-file-description locks belong to the open file and not to the process: another SQLite
// library in this process (DuckDB's, Python's own) that opens and closes the catalog cannot drop
// them, as it would drop POSIX locks. But a forked child shares the open files, and an unlock or
// close in SQLite there would release the parent's locks. So in a child the inherited descriptors
// are closed with plain close(), which releases nothing while the parent lives, and the inherited
// connections are never called again. SQLite keeps a process-wide list of open files by device and
// inode; the child must not find the parent's entries in it (they hold closed descriptors), so
// there the device number that SQLite sees is changed.

namespace lamina::catalog {
namespace internal {

void RunForkWatches();

namespace {

constexpr int kDescriptorsMax = 1 << 20;

std::atomic<std::uint64_t> fork_generation{0};
std::array<std::atomic<bool>, kDescriptorsMax> tracked_descriptors;
std::atomic<int> tracked_end{0};
thread_local int calls_in_thread = 0;

struct Registry {
  std::mutex mutex;
  std::vector<ConnectionGate*> gates;
  std::vector<ForkWatch*> watches;
};
Registry& Registered() {
  static Registry* const registry = new Registry;  // outlives every static Database
  return *registry;
}

void BeforeFork() {
  Registered().mutex.lock();
  for (ConnectionGate* gate : Registered().gates) gate->mutex.lock();
}

void AfterForkInParent() {
  for (ConnectionGate* gate : Registered().gates) gate->mutex.unlock();
  Registered().mutex.unlock();
}

void AfterForkInChild() {
  fork_generation.fetch_add(1, std::memory_order_relaxed);
  for (int descriptor = 0; descriptor < tracked_end.load(); ++descriptor) {
    if (tracked_descriptors[descriptor].exchange(false)) close(descriptor);
  }
  tracked_end.store(0);
  RunForkWatches();
  AfterForkInParent();
}

using OpenCall = int (*)(const char*, int, int);
using CloseCall = int (*)(int);
using MapCall = void* (*)(void*, std::size_t, int, int, int, off_t);
using StatCall = int (*)(const char*, struct stat*);
using DescriptorStatCall = int (*)(int, struct stat*);
OpenCall next_open = nullptr;
CloseCall next_close = nullptr;
MapCall next_map = nullptr;
StatCall next_stat = nullptr;
DescriptorStatCall next_fstat = nullptr;

int LockByDescription(int descriptor, int command, ...) {
  va_list arguments;
  va_start(arguments, command);
  void* argument = va_arg(arguments, void*);
  va_end(arguments);
  if (command == F_SETLK || command == F_SETLKW || command == F_GETLK) {
    static_cast<struct flock*>(argument)->l_pid = 0;
    command = command == F_SETLK ? F_OFD_SETLK : command == F_SETLKW ? F_OFD_SETLKW : F_OFD_GETLK;
  }
  return fcntl(descriptor, command, argument);
}

int OpenTracked(const char* path, int flags, int mode) {
  const int descriptor = next_open(path, flags, mode);
  if (descriptor >= 0 && descriptor < kDescriptorsMax && calls_in_thread > 0) {
    tracked_descriptors[descriptor].store(true);
    int end = tracked_end.load();
    while (end <= descriptor && !tracked_end.compare_exchange_weak(end, descriptor + 1)) {
    }
  }
  return descriptor;
}

int CloseTracked(int descriptor) {
  if (descriptor >= 0 && descriptor < kDescriptorsMax) {
    tracked_descriptors[descriptor].store(false);
  }
  return next_close(descriptor);
}

/// A mapping keeps the open file and its locks alive just as a descriptor does: no child gets it.
void* MapUnshared(void* address, std::size_t length, int protection, int flags, int descriptor,
                  off_t offset) {
  void* const mapped = next_map(address, length, protection, flags, descriptor, offset);
  if (mapped != MAP_FAILED && calls_in_thread > 0) madvise(mapped, length, MADV_DONTFORK);
  return mapped;
}

void MarkDevice(struct stat* buffer) {
  buffer->st_dev ^= static_cast<dev_t>(ForkGeneration() * 0x9E3779B97F4A7C15ULL);
}

int StatMarked(const char* path, struct stat* buffer) {
  const int result = next_stat(path, buffer);
  if (result == 0) MarkDevice(buffer);
  return result;
}

int DescriptorStatMarked(int descriptor, struct stat* buffer) {
  const int result = next_fstat(descriptor, buffer);
  if (result == 0) MarkDevice(buffer);
  return result;
}

template <class Call>
bool Override(sqlite3_vfs* vfs, const char* name, Call replacement, Call* next) {
  if (next != nullptr) {
    *next = reinterpret_cast<Call>(vfs->xGetSystemCall(vfs, name));
    if (*next == nullptr) return false;
  }
  return vfs->xSetSystemCall(vfs, name, reinterpret_cast<sqlite3_syscall_ptr>(replacement)) ==
         SQLITE_OK;
}

const char* Install() {
  if (sqlite3_initialize() != SQLITE_OK) return "SQLite could not be initialised";
  sqlite3_vfs* const vfs = sqlite3_vfs_find("unix");
  if (vfs == nullptr || vfs->iVersion < 3 || vfs->xSetSystemCall == nullptr) {
    return "this SQLite library has no unix file layer whose system calls can be set";
  }
  using FcntlCall = int (*)(int, int, ...);
  if (!Override<FcntlCall>(vfs, "fcntl", &LockByDescription, nullptr) ||
      !Override<OpenCall>(vfs, "open", &OpenTracked, &next_open) ||
      !Override<CloseCall>(vfs, "close", &CloseTracked, &next_close) ||
      !Override<MapCall>(vfs, "mmap", &MapUnshared, &next_map) ||
      !Override<StatCall>(vfs, "stat", &StatMarked, &next_stat) ||
      !Override<DescriptorStatCall>(vfs, "fstat", &DescriptorStatMarked, &next_fstat)) {
    return "this SQLite library does not let its system calls be set";
  }
  if (const char* problem = RegisterCheckedVfs(); problem != nullptr) return problem;
  if (pthread_atfork(&BeforeFork, &AfterForkInParent, &AfterForkInChild) != 0) {
    return "the fork handler could not be registered";
  }
  return nullptr;
}

}  // namespace

void RunForkWatches() {
  for (ForkWatch* watch : Registered().watches) watch->in_child_();
}

ForkWatch::ForkWatch(std::function<void()> in_child) : in_child_(std::move(in_child)) {
  const std::lock_guard<std::mutex> lock(Registered().mutex);
  Registered().watches.push_back(this);
}

ForkWatch::~ForkWatch() {
  const std::lock_guard<std::mutex> lock(Registered().mutex);
  std::erase(Registered().watches, this);
}

std::uint64_t ForkGeneration() { return fork_generation.load(std::memory_order_relaxed); }

ConnectionGate::ConnectionGate() : process_id(getpid()) {
  const std::lock_guard<std::mutex> lock(Registered().mutex);
  Registered().gates.push_back(this);
}

ConnectionGate::~ConnectionGate() {
  const std::lock_guard<std::mutex> lock(Registered().mutex);
  std::erase(Registered().gates, this);
}

SqliteCall::SqliteCall(ConnectionGate& gate) : lock_(gate.mutex) { ++calls_in_thread; }
SqliteCall::~SqliteCall() { --calls_in_thread; }

}  // namespace internal

Status InstallSqliteLocks() {
  static const char* const problem = internal::Install();
  if (problem != nullptr) return Unsupported(problem);
  return Ok();
}

}  // namespace lamina::catalog
