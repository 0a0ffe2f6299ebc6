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
using test::PutUnit;
using test::Strays;
using test::TempFolder;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

io::Env& Env() { return io::PosixEnv(); }

std::unique_ptr<Catalog> OpenStore(const std::string& root, bool read_only = false) {
  CatalogOptions options;
  options.read_only = read_only;
  auto catalog = Catalog::Open(Env(), root, options);
  EXPECT_THAT(catalog, IsOk());
  return catalog.ok() ? *std::move(catalog) : nullptr;
}

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

TEST(Catalog, UnfinishedAndFailedCommitsLeaveNothing) {
  const TempFolder folder;
  ASSERT_THAT(MakeStore(Env(), folder.path()), IsOk());
  {
    const auto catalog = OpenStore(folder.path());
    const LakeTable table = *FindRows(*catalog);
    ASSERT_THAT(PutUnit(*catalog, table, 1), IsOk());
    {
      const auto commit = *catalog->BeginCommit("dropped");
      ASSERT_THAT(commit->PutChunk(ChunkKind::kSeries, test::LargeContent(9)), IsOk());
    }
    const auto commit = *catalog->BeginCommit("fails");
    const ChunkId id = *commit->PutChunk(ChunkKind::kSeries, test::LargeContent(9));
    EXPECT_THAT(commit->Finish([](Database&, LakeWriter&) -> Status { return Conflict("lost"); }),
                IsError(ErrorCode::kConflict));
    EXPECT_THAT(commit->Finish({}), IsError(ErrorCode::kInternal));
    EXPECT_THAT(catalog->ReadChunk(id), IsError(ErrorCode::kNotFound));
    EXPECT_EQ(*catalog->LatestSnapshot(), 2);
    EXPECT_THAT(Contents(*catalog), ElementsAre(1));
  }
  EXPECT_THAT(Strays(*OpenStore(folder.path(), true)), IsEmpty());
}

TEST(Catalog, DeletesRowsAndRetiresFiles) {
  const TempFolder folder;
  ASSERT_THAT(MakeStore(Env(), folder.path()), IsOk());
  const auto catalog = OpenStore(folder.path());
  const LakeTable table = *FindRows(*catalog);
  ASSERT_THAT(PutUnit(*catalog, table, 1), IsOk());
  const auto plan = [&] {
    std::vector<LakeFile> files;
    EXPECT_THAT(catalog->Read([&](Database& database) -> Status {
      LakeReader reader(database);
      LAMINA_ASSIGN(const std::int64_t snapshot, reader.LatestSnapshot());
      LAMINA_ASSIGN(files, reader.Plan(table, snapshot));
      return Ok();
    }),
                IsOk());
    return files;
  };
  const auto rows = [&] {
    return (*catalog->ReadTable(table, *catalog->LatestSnapshot()))->num_rows();
  };
  const auto erase = [&](const LakeFile& file, std::vector<std::int64_t> positions) {
    const auto commit = *catalog->BeginCommit("erase");
    Status status = commit->DeleteLakeRows(table, file, std::move(positions));
    if (!status.ok()) return status;
    const auto done = commit->Finish({});
    return done.ok() ? Ok() : Status(done.error().Clone());
  };
  const LakeFile before = plan()[0];
  EXPECT_THAT(erase(before, {5}), IsError(ErrorCode::kInvalidArgument));
  EXPECT_THAT(erase(before, {1, 1, 3}), IsOk());
  EXPECT_EQ(rows(), 3);
  EXPECT_THAT(erase(before, {0}), IsError(ErrorCode::kConflict)) << "made from older deletes";
  EXPECT_THAT(erase(plan()[0], {0}), IsOk());
  EXPECT_EQ(rows(), 2);
  EXPECT_THAT(erase(plan()[0], {2, 4}), IsOk());
  EXPECT_EQ(rows(), 0);
  EXPECT_THAT(plan(), IsEmpty());
  const auto commit = *catalog->BeginCommit("retire");
  ASSERT_THAT(commit->RetireLakeFiles(table, {before.data_file_id}), IsOk());
  EXPECT_THAT(commit->Finish({}), IsError(ErrorCode::kConflict));
  EXPECT_THAT(Strays(*catalog), testing::Each(HasSubstr("staging/")));
}

