#include "lamina/catalog/catalog.h"

#include <fstream>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "lamina/catalog/catalog_test_model.h"
#include "lamina/catalog/head_internal.h"
#include "lamina/catalog/migrations.h"
#include "lamina/io/faulty_env.h"

namespace lamina::catalog {
namespace {

using test::ChildExit;
using test::Contents;
using test::FindRows;
using test::InChild;
using test::kStoreId;
using test::MakeStore;
using test::OpenStore;
using test::PutUnit;
using test::Strays;
using test::TempFolder;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

io::Env& Env() { return io::PosixEnv(); }

TEST(Catalog, CreateLaysTheFolderOnce) {
  const TempFolder folder("ein Ordner – 仓库 #1");
  ASSERT_THAT(Catalog::Create(Env(), folder.path(), kStoreId), IsOk());
  EXPECT_THAT(folder.List(),
              ElementsAre("catalog.sqlite", "objects.sqlite", "staging/sessions.lock"));
  EXPECT_THAT(Catalog::Create(Env(), folder.path(), kStoreId),
              IsError(ErrorCode::kAlreadyExists, HasSubstr(folder.path())));
  const auto catalog = OpenStore(folder.path());
  EXPECT_EQ(catalog->store_id(), kStoreId);
  EXPECT_EQ(*catalog->LatestSnapshot(), 0);
  EXPECT_FALSE(catalog->read_only());
}

TEST(Catalog, CreateRefusesWhatLooksLikeALostStore) {
  const TempFolder folder;
  EXPECT_THAT(Catalog::Create(Env(), folder.File("absent"), kStoreId),
              IsError(ErrorCode::kNotFound));
  ASSERT_THAT(MakeStore(Env(), folder.path()), IsOk());
  {
    const auto catalog = OpenStore(folder.path());
    ASSERT_THAT(PutUnit(*catalog, *FindRows(*catalog), 1), IsOk());
  }
  std::filesystem::remove(folder.File("catalog.sqlite"));
  EXPECT_THAT(Catalog::Create(Env(), folder.path(), kStoreId), IsError(ErrorCode::kAlreadyExists));
  std::filesystem::remove_all(folder.File("lake"));
  std::filesystem::remove_all(folder.File("chunks"));
  EXPECT_THAT(Catalog::Create(Env(), folder.path(), kStoreId),
              IsError(ErrorCode::kAlreadyExists, HasSubstr("holds chunks")));
  std::filesystem::remove(folder.File("objects.sqlite"));
  EXPECT_THAT(Catalog::Create(Env(), folder.path(), kStoreId), IsOk());
}

TEST(Catalog, RefusesNetworkFileSystems) {
  const TempFolder folder;
  io::FaultyEnv env(Env());
  env.SetFileSystem(io::Env::FileSystemKind{"nfs", true});
  CatalogOptions options;
  EXPECT_THAT(Catalog::Create(env, folder.path(), kStoreId, options),
              IsError(ErrorCode::kUnsupported, HasSubstr("nfs")));
  options.allow_network_filesystem = true;
  EXPECT_THAT(Catalog::Create(env, folder.path(), kStoreId, options), IsOk());
  EXPECT_THAT(Catalog::Open(env, folder.path(), options), IsOk());
  options.allow_network_filesystem = false;
  EXPECT_THAT(Catalog::Open(env, folder.path(), options), IsError(ErrorCode::kUnsupported));
  options.read_only = true;
  EXPECT_THAT(Catalog::Open(env, folder.path(), options), IsOk());
}

TEST(Catalog, RefusesToFillTheDisk) {
  const TempFolder folder("store");
  io::FaultyEnv env(Env());
  ASSERT_THAT(MakeStore(env, folder.path()), IsOk());
  CatalogOptions options;
  options.min_free_bytes = 1000;
  const auto catalog = *Catalog::Open(env, folder.path(), options);
  const LakeTable table = *FindRows(*catalog);
  env.SetFreeBytes(1000);
  ASSERT_THAT(PutUnit(*catalog, table, 1), IsOk());
  env.SetFreeBytes(999);
  EXPECT_THAT(PutUnit(*catalog, table, 2),
              IsError(ErrorCode::kResourceExhausted, HasSubstr("min_free_bytes (1000)")));
  EXPECT_THAT(catalog->BeginCommit("delete", SpaceUse::kFrees), IsOk());
  EXPECT_THAT(Contents(*catalog), ElementsAre(1));
  env.SetFreeBytes({});
  EXPECT_THAT(PutUnit(*catalog, table, 2), IsOk());
  EXPECT_THAT(Contents(*catalog), ElementsAre(1, 2));
}

TEST(Catalog, AMissingLakeFileIsDamage) {
  const TempFolder folder("store");
  ASSERT_THAT(MakeStore(Env(), folder.path()), IsOk());
  const auto catalog = OpenStore(folder.path());
  const LakeTable table = *FindRows(*catalog);
  ASSERT_THAT(PutUnit(*catalog, table, 1), IsOk());
  std::string file;
  for (const std::string& name : folder.List()) {
    if (name.ends_with(".parquet") && name.starts_with("lake/")) file = name;
  }
  std::filesystem::remove(folder.File(file));
  EXPECT_THAT(catalog->ReadTable(table, *catalog->LatestSnapshot()),
              IsError(ErrorCode::kCorruption, HasSubstr(file + " is missing")));
}

TEST(Catalog, CommitsAreWholeAndReadBack) {
  const TempFolder folder("store");
  ASSERT_THAT(MakeStore(Env(), folder.path()), IsOk());
  {
    const auto catalog = OpenStore(folder.path());
    const LakeTable table = *FindRows(*catalog);
    for (std::int64_t unit = 1; unit <= 3; ++unit) {
      EXPECT_THAT(PutUnit(*catalog, table, unit), IsOk());
    }
    EXPECT_EQ(*catalog->LatestSnapshot(), 4);
    const auto sessions = *catalog->OpenSessions();
    ASSERT_EQ(sessions.size(), 1U);
    EXPECT_EQ(sessions[0].process_id, getpid());
    EXPECT_TRUE(sessions[0].alive);
    EXPECT_THAT(Contents(*catalog), ElementsAre(1, 2, 3));
  }
  const auto catalog = OpenStore(folder.path(), /*read_only=*/true);
  EXPECT_THAT(Contents(*catalog), ElementsAre(1, 2, 3));
  EXPECT_THAT(Strays(*catalog), IsEmpty());
  EXPECT_THAT(*catalog->OpenSessions(), IsEmpty());
  EXPECT_EQ(internal::ReadHead(Env(), folder.path()), 4);
  EXPECT_THAT(catalog->BeginCommit("no"), IsError(ErrorCode::kUnsupported));
}

TEST(Catalog, OpenRefusesNewerLostAndForeign) {
  const TempFolder folder;
  EXPECT_THAT(Catalog::Open(Env(), folder.path()), IsError(ErrorCode::kNotFound));
  EXPECT_THAT(Catalog::Open(Env(), folder.File("absent")), IsError(ErrorCode::kNotFound));
  ASSERT_THAT(MakeStore(Env(), folder.path()), IsOk());
  const std::string path = folder.File("catalog.sqlite");

  std::ofstream(folder.File("head")) << internal::EncodeHead(2);
  EXPECT_THAT(Catalog::Open(Env(), folder.path()),
              IsError(ErrorCode::kCorruption, HasSubstr("snapshot 2 was acknowledged")));
  std::ofstream(folder.File("head")) << "rubbish";
  EXPECT_THAT(Catalog::Open(Env(), folder.path()), IsOk());
  std::filesystem::remove(folder.File("head"));
  EXPECT_THAT(Catalog::Open(Env(), folder.path()), IsOk());

  ASSERT_THAT((*Database::Open(path, OpenMode::kReadWrite))
                  ->Execute("INSERT INTO schema_version VALUES(" +
                            std::to_string(CatalogVersion() + 1) + ", 0, 'later')"),
              IsOk());
  const std::string before = test::ReadAll(path);
  for (const bool read_only : {false, true}) {
    CatalogOptions options;
    options.read_only = read_only;
    EXPECT_THAT(Catalog::Open(Env(), folder.path(), options),
                IsError(ErrorCode::kUnsupported,
                        HasSubstr("version " + std::to_string(CatalogVersion() + 1))));
  }
  EXPECT_EQ(test::ReadAll(path), before);

  std::filesystem::remove(path);
  {
    ASSERT_THAT(Database::Open(path, OpenMode::kCreate), IsOk());
  }
  EXPECT_THAT(Catalog::Open(Env(), folder.path()),
              IsError(ErrorCode::kCorruption, HasSubstr("not a Lamina catalog")));
}

TEST(Catalog, ObjectsOfAnotherStoreAreRefused) {
  const TempFolder folder;
  ASSERT_THAT(MakeStore(Env(), folder.path()), IsOk());
  std::filesystem::remove(folder.File("objects.sqlite"));
  ASSERT_THAT(
      MigrateObjects(**Database::Open(folder.File("objects.sqlite"), OpenMode::kCreate), "another"),
      IsOk());
  const auto catalog = OpenStore(folder.path());
  const auto commit = *catalog->BeginCommit("put");
  ASSERT_THAT(commit->PutChunk(ChunkKind::kCode, "x"), IsOk());
  EXPECT_THAT(commit->Finish({}), IsError(ErrorCode::kCorruption, HasSubstr("another")));
}

TEST(Catalog, AMovedStoreIsPutRight) {
  const TempFolder folder("before");
  ASSERT_THAT(MakeStore(Env(), folder.path()), IsOk());
  const std::string moved = folder.path() + " after";
  std::filesystem::rename(folder.path(), moved);
  const auto data_path = [&](bool read_only) {
    CatalogOptions options;
    options.read_only = read_only;
    const auto catalog = *Catalog::Open(Env(), moved, options);
    std::string value;
    EXPECT_THAT(catalog->Read([&](Database& database) -> Status {
      LAMINA_ASSIGN(
          Statement read,
          database.Prepare("SELECT value FROM ducklake_metadata WHERE key = 'data_path'"));
      LAMINA_ASSIGN(const bool row, read.Step());
      if (row) value = read.Text(0);
      return Ok();
    }),
                IsOk());
    return value;
  };
  EXPECT_EQ(data_path(true), std::filesystem::canonical(moved).parent_path() / "before/lake/");
  EXPECT_EQ(data_path(false), std::filesystem::canonical(moved) / "lake/");
  std::filesystem::rename(moved, folder.path());
}

TEST(Catalog, AForkedChildIsRefusedAndHarmless) {
  const TempFolder folder;
  ASSERT_THAT(MakeStore(Env(), folder.path()), IsOk());
  auto catalog = OpenStore(folder.path());
  const LakeTable table = *FindRows(*catalog);
  ASSERT_THAT(PutUnit(*catalog, table, 1), IsOk());
  auto commit = *catalog->BeginCommit("open while forking");
  const std::string staged = *commit->StageLakeFile();
  std::ofstream(staged) << "x";
  EXPECT_EQ(InChild([&] {
              const auto refused = [](const auto& result) {
                return !result.ok() && result.error().code() == ErrorCode::kUnsupported;
              };
              if (!refused(catalog->BeginCommit("x")) || !refused(catalog->LatestSnapshot()))
                return 1;
              if (!refused(commit->Finish({}))) return 2;
              commit.reset();
              catalog.reset();
              const auto own = Catalog::Open(Env(), folder.path());
              if (!own.ok() || Contents(**own) != std::set<std::int64_t>{1}) return 3;
              const auto put = PutUnit(**own, table, 2);
              return put.ok() && !testing::Test::HasFailure() ? 0 : 4;
            }),
            ChildExit(0));
  EXPECT_TRUE(std::filesystem::exists(staged));
  ASSERT_THAT(PutUnit(*catalog, table, 3), IsOk());
  EXPECT_THAT(Contents(*catalog), ElementsAre(1, 2, 3));
}

TEST(Catalog, ReadsAFolderThatCannotBeWritten) {
  const TempFolder folder;
  ASSERT_THAT(MakeStore(Env(), folder.path()), IsOk());
  {
    const auto catalog = OpenStore(folder.path());
    ASSERT_THAT(PutUnit(*catalog, *FindRows(*catalog), 1), IsOk());
  }
  folder.MakeReadOnly();
  EXPECT_EQ(InChild([&] {
              if (geteuid() == 0 && setuid(65534) != 0) return 90;
              CatalogOptions options;
              options.read_only = true;
              const auto catalog = Catalog::Open(Env(), folder.path(), options);
              if (!catalog.ok()) return 1;
              return Contents(**catalog) == std::set<std::int64_t>{1} ? 0 : 2;
            }),
            ChildExit(0));
  folder.MakeWritable();
}

}  // namespace
}  // namespace lamina::catalog
