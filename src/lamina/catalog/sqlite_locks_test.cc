#include <atomic>
#include <filesystem>
#include <thread>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include "lamina/base/matchers.h"
#include "lamina/catalog/catalog_test_support.h"
#include "lamina/catalog/database.h"

namespace lamina::catalog {
namespace {

using test::ChildExit;
using test::InChild;
using test::Make;
using test::One;
using test::TempFolder;

// What another SQLite library in this process, or anything that opens and closes the file, does to
// POSIX locks.
TEST(SqliteLocks, LocksSurviveOpenAndCloseInTheSameProcess) {
  const TempFolder folder;
  const std::string path = folder.File("db");
  const auto database = Make(path);
  ASSERT_TRUE(database->Execute("CREATE TABLE t(x)").ok());
  ASSERT_TRUE(database->Execute("BEGIN IMMEDIATE; INSERT INTO t VALUES(1)").ok());
  for (const char* suffix : {"", "-wal", "-shm"}) {
    const int descriptor = open((path + suffix).c_str(), O_RDWR);
    ASSERT_GE(descriptor, 0);
    close(descriptor);
  }
  EXPECT_EQ(InChild([&] {
              auto other = Database::Open(path, OpenMode::kReadWrite);
              if (!other.ok()) return 1;
              (*other)->SetBusyTimeout(30);
              const Status status = (*other)->Transact([] { return Ok(); });
              return !status.ok() && status.error().code() == ErrorCode::kConflict ? 0 : 2;
            }),
            ChildExit(0));
  ASSERT_TRUE(database->Execute("COMMIT").ok());
  EXPECT_TRUE(std::filesystem::exists(path + "-wal"));
}

TEST(SqliteLocks, StressWithPlainOpensAndProcesses) {
  const TempFolder folder;
  const std::string path = folder.File("db");
  const auto database = Make(path);
  ASSERT_TRUE(database->Execute("CREATE TABLE t(writer, x)").ok());
  constexpr int kWriters = 3, kRows = 60;
  std::vector<pid_t> children;
  for (int writer = 0; writer < kWriters; ++writer) {
    children.push_back(test::Spawn([&, writer] {
      for (int row = 0; row < kRows; ++row) {
        auto other = Database::Open(path, OpenMode::kReadWrite);  // opens and closes each time
        if (!other.ok()) return 1;
        const Status status = (*other)->Transact([&] {
          return (*other)->Execute("INSERT INTO t VALUES(" + std::to_string(writer) + "," +
                                   std::to_string(row) + ")");
        });
        if (!status.ok()) return 2;
      }
      return 0;
    }));
  }
  std::atomic<bool> stop{false};
  std::thread meddler([&] {
    while (!stop) {
      for (const char* suffix : {"", "-wal", "-shm"}) {
        const int descriptor = open((path + suffix).c_str(), O_RDWR);
        if (descriptor >= 0) close(descriptor);
      }
    }
  });
  int own = 0;
  for (int row = 0; row < kRows; ++row) {
    const Status status =
        database->Transact([&] { return database->Execute("INSERT INTO t VALUES(9, 0)"); });
    own += status.ok();
    EXPECT_TRUE(status.ok()) << status.error().message();
  }
  for (const pid_t child : children) EXPECT_EQ(test::Wait(child), ChildExit(0));
  stop = true;
  meddler.join();
  EXPECT_EQ(One(*database, "SELECT count(*) FROM t"), kWriters * kRows + own);
  auto check = database->Prepare("PRAGMA integrity_check");
  ASSERT_TRUE(*check->Step());
  EXPECT_EQ(check->Text(0), "ok");
}

TEST(SqliteLocks, ForkedChildIsRefusedAndTakesNoLocks) {
  const TempFolder folder;
  const std::string path = folder.File("db");
  auto database = Make(path);
  ASSERT_TRUE(database->Execute("CREATE TABLE t(x)").ok());
  auto statement = database->Prepare("SELECT count(*) FROM t");
  ASSERT_TRUE(database->Execute("BEGIN IMMEDIATE; INSERT INTO t VALUES(1)").ok());
  const pid_t parent = getpid();
  EXPECT_EQ(InChild([&] {
              const Status used = database->Execute("SELECT 1");
              if (used.ok() || used.error().code() != ErrorCode::kUnsupported) return 1;
              if (used.error().message().find(std::to_string(parent)) == std::string_view::npos)
                return 2;
              if (statement->Step().ok() || database->Prepare("SELECT 1").ok()) return 3;
              if (database->in_transaction()) return 4;
              // Opened again in the child: the parent's write lock holds against it.
              auto own = Database::Open(path, OpenMode::kReadWrite);
              if (!own.ok()) return 5;
              (*own)->SetBusyTimeout(30);
              if ((*own)->Transact([] { return Ok(); }).ok()) return 6;
              if (One(**own, "SELECT count(*) FROM t") != 0) return 7;
              database.reset();  // must not unlock, checkpoint or delete anything of the parent's
              own->reset();
              return 0;
            }),
            ChildExit(0));
  // The lock is still held, and others see what is committed.
  EXPECT_EQ(InChild([&] {
              auto own = Database::Open(path, OpenMode::kReadWrite);
              (*own)->SetBusyTimeout(30);
              return (*own)->Transact([] { return Ok(); }).ok() ? 1 : 0;
            }),
            ChildExit(0));
  ASSERT_TRUE(database->Execute("COMMIT").ok());
  EXPECT_EQ(InChild([&] {
              auto own = Database::Open(path, OpenMode::kReadWrite);
              if (!own.ok() || One(**own, "SELECT count(*) FROM t") != 1) return 1;
              return (*own)->Execute("INSERT INTO t VALUES(2)").ok() ? 0 : 2;
            }),
            ChildExit(0));
  EXPECT_EQ(One(*database, "SELECT count(*) FROM t"), 2);
}

TEST(SqliteLocks, ForkWhileOtherThreadsWork) {
  const TempFolder folder;
  const std::string path = folder.File("db");
  {
    ASSERT_TRUE(Make(path)->Execute("CREATE TABLE t(x)").ok());
  }
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      auto database = *Database::Open(path, OpenMode::kReadWrite);
      while (!stop) {
        EXPECT_TRUE(database->Execute("INSERT INTO t VALUES(1)").ok());
        usleep(500);
      }
    });
  }
  threads.emplace_back([&] {  // inside SQLite's allocator most of the time
    auto database = *Database::Open(path, OpenMode::kReadOnly);
    for (int i = 0; !stop; ++i) {
      EXPECT_THAT(database->Prepare("SELECT " + std::to_string(i)), IsOk());
    }
  });
  for (int round = 0; round < 20; ++round) {
    EXPECT_EQ(InChild([&] {
                auto own = Database::Open(path, OpenMode::kReadWrite);
                if (!own.ok()) return 1;
                return (*own)->Execute("INSERT INTO t VALUES(2)").ok() ? 0 : 2;
              }),
              ChildExit(0));
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
  const auto database = *Database::Open(path, OpenMode::kReadOnly);
  EXPECT_EQ(One(*database, "SELECT count(*) FROM t WHERE x = 2"), 20);
}

