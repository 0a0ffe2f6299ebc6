#include "lamina/folder_index/prune.h"

#include <filesystem>

#include "lamina/folder_index/folder_test_support.h"
#include "lamina/io/faulty_env.h"

namespace lamina::folder_index {
namespace {

namespace fs = std::filesystem;
using test::Falsify;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

backtests::RankQuery Best(std::int64_t limit, const std::string& where = "") {
  backtests::RankQuery query;
  query.by = "sharpe";
  query.limit = limit;
  query.columns = {"algorithm_id"};  // without the handle: it must not matter
  query.rows.where = where;
  return query;
}

class PruneTest : public ::testing::Test {
 protected:
  PruneTest() {
    folder_.Add("best.iafbt", 5);
    folder_.Add("good.iafbt", 4);
    folder_.Add("sub/best.iafbt", 1);
    folder_.Add("sub/none.obtf", std::nullopt);
    folder_.Write("bad.iafbt", "not a bundle");
    folder_.Write("notes.txt", "mine");
    folder_.Index();
  }

  Result<PruneReport> Run(const backtests::RankQuery& query, const PruneOptions& options = {},
                          io::Env& env = io::PosixEnv()) {
    LAMINA_ASSIGN(const auto index, IndexFile::OpenToWrite(folder_.Path("index.sqlite")));
    return Prune(env, *index, query, options);
  }
  /// Files of the folder but the index, sorted.
  std::vector<std::string> Files() const {
    std::vector<std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(folder_.root())) {
      const std::string name = fs::relative(entry.path(), folder_.root()).string();
      if (!entry.is_directory() && !name.starts_with("index.sqlite")) files.push_back(name);
    }
    std::sort(files.begin(), files.end());
    return files;
  }
  static PruneOptions To(const std::string& archive) {
    PruneOptions options;
    options.archive = archive;
    return options;
  }

