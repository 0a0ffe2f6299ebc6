#include "file_calls.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstring>
#include <map>
#include <mutex>
#include <unordered_map>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace lamina::crash {
namespace {

struct Recorder {
  std::mutex mutex;
  std::string root;
  std::vector<Change> log;
  std::map<std::string, int> files;  ///< by path
  int next_file = 0;
  struct Open {
    std::string path;
    int file = -1;  ///< -1: a folder, or a file that is left out of the log
    bool folder = false;
  };
  std::unordered_map<int, Open> open;  ///< by descriptor
  CallFault fault;
  bool armed = false;
  std::int64_t count = 0;
  bool fired = false;
  std::string place;
};

std::atomic<bool> recording{false};

Recorder& TheRecorder() {
  static Recorder* const recorder = new Recorder;
  return *recorder;
}

bool LeftOut(std::string_view path) { return path.ends_with("-shm"); }

bool Below(const Recorder& recorder, std::string_view path) {
  return path.starts_with(recorder.root) &&
         (path.size() == recorder.root.size() || path[recorder.root.size()] == '/');
}

std::string Normal(const char* path) {
  std::string text(path);
  while (text.size() > 1 && text.back() == '/') text.pop_back();
  for (std::size_t at; (at = text.find("//")) != std::string::npos;) text.erase(at, 1);
  return text;
}

/// Whether this call is the one to fail. The lock is held.
bool Fails(Recorder& recorder, FileCall call, const std::string& path) {
  const CallFault& fault = recorder.fault;
  if (!recorder.armed || !fault.calls.Has(call)) return false;
  ++recorder.count;
  const bool hit = recorder.count == fault.at || (fault.lasting && recorder.count > fault.at);
  if (!hit) return false;
  if (!recorder.fired) recorder.place = std::string(CallName(call)) + " " + path;
  recorder.fired = true;
  return true;
}

int Failed(int error) {
  errno = error;
  return -1;
}

void Log(Recorder& recorder, Change change) { recorder.log.push_back(std::move(change)); }

int RealOpen(const char* path, int flags, mode_t mode) {
  return static_cast<int>(syscall(SYS_openat, AT_FDCWD, path, flags, mode));
}

int RecordedOpen(const char* name, int flags, mode_t mode) {
  if (!recording.load()) return RealOpen(name, flags, mode);
  Recorder& recorder = TheRecorder();
  const std::lock_guard lock(recorder.mutex);
  const std::string path = Normal(name);
  if (!Below(recorder, path)) return RealOpen(name, flags, mode);
  const bool writes = (flags & (O_WRONLY | O_RDWR | O_CREAT)) != 0;
  if (Fails(recorder, writes ? FileCall::kOpenToWrite : FileCall::kOpen, path)) {
    return Failed(recorder.fault.error);
  }
  struct stat before{};
  const bool existed = ::stat(path.c_str(), &before) == 0;
  const int descriptor = RealOpen(name, flags, mode);
  if (descriptor < 0) return descriptor;
  Recorder::Open opened{path, -1, existed && S_ISDIR(before.st_mode)};
  if (!opened.folder && !LeftOut(path)) {
    const auto [place, fresh] = recorder.files.try_emplace(path, recorder.next_file);
    if (fresh) ++recorder.next_file;
    opened.file = place->second;
    if (!existed || fresh) {
      Log(recorder, {Change::Kind::kCreate, opened.file, 0, path, {}, {}});
    } else if ((flags & O_TRUNC) != 0) {
      Log(recorder, {Change::Kind::kTruncate, opened.file, 0, path, {}, {}});
    }
  }
  recorder.open[descriptor] = std::move(opened);
  return descriptor;
}

/// The open file of a descriptor, when it is one of ours. The lock is held.
Recorder::Open* Find(Recorder& recorder, int descriptor) {
  const auto found = recorder.open.find(descriptor);
  return found != recorder.open.end() ? &found->second : nullptr;
}

ssize_t RecordedWrite(int descriptor, const void* data, size_t length, off_t offset, bool placed) {
  const auto real = [&](size_t bytes) -> ssize_t {
    return placed ? syscall(SYS_pwrite64, descriptor, data, bytes, offset)
                  : syscall(SYS_write, descriptor, data, bytes);
  };
  if (!recording.load()) return real(length);
  Recorder& recorder = TheRecorder();
  const std::lock_guard lock(recorder.mutex);
  Recorder::Open* const open = Find(recorder, descriptor);
  if (open == nullptr) return real(length);
  if (Fails(recorder, FileCall::kWrite, open->path)) {
    if (!recorder.fault.short_write) return Failed(recorder.fault.error);
    if (length > 1) length /= 2;
  }
  const ssize_t wrote = real(length);
  if (wrote <= 0 || open->file < 0) return wrote;
  const off_t start = placed ? offset : lseek(descriptor, 0, SEEK_CUR) - wrote;
  Log(recorder, {Change::Kind::kWrite,
                 open->file,
                 start,
                 open->path,
                 {},
                 std::string(static_cast<const char*>(data), static_cast<std::size_t>(wrote))});
  return wrote;
}

ssize_t RecordedRead(int descriptor, void* out, size_t length, off_t offset, bool placed) {
  if (recording.load()) {
    Recorder& recorder = TheRecorder();
    const std::lock_guard lock(recorder.mutex);
    const Recorder::Open* const open = Find(recorder, descriptor);
    if (open != nullptr && Fails(recorder, FileCall::kRead, open->path)) {
      return Failed(recorder.fault.error);
    }
  }
  return placed ? syscall(SYS_pread64, descriptor, out, length, offset)
                : syscall(SYS_read, descriptor, out, length);
}

/// Nothing is really synced: what a power cut leaves is computed from the log.
int RecordedSync(int descriptor) {
  if (!recording.load()) return fcntl(descriptor, F_GETFD) < 0 ? -1 : 0;
  Recorder& recorder = TheRecorder();
  const std::lock_guard lock(recorder.mutex);
  const Recorder::Open* const open = Find(recorder, descriptor);
  if (open == nullptr) return 0;
  if (Fails(recorder, FileCall::kSync, open->path)) return Failed(recorder.fault.error);
  if (open->folder) Log(recorder, {Change::Kind::kSyncFolder, -1, 0, open->path, {}, {}});
  if (open->file >= 0) Log(recorder, {Change::Kind::kSync, open->file, 0, open->path, {}, {}});
  return 0;
}

int RecordedTruncate(int descriptor, off_t length) {
  const auto real = [&] { return static_cast<int>(syscall(SYS_ftruncate, descriptor, length)); };
  if (!recording.load()) return real();
  Recorder& recorder = TheRecorder();
  const std::lock_guard lock(recorder.mutex);
  const Recorder::Open* const open = Find(recorder, descriptor);
  if (open == nullptr) return real();
  if (Fails(recorder, FileCall::kTruncate, open->path)) return Failed(recorder.fault.error);
  const int result = real();
  if (result == 0 && open->file >= 0) {
    Log(recorder, {Change::Kind::kTruncate, open->file, length, open->path, {}, {}});
  }
  return result;
}

/// The paths at or below `from` are at or below `to` now.
void MoveNames(std::map<std::string, int>& files, const std::string& from, const std::string& to) {
  files.erase(to);
  std::map<std::string, int> moved;
  std::erase_if(files, [&](const auto& entry) {
    if (entry.first != from && !entry.first.starts_with(from + "/")) return false;
    moved.emplace(to + entry.first.substr(from.size()), entry.second);
    return true;
  });
  files.merge(moved);
}

template <class Real>
int RecordedNameChange(FileCall call, Change::Kind kind, const char* name, const char* other,
                       Real real) {
  if (!recording.load()) return real();
  Recorder& recorder = TheRecorder();
  const std::lock_guard lock(recorder.mutex);
  const std::string path = Normal(name);
  const std::string to = other != nullptr ? Normal(other) : std::string();
  if (!Below(recorder, path) && !Below(recorder, to)) return real();
  if (Fails(recorder, call, path)) return Failed(recorder.fault.error);
  const int result = real();
  if (result != 0 || LeftOut(path)) return result;
  Log(recorder, {kind, -1, 0, path, to, {}});
  if (kind == Change::Kind::kRename) MoveNames(recorder.files, path, to);
  if (kind == Change::Kind::kLink) recorder.files[to] = recorder.files[path];
  if (kind == Change::Kind::kUnlink) recorder.files.erase(path);
  return result;
}

}  // namespace

