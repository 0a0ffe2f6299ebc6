#include <mutex>
#include <random>
#include <thread>

#include <arrow/api.h>
#include <gmock/gmock.h>

#include "lamina/catalog/catalog.h"
#include "lamina/catalog/lake_rows.h"
#include "lamina/catalog/lake_test_support.h"
#include "lamina/table/columns.h"

namespace lamina::catalog::test {
namespace {

using table::LakeType;
using ::testing::Each;
using ::testing::SizeIs;

// Calls a function once, before the next lake file is opened.
class HookEnv final : public io::Env {
 public:
  std::function<void()> before_open;

  Result<std::unique_ptr<io::ReadableFile>> OpenReadable(const std::string& path) override {
    if (path.find("/lake/") != std::string::npos && before_open)
      std::exchange(before_open, nullptr)();
    return env_.OpenReadable(path);
  }
  Result<std::unique_ptr<io::WritableFile>> NewWritableFile(const std::string& path) override {
    return env_.NewWritableFile(path);
  }
  Result<std::unique_ptr<io::PlacedFile>> OpenPlaced(const std::string& path,
                                                     Place place) override {
    return env_.OpenPlaced(path, place);
  }
  Result<std::string> ReadFile(const std::string& path, std::int64_t max_bytes) override {
    return env_.ReadFile(path, max_bytes);
  }
  Result<io::FileInfo> Stat(const std::string& path) override { return env_.Stat(path); }
  Status RenameToNew(const std::string& from, const std::string& to) override {
    return env_.RenameToNew(from, to);
  }
  Result<bool> IsSymlink(const std::string& path) override { return env_.IsSymlink(path); }
  Result<std::vector<io::DirectoryEntry>> ListDirectory(const std::string& path) override {
    return env_.ListDirectory(path);
  }
  Status CreateDirectories(const std::string& path) override {
    return env_.CreateDirectories(path);
  }
  Status RemoveDirectory(const std::string& path) override { return env_.RemoveDirectory(path); }
  Status Unlink(const std::string& path) override { return env_.Unlink(path); }
  Status Rename(const std::string& from, const std::string& to) override {
    return env_.Rename(from, to);
  }
  Status SyncDirectory(const std::string& path) override { return env_.SyncDirectory(path); }
  Result<std::unique_ptr<io::FileLock>> TryLock(const std::string& path) override {
    return env_.TryLock(path);
  }
  Result<std::int64_t> FreeBytes(const std::string& path) override { return env_.FreeBytes(path); }
  Result<FileSystemKind> FileSystemOf(const std::string& path) override {
    return env_.FileSystemOf(path);
  }
  Nanos Now() override { return env_.Now(); }
  Nanos Monotonic() override { return env_.Monotonic(); }

 private:
  io::Env& env_ = io::PosixEnv();
};

// A store with the table bt.t(run_id, seq, x), sorted by run_id and seq.
class Store {
 public:
  explicit Store(io::Env& env = io::PosixEnv(), const std::vector<std::string>& partition_by = {}) {
    EXPECT_THAT(Catalog::Create(env, folder_.path(), RandomUuid4()), IsOk());
    catalog_ = *Catalog::Open(env, folder_.path());
    auto commit = *catalog_->BeginCommit("create");
    EXPECT_THAT(commit->Finish([&](Database&, LakeWriter& lake) -> Status {
      LAMINA_TRY(lake.CreateSchema("bt"));
      LAMINA_ASSIGN(table_, lake.CreateTable("bt", "t",
                                             {{.name = "run_id", .type = LakeType::kUuid},
                                              {.name = "seq", .type = LakeType::kInt64},
                                              {.name = "x", .type = LakeType::kDouble}},
                                             partition_by, {"run_id", "seq"}));
      return Ok();
    }),
                IsOk());
  }

