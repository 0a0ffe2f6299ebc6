#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <new>
#include <system_error>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "lamina/io/env.h"
#include "lamina/io/file_system_internal.h"

namespace lamina::io {
namespace {

Error PosixError(std::string_view doing, std::string_view path, int error,
                 std::source_location where = std::source_location::current()) {
  std::string message(doing);
  message += ' ';
  message += path;
  message += ": ";
  message += std::generic_category().message(error);
  switch (error) {
    case ENOENT:
      return {ErrorCode::kNotFound, std::move(message), where};
    case EEXIST:
      return {ErrorCode::kAlreadyExists, std::move(message), where};
    case ENOSPC:
    case EDQUOT:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
      return {ErrorCode::kResourceExhausted, std::move(message), where};
    default:
      return {ErrorCode::kIo, std::move(message), where};
  }
}

/// Repeats a call that a signal interrupted.
template <class Call>
auto Retry(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

/// The system would silently stop reading the path at a NUL, and take another file.
Status CheckPath(const std::string& path) {
  if (path.find('\0') == std::string::npos) return Ok();
  return InvalidArgument("a path may not contain NUL: " + path.substr(0, path.find('\0')) + "\\0…");
}

/// Owns a file descriptor.
class Descriptor {
 public:
  explicit Descriptor(int value = -1) : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  Descriptor(Descriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(value_, other.value_);
    return *this;
  }
  int get() const { return value_; }
  int Release() { return std::exchange(value_, -1); }

 private:
  int value_;
};

Result<Descriptor> Open(const std::string& path, int flags, std::string_view doing) {
  LAMINA_TRY(CheckPath(path));
  const int fd = Retry([&] { return ::open(path.c_str(), flags | O_CLOEXEC, 0644); });
  if (fd < 0) return PosixError(doing, path, errno);
  return Descriptor(fd);
}

/// A descriptor that is written to, and of no more use after a failure.
class WrittenDescriptor {
 public:
  WrittenDescriptor(std::string path, Descriptor fd) : path_(std::move(path)), fd_(std::move(fd)) {}

  /// `write(data, size)` until all of `data` is written.
  template <class Write>
  Status WriteAll(ByteView data, Write write) {
    LAMINA_TRY(Usable());
    while (!data.empty()) {
      const ssize_t wrote = Retry([&] { return write(data.data(), data.size()); });
      if (wrote < 0) return Fail("writing", errno);
      data.remove_prefix(static_cast<std::size_t>(wrote));
    }
    return Ok();
  }

  Status Sync() {
    LAMINA_TRY(Usable());
    if (Retry([&] { return ::fdatasync(fd_.get()); }) != 0) return Fail("syncing", errno);
    return Ok();
  }

  Status Truncate(std::int64_t size) {
    LAMINA_TRY(Usable());
    if (Retry([&] { return ::ftruncate(fd_.get(), size); }) != 0) return Fail("truncating", errno);
    return Ok();
  }

  Status Close() {
    LAMINA_TRY(Usable());
    // Linux frees the descriptor even when close reports an error: never close it a second time.
    if (::close(fd_.Release()) != 0 && errno != EINTR) return PosixError("closing", path_, errno);
    return Ok();
  }

  int fd() const { return fd_.get(); }

 private:
  Status Usable() const {
    if (fd_.get() < 0) return Internal("file " + path_ + " is closed");
    // The kernel reports lost pages once; a second sync that succeeds would prove nothing.
    if (error_ != 0) return PosixError("earlier failure of", path_, error_);
    return Ok();
  }
  Error Fail(std::string_view doing, int error) {
    error_ = error;
    return PosixError(doing, path_, error);
  }

  std::string path_;
  Descriptor fd_;
  int error_ = 0;
};

class PosixWritableFile final : public WritableFile {
 public:
  PosixWritableFile(std::string path, Descriptor fd) : file_(std::move(path), std::move(fd)) {}

  Status Append(ByteView data) override {
    return file_.WriteAll(data, [&](const char* bytes, std::size_t size) {
      const ssize_t wrote = ::write(file_.fd(), bytes, size);
      if (wrote > 0) position_ += wrote;
      return wrote;
    });
  }
  Status Sync() override { return file_.Sync(); }
  Status Close() override { return file_.Close(); }
  std::int64_t position() const override { return position_; }

 private:
  WrittenDescriptor file_;
  std::int64_t position_ = 0;
};

class PosixPlacedFile final : public PlacedFile {
 public:
  PosixPlacedFile(std::string path, Descriptor fd) : file_(std::move(path), std::move(fd)) {}

  Status WriteAt(std::int64_t offset, ByteView data) override {
    return file_.WriteAll(data, [&](const char* bytes, std::size_t size) {
      const ssize_t wrote = ::pwrite(file_.fd(), bytes, size, offset);
      if (wrote > 0) offset += wrote;
      return wrote;
    });
  }
  Status Sync() override { return file_.Sync(); }
  Status Truncate(std::int64_t size) override { return file_.Truncate(size); }
  Status Close() override { return file_.Close(); }

 private:
  WrittenDescriptor file_;
};

class PosixReadableFile final : public ReadableFile {
 public:
  PosixReadableFile(std::string path, Descriptor fd, std::int64_t size)
      : path_(std::move(path)), fd_(std::move(fd)), size_(size) {}

  std::int64_t size() const override { return size_; }

  Status ReadAt(std::int64_t offset, std::size_t length, char* out) const override {
    if (offset < 0) return InvalidArgument("negative offset in " + path_);
    std::size_t done = 0;
    while (done < length) {
      const ssize_t got = Retry([&] {
        return ::pread(fd_.get(), out + done, length - done,
                       offset + static_cast<std::int64_t>(done));
      });
      if (got < 0) return PosixError("reading", path_, errno);
      if (got == 0) {
        return Corruption(path_ + " ends at byte " +
                          std::to_string(offset + static_cast<std::int64_t>(done)) + ", before " +
                          std::to_string(length) + " bytes at " + std::to_string(offset));
      }
      done += static_cast<std::size_t>(got);
    }
    return Ok();
  }

 private:
  std::string path_;
  Descriptor fd_;
  std::int64_t size_;
};

class PosixFileLock final : public FileLock {
 public:
  explicit PosixFileLock(Descriptor fd) : fd_(std::move(fd)), owner_(::getpid()) {}
  ~PosixFileLock() override {
    // A forked child shares the lock: only the process that took it gives it back, and it does so
    // by name, since closing alone would leave the lock with the child.
    if (::getpid() == owner_) ::flock(fd_.get(), LOCK_UN);
  }

 private:
  Descriptor fd_;
  pid_t owner_;
};

struct OpenedFile {
  Descriptor fd;
  std::int64_t size = 0;
};

/// Only regular files: a pipe or a device has no size and may block for ever.
Result<OpenedFile> OpenRegular(const std::string& path) {
  LAMINA_ASSIGN(Descriptor fd, Open(path, O_RDONLY | O_NONBLOCK, "opening"));
  struct stat info{};
  if (::fstat(fd.get(), &info) != 0) return PosixError("reading the size of", path, errno);
  if (S_ISDIR(info.st_mode)) return PosixError("opening", path, EISDIR);
  if (!S_ISREG(info.st_mode)) return IoError("opening " + path + ": not a regular file");
  return OpenedFile{std::move(fd), info.st_size};
}

/// All of a file, which may grow meanwhile or have no size at all (/proc).
Result<std::string> ReadOpened(const OpenedFile& opened, const std::string& path,
                               std::int64_t max_bytes) {
  const auto too_large = [&] {
    return ResourceExhausted(path + " is larger than " + std::to_string(max_bytes) + " bytes");
  };
  if (opened.size > max_bytes) return too_large();
  // One byte more than the size, so that the end of the file shows without growing the buffer.
  std::string data(static_cast<std::size_t>(opened.size) + 1, '\0');
  std::size_t done = 0;
  while (true) {
    const ssize_t got =
        Retry([&] { return ::read(opened.fd.get(), data.data() + done, data.size() - done); });
    if (got < 0) return PosixError("reading", path, errno);
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
    if (std::cmp_greater(done, max_bytes)) return too_large();
    if (done == data.size()) data.resize(done + std::max<std::size_t>(done / 2, 4096));
  }
  data.resize(done);
  return data;
}

/// Whether an entry, or what it links to, is a folder. An entry that has gone is none.
bool IsDirectory(int folder, const dirent& entry) {
  if (entry.d_type == DT_DIR) return true;
  if (entry.d_type != DT_LNK && entry.d_type != DT_UNKNOWN) return false;
  struct stat info{};
  return ::fstatat(folder, entry.d_name, &info, 0) == 0 && S_ISDIR(info.st_mode);
}

bool IsLink(int folder, const dirent& entry) {
  if (entry.d_type != DT_UNKNOWN) return entry.d_type == DT_LNK;
  struct stat info{};
  return ::fstatat(folder, entry.d_name, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(info.st_mode);
}

Nanos ReadClock(clockid_t clock) {
  struct timespec now{};
  ::clock_gettime(clock, &now);
  return Nanos{std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec};
}

class Posix final : public Env {
 public:
  Result<std::unique_ptr<WritableFile>> NewWritableFile(const std::string& path) override {
    LAMINA_ASSIGN(Descriptor fd, Open(path, O_WRONLY | O_CREAT | O_TRUNC, "creating"));
    return std::make_unique<PosixWritableFile>(path, std::move(fd));
  }

  Result<std::unique_ptr<PlacedFile>> OpenPlaced(const std::string& path, Place place) override {
    const bool fresh = place == Place::kNew;
    // O_NONBLOCK: a pipe in the file's place must not block.
    const int flags = O_WRONLY | O_NONBLOCK | (fresh ? O_CREAT | O_EXCL : 0);
    LAMINA_ASSIGN(Descriptor fd, Open(path, flags, fresh ? "creating" : "opening"));
    struct stat info{};
    if (::fstat(fd.get(), &info) != 0) return PosixError("looking at", path, errno);
    if (!S_ISREG(info.st_mode)) return IoError("opening " + path + ": not a regular file");
    return std::make_unique<PosixPlacedFile>(path, std::move(fd));
  }

  Result<std::unique_ptr<ReadableFile>> OpenReadable(const std::string& path) override {
    LAMINA_ASSIGN(OpenedFile opened, OpenRegular(path));
    return std::make_unique<PosixReadableFile>(path, std::move(opened.fd), opened.size);
  }

  Result<std::string> ReadFile(const std::string& path, std::int64_t max_bytes) override {
    LAMINA_ASSIGN(const OpenedFile opened, OpenRegular(path));
    try {
      return ReadOpened(opened, path, max_bytes);
    } catch (const std::bad_alloc&) {
      return ResourceExhausted("reading " + path + ": out of memory");
    }
  }

  Result<FileInfo> Stat(const std::string& path) override {
    LAMINA_TRY(CheckPath(path));
    struct stat info{};
    if (::stat(path.c_str(), &info) != 0) return PosixError("looking at", path, errno);
    FileInfo result;
    result.size = info.st_size;
    result.mtime_ns = std::int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec;
    result.is_directory = S_ISDIR(info.st_mode);
    result.is_regular = S_ISREG(info.st_mode);
    return result;
  }

  Result<bool> IsSymlink(const std::string& path) override {
    LAMINA_TRY(CheckPath(path));
    struct stat info{};
    if (::lstat(path.c_str(), &info) != 0) return PosixError("looking at", path, errno);
    return S_ISLNK(info.st_mode);
  }

  Result<std::vector<DirectoryEntry>> ListDirectory(const std::string& path) override {
    LAMINA_TRY(CheckPath(path));
    const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir(path.c_str()), ::closedir);
    if (folder == nullptr) return PosixError("listing", path, errno);
    const int fd = ::dirfd(folder.get());
    std::vector<DirectoryEntry> entries;
    while (true) {
      errno = 0;
      const dirent* const entry = ::readdir(folder.get());
      if (entry == nullptr) break;
      const std::string_view name = entry->d_name;
      if (name == "." || name == "..") continue;
      entries.push_back({std::string(name), IsDirectory(fd, *entry), IsLink(fd, *entry)});
    }
    if (errno != 0) return PosixError("listing", path, errno);
    std::sort(entries.begin(), entries.end(),
              [](const DirectoryEntry& a, const DirectoryEntry& b) { return a.name < b.name; });
    return entries;
  }

  Status CreateDirectories(const std::string& path) override {
    LAMINA_TRY(CheckPath(path));
    if (::mkdir(path.c_str(), 0755) == 0) return SyncDirectory(ParentPath(path));
    const int error = errno;
    if (error == ENOENT) {
      const std::string parent = ParentPath(path);
      if (parent == path || parent == ".") return PosixError("creating folder", path, error);
      LAMINA_TRY(CreateDirectories(parent));
      if (::mkdir(path.c_str(), 0755) == 0) return SyncDirectory(parent);
      if (errno != EEXIST) return PosixError("creating folder", path, errno);
    } else if (error != EEXIST && error != EISDIR) {
      return PosixError("creating folder", path, error);
    }
    struct stat info{};
    if (::stat(path.c_str(), &info) != 0) return PosixError("creating folder", path, errno);
    if (!S_ISDIR(info.st_mode)) return PosixError("creating folder", path, ENOTDIR);
    return Ok();
  }

  Status RemoveDirectory(const std::string& path) override {
    LAMINA_TRY(CheckPath(path));
    if (::rmdir(path.c_str()) != 0) return PosixError("removing folder", path, errno);
    return Ok();
  }

  Status Unlink(const std::string& path) override {
    LAMINA_TRY(CheckPath(path));
    if (::unlink(path.c_str()) != 0) return PosixError("removing", path, errno);
    return Ok();
  }

  Status Rename(const std::string& from, const std::string& to) override {
    LAMINA_TRY(CheckPath(from));
    LAMINA_TRY(CheckPath(to));
    if (::rename(from.c_str(), to.c_str()) != 0) {
      return PosixError("renaming", from + " to " + to, errno);
    }
    return Ok();
  }

  Status RenameToNew(const std::string& from, const std::string& to) override {
    LAMINA_TRY(CheckPath(from));
    LAMINA_TRY(CheckPath(to));
    if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) {
      return Ok();
    }
    // EINVAL, ENOSYS: this file system cannot; a hard link is refused just as well.
    if (errno == EINVAL || errno == ENOSYS) {
      if (::link(from.c_str(), to.c_str()) == 0) return Unlink(from);
    }
    if (errno == EEXIST) return AlreadyExists(to + " is there already");
    return PosixError("renaming", from + " to " + to, errno);
  }

  Status SyncDirectory(const std::string& path) override {
    LAMINA_ASSIGN(const Descriptor fd, Open(path, O_RDONLY | O_DIRECTORY, "opening folder"));
    // EINVAL: this file system has no such call for folders, and no other way either.
    if (Retry([&] { return ::fsync(fd.get()); }) != 0 && errno != EINVAL) {
      return PosixError("syncing folder", path, errno);
    }
    return Ok();
  }

  Result<std::unique_ptr<FileLock>> TryLock(const std::string& path) override {
    while (true) {
      LAMINA_ASSIGN(Descriptor fd, Open(path, O_RDWR | O_CREAT, "opening lock"));
      if (Retry([&] { return ::flock(fd.get(), LOCK_EX | LOCK_NB); }) != 0) {
        if (errno != EWOULDBLOCK) return PosixError("locking", path, errno);
        return Conflict(path + " is locked by another process");
      }
      // Another may have removed the file between open and flock: then this lock guards nothing.
      struct stat held{};
      struct stat named{};
      if (::fstat(fd.get(), &held) != 0) return PosixError("locking", path, errno);
      if (::stat(path.c_str(), &named) == 0 && held.st_ino == named.st_ino &&
          held.st_dev == named.st_dev) {
        return std::make_unique<PosixFileLock>(std::move(fd));
      }
    }
  }

  Result<std::int64_t> FreeBytes(const std::string& path) override {
    LAMINA_TRY(CheckPath(path));
    struct statvfs info{};
    if (Retry([&] { return ::statvfs(path.c_str(), &info); }) != 0) {
      return PosixError("asking the free space of", path, errno);
    }
    return static_cast<std::int64_t>(info.f_bavail) * static_cast<std::int64_t>(info.f_frsize);
  }

  Result<FileSystemKind> FileSystemOf(const std::string& path) override {
    LAMINA_TRY(CheckPath(path));
    struct statfs info{};
    if (Retry([&] { return ::statfs(path.c_str(), &info); }) != 0) {
      return PosixError("asking the file system of", path, errno);
    }
    const auto magic = static_cast<std::uint32_t>(info.f_type);
    if (magic != internal::kFuseMagic) return internal::KindOfMagic(magic);
    struct stat place{};
    if (::stat(path.c_str(), &place) != 0) return PosixError("looking at", path, errno);
    Result<std::string> mounts = ReadFile("/proc/self/mountinfo", 16 << 20);
    if (!mounts.ok()) return internal::KindOfName("fuse");
    return internal::KindOfName(internal::MountedType(*mounts, place.st_dev));
  }

  Nanos Now() override { return ReadClock(CLOCK_REALTIME); }
  Nanos Monotonic() override { return ReadClock(CLOCK_MONOTONIC); }
};

}  // namespace

Env& PosixEnv() {
  static Posix* const env = new Posix;  // Never destroyed: files may be closed at exit.
  return *env;
}

}  // namespace lamina::io