TEST(SqliteLocks, AChildThatOutlivesItsParentHoldsNoLock) {
  const TempFolder folder;
  const std::string path = folder.File("db");
  ASSERT_THAT(Make(path)->Execute("CREATE TABLE t(x)"), IsOk());
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const pid_t parent = test::Spawn([&] {
    const auto database = *Database::Open(path, OpenMode::kReadWrite);
    if (!database->Execute("BEGIN IMMEDIATE; INSERT INTO t VALUES(1)").ok()) return 1;
    const pid_t grandchild = fork();
    if (grandchild == 0) {
      const pid_t self = getpid();
      alarm(60);
      if (write(ends[1], &self, sizeof(self)) == sizeof(self)) pause();
      _exit(3);
    }
    _exit(0);
  });
  EXPECT_EQ(test::Wait(parent), ChildExit(0));
  pid_t grandchild = 0;
  ASSERT_EQ(read(ends[0], &grandchild, sizeof(grandchild)), sizeof(grandchild));
  const auto database = *Database::Open(path, OpenMode::kReadWrite);
  database->SetBusyTimeout(30);
  EXPECT_THAT(database->Execute("INSERT INTO t VALUES(2)"), IsOk());
  EXPECT_EQ(One(*database, "SELECT sum(x) FROM t"), 2);
  kill(grandchild, SIGKILL);
}

}  // namespace
}  // namespace lamina::catalog
