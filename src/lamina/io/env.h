#pragma once

/// \file lamina/io/env.h
/// Env: all that the library asks of the operating system for files and clocks. PosixEnv is the
/// real one; FaultyEnv (tests) fails or loses the k-th operation. Thread-safe.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lamina/base/bytes.h"
#include "lamina/base/result.h"
#include "lamina/base/time.h"

namespace lamina::io {

struct FileInfo {
  std::int64_t size = 0;
  std::int64_t mtime_ns = 0;
  bool is_directory = false;
  bool is_regular = false;
};

struct DirectoryEntry {
  std::string name;
  bool is_directory = false;  ///< of what a link points to, too
  bool is_symlink = false;    ///< recursive walks leave linked folders out, or meet loops
};

/// A file being written from its start. Thread-compatible. Destroyed without Close: the file stays.
class WritableFile {
 public:
  virtual ~WritableFile() = default;
  virtual Status Append(ByteView data) = 0;
  /// Data and length are on stable storage when this returns ok (fdatasync; not the name:
  /// SyncDirectory).
  virtual Status Sync() = 0;
  virtual Status Close() = 0;
  virtual std::int64_t position() const = 0;
};

/// A file being written at any place, for logs and their pages. Thread-compatible. Destroyed
/// without Close: the file stays.
class PlacedFile {
 public:
  virtual ~PlacedFile() = default;
  /// Behind the end the file grows; what lies between reads as zeros.
  virtual Status WriteAt(std::int64_t offset, ByteView data) = 0;
  /// As WritableFile::Sync.
  virtual Status Sync() = 0;
  virtual Status Truncate(std::int64_t size) = 0;
  virtual Status Close() = 0;
};

/// A file being read at any place. Thread-safe.
class ReadableFile {
 public:
  virtual ~ReadableFile() = default;
  virtual std::int64_t size() const = 0;
  /// Exactly `length` bytes. RETURNS kCorruption when the file ends before.
  virtual Status ReadAt(std::int64_t offset, std::size_t length, char* out) const = 0;
};

/// An exclusive flock held until destruction (or death of the process).
class FileLock {
 public:
  virtual ~FileLock() = default;
};

class Env {
 public:
  virtual ~Env() = default;

  /// Create or truncate. RETURNS kIo, kNotFound (missing folder), kResourceExhausted (disk full).
  virtual Result<std::unique_ptr<WritableFile>> NewWritableFile(const std::string& path) = 0;
  enum class Place : std::uint8_t { kNew, kExisting };
  /// kNew: RETURNS kAlreadyExists when the name is taken. kExisting: kNotFound when there is none.
  virtual Result<std::unique_ptr<PlacedFile>> OpenPlaced(const std::string& path, Place place) = 0;
  virtual Result<std::unique_ptr<ReadableFile>> OpenReadable(const std::string& path) = 0;
  /// The whole file. RETURNS kResourceExhausted when it is larger than `max_bytes`.
  virtual Result<std::string> ReadFile(const std::string& path, std::int64_t max_bytes) = 0;

  virtual Result<FileInfo> Stat(const std::string& path) = 0;  ///< kNotFound when absent
  /// Of the name itself, whatever it points to. RETURNS kNotFound when there is none.
  virtual Result<bool> IsSymlink(const std::string& path) = 0;
  virtual Result<std::vector<DirectoryEntry>> ListDirectory(
      const std::string& path) = 0;  ///< sorted
  /// With its parents; an existing folder is fine. New folders are durable when this returns ok.
  virtual Status CreateDirectories(const std::string& path) = 0;
  virtual Status RemoveDirectory(const std::string& path) = 0;  ///< must be empty
  virtual Status Unlink(const std::string& path) = 0;           ///< kNotFound when absent
  /// Atomic; replaces `to`. Durable after SyncDirectory of the folder of `to`.
  virtual Status Rename(const std::string& from, const std::string& to) = 0;
  /// The same unless `to` is there already: RETURNS kAlreadyExists then, and nothing has changed.
  virtual Status RenameToNew(const std::string& from, const std::string& to) = 0;
  virtual Status SyncDirectory(const std::string& path) = 0;

  /// Take `path`'s flock without waiting, creating the file. RETURNS kConflict when it is held.
  virtual Result<std::unique_ptr<FileLock>> TryLock(const std::string& path) = 0;

  virtual Result<std::int64_t> FreeBytes(const std::string& path) = 0;
  /// The kind of file system in words ("ext4", "nfs", …) and whether it is a network one.
  struct FileSystemKind {
    std::string name;
    bool network = false;
  };
  virtual Result<FileSystemKind> FileSystemOf(const std::string& path) = 0;

  virtual Nanos Now() = 0;        ///< wall clock, UTC
  virtual Nanos Monotonic() = 0;  ///< for durations only

  /// Write `data` to `path` so that after a crash either the old or the new content is there:
  /// temporary name beside it, sync, rename, sync of the folder. A symbolic link is replaced, not
  /// followed. RETURNS kInvalidArgument when a folder, a device or a pipe is in its place.
  Status WriteFileAtomically(const std::string& path, ByteView data);
  bool Exists(const std::string& path) { return Stat(path).ok(); }
};

/// The operating system itself; lives for ever.
Env& PosixEnv();

/// `a/b` joined with one slash. Purely textual.
std::string JoinPath(std::string_view a, std::string_view b);
std::string ParentPath(std::string_view path);  ///< "." for a bare name
std::string BaseName(std::string_view path);

}  // namespace lamina::io
