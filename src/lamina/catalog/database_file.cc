#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lamina/catalog/database_file_internal.h"
#include "lamina/catalog/page_checksum_internal.h"

namespace lamina::catalog::internal {
namespace {

/// An flock on a file beside the one to be made; the file is gone when it is released.
class SideLock {
 public:
  static Result<SideLock> Take(const std::string& path) {
    for (;;) {
      SideLock lock;
      lock.path_ = path;
      lock.descriptor_ = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
      if (lock.descriptor_ < 0) {
        const std::string message = "creating " + path + ": " + std::strerror(errno);
        if (errno == ENOENT || errno == ENOTDIR) return NotFound(message);
        if (errno == ENOSPC || errno == EDQUOT) return ResourceExhausted(message);
        return IoError(message);
      }
      while (flock(lock.descriptor_, LOCK_EX) != 0) {
        if (errno != EINTR) return IoError("locking " + path + ": " + std::strerror(errno));
      }
      struct stat held{}, named{};
      if (fstat(lock.descriptor_, &held) == 0 && stat(path.c_str(), &named) == 0 &&
          held.st_ino == named.st_ino && held.st_dev == named.st_dev) {
        return lock;
      }
    }
  }
  SideLock(SideLock&& other) noexcept
      : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)) {}
  SideLock& operator=(SideLock&&) = delete;
  ~SideLock() {
    if (descriptor_ < 0) return;
    unlink(path_.c_str());
    close(descriptor_);
  }

 private:
  SideLock() = default;
  std::string path_;
  int descriptor_ = -1;
};

Status SyncPath(const std::string& path, int flags) {
  const int descriptor = open(path.c_str(), flags | O_CLOEXEC);
  if (descriptor < 0) return IoError("opening " + path + ": " + std::strerror(errno));
  const int result = fsync(descriptor);
  const int error = errno;
  close(descriptor);
  if (result != 0) return IoError("syncing " + path + ": " + std::strerror(error));
  return Ok();
}

}  // namespace

ErrorCode SqliteErrorCode(int extended) {
  if (extended == SQLITE_CONSTRAINT_UNIQUE || extended == SQLITE_CONSTRAINT_PRIMARYKEY ||
      extended == SQLITE_CONSTRAINT_ROWID) {
    return ErrorCode::kAlreadyExists;
  }
  if (extended == SQLITE_IOERR_CORRUPTFS || extended == SQLITE_IOERR_DATA) {
    return ErrorCode::kCorruption;
  }
  switch (extended & 0xFF) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
    case SQLITE_SCHEMA:
      return ErrorCode::kConflict;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT:
      return ErrorCode::kCorruption;
    case SQLITE_FULL:
    case SQLITE_NOMEM:
      return ErrorCode::kResourceExhausted;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_NOLFS:
      return ErrorCode::kIo;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return ErrorCode::kUnsupported;
    case SQLITE_TOOBIG:
    case SQLITE_MISMATCH:
      return ErrorCode::kInvalidArgument;
    case SQLITE_INTERRUPT:
      return ErrorCode::kCancelled;
    default:
      return ErrorCode::kInternal;
  }
}

std::string FileUri(const std::string& path, std::string_view options) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string uri = "file:";
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '?' || c == '#' || c == '%' || byte < 0x20 || byte >= 0x7F) {
      uri += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    } else {
      uri += c;
    }
  }
  return uri.append("?").append(options);
}

std::string FolderOf(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Status CreateDatabaseFile(const std::string& path) {
  Result<SideLock> lock = SideLock::Take(path + ".creating");
  if (!lock.ok()) return std::move(lock).error();
  struct stat buffer{};
  if (lstat(path.c_str(), &buffer) == 0) return AlreadyExists(path + " exists already");
  const std::string fresh = path + ".new";
  for (const char* suffix : {"", "-wal", "-shm", "-journal"}) unlink((fresh + suffix).c_str());

  sqlite3* handle = nullptr;
  int code = sqlite3_open_v2(fresh.c_str(), &handle,
                             SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                             kCheckedVfsName);
  if (code == SQLITE_OK) {
    int reserved = kPageReservedBytes;
    sqlite3_file_control(handle, "main", SQLITE_FCNTL_RESERVE_BYTES, &reserved);
    code = sqlite3_exec(handle,
                        "PRAGMA page_size=4096; PRAGMA auto_vacuum=NONE; PRAGMA journal_mode=WAL; "
                        "PRAGMA application_id=1279348033; PRAGMA wal_checkpoint(TRUNCATE)",
                        nullptr, nullptr, nullptr);
  }
  const std::string message = handle != nullptr ? sqlite3_errmsg(handle) : "out of memory";
  const int close_code = sqlite3_close_v2(handle);
  if (code == SQLITE_OK) code = close_code;
  if (code != SQLITE_OK) {
    unlink(fresh.c_str());
    return Error(SqliteErrorCode(code), "creating " + path + ": " + message);
  }
  LAMINA_TRY(SyncPath(fresh, O_RDWR));
  if (rename(fresh.c_str(), path.c_str()) != 0) {
    return IoError("renaming " + fresh + ": " + std::strerror(errno));
  }
  return SyncPath(FolderOf(path), O_RDONLY | O_DIRECTORY);
}

}  // namespace lamina::catalog::internal