  // One file with `count` rows of the run.
  Status Put(int run, std::int64_t count, std::optional<std::int64_t> partition = {}) {
    LAMINA_ASSIGN(const auto commit, catalog_->BeginCommit("put"));
    arrow::Int64Builder seq;
    arrow::DoubleBuilder x;
    for (std::int64_t i = 0; i < count; ++i) {
      EXPECT_TRUE(seq.Append(partition.value_or(i)).ok());
      EXPECT_TRUE(x.Append(run + static_cast<double>(i) / 7).ok());
    }
    const auto rows = arrow::Table::Make(
        SchemaOf(table_.columns),
        {OneRunRows(run, count), seq.Finish().ValueOrDie(), x.Finish().ValueOrDie()});
    LAMINA_ASSIGN(const std::string staged, commit->StageLakeFile());
    LAMINA_ASSIGN(auto written, table::WriteParquet(catalog_->env(), staged, *rows));
    std::vector<std::string> values;
    if (partition) values.push_back(std::to_string(*partition));
    LAMINA_TRY(commit->AddLakeFile(table_, staged, std::move(written), std::move(values)));
    LAMINA_ASSIGN(const std::int64_t snapshot, commit->Finish({}));
    static_cast<void>(snapshot);
    return Ok();
  }

  Status Delete(std::size_t file, std::vector<std::int64_t> positions) {
    LAMINA_ASSIGN(const auto commit, catalog_->BeginCommit("delete"));
    LAMINA_TRY(commit->DeleteLakeRows(table_, Files()[file], std::move(positions)));
    LAMINA_ASSIGN(const std::int64_t snapshot, commit->Finish({}));
    static_cast<void>(snapshot);
    return Ok();
  }

  std::vector<LakeFile> Files() {
    Result<std::vector<LakeFile>> files = NotFound("not read");
    EXPECT_THAT(catalog_->Read([&](Database& database) -> Status {
      LakeReader reader(database);
      LAMINA_ASSIGN(const std::int64_t snapshot, reader.LatestSnapshot());
      files = reader.Plan(table_, snapshot);
      return Ok();
    }),
                IsOk());
    return *files;
  }

  std::shared_ptr<arrow::Table> Rows(std::int64_t snapshot) {
    const auto rows = catalog_->ReadTable(table_, snapshot);
    EXPECT_THAT(rows, IsOk());
    return *rows;
  }
  std::vector<std::string> Content() { return Lines(*Rows(Latest())); }
  std::int64_t Latest() { return *catalog_->LatestSnapshot(); }

  std::vector<std::string> FilesBelow(const std::string& name) const {
    std::vector<std::string> found;
    for (std::string& path : folder_.List())
      if (path.starts_with(name)) found.push_back(std::move(path));
    return found;
  }

  Catalog& catalog() { return *catalog_; }
  const std::string& root() const { return folder_.path(); }

