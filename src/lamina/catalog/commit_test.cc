#include <fstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lamina/catalog/catalog.h"
#include "lamina/catalog/catalog_test_model.h"
#include "lamina/io/faulty_env.h"

namespace lamina::catalog {
namespace {

using test::ChildExit;
using test::Contents;
using test::FindRows;
using test::InChild;
using test::MakeStore;
using test::OpenStore;
using test::PutUnit;
using test::Strays;
using test::TempFolder;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

io::Env& Env() { return io::PosixEnv(); }

TEST(Commit, UnfinishedAndFailedCommitsLeaveNothing) {
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

TEST(Commit, DeletesRowsAndRetiresFiles) {
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

TEST(Commit, PartitionFoldersAreNamedAsDuckDbNamesThem) {
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

TEST(Commit, ChunksAreStoredOnceAndHealed) {
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

TEST(Commit, AChunkCollectedWhileReusedIsAConflict) {
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

/// A store with unit 1 in it, copied for every case.
class CommitFaults : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_THAT(MakeStore(Env(), template_.path()), IsOk());
    const auto catalog = OpenStore(template_.path());
    ASSERT_THAT(PutUnit(*catalog, *FindRows(*catalog), 1), IsOk());
  }
  void Copy(const TempFolder& folder) const {
    std::filesystem::copy(template_.path(), folder.path(),
                          std::filesystem::copy_options::recursive);
  }
  TempFolder template_;
};

struct FaultCase {
  const char* name;
  io::Fault::Effect effect;
  bool and_all_after, power_cut;
  io::FaultyEnv::Tail tail = io::FaultyEnv::Tail::kLost;
};

/// Put unit 2 while the k-th operation fails. RETURNS whether the fault happened at all.
bool RunFault(const TempFolder& folder, const FaultCase& each, std::int64_t k) {
  io::FaultyEnv env(Env());
  bool acknowledged = false, fired = false;
  {
    const auto catalog = Catalog::Open(env, folder.path());
    EXPECT_THAT(catalog, IsOk());
    const LakeTable table = *FindRows(**catalog);
    io::Fault fault;
    fault.at = k;
    fault.effect = each.effect;
    fault.and_all_after = each.and_all_after;
    env.SetFault(fault);
    acknowledged = PutUnit(**catalog, table, 2).ok();
    fired = env.fired();
    if (!each.and_all_after && !each.power_cut) {
      // The same process goes on.
      env.ClearFault();
      EXPECT_THAT(PutUnit(**catalog, table, 3), IsOk());
    }
    if (each.power_cut) {
      EXPECT_THAT(env.LoseUnsynced(each.tail), IsOk());
    }
  }
  test::Recover(folder.path());
  const auto catalog = OpenStore(folder.path(), /*read_only=*/true);
  std::set<std::int64_t> expected = {1};
  if (acknowledged) expected.insert(2);
  if (!each.and_all_after && !each.power_cut) expected.insert(3);
  EXPECT_EQ(Contents(*catalog), expected);
  EXPECT_THAT(Strays(*catalog), IsEmpty());
  return fired;
}

TEST_F(CommitFaults, EveryOperationFails) {
  const FaultCase cases[] = {
      {"fails", io::Fault::Effect::kNone, false, false},
      {"torn", io::Fault::Effect::kTorn, false, false},
      {"done, but reported as failed", io::Fault::Effect::kDone, false, false},
      {"dies", io::Fault::Effect::kTorn, true, false},
      {"dies after the deed", io::Fault::Effect::kDone, true, false},
      {"power cut", io::Fault::Effect::kTorn, true, true},
      {"power cut after the deed", io::Fault::Effect::kDone, true, true,
       io::FaultyEnv::Tail::kHalf},
      {"power cut, zeros", io::Fault::Effect::kNone, true, true, io::FaultyEnv::Tail::kZeros},
  };
  for (const FaultCase& each : cases) {
    std::int64_t k = 1;
    for (bool fired = true; fired; ++k) {
      SCOPED_TRACE(std::string(each.name) + " at " + std::to_string(k));
      const TempFolder folder;
      Copy(folder);
      fired = RunFault(folder, each, k);
      if (HasFailure()) return;
      ASSERT_LT(k, 500);
    }
    EXPECT_GT(k, 20) << each.name;
  }
}

TEST(Commit, ThreadsCommitAtOnce) {
  const TempFolder folder;
  ASSERT_THAT(MakeStore(Env(), folder.path()), IsOk());
  const auto catalog = OpenStore(folder.path());
  const LakeTable table = *FindRows(*catalog);
  std::vector<std::thread> threads;
  std::set<std::int64_t> expected;
  for (int thread = 0; thread < 4; ++thread) {
    for (std::int64_t i = 0; i < 5; ++i) expected.insert(thread * 5 + i + 1);
    threads.emplace_back([&, thread] {
      for (std::int64_t i = 0; i < 5; ++i) {
        EXPECT_THAT(PutUnit(*catalog, table, thread * 5 + i + 1), IsOk());
        EXPECT_THAT(catalog->LatestSnapshot(), IsOk());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Contents(*catalog), expected);
}

TEST(Commit, EightProcessesCommitAtOnce) {
  const TempFolder folder;
  ASSERT_THAT(MakeStore(Env(), folder.path()), IsOk());
  std::vector<pid_t> children;
  std::set<std::int64_t> expected;
  for (int process = 0; process < 8; ++process) {
    for (std::int64_t i = 0; i < 20; ++i) expected.insert(process * 20 + i + 1);
    children.push_back(test::Spawn([&, process] {
      const auto catalog = Catalog::Open(Env(), folder.path());
      if (!catalog.ok()) return 1;
      const LakeTable table = *FindRows(**catalog);
      for (std::int64_t i = 0; i < 20; ++i) {
        const auto put = PutUnit(**catalog, table, process * 20 + i + 1);
        if (!put.ok()) {
          fprintf(stderr, "%s\n", std::string(put.error().message()).c_str());
          return 2;
        }
      }
      return 0;
    }));
  }
  for (const pid_t child : children) EXPECT_EQ(test::Wait(child), ChildExit(0));
  const auto catalog = OpenStore(folder.path());
  EXPECT_EQ(Contents(*catalog), expected);
  EXPECT_THAT(Strays(*catalog), IsEmpty());
  EXPECT_EQ(*catalog->LatestSnapshot(), 161);
}

}  // namespace
}  // namespace lamina::catalog