TEST(Catalog, PartitionFoldersAreNamedAsDuckDbNamesThem) {
  const TempFolder folder;
  ASSERT_THAT(MakeStore(Env(), folder.path()), IsOk());
  const auto catalog = OpenStore(folder.path());
  LakeTable table;
  const auto make = *catalog->BeginCommit("make");
  ASSERT_THAT(make->Finish([&](Database&, LakeWriter& lake) -> Status {
    LakeColumn part, value;
    part.name = "part";
    value.name = "value";
    LAMINA_ASSIGN(table, lake.CreateTable("model", "parted", {part, value}, {"part"}));
    return Ok();
  }),
              IsOk());
  arrow::StringBuilder part, value;
  ASSERT_TRUE(part.Append("a b/c").ok() && value.Append("x").ok());
  const auto rows =
      arrow::Table::Make(arrow::schema({table::MakeField("part", table::LakeType::kVarchar, 1),
                                        table::MakeField("value", table::LakeType::kVarchar, 2)}),
                         {*part.Finish(), *value.Finish()});
  const auto commit = *catalog->BeginCommit("add");
  const std::string staged = *commit->StageLakeFile();
  auto written = table::WriteParquet(Env(), staged, *rows);
  ASSERT_THAT(written, IsOk());
  EXPECT_THAT(commit->AddLakeFile(table, staged, *written), IsError(ErrorCode::kInvalidArgument));
  EXPECT_THAT(commit->AddLakeFile(table, staged + "x", *written, {"a b/c"}),
              IsError(ErrorCode::kInvalidArgument));
  ASSERT_THAT(commit->AddLakeFile(table, staged, *written, {"a b/c"}), IsOk());
  ASSERT_THAT(commit->Finish({}), IsOk());
  EXPECT_TRUE(std::filesystem::is_directory(folder.File("lake/model/parted/part=a%20b%2Fc")));
  EXPECT_EQ((*catalog->ReadTable(table, *catalog->LatestSnapshot()))->num_rows(), 1);
}

TEST(Catalog, ChunksAreStoredOnceAndHealed) {
  const TempFolder folder;
  ASSERT_THAT(MakeStore(Env(), folder.path()), IsOk());
  const auto catalog = OpenStore(folder.path());
  const std::string content = test::LargeContent(5);
  ChunkId id;
  std::int64_t commits = 0;
  const auto put = [&] {
    const auto commit = *catalog->BeginCommit("put");
    id = *commit->PutChunk(ChunkKind::kSeries, content);
    EXPECT_EQ(*commit->PutChunk(ChunkKind::kSeries, content), id);
    EXPECT_THAT(commit->PutPreparedChunk(*PrepareChunk(ChunkKind::kSeries, content)), IsOk());
    EXPECT_THAT(commit->Finish({}), IsOk());
    ++commits;
  };
  put();
  const std::string path = folder.File(ChunkPath(id));
  const auto written = std::filesystem::last_write_time(path);
  put();
  EXPECT_EQ(std::filesystem::last_write_time(path), written);
  EXPECT_THAT(catalog->CheckChunk(id, true), IsOk());

  // A chunk that was collected, then put again.
  ASSERT_EQ(InChild([&] {
              const auto database =
                  *Database::Open(folder.File("catalog.sqlite"), OpenMode::kReadWrite);
              return database->Execute("UPDATE chunk SET end_snapshot = 2").ok() ? 0 : 1;
            }),
            ChildExit(0));
  put();
  EXPECT_THAT(catalog->CheckChunk(id, true), IsOk());

  std::string damaged = test::ReadAll(path);
  damaged[12345] = static_cast<char>(damaged[12345] ^ 1);
  std::ofstream(path, std::ios::binary) << damaged;
  EXPECT_THAT(
      catalog->ReadChunk(id),
      IsError(ErrorCode::kCorruption, testing::AllOf(HasSubstr("series/"), HasSubstr("SHA-256"),
                                                     HasSubstr(ChunkPath(id)))));
  EXPECT_THAT(catalog->CheckChunk(id, false), IsOk());
  std::filesystem::resize_file(path, 100);
  EXPECT_THAT(catalog->CheckChunk(id, false), IsError(ErrorCode::kCorruption));
  put();  // the content is at hand: a file of the wrong size is written again
  EXPECT_EQ(*catalog->ReadChunk(id), content);
  std::filesystem::remove(path);
  EXPECT_THAT(catalog->ReadChunk(id), IsError(ErrorCode::kCorruption));
}

TEST(Catalog, AChunkCollectedWhileReusedIsAConflict) {
  const TempFolder folder;
  ASSERT_THAT(MakeStore(Env(), folder.path()), IsOk());
  const auto catalog = OpenStore(folder.path());
  for (const std::string& content : {test::LargeContent(5), test::SmallContent(5)}) {
    const auto first = *catalog->BeginCommit("put");
    ASSERT_THAT(first->PutChunk(ChunkKind::kSeries, content), IsOk());
    ASSERT_THAT(first->Finish({}), IsOk());
    const auto second = *catalog->BeginCommit("reuse");
    ASSERT_THAT(second->PutChunk(ChunkKind::kSeries, content), IsOk());
    ASSERT_EQ(InChild([&] {
                const auto database =
                    *Database::Open(folder.File("catalog.sqlite"), OpenMode::kReadWrite);
                return database->Execute("UPDATE chunk SET end_snapshot = 2").ok() ? 0 : 1;
              }),
              ChildExit(0));
    EXPECT_THAT(second->Finish({}), IsError(ErrorCode::kConflict));
  }
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
                  ->Execute("INSERT INTO schema_version VALUES(2, 0, 'later')"),
              IsOk());
  const std::string before = test::ReadAll(path);
  for (const bool read_only : {false, true}) {
    CatalogOptions options;
    options.read_only = read_only;
    EXPECT_THAT(Catalog::Open(Env(), folder.path(), options),
                IsError(ErrorCode::kUnsupported, HasSubstr("version 2")));
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
