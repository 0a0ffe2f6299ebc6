#include <algorithm>
#include <csignal>
#include <filesystem>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lamina/base/matchers.h"
#include "lamina/io/env.h"
#include "lamina/io/temporary_folder.h"

namespace lamina::io {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class PosixEnvTest : public testing::Test {
 protected:
  void Write(const std::string& path, ByteView data) {
    Result<std::unique_ptr<WritableFile>> file = env_.NewWritableFile(path);
    ASSERT_THAT(file, IsOk());
    ASSERT_THAT((*file)->Append(data), IsOk());
    ASSERT_THAT((*file)->Close(), IsOk());
  }

  TemporaryFolder folder_;
  Env& env_ = PosixEnv();
};

TEST_F(PosixEnvTest, WriteThenRead) {
  const std::string path = folder_.File("x");
  Result<std::unique_ptr<WritableFile>> file = env_.NewWritableFile(path);
  ASSERT_THAT(file, IsOk());
  EXPECT_EQ((*file)->position(), 0);
  EXPECT_THAT((*file)->Append(""), IsOk());
  EXPECT_THAT((*file)->Append("hello "), IsOk());
  EXPECT_THAT((*file)->Append("world"), IsOk());
  EXPECT_EQ((*file)->position(), 11);
  EXPECT_THAT((*file)->Sync(), IsOk());
  EXPECT_THAT((*file)->Close(), IsOk());
  EXPECT_THAT((*file)->Append("x"), IsError(ErrorCode::kInternal, HasSubstr("closed")));
  EXPECT_THAT((*file)->Sync(), IsError(ErrorCode::kInternal));
  EXPECT_THAT((*file)->Close(), IsError(ErrorCode::kInternal));

  EXPECT_EQ(*env_.ReadFile(path, 11), "hello world");
  const Result<std::unique_ptr<ReadableFile>> open = env_.OpenReadable(path);
  ASSERT_THAT(open, IsOk());
  EXPECT_EQ((*open)->size(), 11);
  std::string part(5, '\0');
  EXPECT_THAT((*open)->ReadAt(6, 5, part.data()), IsOk());
  EXPECT_EQ(part, "world");
  EXPECT_THAT((*open)->ReadAt(11, 0, part.data()), IsOk());
  EXPECT_THAT((*open)->ReadAt(7, 5, part.data()),
              IsError(ErrorCode::kCorruption, AllOf(HasSubstr(path), HasSubstr("byte 11"))));
  EXPECT_THAT((*open)->ReadAt(100, 1, part.data()), IsError(ErrorCode::kCorruption));
  EXPECT_THAT((*open)->ReadAt(-1, 1, part.data()), IsError(ErrorCode::kInvalidArgument));
}

TEST_F(PosixEnvTest, DestroyedWithoutCloseTheFileStaysAndANewOneTruncates) {
  const std::string path = folder_.File("x");
  {
    EXPECT_THAT((*env_.NewWritableFile(path))->Append("abc"), IsOk());
  }
  EXPECT_EQ(*env_.ReadFile(path, 100), "abc");
  {
    const auto file = env_.NewWritableFile(path);
  }
  EXPECT_EQ(*env_.ReadFile(path, 100), "");
}

TEST_F(PosixEnvTest, PlacedFilesAreWrittenAnywhere) {
  const std::string path = folder_.File("placed");
  EXPECT_THAT(env_.OpenPlaced(path, Env::Place::kExisting), IsError(ErrorCode::kNotFound));
  const auto file = *env_.OpenPlaced(path, Env::Place::kNew);
  EXPECT_THAT(env_.OpenPlaced(path, Env::Place::kNew), IsError(ErrorCode::kAlreadyExists));
  EXPECT_THAT(file->WriteAt(4, "efgh"), IsOk());
  EXPECT_THAT(file->WriteAt(0, "ab"), IsOk());
  EXPECT_THAT(file->Sync(), IsOk());
  EXPECT_EQ(*env_.ReadFile(path, 10), std::string("ab\0\0efgh", 8));
  EXPECT_THAT(file->Truncate(6), IsOk());
  EXPECT_THAT(file->Close(), IsOk());
  EXPECT_THAT(file->WriteAt(0, "x"), IsError(ErrorCode::kInternal));
  const auto again = *env_.OpenPlaced(path, Env::Place::kExisting);
  EXPECT_THAT(again->WriteAt(1, "B"), IsOk());
  EXPECT_EQ(*env_.ReadFile(path, 10), std::string("aB\0\0ef", 6));
  EXPECT_FALSE(env_.OpenPlaced(folder_.path(), Env::Place::kExisting).ok());
}

TEST_F(PosixEnvTest, ReadFileKeepsToItsLimit) {
  const std::string path = folder_.File("x");
  Write(path, std::string(10'000, 'x'));
  EXPECT_EQ(env_.ReadFile(path, 10'000)->size(), 10'000U);
  EXPECT_THAT(env_.ReadFile(path, 9'999),
              IsError(ErrorCode::kResourceExhausted, AllOf(HasSubstr(path), HasSubstr("9999"))));
  Write(path, "");
  EXPECT_EQ(*env_.ReadFile(path, 0), "");
}

TEST_F(PosixEnvTest, ReadFileOfFilesWithoutASize) {
  const Result<std::string> status = env_.ReadFile("/proc/self/status", 1 << 20);
  ASSERT_THAT(status, IsOk());
  EXPECT_THAT(*status, HasSubstr("Pid:"));
  EXPECT_THAT(env_.ReadFile("/proc/self/status", 10), IsError(ErrorCode::kResourceExhausted));
}

TEST_F(PosixEnvTest, AbsentIsNotFoundAndNamed) {
  const std::string path = folder_.File("absent");
  const auto not_found =
      IsError(ErrorCode::kNotFound, AllOf(HasSubstr(path), HasSubstr("No such file or directory")));
  EXPECT_THAT(env_.OpenReadable(path), not_found);
  EXPECT_THAT(env_.ReadFile(path, 10), not_found);
  EXPECT_THAT(env_.Stat(path), not_found);
  EXPECT_THAT(env_.ListDirectory(path), not_found);
  EXPECT_THAT(env_.Unlink(path), not_found);
  EXPECT_THAT(env_.RemoveDirectory(path), not_found);
  EXPECT_THAT(env_.Rename(path, path + "2"), not_found);
  EXPECT_THAT(env_.SyncDirectory(path), not_found);
  EXPECT_THAT(env_.FreeBytes(path), not_found);
  EXPECT_THAT(env_.FileSystemOf(path), not_found);
  EXPECT_THAT(env_.NewWritableFile(path + "/x"), not_found);
  EXPECT_THAT(env_.TryLock(path + "/x"), not_found);
}

TEST_F(PosixEnvTest, PathsWithNulAreRefused) {
  const std::string path = folder_.path() + std::string("/x\0y", 4);
  const auto refused = IsError(ErrorCode::kInvalidArgument, HasSubstr("NUL"));
  EXPECT_THAT(env_.NewWritableFile(path), refused);
  EXPECT_THAT(env_.OpenReadable(path), refused);
  EXPECT_THAT(env_.ReadFile(path, 10), refused);
  EXPECT_THAT(env_.Stat(path), refused);
  EXPECT_THAT(env_.ListDirectory(path), refused);
  EXPECT_THAT(env_.CreateDirectories(path), refused);
  EXPECT_THAT(env_.RemoveDirectory(path), refused);
  EXPECT_THAT(env_.Unlink(path), refused);
  EXPECT_THAT(env_.Rename(path, folder_.File("z")), refused);
  EXPECT_THAT(env_.Rename(folder_.File("z"), path), refused);
  EXPECT_THAT(env_.SyncDirectory(path), refused);
  EXPECT_THAT(env_.TryLock(path), refused);
  EXPECT_THAT(env_.FreeBytes(path), refused);
  EXPECT_THAT(env_.FileSystemOf(path), refused);
  EXPECT_TRUE(env_.ListDirectory(folder_.path())->empty());
}

TEST_F(PosixEnvTest, FoldersAndPipesAreNoFiles) {
  EXPECT_THAT(env_.ReadFile(folder_.path(), 10), IsError(ErrorCode::kIo));
  EXPECT_THAT(env_.OpenReadable(folder_.path()), IsError(ErrorCode::kIo));
  EXPECT_THAT(env_.NewWritableFile(folder_.path()), IsError(ErrorCode::kIo));
  const std::string pipe = folder_.File("pipe");
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_THAT(env_.ReadFile(pipe, 10), IsError(ErrorCode::kIo, HasSubstr("not a regular file")));
  EXPECT_THAT(env_.OpenReadable("/dev/zero"), IsError(ErrorCode::kIo));
}

TEST_F(PosixEnvTest, DiskFull) {
  const Result<std::unique_ptr<WritableFile>> file = env_.NewWritableFile("/dev/full");
  ASSERT_THAT(file, IsOk());
  EXPECT_THAT((*file)->Append("x"),
              IsError(ErrorCode::kResourceExhausted,
                      AllOf(HasSubstr("/dev/full"), HasSubstr("No space left on device"))));
  EXPECT_EQ((*file)->position(), 0);
  EXPECT_THAT((*file)->Sync(), IsError(ErrorCode::kResourceExhausted, HasSubstr("earlier")));
  EXPECT_THAT((*file)->Close(), IsError(ErrorCode::kResourceExhausted));
}

/// Run `body` in a child process; its result is the exit code.
int InChild(const std::function<int()>& body) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(body());
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST_F(PosixEnvTest, PermissionDenied) {
  const std::string closed = folder_.File("closed");
  ASSERT_THAT(env_.CreateDirectories(closed), IsOk());
  Write(closed + "/x", "x");
  ASSERT_EQ(::chmod(folder_.path().c_str(), 0755), 0);
  ASSERT_EQ(::chmod(closed.c_str(), 0), 0);
  // Root may do everything: the child gives that up.
  const int failed = InChild([&] {
    if (::geteuid() == 0 && (::setgid(65534) != 0 || ::setuid(65534) != 0)) return 100;
    const auto denied = [](const auto& result) {
      return !result.ok() && result.error().code() == ErrorCode::kIo &&
             result.error().message().find("Permission denied") != std::string_view::npos;
    };
    if (!denied(env_.ReadFile(closed + "/x", 10))) return 1;
    if (!denied(env_.NewWritableFile(closed + "/y"))) return 2;
    if (!denied(env_.Stat(closed + "/x"))) return 3;
    if (!denied(env_.ListDirectory(closed))) return 4;
    if (!denied(env_.CreateDirectories(closed + "/z"))) return 5;
    if (!denied(env_.Unlink(closed + "/x"))) return 6;
    if (!denied(env_.TryLock(closed + "/l"))) return 7;
    return 0;
  });
  EXPECT_EQ(failed, 0);
  ::chmod(closed.c_str(), 0755);
}

TEST_F(PosixEnvTest, FileTooLargeForItsLimitIsAShortWriteThenAnError) {
  const std::string path = folder_.File("x");
  const int failed = InChild([&] {
    ::signal(SIGXFSZ, SIG_IGN);
    const struct rlimit limit{1000, 1000};
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) return 100;
    const auto file = env_.NewWritableFile(path);
    if (!file.ok()) return 1;
    if ((*file)->Append(std::string(5000, 'x')).ok()) return 2;
    return (*file)->position() == 1000 ? 0 : 3;
  });
  EXPECT_EQ(failed, 0);
  EXPECT_EQ(env_.Stat(path)->size, 1000);
}

TEST_F(PosixEnvTest, Stat) {
  const std::string path = folder_.File("x");
  Write(path, "abc");
  const Result<FileInfo> file = env_.Stat(path);
  ASSERT_THAT(file, IsOk());
  EXPECT_EQ(file->size, 3);
  EXPECT_TRUE(file->is_regular);
  EXPECT_FALSE(file->is_directory);
  EXPECT_LT(std::abs(file->mtime_ns - env_.Now().value), 60'000'000'000);
  const struct timespec times[2] = {{0, UTIME_OMIT}, {1'500'000'000, 123'456'789}};
  ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
  EXPECT_EQ(env_.Stat(path)->mtime_ns, 1'500'000'000'123'456'789);
  EXPECT_TRUE(env_.Stat(folder_.path())->is_directory);
  EXPECT_FALSE(env_.Stat(folder_.path())->is_regular);
}

TEST_F(PosixEnvTest, ListDirectoryIsSortedAndKnowsLinks) {
  Write(folder_.File("b"), "");
  Write(folder_.File("a"), "");
  Write(folder_.File("B"), "");
  ASSERT_THAT(env_.CreateDirectories(folder_.File("folder")), IsOk());
  namespace fs = std::filesystem;
  fs::create_symlink(folder_.File("folder"), folder_.File("link"));
  fs::create_symlink("a", folder_.File("link_to_file"));
  fs::create_symlink("absent", folder_.File("z_dangling"));
  const Result<std::vector<DirectoryEntry>> entries = env_.ListDirectory(folder_.path());
  ASSERT_THAT(entries, IsOk());
  std::string shown;
  for (const DirectoryEntry& entry : *entries) {
    shown += entry.name + (entry.is_directory ? "/" : "") + (entry.is_symlink ? "@" : "") + " ";
  }
  EXPECT_EQ(shown, "B a b folder/ link/@ link_to_file@ z_dangling@ ");
  EXPECT_FALSE(*env_.IsSymlink(folder_.File("a")));
  EXPECT_TRUE(*env_.IsSymlink(folder_.File("link")));
  EXPECT_FALSE(*env_.IsSymlink(folder_.File("link/")));  // the folder behind it
  EXPECT_TRUE(*env_.IsSymlink(folder_.File("z_dangling")));
  EXPECT_THAT(env_.IsSymlink(folder_.File("absent")), IsError(ErrorCode::kNotFound));
  EXPECT_THAT(env_.ListDirectory(folder_.File("a")), IsError(ErrorCode::kIo));
  EXPECT_TRUE(env_.ListDirectory(folder_.File("folder"))->empty());
}

TEST_F(PosixEnvTest, RenameToNewReplacesNothing) {
  Write(folder_.File("a"), "one");
  Write(folder_.File("b"), "two");
  EXPECT_THAT(env_.RenameToNew(folder_.File("a"), folder_.File("b")),
              IsError(ErrorCode::kAlreadyExists));
  EXPECT_EQ(*env_.ReadFile(folder_.File("a"), 10), "one");
  EXPECT_EQ(*env_.ReadFile(folder_.File("b"), 10), "two");
  EXPECT_THAT(env_.RenameToNew(folder_.File("a"), folder_.File("c")), IsOk());
  EXPECT_EQ(*env_.ReadFile(folder_.File("c"), 10), "one");
  EXPECT_FALSE(env_.Exists(folder_.File("a")));
  EXPECT_THAT(env_.RenameToNew(folder_.File("a"), folder_.File("d")),
              IsError(ErrorCode::kNotFound));
}

TEST_F(PosixEnvTest, CreateDirectories) {
  const std::string deep = folder_.File("a/b/c/d");
  EXPECT_THAT(env_.CreateDirectories(deep), IsOk());
  EXPECT_TRUE(env_.Stat(deep)->is_directory);
  EXPECT_THAT(env_.CreateDirectories(deep), IsOk());
  EXPECT_THAT(env_.CreateDirectories(deep + "/"), IsOk());
  EXPECT_THAT(env_.CreateDirectories(folder_.File("a//e/")), IsOk());
  EXPECT_TRUE(env_.Stat(folder_.File("a/e"))->is_directory);
  EXPECT_THAT(env_.CreateDirectories("/"), IsOk());
  EXPECT_THAT(env_.CreateDirectories(""), IsError(ErrorCode::kNotFound));
  Write(folder_.File("file"), "");
  EXPECT_THAT(env_.CreateDirectories(folder_.File("file")), IsError(ErrorCode::kIo));
  EXPECT_THAT(env_.CreateDirectories(folder_.File("file/x")), IsError(ErrorCode::kIo));
}

TEST_F(PosixEnvTest, CreateDirectoriesRelativeAndRacing) {
  std::vector<std::thread> threads;
  std::atomic<int> failures = 0;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 20; ++round) {
        failures +=
            !env_.CreateDirectories(folder_.File("r" + std::to_string(round) + "/x/y")).ok();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failures, 0);
  EXPECT_EQ(InChild([&] {
              if (::chdir(folder_.path().c_str()) != 0) return 1;
              return env_.CreateDirectories("p/q").ok() && env_.CreateDirectories("s").ok() ? 0 : 2;
            }),
            0);
  EXPECT_TRUE(env_.Stat(folder_.File("p/q"))->is_directory);
}

TEST_F(PosixEnvTest, RemoveRenameUnlink) {
  const std::string a = folder_.File("a");
  const std::string b = folder_.File("b");
  Write(a, "one");
  Write(b, "two");
  EXPECT_THAT(env_.Rename(a, b), IsOk());
  EXPECT_EQ(*env_.ReadFile(b, 10), "one");
  EXPECT_FALSE(env_.Exists(a));
  EXPECT_THAT(env_.SyncDirectory(folder_.path()), IsOk());
  EXPECT_THAT(env_.Unlink(b), IsOk());
  EXPECT_FALSE(env_.Exists(b));
  ASSERT_THAT(env_.CreateDirectories(a + "/x"), IsOk());
  EXPECT_THAT(env_.RemoveDirectory(a), IsError(ErrorCode::kIo, HasSubstr("not empty")));
  EXPECT_THAT(env_.Unlink(a), IsError(ErrorCode::kIo));
  EXPECT_THAT(env_.RemoveDirectory(a + "/x"), IsOk());
  EXPECT_THAT(env_.RemoveDirectory(a), IsOk());
  Write(a, "");
  EXPECT_THAT(env_.SyncDirectory(a), IsError(ErrorCode::kIo));
}

TEST_F(PosixEnvTest, LockWithinOneProcess) {
  const std::string path = folder_.File("lock");
  {
    const Result<std::unique_ptr<FileLock>> lock = env_.TryLock(path);
    ASSERT_THAT(lock, IsOk());
    EXPECT_THAT(env_.TryLock(path), IsError(ErrorCode::kConflict, HasSubstr(path)));
  }
  EXPECT_THAT(env_.TryLock(path), IsOk());
}

TEST_F(PosixEnvTest, LockBetweenProcesses) {
  const std::string path = folder_.File("lock");
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto lock = env_.TryLock(path);
    const char answer = lock.ok() ? 'y' : 'n';
    if (::write(ready[1], &answer, 1) != 1) ::_exit(1);
    while (true) ::pause();
  }
  char answer = 0;
  ASSERT_EQ(::read(ready[0], &answer, 1), 1);
  EXPECT_EQ(answer, 'y');
  EXPECT_THAT(env_.TryLock(path), IsError(ErrorCode::kConflict));
  ::kill(child, SIGKILL);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_THAT(env_.TryLock(path), IsOk()) << "death gives the lock back";
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST_F(PosixEnvTest, ForkedChildNeitherHoldsNorDropsTheLock) {
  const std::string path = folder_.File("lock");
  Result<std::unique_ptr<FileLock>> lock = env_.TryLock(path);
  ASSERT_THAT(lock, IsOk());
  EXPECT_EQ(InChild([&] {
              (*lock).reset();  // as a destructor in the child would
              return 0;
            }),
            0);
  EXPECT_THAT(env_.TryLock(path), IsError(ErrorCode::kConflict));
  const pid_t child = ::fork();
  if (child == 0) {
    while (true) ::pause();
  }
  (*lock).reset();
  EXPECT_THAT(env_.TryLock(path), IsOk()) << "though a child still has the descriptor";
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

TEST_F(PosixEnvTest, LockOfARemovedFileIsNotTaken) {
  const std::string path = folder_.File("lock");
  const Result<std::unique_ptr<FileLock>> old_lock = env_.TryLock(path);
  ASSERT_THAT(env_.Unlink(path), IsOk());
  const Result<std::unique_ptr<FileLock>> lock = env_.TryLock(path);
  EXPECT_THAT(lock, IsOk());
  EXPECT_TRUE(env_.Exists(path));
  EXPECT_THAT(env_.TryLock(path), IsError(ErrorCode::kConflict));
}

TEST_F(PosixEnvTest, SignalsDoNotDisturb) {
  struct sigaction action{};
  struct sigaction before{};
  action.sa_handler = [](int) {};
  ASSERT_EQ(::sigaction(SIGALRM, &action, &before), 0);  // without SA_RESTART
  struct itimerval often{{0, 200}, {0, 200}};
  struct itimerval never{};
  ::setitimer(ITIMER_REAL, &often, nullptr);
  const std::string path = folder_.File("x");
  const std::string data(4 << 20, 'x');
  for (int round = 0; round < 3; ++round) {
    EXPECT_THAT(env_.WriteFileAtomically(path, data), IsOk());
    EXPECT_EQ(env_.ReadFile(path, 8 << 20)->size(), data.size());
    EXPECT_THAT(env_.TryLock(folder_.File("lock")), IsOk());
  }
  ::setitimer(ITIMER_REAL, &never, nullptr);
  ::sigaction(SIGALRM, &before, nullptr);
}

TEST_F(PosixEnvTest, SpaceAndFileSystem) {
  EXPECT_GT(*env_.FreeBytes(folder_.path()), 0);
  const Result<Env::FileSystemKind> kind = env_.FileSystemOf(folder_.path());
  ASSERT_THAT(kind, IsOk());
  EXPECT_FALSE(kind->name.empty());
  EXPECT_EQ(env_.FileSystemOf("/dev/shm")->name, "tmpfs");
}

TEST_F(PosixEnvTest, Clocks) {
  const Nanos now = env_.Now();
  EXPECT_GT(now, Nanos{1'700'000'000'000'000'000});
  const Nanos first = env_.Monotonic();
  EXPECT_LE(first, env_.Monotonic());
}

}  // namespace
}  // namespace lamina::io
