#include "lamina/catalog/migrations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lamina/base/matchers.h"
#include "lamina/catalog/catalog_test_support.h"

namespace lamina::catalog {
namespace {

using test::Make;
using test::One;
using test::TempFolder;
using testing::HasSubstr;

TEST(Migrations, AreRunOnceEach) {
  const TempFolder folder;
  const auto database = Make(folder.File("db"));
  EXPECT_THAT(ReadCatalogVersion(*database), IsError(ErrorCode::kCorruption));
  ASSERT_THAT(MigrateCatalog(*database, "test 1", Micros{17}), IsOk());
  EXPECT_EQ(*ReadCatalogVersion(*database), CatalogVersion());
  EXPECT_THAT(CheckCatalogVersion(*database), IsOk());
  EXPECT_EQ(One(*database,
                "SELECT count(*) FROM schema_version WHERE applied_at = 17 AND "
                "program = 'test 1'"),
            CatalogVersion());
  const std::int64_t changes = database->total_changes();
  ASSERT_THAT(MigrateCatalog(*database, "test 2", Micros{18}), IsOk());
  EXPECT_EQ(database->total_changes(), changes);
}

TEST(Migrations, NewerIsRefusedAndGapsAreDamage) {
  const TempFolder folder;
  const auto database = Make(folder.File("db"));
  ASSERT_THAT(MigrateCatalog(*database, "test", Micros{1}), IsOk());
  ASSERT_THAT(database->Execute("INSERT INTO schema_version VALUES(" +
                                std::to_string(CatalogVersion() + 1) + ", 0, 'later')"),
              IsOk());
  EXPECT_THAT(MigrateCatalog(*database, "test", Micros{2}),
              IsError(ErrorCode::kUnsupported, HasSubstr("newer lamina")));
  EXPECT_THAT(CheckCatalogVersion(*database), IsError(ErrorCode::kUnsupported));
  ASSERT_THAT(
      database->Execute("UPDATE schema_version SET version = version + 7 WHERE version > 1"),
      IsOk());
  EXPECT_THAT(ReadCatalogVersion(*database), IsError(ErrorCode::kCorruption));
  ASSERT_THAT(database->Execute("DELETE FROM schema_version"), IsOk());
  EXPECT_THAT(ReadCatalogVersion(*database), IsError(ErrorCode::kCorruption));
}

TEST(Migrations, ManyProcessesAtOnce) {
  const TempFolder folder;
  {
    Make(folder.File("db"));
  }
  std::vector<pid_t> children;
  for (int i = 0; i < 6; ++i) {
    children.push_back(test::Spawn([&] {
      const auto database = *Database::Open(folder.File("db"), OpenMode::kReadWrite);
      return MigrateCatalog(*database, "test", Micros{1}).ok() ? 0 : 1;
    }));
  }
  for (const pid_t child : children) EXPECT_EQ(test::Wait(child), test::ChildExit(0));
}

TEST(Migrations, ObjectsKnowTheirStore) {
  const TempFolder folder;
  const auto objects = Make(folder.File("objects"));
  EXPECT_THAT(CheckObjects(*objects, "a"), IsError(ErrorCode::kCorruption));
  ASSERT_THAT(MigrateObjects(*objects, "a"), IsOk());
  EXPECT_THAT(MigrateObjects(*objects, "a"), IsOk());
  EXPECT_THAT(MigrateObjects(*objects, "b"), IsError(ErrorCode::kCorruption, HasSubstr("store a")));
  ASSERT_THAT(objects->Execute("PRAGMA user_version = 2"), IsOk());
  EXPECT_THAT(CheckObjects(*objects, "a"), IsError(ErrorCode::kUnsupported));
}

TEST(Migrations, LiveHandlesAndRunsAreUnique) {
  const TempFolder folder;
  const auto database = Make(folder.File("db"));
  ASSERT_THAT(MigrateCatalog(*database, "test", Micros{1}), IsOk());
  const auto run = [&](const std::string& id, const std::string& end) {
    return database->Execute("INSERT INTO run VALUES(x'" + id + "', x'AA', 1, " + end +
                             ", 0, 0, 0, 0, 0, NULL)");
  };
  EXPECT_THAT(run("01", "5"), IsOk());
  EXPECT_THAT(run("02", "NULL"), IsOk());
  EXPECT_THAT(run("03", "NULL"), IsError(ErrorCode::kAlreadyExists)) << "same content, both live";
  EXPECT_THAT(run("02", "6"), IsError(ErrorCode::kAlreadyExists));
}

}  // namespace
}  // namespace lamina::catalog
