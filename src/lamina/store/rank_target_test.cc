#include "lamina/store/rank_target.h"

#include <filesystem>

#include <sys/stat.h>

#include "lamina/backtests/import.h"
#include "lamina/folder_index/folder_test_support.h"

namespace lamina::store {
namespace {

namespace fs = std::filesystem;
using folder_index::test::Falsify;
using folder_index::test::TestFolder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> BestOf(RankTarget& target) {
  std::vector<std::string> handles;
  EXPECT_THAT(target.Read([&](const backtests::RankTable& table) -> Status {
    backtests::RankQuery query;
    query.by = "sharpe";
    query.rows.where = "tag = 't' AND parameters.fast > 0";
    LAMINA_ASSIGN(const auto rows, backtests::Rank(table, query));
    for (const auto& row : rows.rows) handles.push_back(std::get<std::string>(row.front()));
    return Ok();
  }),
              IsOk());
  return handles;
}

std::vector<std::string> BestAt(const std::string& path) {
  const auto target = RankTarget::Open(io::PosixEnv(), path);
  EXPECT_THAT(target, IsOk()) << path;
  return target.ok() ? BestOf(**target) : std::vector<std::string>();
}

TEST(RankTargetTest, StoreFolderAndFileAnswerAlike) {
  const TestFolder folder;
  folder.Add("a.iafbt", 1);
  folder.Add("sub/b.iafbt", 2);
  EXPECT_THAT(BestAt(folder.root()), ElementsAre("sub/b.iafbt", "a.iafbt"));
  EXPECT_TRUE(fs::exists(folder.Path("index.sqlite")));
  folder.Add("c.iafbt", 3);
  EXPECT_THAT(BestAt(folder.Path("index.sqlite")), ElementsAre("sub/b.iafbt", "a.iafbt"));
  EXPECT_THAT(BestAt(folder.root()), ElementsAre("c.iafbt", "sub/b.iafbt", "a.iafbt"));
  EXPECT_THAT(BestAt(folder.Path("sub")), ElementsAre("b.iafbt"));
  StoreOptions options;
  options.create = true;
  {
    const auto store = Store::Open(io::PosixEnv(), folder.Outside("store"), options);
    ASSERT_THAT(store, IsOk());
    const auto sources = backtests::FindBundles(io::PosixEnv(), {folder.root()});
    ASSERT_THAT(backtests::ImportBundles((*store)->backtests(), *sources), IsOk());
  }
  EXPECT_THAT(BestAt(folder.Outside("store")), ElementsAre("c", "sub/b", "a"));
}

TEST(RankTargetTest, NothingIsMadeWhereNoBundleIs) {
  const TestFolder folder;
  EXPECT_THAT(RankTarget::Open(io::PosixEnv(), folder.root()),
              IsError(ErrorCode::kNotFound, HasSubstr("lamina init")));
  EXPECT_THAT(RankTarget::Open(io::PosixEnv(), folder.Path("none")), IsError(ErrorCode::kNotFound));
  EXPECT_TRUE(fs::is_empty(folder.root()));
  folder.Add("a.iafbt", 1);
  EXPECT_THAT(RankTarget::Open(io::PosixEnv(), folder.Path("a.iafbt")),
              IsError(ErrorCode::kCorruption));
}

TEST(RankTargetTest, AnotherProgramsIndexIsLeftAlone) {
  const TestFolder folder;
  folder.Add("a.iafbt", 1);
  Falsify(folder.Path("index.sqlite"),
          "CREATE TABLE backtest_index(bundle_path TEXT PRIMARY KEY, engine_type TEXT, tag TEXT);"
          "INSERT INTO backtest_index VALUES ('old.iafbt', 'vector', 't')");
  EXPECT_THAT(BestAt(folder.root()), ElementsAre("a.iafbt"));
  EXPECT_THAT(BestAt(folder.Path("index.sqlite")), IsEmpty());  // no parameter there
  Falsify(folder.Path("index.sqlite"), "PRAGMA user_version = 77");
  EXPECT_THAT(BestAt(folder.root()), ElementsAre("a.iafbt"));
  folder.Write("index.sqlite", "text");
  EXPECT_THAT(BestAt(folder.root()), ElementsAre("a.iafbt"));
  EXPECT_EQ(*io::PosixEnv().ReadFile(folder.Path("index.sqlite"), 100), "text");
}

TEST(RankTargetTest, BadBundlesAreReported) {
  const TestFolder folder;
  folder.Add("a.iafbt", 1);
  folder.Write("bad.iafbt", "bad");
  const auto target = RankTarget::Open(io::PosixEnv(), folder.root());
  ASSERT_THAT(target, IsOk());
  ASSERT_TRUE((*target)->refreshed().has_value());
  EXPECT_EQ((*target)->refreshed()->failed.size(), 1U);
  EXPECT_THAT(BestOf(**target), ElementsAre("a.iafbt"));
}

TEST(RankTargetTest, OnlyAStoreHasSnapshots) {
  const TestFolder folder;
  folder.Add("a.iafbt", 1);
  const auto target = RankTarget::Open(io::PosixEnv(), folder.root());
  ASSERT_THAT(target, IsOk());
  EXPECT_THAT((*target)->Read([&](const backtests::RankTable& table) -> Status {
    backtests::ListQuery query;
    query.rows.snapshot = 1;
    return backtests::List(table, query).ok() ? Ok() : InvalidArgument("refused");
  }),
              IsError(ErrorCode::kInvalidArgument));
}

}  // namespace
}  // namespace lamina::store
