#include "lamina/store/store.h"

#include <gtest/gtest.h>

#include "lamina/base/matchers.h"
#include "lamina/io/temporary_folder.h"

namespace lamina::store {
namespace {

using ::testing::HasSubstr;

io::Env& Disk() { return io::PosixEnv(); }

StoreOptions Create() {
  StoreOptions options;
  options.create = true;
  return options;
}

StoreOptions ReadOnly() {
  StoreOptions options;
  options.read_only = true;
  return options;
}

TEST(Store, MadeAndOpenedAgain) {
  io::TemporaryFolder folder;
  const std::string root = folder.File("deep/er/store");
  Uuid id;
  {
    const auto made = Store::Open(Disk(), root, Create());
    ASSERT_THAT(made, IsOk());
    EXPECT_TRUE((*made)->created());
    EXPECT_EQ((*made)->root(), root);
    id = (*made)->config().store_id;
  }
  EXPECT_FALSE(Disk().Exists(io::JoinPath(root, ".create.lock")));
  const auto opened = Store::Open(Disk(), root);
  ASSERT_THAT(opened, IsOk());
  EXPECT_FALSE((*opened)->created());
  EXPECT_EQ((*opened)->config().store_id, id);
  EXPECT_EQ((*opened)->catalog().store_id(), id);
  EXPECT_THAT((*opened)->backtests().Count(), IsOk());
  EXPECT_EQ(*(*opened)->backtests().Count(), 0);
}

TEST(Store, MakingItAgainChangesNothing) {
  io::TemporaryFolder folder;
  const std::string root = folder.File("s");
  Uuid id;
  std::size_t snapshots = 0;
  {
    const auto made = Store::Open(Disk(), root, Create());
    ASSERT_THAT(made, IsOk());
    id = (*made)->config().store_id;
    snapshots = (*made)->Snapshots()->size();
  }
  const auto again = Store::Open(Disk(), root, Create());
  ASSERT_THAT(again, IsOk());
  EXPECT_FALSE((*again)->created());
  EXPECT_EQ((*again)->config().store_id, id);
  EXPECT_EQ((*again)->Snapshots()->size(), snapshots);
}

TEST(Store, AnEmptyFolderBecomesAStore) {
  io::TemporaryFolder folder;
  ASSERT_THAT(Store::Open(Disk(), folder.path(), Create()), IsOk());
  EXPECT_THAT(Store::Open(Disk(), folder.path()), IsOk());
}

TEST(Store, AFolderWithOtherThingsIsRefusedAndLeftAlone) {
  io::TemporaryFolder folder;
  ASSERT_THAT(Disk().WriteFileAtomically(folder.File("notes.txt"), "mine"), IsOk());
  EXPECT_THAT(Store::Open(Disk(), folder.path(), Create()),
              IsError(ErrorCode::kAlreadyExists, HasSubstr(folder.path())));
  const auto entries = Disk().ListDirectory(folder.path());
  ASSERT_THAT(entries, IsOk());
  EXPECT_EQ(entries->size(), 1U);
}

TEST(Store, AFileIsNoRoot) {
  io::TemporaryFolder folder;
  ASSERT_THAT(Disk().WriteFileAtomically(folder.File("file"), "mine"), IsOk());
  EXPECT_FALSE(Store::Open(Disk(), folder.File("file"), Create()).ok());
  EXPECT_THAT(Store::Open(Disk(), folder.File("file")), IsError(ErrorCode::kNotFound));
}

TEST(Store, NoStoreThere) {
  io::TemporaryFolder folder;
  const std::string root = folder.File("nothing");
  StoreOptions read_only_create = Create();
  read_only_create.read_only = true;
  for (const StoreOptions& options : {StoreOptions{}, ReadOnly(), read_only_create}) {
    EXPECT_THAT(Store::Open(Disk(), root, options),
                IsError(ErrorCode::kNotFound, HasSubstr("lamina init " + root)));
    EXPECT_FALSE(Disk().Exists(root));
  }
}

TEST(Store, CatalogOfAnotherStore) {
  io::TemporaryFolder folder;
  ASSERT_THAT(Store::Open(Disk(), folder.File("a"), Create()), IsOk());
  ASSERT_THAT(Store::Open(Disk(), folder.File("b"), Create()), IsOk());
  const auto config = Disk().ReadFile(folder.File("a/lamina.toml"), 1 << 20);
  ASSERT_THAT(config, IsOk());
  ASSERT_THAT(Disk().WriteFileAtomically(folder.File("b/lamina.toml"), *config), IsOk());
  for (const StoreOptions& options : {StoreOptions{}, ReadOnly(), Create()}) {
    EXPECT_THAT(Store::Open(Disk(), folder.File("b"), options),
                IsError(ErrorCode::kCorruption, HasSubstr("belongs to store")));
  }
}

TEST(Store, CatalogGone) {
  io::TemporaryFolder folder;
  const std::string root = folder.File("s");
  ASSERT_THAT(Store::Open(Disk(), root, Create()), IsOk());
  for (const char* name : {"catalog.sqlite", "catalog.sqlite-wal", "catalog.sqlite-shm"}) {
    if (Disk().Exists(io::JoinPath(root, name))) {
      ASSERT_THAT(Disk().Unlink(io::JoinPath(root, name)), IsOk());
    }
  }
  EXPECT_FALSE(Store::Open(Disk(), root, Create()).ok());
  EXPECT_FALSE(Disk().Exists(io::JoinPath(root, "catalog.sqlite")));
}

TEST(Store, ConfigThatIsWrongNamesItsLine) {
  io::TemporaryFolder folder;
  const std::string root = folder.File("s");
  ASSERT_THAT(Store::Open(Disk(), root, Create()), IsOk());
  ASSERT_THAT(
      Disk().WriteFileAtomically(io::JoinPath(root, "lamina.toml"), "[store]\nidd = \"x\"\n"),
      IsOk());
  EXPECT_THAT(Store::Open(Disk(), root),
              IsError(ErrorCode::kInvalidArgument, HasSubstr("lamina.toml:2")));
}

TEST(Store, ReadOnlyReadsAndRefusesToWrite) {
  io::TemporaryFolder folder;
  const std::string root = folder.File("s");
  ASSERT_THAT(Store::Open(Disk(), root, Create()), IsOk());
  const auto opened = Store::Open(Disk(), root, ReadOnly());
  ASSERT_THAT(opened, IsOk());
  EXPECT_TRUE((*opened)->catalog().read_only());
  EXPECT_THAT((*opened)->Snapshots(), IsOk());
  EXPECT_THAT((*opened)->catalog().BeginCommit("no"), IsError(ErrorCode::kUnsupported));
  EXPECT_THAT((*opened)->backtests().Delete({"x"}), IsError(ErrorCode::kNotFound));
}

/// Creation cut short at two places: before the catalog was there and just before lamina.toml.
TEST(Store, UnfinishedCreationIsFinished) {
  io::TemporaryFolder folder;
  ASSERT_THAT(Disk().CreateDirectories(folder.File("early")), IsOk());
  ASSERT_THAT(Disk().WriteFileAtomically(folder.File("early/.create.lock"), ""), IsOk());
  const auto early = Store::Open(Disk(), folder.File("early"), Create());
  ASSERT_THAT(early, IsOk());
  EXPECT_TRUE((*early)->created());

  const std::string late = folder.File("late");
  Uuid id;
  {
    const auto made = Store::Open(Disk(), late, Create());
    ASSERT_THAT(made, IsOk());
    id = (*made)->config().store_id;
  }
  ASSERT_THAT(Disk().Unlink(io::JoinPath(late, "lamina.toml")), IsOk());
  ASSERT_THAT(Disk().WriteFileAtomically(io::JoinPath(late, ".create.lock"), ""), IsOk());
  EXPECT_THAT(Store::Open(Disk(), late), IsError(ErrorCode::kNotFound));
  const auto resumed = Store::Open(Disk(), late, Create());
  ASSERT_THAT(resumed, IsOk());
  EXPECT_EQ((*resumed)->config().store_id, id);
  EXPECT_FALSE(Disk().Exists(io::JoinPath(late, ".create.lock")));
  EXPECT_EQ(*(*resumed)->backtests().Count(), 0);
}

TEST(Store, CreationByAnotherProcessIsWaitedForByTheUser) {
  io::TemporaryFolder folder;
  const auto lock = Disk().TryLock(folder.File(".create.lock"));
  ASSERT_THAT(lock, IsOk());
  EXPECT_THAT(Store::Open(Disk(), folder.path(), Create()), IsError(ErrorCode::kConflict));
}

TEST(Store, RootsWithUnusualNames) {
  io::TemporaryFolder folder;
  for (const char* name :
       {"with space", "größe/データ", "quote'\"s", "percent%20#?", "semi;colon"}) {
    const std::string root = folder.File(name);
    ASSERT_THAT(Store::Open(Disk(), root, Create()), IsOk()) << name;
    const auto opened = Store::Open(Disk(), root);
    ASSERT_THAT(opened, IsOk()) << name;
    EXPECT_THAT((*opened)->Snapshots(), IsOk()) << name;
  }
}

TEST(Store, SnapshotsSayWhatHappened) {
  io::TemporaryFolder folder;
  const auto made = Store::Open(Disk(), folder.File("s"), Create());
  ASSERT_THAT(made, IsOk());
  const auto snapshots = (*made)->Snapshots();
  ASSERT_THAT(snapshots, IsOk());
  ASSERT_EQ(snapshots->size(), 2U);
  std::int64_t last = -1;
  for (const auto& snapshot : *snapshots) {
    EXPECT_GT(snapshot.snapshot_id, last);
    last = snapshot.snapshot_id;
    EXPECT_GT(snapshot.time.value, 0);
  }
  EXPECT_THAT(snapshots->back().message, HasSubstr("tables of backtests"));
}

}  // namespace
}  // namespace lamina::store