  const std::vector<std::string> kAll = {"bad.iafbt", "best.iafbt",     "good.iafbt",
                                         "notes.txt", "sub/best.iafbt", "sub/none.obtf"};
  test::TestFolder folder_;
};

TEST_F(PruneTest, TheDryRunIsThePlan) {
  PruneOptions dry;
  dry.dry_run = true;
  const auto plan = Run(Best(2), dry);
  ASSERT_THAT(plan, IsOk());
  EXPECT_TRUE(plan->dry_run);
  EXPECT_EQ(Files(), kAll);
  const auto done = Run(Best(2));
  ASSERT_THAT(done, IsOk());
  EXPECT_EQ(plan->kept, done->kept);
  EXPECT_EQ(plan->pruned, done->pruned);
  EXPECT_THAT(done->kept, ElementsAre("best.iafbt", "good.iafbt"));
  EXPECT_THAT(done->pruned, ElementsAre("sub/best.iafbt", "sub/none.obtf"));
  // The same name elsewhere, what is no bundle and what could not be indexed stay.
  EXPECT_THAT(Files(), ElementsAre("bad.iafbt", "best.iafbt", "good.iafbt", "notes.txt"));
  EXPECT_THAT(folder_.Ranked(), ElementsAre("best.iafbt", "good.iafbt"));
  const auto again = Run(Best(2));
  ASSERT_THAT(again, IsOk());
  EXPECT_THAT(again->pruned, IsEmpty());
}

TEST_F(PruneTest, APruneThatKeepsNothingIsRefused) {
  EXPECT_THAT(Run(Best(0)), IsError(ErrorCode::kInvalidArgument));
  EXPECT_THAT(Run(Best(2, "sharpe > 100")),
              IsError(ErrorCode::kInvalidArgument, HasSubstr("keeps nothing")));
  backtests::RankQuery misspelt = Best(2);
  misspelt.by = "sharp_ratio";
  EXPECT_THAT(Run(misspelt), IsError(ErrorCode::kInvalidArgument, HasSubstr("did you mean")));
  backtests::RankQuery later = Best(2);
  later.offset = 1;
  EXPECT_THAT(Run(later), IsError(ErrorCode::kInvalidArgument));
  EXPECT_EQ(Files(), kAll);
}

TEST_F(PruneTest, WhatDidNotTakePartStays) {
  const auto done = Run(Best(1, "sharpe < 5"));
  ASSERT_THAT(done, IsOk());
  EXPECT_THAT(done->kept, ElementsAre("good.iafbt"));
  EXPECT_THAT(done->pruned, ElementsAre("sub/best.iafbt"));  // NULL < 5 is not true
  EXPECT_THAT(Files(), ::testing::Contains("best.iafbt"));
  EXPECT_THAT(Files(), ::testing::Contains("sub/none.obtf"));
}

TEST_F(PruneTest, AnArchiveTakesThemWithTheirFolders) {
  const auto done = Run(Best(1), To(folder_.Outside("old/archive")));
  ASSERT_THAT(done, IsOk());
  EXPECT_EQ(done->pruned.size(), 3U);
  for (const char* name : {"good.iafbt", "sub/best.iafbt", "sub/none.obtf"}) {
    EXPECT_TRUE(fs::exists(folder_.Outside("old/archive/") + name)) << name;
  }
  EXPECT_FALSE(fs::exists(folder_.Outside("old/archive/.lamina-archive")));
}

TEST_F(PruneTest, AnArchiveInsideIsNotIndexedAgain) {
  ASSERT_THAT(Run(Best(1), To(folder_.Path("archive"))), IsOk());
  EXPECT_TRUE(fs::exists(folder_.Path("archive/sub/best.iafbt")));
  EXPECT_EQ(folder_.Index().indexed, 0);
  EXPECT_THAT(folder_.Ranked(), ElementsAre("best.iafbt"));
}

TEST_F(PruneTest, AnArchiveInAWrongPlaceIsRefused) {
  for (const std::string& archive :
       {folder_.root(), folder_.Outside(""), folder_.Path("sub"), folder_.Path("notes.txt")}) {
    EXPECT_THAT(Run(Best(1), To(archive)), IsError(ErrorCode::kInvalidArgument)) << archive;
  }
  fs::create_directory_symlink(folder_.root(), folder_.Outside("linked"));
  EXPECT_THAT(Run(Best(1), To(folder_.Outside("linked"))), IsError(ErrorCode::kInvalidArgument));
  EXPECT_EQ(Files(), kAll);
}

TEST_F(PruneTest, NothingInTheArchiveIsReplaced) {
  folder_.WriteTo(folder_.Outside("old/sub/best.iafbt"), "another");
  EXPECT_THAT(Run(Best(1), To(folder_.Outside("old"))),
              IsError(ErrorCode::kAlreadyExists, HasSubstr("nothing was pruned")));
  EXPECT_EQ(Files(), kAll);
  EXPECT_EQ(*io::PosixEnv().ReadFile(folder_.Outside("old/sub/best.iafbt"), 100), "another");
}

TEST_F(PruneTest, AFileThatIsNotTheIndexedOneStays) {
  folder_.Add("sub/best.iafbt", 99.25);  // changed since
  const auto done = Run(Best(2));
  ASSERT_THAT(done, IsOk());
  ASSERT_EQ(done->left.size(), 1U);
  EXPECT_EQ(done->left[0].path, "sub/best.iafbt");
  EXPECT_TRUE(fs::exists(folder_.Path("sub/best.iafbt")));
  EXPECT_FALSE(fs::exists(folder_.Path("sub/none.obtf")));
}

TEST_F(PruneTest, AnIndexThatDoesNotFitItsFolderDecidesNothing) {
  fs::rename(folder_.Path("best.iafbt"), folder_.Path("renamed.iafbt"));
  EXPECT_THAT(Run(Best(1)), IsError(ErrorCode::kConflict, HasSubstr("nothing was pruned")));
  // Paths that lead elsewhere: nothing outside is touched.
  folder_.WriteTo(folder_.Outside("outside.iafbt"), "mine");
  fs::rename(folder_.Path("renamed.iafbt"), folder_.Path("best.iafbt"));
  for (const std::string& path : {std::string("../outside.iafbt"), folder_.Outside("outside.iafbt"),
                                  std::string("sub/../../outside.iafbt")}) {
    folder_.Index();
    Falsify(folder_.Path("index.sqlite"), "UPDATE backtest_index SET bundle_path = '" + path +
                                              "' WHERE bundle_path = 'sub/none.obtf'");
    PruneOptions dry;
    dry.dry_run = true;
    const auto plan = Run(Best(3), dry);
    ASSERT_THAT(plan, IsOk());
    EXPECT_THAT(plan->pruned, IsEmpty());
    EXPECT_EQ(plan->left.size(), 1U);
  }
  EXPECT_TRUE(fs::exists(folder_.Outside("outside.iafbt")));
}

TEST_F(PruneTest, LinksAndWhatTheyPointToStay) {
  folder_.WriteTo(folder_.Outside("far.iafbt"), test::SmallBundle("far", -1));
  fs::create_symlink(folder_.Outside("far.iafbt"), folder_.Path("link.iafbt"));
  fs::create_symlink(folder_.Path("sub/none.obtf"), folder_.Path("top.iafbt"));
  folder_.Index();
  const auto done = Run(Best(2));
  ASSERT_THAT(done, IsOk());
  EXPECT_THAT(done->pruned, ElementsAre("sub/best.iafbt"));
  EXPECT_EQ(done->left.size(), 3U);
  EXPECT_TRUE(fs::exists(folder_.Outside("far.iafbt")));
  EXPECT_TRUE(fs::exists(folder_.Path("top.iafbt")));
}

TEST_F(PruneTest, AnAbsoluteIndexPrunesTheSame) {
  BuildOptions options;
  options.absolute_paths = true;
  folder_.Index(options);
  const auto done = Run(Best(2));
  ASSERT_THAT(done, IsOk());
  EXPECT_THAT(done->kept, ElementsAre(folder_.Path("best.iafbt"), folder_.Path("good.iafbt")));
  EXPECT_EQ(done->pruned.size(), 2U);
  EXPECT_TRUE(fs::exists(folder_.Path("best.iafbt")));
  EXPECT_FALSE(fs::exists(folder_.Path("sub/best.iafbt")));
}

TEST_F(PruneTest, AnIndexWithoutItsFolderPrunesNothing) {
  BuildOptions options;
  options.output = folder_.Outside("far/index.sqlite");
  fs::create_directories(folder_.Outside("far"));
  folder_.Index(options);
  fs::rename(folder_.root(), folder_.Outside("moved"));
  const auto index = IndexFile::OpenToWrite(options.output);
  ASSERT_THAT(index, IsOk());
  EXPECT_THAT(Prune(io::PosixEnv(), **index, Best(1), {}),
              IsError(ErrorCode::kInvalidArgument, HasSubstr("not there")));
  Falsify(folder_.Outside("framework.sqlite"),
          "CREATE TABLE backtest_index(bundle_path TEXT, summary_sharpe_ratio REAL);"
          "INSERT INTO backtest_index VALUES ('best.iafbt', 1), ('good.iafbt', 0)");
  const auto foreign = IndexFile::Open(folder_.Outside("framework.sqlite"));
  ASSERT_THAT(foreign, IsOk());
  PruneOptions dry;
  dry.dry_run = true;
  EXPECT_THAT(Prune(io::PosixEnv(), **foreign, Best(1), dry),
              IsError(ErrorCode::kInvalidArgument, HasSubstr("lamina index")));
}

TEST_F(PruneTest, KilledInTheMiddleNothingIsLost) {
  for (std::int64_t at = 1; at < 30; ++at) {
    const test::TestFolder folder;
    for (int i = 0; i < 4; ++i) folder.Add("b" + std::to_string(i) + ".iafbt", i);
    folder.Index();
    io::FaultyEnv env(io::PosixEnv());
    io::Fault fault;
    fault.at = at;
    fault.and_all_after = true;
    env.SetFault(fault);
    {
      const auto index = IndexFile::OpenToWrite(folder.Path("index.sqlite"));
      ASSERT_THAT(index, IsOk());
      const auto cut = Prune(env, **index, Best(1), To(folder.Outside("old")));
      static_cast<void>(cut);  // an error, or bundles that were left
    }
    for (int i = 0; i < 4; ++i) {
      const std::string name = "b" + std::to_string(i) + ".iafbt";
      EXPECT_TRUE(fs::exists(folder.Path(name)) || fs::exists(folder.Outside("old/") + name));
    }
    EXPECT_TRUE(fs::exists(folder.Path("b3.iafbt")));
    // The index follows the folder, and the prune can be finished.
    folder.Index();
    const auto index = IndexFile::OpenToWrite(folder.Path("index.sqlite"));
    ASSERT_THAT(Prune(io::PosixEnv(), **index, Best(1), To(folder.Outside("old"))), IsOk());
    EXPECT_THAT(folder.Ranked(), ElementsAre("b3.iafbt"));
    EXPECT_EQ(std::distance(fs::directory_iterator(folder.Outside("old")), {}), 3);
    if (!env.fired()) break;
  }
}

TEST_F(PruneTest, InterruptedItSaysWhatItDid) {
  CancelToken cancel;
  cancel.Cancel();
  PruneOptions options;
  options.cancel = &cancel;
  EXPECT_THAT(Run(Best(1), options), IsError(ErrorCode::kCancelled));
  EXPECT_EQ(Files(), kAll);
}

}  // namespace
}  // namespace lamina::folder_index
