#include "lamina/upkeep/backup.h"

#include <atomic>
#include <fstream>
#include <thread>

#include "lamina/catalog/pins.h"
#include "lamina/upkeep/upkeep_test_support.h"

namespace lamina::upkeep {
namespace {

using test::UnitStore;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::set<std::int64_t> UnitsOf(const std::string& root) {
  const auto opened = store::Store::Open(io::PosixEnv(), root);
  EXPECT_THAT(opened, IsOk());
  catalog::Catalog& catalog = (*opened)->catalog();
  const auto table = catalog::test::FindRows(catalog);
  EXPECT_THAT(table, IsOk());
  const auto report = catalog::VerifyCatalog(catalog, true);
  EXPECT_THAT(report, IsOk());
  for (const auto& problem : report->problems) ADD_FAILURE() << problem.path << problem.detail;
  return test::UnitsAt(catalog, *table, *catalog.LatestSnapshot());
}

void Flip(const std::string& path, std::streamoff place) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(place);
  const int byte = file.get();
  file.seekp(place);
  file.put(static_cast<char>(byte ^ 1));
}

TEST(Backup, ThereAndBack) {
  UnitStore store;
  const std::int64_t first = store.Put(1);
  store.Put(2);
  store.Drop(1);
  ASSERT_THAT(catalog::PinSnapshot(store.catalog(), "mine", first), IsOk());
  const std::string copy = store.File("copy é");
  const auto backup = BackupStore(*store, copy);
  ASSERT_THAT(backup, IsOk());
  EXPECT_EQ(backup->files, backup->copied_files);
  const auto restored = RestoreStore(io::PosixEnv(), copy, store.File("again"));
  ASSERT_THAT(restored, IsOk());
  EXPECT_EQ(restored->snapshot, backup->snapshot);
  EXPECT_NE(restored->store_id, (*store).config().store_id);
  EXPECT_THAT(UnitsOf(store.File("again")), ElementsAre(2));
  const auto again = store::Store::Open(io::PosixEnv(), store.File("again"));
  ASSERT_THAT(again, IsOk());
  EXPECT_EQ((*again)->config().store_id, restored->store_id);
  EXPECT_THAT(test::UnitsAt((*again)->catalog(), store.table(), first), ElementsAre(1));
  EXPECT_THAT(catalog::test::PutUnit((*again)->catalog(), store.table(), 9), IsOk());
}

TEST(Backup, ASecondOneCopiesWhatIsNew) {
  UnitStore store;
  for (int unit = 1; unit <= 5; ++unit) store.Put(unit);
  const std::string copy = store.File("copy");
  const auto first = BackupStore(*store, copy);
  ASSERT_THAT(first, IsOk());
  store.Put(6);
  const auto second = BackupStore(*store, copy);
  ASSERT_THAT(second, IsOk());
  EXPECT_EQ(second->copied_files, 2 + 3);  // a lake file and a chunk; the databases, lamina.toml
  EXPECT_EQ(second->files, first->files + 2);
  EXPECT_FALSE(io::PosixEnv().Exists(copy + "/unfinished"));
  EXPECT_EQ(io::PosixEnv().ListDirectory(copy + "/state")->size(), 1U);
  ASSERT_THAT(RestoreStore(io::PosixEnv(), copy, store.File("again")), IsOk());
  EXPECT_THAT(UnitsOf(store.File("again")), ElementsAre(1, 2, 3, 4, 5, 6));
}

TEST(Backup, AnInterruptedOneIsNoneAndGoesOn) {
  UnitStore store;
  for (int unit = 1; unit <= 3; ++unit) store.Put(unit);
  const std::string copy = store.File("copy");
  CancelToken cancel;
  cancel.Cancel();
  EXPECT_THAT(BackupStore(*store, copy, &cancel), IsError(ErrorCode::kCancelled));
  EXPECT_THAT(RestoreStore(io::PosixEnv(), copy, store.File("again")),
              IsError(ErrorCode::kNotFound, HasSubstr("never finished")));
  ASSERT_THAT(BackupStore(*store, copy), IsOk());
  // An earlier one stays whole while the next is cut short.
  store.Put(4);
  EXPECT_THAT(BackupStore(*store, copy, &cancel), IsError(ErrorCode::kCancelled));
  ASSERT_THAT(RestoreStore(io::PosixEnv(), copy, store.File("again")), IsOk());
  EXPECT_THAT(UnitsOf(store.File("again")), ElementsAre(1, 2, 3));
}

TEST(Backup, AnInterruptedRestoreIsNoStoreAndGoesOn) {
  UnitStore store;
  store.Put(1);
  const std::string copy = store.File("copy"), again = store.File("again");
  ASSERT_THAT(BackupStore(*store, copy), IsOk());
  CancelToken cancel;
  cancel.Cancel();
  EXPECT_THAT(RestoreStore(io::PosixEnv(), copy, again, &cancel), IsError(ErrorCode::kCancelled));
  EXPECT_THAT(store::Store::Open(io::PosixEnv(), again), IsError(ErrorCode::kNotFound));
  ASSERT_THAT(RestoreStore(io::PosixEnv(), copy, again), IsOk());
  EXPECT_THAT(UnitsOf(again), ElementsAre(1));
}

TEST(Backup, WhileAWriterWorks) {
  UnitStore store;
  store.Put(1000);
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    auto catalog = *catalog::Catalog::Open(io::PosixEnv(), store.root());
    for (std::int64_t unit = 1; !stop && unit < 500; ++unit) {
      EXPECT_THAT(catalog::test::PutUnit(*catalog, store.table(), unit), IsOk());
      if (unit % 3 != 0) continue;
      EXPECT_THAT(UnitStore::Drop(*catalog, store.table(), unit), IsOk());
    }
  });
  for (int round = 0; round < 3; ++round) {
    EXPECT_THAT(BackupStore(*store, store.File("copy")), IsOk());
  }
  stop = true;
  writer.join();
  ASSERT_THAT(RestoreStore(io::PosixEnv(), store.File("copy"), store.File("again")), IsOk());
  EXPECT_TRUE(UnitsOf(store.File("again")).contains(1000));
}

