#include "lamina/catalog/database.h"

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lamina/catalog/catalog_test_support.h"

namespace lamina::catalog {
namespace {

using test::ChildExit;
using test::InChild;
using test::Make;
using test::One;
using test::TempFolder;
using testing::HasSubstr;

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
  std::ofstream(folder.File("reserved")) << damaged(20, '\0');
  std::ofstream(folder.File("program")) << damaged(68, 'X');
  std::ofstream(folder.File("cookie")) << damaged(43, '\7');
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
      {"reserved", OpenMode::kReadOnly, ErrorCode::kCorruption},
      {"program", OpenMode::kReadOnly, ErrorCode::kCorruption},
      {"cookie", OpenMode::kReadOnly, ErrorCode::kCorruption},
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

TEST(Database, APlainFileWithATransactionCutShortCanBeRead) {
  const TempFolder folder;
  const std::string path = folder.File("db"), cut = folder.File("cut");
  const auto database = *Database::OpenPlain(path, OpenMode::kCreate);
  ASSERT_TRUE(database->Execute("CREATE TABLE t(x); INSERT INTO t VALUES(1)").ok());
  // As after a kill: pages are in the file, and how they were is in the journal.
  ASSERT_TRUE(database
                  ->Execute("PRAGMA cache_size=1; PRAGMA cache_spill=1; BEGIN; "
                            "INSERT INTO t SELECT randomblob(4000) FROM "
                            "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
                            "LIMIT 50) SELECT i FROM n)")
                  .ok());
  for (const char* suffix : {"", "-journal"}) {
    std::filesystem::copy_file(path + suffix, cut + suffix);
  }
  ASSERT_TRUE(database->Execute("ROLLBACK").ok());
  EXPECT_EQ(One(**Database::OpenPlain(cut, OpenMode::kReadOnly), "SELECT count(*) FROM t"), 1);
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

}  // namespace
}  // namespace lamina::catalog
