#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include "lamina/base/matchers.h"
#include "lamina/catalog/catalog_test_support.h"
#include "lamina/catalog/database.h"
#include "lamina/catalog/database_file_internal.h"

namespace lamina::catalog {
namespace {

using test::ChildExit;
using test::TempFolder;

TEST(DatabaseFile, TwoProcessesCreateOnce) {
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

TEST(DatabaseFile, LeftoversOfACrashAreNoHindrance) {
  const TempFolder folder;
  for (const char* name : {"db.new", "db.new-wal", "db.creating"})
    std::ofstream(folder.File(name)) << "x";
  EXPECT_THAT(Database::Open(folder.File("db"), OpenMode::kCreate), IsOk());
  EXPECT_EQ(folder.List(), std::vector<std::string>{"db"});
}

TEST(DatabaseFile, UrisAreEscaped) {
  EXPECT_EQ(internal::FileUri("/a b/ü?#%.x", "immutable=1"),
            "file:/a b/%C3%BC%3F%23%25.x?immutable=1");
  EXPECT_EQ(internal::FolderOf("/a/b"), "/a");
  EXPECT_EQ(internal::FolderOf("/b"), "/");
  EXPECT_EQ(internal::FolderOf("b"), ".");
}

TEST(DatabaseFile, CodesOfSqlite) {
  const struct {
    int code;
    ErrorCode expected;
  } cases[] = {{SQLITE_BUSY, ErrorCode::kConflict},
               {SQLITE_BUSY_SNAPSHOT, ErrorCode::kConflict},
               {SQLITE_CORRUPT_INDEX, ErrorCode::kCorruption},
               {SQLITE_NOTADB, ErrorCode::kCorruption},
               {SQLITE_IOERR_DATA, ErrorCode::kCorruption},
               {SQLITE_IOERR_FSYNC, ErrorCode::kIo},
               {SQLITE_FULL, ErrorCode::kResourceExhausted},
               {SQLITE_NOMEM, ErrorCode::kResourceExhausted},
               {SQLITE_READONLY_DIRECTORY, ErrorCode::kUnsupported},
               {SQLITE_CONSTRAINT_UNIQUE, ErrorCode::kAlreadyExists},
               {SQLITE_CONSTRAINT_PRIMARYKEY, ErrorCode::kAlreadyExists},
               {SQLITE_CONSTRAINT_NOTNULL, ErrorCode::kInternal},
               {SQLITE_INTERRUPT, ErrorCode::kCancelled},
               {SQLITE_TOOBIG, ErrorCode::kInvalidArgument},
               {SQLITE_ERROR, ErrorCode::kInternal}};
  for (const auto& each : cases) {
    EXPECT_EQ(internal::SqliteErrorCode(each.code), each.expected) << each.code;
  }
}

}  // namespace
}  // namespace lamina::catalog