TEST(Backup, DamageIsNotCopied) {
  UnitStore store;
  store.Put(1);
  const std::string folder = store.root() + "/lake/model/rows/";
  Flip(folder + io::PosixEnv().ListDirectory(folder)->front().name, 40);
  EXPECT_THAT(BackupStore(*store, store.File("copy")),
              IsError(ErrorCode::kCorruption, HasSubstr("lake/model/rows/")));
  EXPECT_THAT(RestoreStore(io::PosixEnv(), store.File("copy"), store.File("again")),
              IsError(ErrorCode::kNotFound));
}

TEST(Backup, DamageOfTheBackupIsFound) {
  UnitStore store;
  store.Put(1);
  const std::string copy = store.File("copy");
  ASSERT_THAT(BackupStore(*store, copy), IsOk());
  const std::string state =
      copy + "/state/" + io::PosixEnv().ListDirectory(copy + "/state")->front().name;
  const std::string lake = copy + "/lake/model/rows/" +
                           io::PosixEnv().ListDirectory(copy + "/lake/model/rows")->front().name;
  int round = 0;
  for (const std::string& path :
       {state + "/catalog.sqlite", state + "/objects.sqlite", lake, copy + "/backup"}) {
    Flip(path, 60);
    const std::string target = store.File("again" + std::to_string(round++));
    EXPECT_THAT(RestoreStore(io::PosixEnv(), copy, target), IsError(ErrorCode::kCorruption))
        << path;
    EXPECT_FALSE(io::PosixEnv().Exists(target + "/lamina.toml"));
    Flip(path, 60);
  }
  EXPECT_THAT(RestoreStore(io::PosixEnv(), copy, store.File("whole")), IsOk());
}

TEST(Backup, FoldersOfOtherThingsAreRefused) {
  UnitStore store, other;
  const std::string folder = store.File("full");
  ASSERT_THAT(io::PosixEnv().CreateDirectories(folder), IsOk());
  std::ofstream(folder + "/letter") << "dear";
  EXPECT_THAT(BackupStore(*store, folder), IsError(ErrorCode::kAlreadyExists));
  EXPECT_THAT(BackupStore(*store, store.root() + "/backup"), IsError(ErrorCode::kInvalidArgument));
  ASSERT_THAT(BackupStore(*store, store.File("copy")), IsOk());
  EXPECT_THAT(BackupStore(*other, store.File("copy")), IsError(ErrorCode::kAlreadyExists));
  EXPECT_THAT(RestoreStore(io::PosixEnv(), store.File("copy"), folder),
              IsError(ErrorCode::kAlreadyExists));
  EXPECT_THAT(RestoreStore(io::PosixEnv(), folder, store.File("new")),
              IsError(ErrorCode::kNotFound));
}

}  // namespace
}  // namespace lamina::upkeep
