#include "lamina/upkeep/repair.h"

#include <fstream>

#include "lamina/upkeep/backup.h"
#include "lamina/upkeep/upkeep_test_support.h"

namespace lamina::upkeep {
namespace {

using catalog::Database;
using test::UnitStore;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string OnlyFile(const std::string& folder) {
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (!entry.is_directory()) return entry.path();
  }
  return "";
}

void Flip(const std::string& path, std::streamoff place) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(place);
  const int byte = file.get();
  file.seekp(place);
  file.put(static_cast<char>(byte ^ 1));
}

/// Problems of the catalog's own kinds: the units of this test are no backtests.
std::vector<std::string> Kinds(const std::vector<StoreProblem>& problems) {
  std::vector<std::string> kinds;
  for (const StoreProblem& problem : problems) {
    if (problem.kind != "missing-backtest") kinds.push_back(problem.kind);
  }
  return kinds;
}

TEST(Repair, StatisticsComeFromTheFooter) {
  UnitStore store;
  store.Put(5);
  ASSERT_THAT(store.catalog().Transact([](Database& database) {
    return database.Execute(
        "UPDATE ducklake_file_column_stats SET max_value = '4' WHERE column_id "
        "= 1; UPDATE ducklake_table_column_stats SET max_value = '4' WHERE "
        "column_id = 1");
  }),
              IsOk());
  const auto found = VerifyStore(*store, true);
  ASSERT_THAT(found, IsOk());
  ASSERT_THAT(Kinds(found->problems), ::testing::Contains("statistics"));
  for (const StoreProblem& problem : found->problems) {
    if (problem.kind != "statistics") continue;
    EXPECT_THAT(problem.remedy, HasSubstr("lamina repair"));
  }
  RepairOptions trial;
  trial.dry_run = true;
  const auto dry = RepairStore(*store, trial);
  ASSERT_THAT(dry, IsOk());
  EXPECT_FALSE(dry->actions.empty());
  const auto done = RepairStore(*store);
  ASSERT_THAT(done, IsOk());
  EXPECT_THAT(Kinds(done->problems), IsEmpty());
  EXPECT_EQ(store.Units(), std::set<std::int64_t>{5});
}

TEST(Repair, HeadIsWrittenAgain) {
  UnitStore store;
  store.Put(1);
  std::ofstream(store.root() + "/head") << "nonsense";
  const auto done = RepairStore(*store);
  ASSERT_THAT(done, IsOk());
  EXPECT_THAT(Kinds(done->problems), IsEmpty());
  ASSERT_EQ(done->actions.size(), 1U);
  EXPECT_EQ(done->actions[0].action, "rebuilt");
}

TEST(Repair, DamagedFilesComeFromABackup) {
  UnitStore store;
  store.Put(1);
  ASSERT_THAT(BackupStore(*store, store.File("copy")), IsOk());
  Flip(OnlyFile(store.root() + "/lake/model"), 40);
  Flip(OnlyFile(store.root() + "/chunks/series"), 400);
  RepairOptions options;
  options.backup = store.File("copy");
  const auto done = RepairStore(*store, options);
  ASSERT_THAT(done, IsOk());
  EXPECT_THAT(Kinds(done->problems), IsEmpty());
  for (const RepairAction& action : done->actions) EXPECT_EQ(action.action, "fetched");
  EXPECT_EQ(store.Units(), std::set<std::int64_t>{1});
  EXPECT_EQ(store.FilesBelow("quarantine"), 4);  // what was damaged, with reasons
  options.backup = store.File("nowhere");
  EXPECT_THAT(RepairStore(*store, options), IsError(ErrorCode::kNotFound));
}

TEST(Repair, TheRestIsSetAsideAndAChunkCanBeStoredAgain) {
  UnitStore store;
  store.Put(1);
  Flip(OnlyFile(store.root() + "/chunks/series"), 400);
  ASSERT_THAT(store.catalog().Transact([&](Database&) -> Status {
    auto objects = *Database::Open(store.root() + "/objects.sqlite", catalog::OpenMode::kReadWrite);
    return objects->Execute("UPDATE object SET stored = zeroblob(length(stored)) WHERE kind = 3");
  }),
              IsOk());
  const auto done = RepairStore(*store);
  ASSERT_THAT(done, IsOk());
  EXPECT_EQ(done->actions.size(), 2U);
  for (const RepairAction& action : done->actions) EXPECT_EQ(action.action, "quarantined");
  EXPECT_EQ(store.FilesBelow("quarantine"), 4);
  store.Drop(1);
  store.Put(1);
  EXPECT_EQ(store.Units(), std::set<std::int64_t>{1});
  store.ExpectWhole();
}

}  // namespace
}  // namespace lamina::upkeep