 private:
  TempFolder folder_;
  std::unique_ptr<Catalog> catalog_;
  LakeTable table_;
};

TEST(Compaction, MergesSortsAndFoldsDeletes) {
  Store store;
  std::vector<int> runs(40);
  for (int run = 0; run < 40; ++run) runs[static_cast<std::size_t>(run)] = run;
  std::shuffle(runs.begin(), runs.end(), std::mt19937_64(5));
  for (const int run : runs) ASSERT_OK(store.Put(run, 10));
  ASSERT_OK(store.Delete(3, {0, 9}));
  ASSERT_OK(store.Delete(7, {0, 1, 2, 3, 4, 5, 6, 7, 8}));
  const auto before = store.Content();
  const std::int64_t snapshot = store.Latest();
  EXPECT_THAT(before, SizeIs(389));

  const auto merged = store.catalog().CompactSmallFiles(32);
  ASSERT_OK(merged);
  EXPECT_EQ(*merged, 40);
  const auto files = store.Files();
  ASSERT_THAT(files, SizeIs(1));
  EXPECT_FALSE(files[0].deletes);
  EXPECT_EQ(files[0].rows, 389);
  EXPECT_EQ(store.Content(), before);
  EXPECT_EQ(Lines(*store.Rows(snapshot)), before);
  const auto rows = store.Rows(store.Latest());
  EXPECT_EQ(*table::SortRows(rows, {"run_id", "seq"}), rows);  // sorted already
  EXPECT_EQ(*store.catalog().CompactSmallFiles(32), 0);
}

TEST(Compaction, LeavesFewFilesAlone) {
  Store store;
  for (int run = 0; run < 31; ++run) ASSERT_OK(store.Put(run, 3));
  const std::int64_t snapshot = store.Latest();
  EXPECT_EQ(*store.catalog().CompactSmallFiles(32), 0);
  EXPECT_EQ(store.Latest(), snapshot);
  ASSERT_OK(store.Put(31, 3));
  EXPECT_EQ(*store.catalog().CompactSmallFiles(32), 32);
  EXPECT_THAT(store.Files(), SizeIs(1));
}

TEST(Compaction, KeepsPartitionsApart) {
  Store store(io::PosixEnv(), {"seq"});
  for (int run = 0; run < 20; ++run) ASSERT_OK(store.Put(run, 4, run % 2));
  ASSERT_OK(store.Put(99, 4, 2));
  const auto before = store.Content();
  EXPECT_EQ(*store.catalog().CompactSmallFiles(8), 20);
  const auto files = store.Files();
  ASSERT_THAT(files, SizeIs(3));
  for (const LakeFile& file : files)
    EXPECT_EQ(file.path.find("bt/t/seq=" + file.partition_values[0] + "/"), 0U) << file.path;
  EXPECT_EQ(store.Content(), before);
}

TEST(Compaction, FileWithoutRowsIsOnlyRetired) {
  Store store;
  for (int run = 0; run < 8; ++run) ASSERT_OK(store.Put(run, 2));
  for (int run = 0; run < 8; ++run) ASSERT_OK(store.Delete(0, {0, 1}));
  EXPECT_THAT(store.Files(), SizeIs(0));
  EXPECT_EQ(*store.catalog().CompactSmallFiles(2), 0);
}

struct Race {
  const char* name;
  std::function<void(Store&)> work;
};

TEST(Compaction, GivesWayToOthers) {
  const Race kRaces[] = {
      {"rows deleted meanwhile", [](Store& other) { ASSERT_OK(other.Delete(5, {1})); }},
      {"file retired meanwhile", [](Store& other) { ASSERT_OK(other.Delete(5, {0, 1, 2, 3})); }},
  };
  for (const Race& race : kRaces) {
    SCOPED_TRACE(race.name);
    HookEnv env;
    Store store(env);
    for (int run = 0; run < 10; ++run) ASSERT_OK(store.Put(run, 4));
    std::vector<std::string> expected;
    env.before_open = [&] {
      race.work(store);
      expected = store.Content();
    };
    const auto merged = store.catalog().CompactSmallFiles(10);
    ASSERT_OK(merged);
    EXPECT_EQ(*merged, 0);
    EXPECT_EQ(store.Content(), expected);
    EXPECT_LE(store.FilesBelow("lake/").size(), 11U);  // the merged file is gone
    EXPECT_EQ(*store.catalog().CompactSmallFiles(2),
              static_cast<std::int64_t>(race.name[0] == 'r' ? 10 : 9));
    EXPECT_EQ(store.Content(), expected);
  }
}

TEST(Compaction, DamageStopsItWithoutLoss) {
  Store store;
  for (int run = 0; run < 10; ++run) ASSERT_OK(store.Put(run, 50));
  const LakeFile victim = store.Files()[4];
  const std::string path = store.catalog().LakePath(victim.path);
  std::string bytes = ReadAll(path);
  for (std::size_t at = bytes.size() / 4; at < bytes.size() / 2; ++at) bytes[at] ^= 0x40;
  std::ofstream(path, std::ios::binary) << bytes;
  const std::int64_t snapshot = store.Latest();
  EXPECT_THAT(store.catalog().CompactSmallFiles(4),
              IsError(ErrorCode::kCorruption, ::testing::HasSubstr(victim.path)));
  EXPECT_EQ(store.Latest(), snapshot);
  EXPECT_THAT(store.Files(), SizeIs(10));
}

TEST(Compaction, OnlyOneAtATime) {
  Store store;
  for (int run = 0; run < 10; ++run) ASSERT_OK(store.Put(run, 4));
  ASSERT_OK(io::PosixEnv().CreateDirectories(store.root() + "/cache"));
  auto lock = io::PosixEnv().TryLock(store.root() + "/cache/compaction.lock");
  ASSERT_OK(lock);
  EXPECT_EQ(*store.catalog().CompactSmallFiles(4), 0);
  lock->reset();
  EXPECT_EQ(*store.catalog().CompactSmallFiles(4), 10);
}

// Writers, deleters and compactors at once: in the end exactly the rows that were put and not
// deleted.
TEST(Compaction, AmongWritersAndDeleters) {
  Store store;
  std::thread writer([&] {
    for (int run = 0; run < 60; ++run) EXPECT_THAT(store.Put(run, 5), IsOk());
  });
  std::thread compactor([&] {
    for (int i = 0; i < 30; ++i) EXPECT_THAT(store.catalog().CompactSmallFiles(4), IsOk());
  });
  std::int64_t deleted = 0;
  std::mt19937_64 random(3);
  while (deleted < 10) {
    const auto files = store.Files();
    if (files.empty()) continue;
    const LakeFile& file = files[random() % files.size()];
    const auto before = ReadDeletedPositions(io::PosixEnv(), store.catalog().LakePath(""), file);
    ASSERT_OK(before);
    auto commit = *store.catalog().BeginCommit("delete");
    const std::int64_t position = static_cast<std::int64_t>(random() % file.rows);
    if (std::find(before->begin(), before->end(), position) != before->end()) continue;
    LakeTable table;
    ASSERT_OK(store.catalog().Read([&](Database& database) -> Status {
      LAMINA_ASSIGN(table, LakeReader(database).FindTable("bt", "t", store.Latest()));
      return Ok();
    }));
    ASSERT_OK(commit->DeleteLakeRows(table, file, {position}));
    const auto finished = commit->Finish({});
    EXPECT_TRUE(finished.ok() || finished.error().code() == ErrorCode::kConflict);
    deleted += finished.ok() ? 1 : 0;
  }
  writer.join();
  compactor.join();
  const auto lines = store.Content();
  EXPECT_THAT(lines, SizeIs(60 * 5 - 10));
  EXPECT_EQ(std::set<std::string>(lines.begin(), lines.end()).size(), lines.size());
}

TEST(CompactOnDemand, MakesOneFileAndFoldsDeletions) {
  Store store;
  for (int run = 0; run < 5; ++run) ASSERT_THAT(store.Put(run, 10), IsOk());
  ASSERT_THAT(store.Delete(2, {0, 3}), IsOk());
  const auto content = store.Content();
  const auto done = store.catalog().Compact({.tables = {"bt.t"}});
  ASSERT_THAT(done, IsOk());
  ASSERT_EQ(done->size(), 1U);
  EXPECT_EQ((*done)[0].table, "bt.t");
  EXPECT_EQ((*done)[0].files_before, 5);
  EXPECT_EQ((*done)[0].files_after, 1);
  EXPECT_EQ((*done)[0].rows, 48);
  EXPECT_EQ(store.Content(), content);
  // One file that only has deletions is written again without them, and a good one is left alone.
  ASSERT_THAT(store.Delete(0, {1}), IsOk());
  ASSERT_THAT(store.catalog().Compact({}), IsOk());
  ASSERT_EQ(store.Files().size(), 1U);
  EXPECT_FALSE(store.Files()[0].deletes);
  const std::int64_t latest = store.Latest();
  ASSERT_THAT(store.catalog().Compact({}), IsOk());
  EXPECT_EQ(store.Latest(), latest);
}

TEST(CompactOnDemand, TheTargetBoundsAFileAndUnknownTablesAreNamed) {
  Store store;
  for (int run = 0; run < 6; ++run) ASSERT_THAT(store.Put(run, 20'000), IsOk());
  const auto content = store.Content();
  const std::int64_t two = store.Files()[0].size_bytes * 5 / 2;
  ASSERT_THAT(store.catalog().Compact({.tables = {}, .target_bytes = two}), IsOk());
  EXPECT_GE(store.Files().size(), 2U);
  EXPECT_LT(store.Files().size(), 6U);
  EXPECT_EQ(store.Content(), content);
  EXPECT_THAT(store.catalog().Compact({.tables = {"bt.x"}}), IsError(ErrorCode::kNotFound));
  CancelToken cancel;
  cancel.Cancel();
  EXPECT_THAT(store.catalog().Compact({.cancel = &cancel}), IsError(ErrorCode::kCancelled));
}

}  // namespace
}  // namespace lamina::catalog::test