std::string_view KindName(Change::Kind kind) {
  constexpr std::array<std::string_view, 11> kNames = {
      "create", "write",       "truncate",      "sync",        "rename",     "link",
      "unlink", "make folder", "remove folder", "sync folder", "acknowledge"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::string_view CallName(FileCall call) {
  constexpr std::array<std::string_view, 9> kNames = {"open",   "open to write", "read",
                                                      "write",  "sync",          "truncate",
                                                      "rename", "unlink",        "make folder"};
  return kNames[static_cast<std::size_t>(call)];
}

void StartRecording(const std::string& root, const std::vector<std::string>& files) {
  Recorder& recorder = TheRecorder();
  const std::lock_guard lock(recorder.mutex);
  recorder.root = root;
  recorder.log.clear();
  recorder.files.clear();
  recorder.open.clear();
  recorder.fault = {};
  recorder.armed = false;
  recorder.fired = false;
  for (std::size_t i = 0; i < files.size(); ++i) recorder.files[files[i]] = static_cast<int>(i);
  recorder.next_file = static_cast<int>(files.size());
  recording.store(true);
}

void Acknowledge() {
  Recorder& recorder = TheRecorder();
  const std::lock_guard lock(recorder.mutex);
  Log(recorder, {});
}

std::vector<Change> StopRecording() {
  Recorder& recorder = TheRecorder();
  const std::lock_guard lock(recorder.mutex);
  recording.store(false);
  recorder.open.clear();
  return std::move(recorder.log);
}

void SetFault(const CallFault& fault) {
  Recorder& recorder = TheRecorder();
  const std::lock_guard lock(recorder.mutex);
  recorder.fault = fault;
  recorder.armed = fault.at != 0;
  recorder.place.clear();
  recorder.count = 0;
  recorder.fired = false;
}

void ClearFault() {
  Recorder& recorder = TheRecorder();
  const std::lock_guard lock(recorder.mutex);
  recorder.armed = false;
}

void ResumeFault() {
  Recorder& recorder = TheRecorder();
  const std::lock_guard lock(recorder.mutex);
  recorder.armed = recorder.fault.at != 0;
}

bool FaultFired() {
  Recorder& recorder = TheRecorder();
  const std::lock_guard lock(recorder.mutex);
  return recorder.fired;
}

std::string FaultPlace() {
  Recorder& recorder = TheRecorder();
  const std::lock_guard lock(recorder.mutex);
  return recorder.place;
}

std::int64_t CallCount() {
  Recorder& recorder = TheRecorder();
  const std::lock_guard lock(recorder.mutex);
  return recorder.count;
}

}  // namespace lamina::crash

// The C library's functions, for this program and every library it loads.

#define REPLACED __attribute__((visibility("default")))

using lamina::crash::Change;
using lamina::crash::FileCall;

namespace crash = lamina::crash;

extern "C" {

REPLACED int open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  return crash::RecordedOpen(path, flags, mode);
}

REPLACED int open64(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  return crash::RecordedOpen(path, flags, mode);
}

REPLACED int close(int descriptor) {
  if (crash::recording.load()) {
    crash::Recorder& recorder = crash::TheRecorder();
    const std::lock_guard lock(recorder.mutex);
    recorder.open.erase(descriptor);
    return static_cast<int>(syscall(SYS_close, descriptor));
  }
  return static_cast<int>(syscall(SYS_close, descriptor));
}

REPLACED ssize_t write(int descriptor, const void* data, size_t length) {
  return crash::RecordedWrite(descriptor, data, length, 0, false);
}
REPLACED ssize_t pwrite(int descriptor, const void* data, size_t length, off_t offset) {
  return crash::RecordedWrite(descriptor, data, length, offset, true);
}
REPLACED ssize_t pwrite64(int descriptor, const void* data, size_t length, off64_t offset) {
  return crash::RecordedWrite(descriptor, data, length, offset, true);
}
REPLACED ssize_t read(int descriptor, void* out, size_t length) {
  return crash::RecordedRead(descriptor, out, length, 0, false);
}
REPLACED ssize_t pread(int descriptor, void* out, size_t length, off_t offset) {
  return crash::RecordedRead(descriptor, out, length, offset, true);
}
REPLACED ssize_t pread64(int descriptor, void* out, size_t length, off64_t offset) {
  return crash::RecordedRead(descriptor, out, length, offset, true);
}
REPLACED int fsync(int descriptor) { return crash::RecordedSync(descriptor); }
REPLACED int fdatasync(int descriptor) { return crash::RecordedSync(descriptor); }
REPLACED int ftruncate(int descriptor, off_t length) noexcept {
  return crash::RecordedTruncate(descriptor, length);
}
REPLACED int ftruncate64(int descriptor, off64_t length) noexcept {
  return crash::RecordedTruncate(descriptor, length);
}

REPLACED int rename(const char* from, const char* to) noexcept {
  return crash::RecordedNameChange(FileCall::kRename, Change::Kind::kRename, from, to, [&] {
    return static_cast<int>(syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0));
  });
}
REPLACED int renameat2(int from_folder, const char* from, int to_folder, const char* to,
                       unsigned flags) noexcept {
  return crash::RecordedNameChange(FileCall::kRename, Change::Kind::kRename, from, to, [&] {
    return static_cast<int>(syscall(SYS_renameat2, from_folder, from, to_folder, to, flags));
  });
}
REPLACED int link(const char* from, const char* to) noexcept {
  return crash::RecordedNameChange(FileCall::kRename, Change::Kind::kLink, from, to, [&] {
    return static_cast<int>(syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0));
  });
}
REPLACED int unlink(const char* path) noexcept {
  return crash::RecordedNameChange(FileCall::kUnlink, Change::Kind::kUnlink, path, nullptr, [&] {
    return static_cast<int>(syscall(SYS_unlinkat, AT_FDCWD, path, 0));
  });
}
REPLACED int mkdir(const char* path, mode_t mode) noexcept {
  return crash::RecordedNameChange(
      FileCall::kMakeFolder, Change::Kind::kMakeFolder, path, nullptr,
      [&] { return static_cast<int>(syscall(SYS_mkdirat, AT_FDCWD, path, mode)); });
}
REPLACED int rmdir(const char* path) noexcept {
  return crash::RecordedNameChange(
      FileCall::kUnlink, Change::Kind::kRemoveFolder, path, nullptr,
      [&] { return static_cast<int>(syscall(SYS_unlinkat, AT_FDCWD, path, AT_REMOVEDIR)); });
}

}  // extern "C"
