#include "lamina/catalog/database.h"

#include <atomic>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <thread>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lamina/catalog/catalog_test_support.h"

namespace lamina::catalog {
namespace {

using test::ChildExit;
using test::InChild;
using test::TempFolder;
using testing::HasSubstr;

std::unique_ptr<Database> Make(const std::string& path) {
  auto database = Database::Open(path, OpenMode::kCreate);
  EXPECT_TRUE(database.ok()) << database.error().message();
  return *std::move(database);
}

std::int64_t One(Database& database, std::string_view sql) {
  auto statement = database.Prepare(sql);
  EXPECT_TRUE(statement.ok()) << statement.error().message();
  auto row = statement->Step();
  EXPECT_TRUE(row.ok()) << row.error().message();
  return *row ? statement->Int(0) : -1;
}

TEST(Database, CreatesInWalModeAndLeavesNothingElse) {
  const TempFolder folder("ein Ordner – 仓库 #1 100%?");
  const std::string path = folder.File("catalog.sqlite");
  {
    const auto database = Make(path);
    ASSERT_TRUE(database->Execute("CREATE TABLE t(x)").ok());
    ASSERT_TRUE(database->Execute("INSERT INTO t VALUES(7)").ok());
  }
  EXPECT_EQ(folder.List(), std::vector<std::string>{"catalog.sqlite"});
  auto again = Database::Open(path, OpenMode::kReadOnly);
  ASSERT_TRUE(again.ok()) << again.error().message();
  EXPECT_EQ(One(**again, "SELECT x FROM t"), 7);
  const Status write = (*again)->Execute("INSERT INTO t VALUES(8)");
  ASSERT_FALSE(write.ok());
  EXPECT_EQ(write.error().code(), ErrorCode::kUnsupported);
}

TEST(Database, OpenSaysWhyNot) {
  const TempFolder folder;
  {
    Make(folder.File("good"));
  }
  std::filesystem::create_directory(folder.File("folder"));
  std::ofstream(folder.File("empty"));
  std::ofstream(folder.File("text")) << std::string(8192, 'x');
  const std::string good = test::ReadAll(folder.File("good"));
  auto damaged = [&](std::size_t offset, char value) {
    std::string bytes = good;
    bytes[offset] = value;
    return bytes;
  };
  std::ofstream(folder.File("magic")) << damaged(3, '\0');
  std::ofstream(folder.File("page_size")) << damaged(16, '\x13');
  std::ofstream(folder.File("mode")) << damaged(18, '\1');
  std::ofstream(folder.File("short")) << good.substr(0, 50);
  std::ofstream(folder.File("cut")) << good.substr(0, 2048);
  const struct {
    const char* name;
    OpenMode mode;
    ErrorCode code;
  } cases[] = {
      {"good", OpenMode::kCreate, ErrorCode::kAlreadyExists},
      {"absent", OpenMode::kReadOnly, ErrorCode::kNotFound},
      {"absent", OpenMode::kReadWrite, ErrorCode::kNotFound},
      {"absent/x", OpenMode::kCreate, ErrorCode::kNotFound},
      {"folder", OpenMode::kReadWrite, ErrorCode::kInvalidArgument},
      {"empty", OpenMode::kReadWrite, ErrorCode::kCorruption},
      {"text", OpenMode::kReadWrite, ErrorCode::kCorruption},
      {"text", OpenMode::kReadOnly, ErrorCode::kCorruption},
      {"magic", OpenMode::kReadWrite, ErrorCode::kCorruption},
      {"page_size", OpenMode::kReadWrite, ErrorCode::kCorruption},
      {"mode", OpenMode::kReadOnly, ErrorCode::kCorruption},
      {"short", OpenMode::kReadWrite, ErrorCode::kCorruption},
      {"cut", OpenMode::kReadWrite, ErrorCode::kCorruption},
  };
  for (const auto& each : cases) {
    const auto database = Database::Open(folder.File(each.name), each.mode);
    ASSERT_FALSE(database.ok()) << each.name;
    EXPECT_EQ(database.error().code(), each.code)
        << each.name << ": " << database.error().message();
    EXPECT_THAT(std::string(database.error().message()), HasSubstr(each.name));
  }
}

TEST(Database, BindsAndReadsEveryType) {
  const TempFolder folder;
  const auto database = Make(folder.File("db"));
  ASSERT_TRUE(database->Execute("CREATE TABLE t(i, d, s, b, n, o)").ok());
  auto insert = database->Prepare("INSERT INTO t VALUES(?1, ?2, ?3, ?4, ?5, ?6)");
  ASSERT_TRUE(insert.ok());
  const std::string text("a\0b", 3);
  ASSERT_TRUE(insert->Bind(1, std::numeric_limits<std::int64_t>::min())
                  .Bind(2, 0.1)
                  .Bind(3, text)
                  .BindBlob(4, ByteView())
                  .BindNull(5)
                  .Bind(6, std::optional<std::int64_t>())
                  .Run()
                  .ok());
  ASSERT_TRUE(insert->Bind(1, 1).Bind(2, std::nan("")).Bind(3, "").BindBlob(4, text).Run().ok());
  auto read = database->Prepare("SELECT * FROM t ORDER BY rowid");
  ASSERT_TRUE(*read->Step());
  EXPECT_EQ(read->column_count(), 6);
  EXPECT_EQ(read->ColumnName(2), "s");
  EXPECT_EQ(read->Int(0), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(read->Double(1), 0.1);
  EXPECT_EQ(read->Text(2), text);
  EXPECT_FALSE(read->IsNull(3));
  EXPECT_EQ(read->Blob(3), "");
  EXPECT_TRUE(read->IsNull(4));
  EXPECT_EQ(read->OptionalInt(5), std::nullopt);
  ASSERT_TRUE(*read->Step());
  EXPECT_TRUE(read->IsNull(1)) << "NaN";
  EXPECT_FALSE(read->IsNull(2));
  EXPECT_EQ(read->OptionalText(2), "");
  EXPECT_EQ(read->Blob(3), text);
  EXPECT_FALSE(*read->Step());
  EXPECT_EQ(insert->Bind(9, 1).Run().error().code(), ErrorCode::kInternal) << "no ninth parameter";
}

TEST(Database, StatementsAreReusedAndNest) {
  const TempFolder folder;
  const auto database = Make(folder.File("db"));
  ASSERT_TRUE(database->Execute("CREATE TABLE t(x); INSERT INTO t VALUES(1), (2)").ok());
  const std::string sql = "SELECT x FROM t ORDER BY x ; \n";
  auto outer = database->Prepare(sql);
  ASSERT_TRUE(*outer->Step());
  auto inner = database->Prepare(sql);
  ASSERT_TRUE(*inner->Step());
  ASSERT_TRUE(*outer->Step());
  EXPECT_EQ(outer->Int(0), 2);
  EXPECT_EQ(inner->Int(0), 1);
  EXPECT_EQ(database->Prepare("SELECT 1; SELECT 2").error().code(), ErrorCode::kInternal);
  EXPECT_EQ(database->Prepare("").error().code(), ErrorCode::kInternal);
  for (int i = 0; i < 1000; ++i) {
    ASSERT_EQ(One(*database, "SELECT " + std::to_string(i)), i);
  }
}

TEST(Database, ErrorsHaveCodes) {
  const TempFolder folder;
  const auto database = Make(folder.File("db"));
  ASSERT_TRUE(database->Execute("CREATE TABLE t(x INTEGER PRIMARY KEY, y UNIQUE NOT NULL)").ok());
  ASSERT_TRUE(database->Execute("INSERT INTO t VALUES(1, 1)").ok());
  const struct {
    const char* sql;
    ErrorCode code;
  } cases[] = {{"INSERT INTO t VALUES(1, 2)", ErrorCode::kAlreadyExists},
               {"INSERT INTO t VALUES(2, 1)", ErrorCode::kAlreadyExists},
               {"INSERT INTO t VALUES(2, NULL)", ErrorCode::kInternal},
               {"SELECT nothing FROM t", ErrorCode::kInternal}};
  for (const auto& each : cases) {
    const Status status = database->Execute(each.sql);
    ASSERT_FALSE(status.ok()) << each.sql;
    EXPECT_EQ(status.error().code(), each.code) << each.sql;
  }
  ASSERT_TRUE(database->Execute("PRAGMA max_page_count=4").ok());
  const Status full = database->Execute("INSERT INTO t VALUES(9, zeroblob(100000))");
  EXPECT_EQ(full.error().code(), ErrorCode::kResourceExhausted) << full.error().message();
}

TEST(Database, TransactRollsBack) {
  const TempFolder folder;
  const auto database = Make(folder.File("db"));
  ASSERT_TRUE(database->Execute("CREATE TABLE t(x)").ok());
  const Status failed = database->Transact([&]() -> Status {
    LAMINA_TRY(database->Execute("INSERT INTO t VALUES(1)"));
    EXPECT_TRUE(database->in_transaction());
    EXPECT_EQ(database->Transact([] { return Ok(); }).error().code(), ErrorCode::kInternal);
    return Conflict("no");
  });
  EXPECT_EQ(failed.error().code(), ErrorCode::kConflict);
  EXPECT_FALSE(database->in_transaction());
  EXPECT_EQ(One(*database, "SELECT count(*) FROM t"), 0);
}

TEST(Database, ReadersAreNotBlockedAndSeeOneState) {
  const TempFolder folder;
  const auto writer = Make(folder.File("db"));
  ASSERT_TRUE(writer->Execute("CREATE TABLE t(x); INSERT INTO t VALUES(1)").ok());
  auto reader = Database::Open(folder.File("db"), OpenMode::kReadOnly);
  ASSERT_TRUE(reader.ok());
  ASSERT_TRUE(writer
                  ->Transact([&]() -> Status {
                    LAMINA_TRY(writer->Execute("INSERT INTO t VALUES(2)"));
                    EXPECT_EQ(One(**reader, "SELECT count(*) FROM t"), 1);
                    return Ok();
                  })
                  .ok());
  ASSERT_TRUE((*reader)
                  ->Read([&]() -> Status {
                    EXPECT_EQ(One(**reader, "SELECT count(*) FROM t"), 2);
                    EXPECT_TRUE(writer->Execute("INSERT INTO t VALUES(3)").ok());
                    EXPECT_EQ(One(**reader, "SELECT count(*) FROM t"), 2);
                    return Ok();
                  })
                  .ok());
  EXPECT_EQ(One(**reader, "SELECT count(*) FROM t"), 3);
}

TEST(Database, BusyNamesTheHolder) {
  const TempFolder folder;
  const auto holder = Make(folder.File("db"));
  ASSERT_TRUE(
      holder
          ->Execute("CREATE TABLE writer_session(session_id, writer, pid, host, started_at, "
                    "ended_at)")
          .ok());
  auto blocked = Database::Open(folder.File("db"), OpenMode::kReadWrite);
  ASSERT_TRUE(blocked.ok());
  (*blocked)->SetBusyTimeout(50);
  ASSERT_TRUE(
      holder->Execute("INSERT INTO writer_session VALUES('a', 1, 1, 'elsewhere', 0, NULL)").ok());
  ASSERT_TRUE(holder
                  ->Transact([&]() -> Status {
                    const Status status = (*blocked)->Transact([] { return Ok(); });
                    EXPECT_EQ(status.error().code(), ErrorCode::kConflict);
                    EXPECT_THAT(std::string(status.error().message()), HasSubstr("1 on elsewhere"));
                    return Ok();
                  })
                  .ok());
  EXPECT_TRUE((*blocked)->Transact([] { return Ok(); }).ok());
}

// What another SQLite library in this process, or anything that opens and closes the file, does to
// POSIX locks.
TEST(Database, LocksSurviveOpenAndCloseInTheSameProcess) {
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

TEST(Database, StressWithPlainOpensAndProcesses) {
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

TEST(Database, ForkedChildIsRefusedAndTakesNoLocks) {
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

TEST(Database, ForkWhileOtherThreadsWork) {
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

TEST(Database, ReadsInAFolderThatCannotBeWritten) {
  const TempFolder folder;
  const std::string path = folder.File("db");
  {
    const auto database = Make(path);
    ASSERT_TRUE(database->Execute("CREATE TABLE t(x); INSERT INTO t VALUES(5)").ok());
  }
  folder.MakeReadOnly();
  auto as_nobody = [&](const std::function<int()>& work) {
    return InChild([&] {
      if (geteuid() == 0 && setuid(65534) != 0) return 90;
      return work();
    });
  };
  EXPECT_EQ(as_nobody([&] {
              auto reader = Database::Open(path, OpenMode::kReadOnly);
              if (!reader.ok()) return 1;
              if (One(**reader, "SELECT x FROM t") != 5) return 2;
              auto writer = Database::Open(path, OpenMode::kReadWrite);
              return !writer.ok() && writer.error().code() == ErrorCode::kUnsupported ? 0 : 3;
            }),
            ChildExit(0));
  folder.MakeWritable();
  const std::string copy = folder.File("copy");
  {
    const auto database = *Database::Open(path, OpenMode::kReadWrite);
    ASSERT_TRUE(database->Execute("INSERT INTO t VALUES(6)").ok());
    for (const char* suffix : {"", "-wal"}) {
      std::filesystem::copy_file(path + suffix, copy + suffix);
      chmod((copy + suffix).c_str(), 0444);
    }
  }
  folder.MakeReadOnly();
  EXPECT_EQ(as_nobody([&] {
              auto reader = Database::Open(copy, OpenMode::kReadOnly);
              return !reader.ok() && reader.error().code() == ErrorCode::kUnsupported ? 0 : 1;
            }),
            ChildExit(0));
  folder.MakeWritable();
}

TEST(Database, TwoProcessesCreateOnce) {
  const TempFolder folder;
  std::vector<pid_t> children;
  for (int i = 0; i < 6; ++i) {
    children.push_back(test::Spawn([&] {
      const auto made = Database::Open(folder.File("db"), OpenMode::kCreate);
      if (made.ok()) return 10;
      return made.error().code() == ErrorCode::kAlreadyExists ? 0 : 1;
    }));
  }
  int makers = 0;
  for (const pid_t child : children) {
    const int status = test::Wait(child);
    EXPECT_TRUE(status == ChildExit(0) || status == ChildExit(10)) << status;
    makers += status == ChildExit(10);
  }
  EXPECT_EQ(makers, 1);
  EXPECT_EQ(folder.List(), std::vector<std::string>{"db"});
}

}  // namespace
}  // namespace lamina::catalog
