#include "lamina/folder_index/build.h"

#include <filesystem>
#include <thread>

#include <sys/stat.h>

#include "lamina/folder_index/folder_test_support.h"
#include "lamina/io/faulty_env.h"

namespace lamina::folder_index {
namespace {

namespace fs = std::filesystem;
using test::Falsify;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(BuildTest, OnlyWhatChangedIsRead) {
  const test::TestFolder folder;
  folder.Add("a.iafbt", 1);
  folder.Add("sub/b.iafbt", 3);
  folder.Add("c.obtf", std::nullopt);
  folder.Write("bad.iafbt", "not a bundle");
  BuildReport report = folder.Index();
  EXPECT_EQ(report.indexed, 3);
  ASSERT_EQ(report.failed.size(), 1U);
  EXPECT_EQ(report.failed[0].path, "bad.iafbt");
  EXPECT_EQ(report.failed[0].code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(folder.Ranked(), ElementsAre("sub/b.iafbt", "a.iafbt", "c.obtf"));

  report = folder.Index();
  EXPECT_EQ(report.indexed, 0);
  EXPECT_EQ(report.skipped, 3);
  EXPECT_EQ(report.failed.size(), 1U);  // told of every time

  folder.Add("a.iafbt", 12345.5);
  fs::remove(folder.Path("sub/b.iafbt"));
  folder.Write("bad.iafbt", test::SmallBundle("good now", 2));
  report = folder.Index();
  EXPECT_EQ(report.indexed, 2);
  EXPECT_EQ(report.removed, 1);
  EXPECT_EQ(report.skipped, 1);
  EXPECT_THAT(report.failed, IsEmpty());
  EXPECT_THAT(folder.Ranked(), ElementsAre("a.iafbt", "bad.iafbt", "c.obtf"));

  folder.Write("bad.iafbt", "bad again");  // its old row goes
  EXPECT_EQ(folder.Index().failed.size(), 1U);
  EXPECT_THAT(folder.Ranked(), ElementsAre("a.iafbt", "c.obtf"));
  fs::remove(folder.Path("bad.iafbt"));
  EXPECT_THAT(folder.Index().failed, IsEmpty());
  BuildOptions rebuild;
  rebuild.rebuild = true;
  report = folder.Index(rebuild);
  EXPECT_EQ(report.indexed, 2);
  EXPECT_EQ(report.skipped, 0);
}

TEST(BuildTest, RowsOfRealBundlesAreThoseOfTheStore) {
  const test::TestFolder folder;
  const std::string golden = std::string(LAMINA_SHARED_DIR) + "/data/bundles/golden";
  fs::copy(golden, folder.Path("golden"), fs::copy_options::recursive);
  const BuildReport report = folder.Index();
  EXPECT_GT(report.indexed, 150);
  EXPECT_THAT(report.failed, IsEmpty());
  const auto index = IndexFile::Open(folder.Path("index.sqlite"));
  ASSERT_THAT(index, IsOk());
  int dated = 0;
  EXPECT_THAT((*index)->ForEachRow("",
                                   [&](const IndexedRow& row) -> Status {
                                     EXPECT_TRUE(row.document_sha256.has_value());
                                     dated += row.row.start.has_value() ? 1 : 0;
                                     return Ok();
                                   }),
              IsOk());
  EXPECT_GT(dated, 100);
}

TEST(BuildTest, AbsolutePathsAreAnIndexOfTheirOwn) {
  const test::TestFolder folder;
  folder.Add("a.iafbt", 1);
  BuildOptions options;
  options.absolute_paths = true;
  folder.Index(options);
  EXPECT_THAT(folder.Ranked(), ElementsAre(folder.Path("a.iafbt")));
  EXPECT_EQ(folder.Index(options).skipped, 1);
  EXPECT_EQ(folder.Index().indexed, 1);  // back to relative ones
  EXPECT_THAT(folder.Ranked(), ElementsAre("a.iafbt"));
}

TEST(BuildTest, AnIndexElsewhereBelongsToOneFolder) {
  const test::TestFolder folder;
  folder.Add("one/a.iafbt", 1);
  folder.Add("two/b.iafbt", 1);
  BuildOptions options;
  options.output = folder.Outside("my.sqlite");
  ASSERT_THAT(BuildIndex(folder.env(), folder.Path("one"), options), IsOk());
  EXPECT_THAT(BuildIndex(folder.env(), folder.Path("two"), options),
              IsError(ErrorCode::kAlreadyExists, HasSubstr("--rebuild")));
  EXPECT_THAT(folder.Ranked(options.output), ElementsAre("a.iafbt"));
  options.rebuild = true;
  ASSERT_THAT(BuildIndex(folder.env(), folder.Path("two"), options), IsOk());
  EXPECT_THAT(folder.Ranked(options.output), ElementsAre("b.iafbt"));
}

TEST(BuildTest, RowsOfAnotherProgramAreReadAgain) {
  const test::TestFolder folder;
  folder.Add("a.iafbt", 1);
  folder.Index();
  const auto file = fs::path(folder.Path("a.iafbt"));
  const auto info = folder.env().Stat(file);
  // The framework's upsert: its columns only, time and size as they are.
  Falsify(folder.Path("index.sqlite"),
          "INSERT OR REPLACE INTO backtest_index(bundle_path, engine_type, summary_sharpe_ratio, "
          "bundle_mtime_ns, bundle_size) VALUES ('a.iafbt', 'vector', 99, " +
              std::to_string(info->mtime_ns) + ", " + std::to_string(info->size) + ")");
  EXPECT_EQ(folder.Index().indexed, 1);
}

TEST(BuildTest, TheFrameworksIndexIsTakenOver) {
  const test::TestFolder folder;
  folder.Add("a.iafbt", 1);
  Falsify(folder.Path("index.sqlite"),
          "CREATE TABLE backtest_index(bundle_path TEXT PRIMARY KEY, engine_type TEXT);"
          "INSERT INTO backtest_index VALUES ('gone.iafbt', 'vector'); PRAGMA user_version = 2");
  EXPECT_EQ(folder.Index().indexed, 1);
  EXPECT_THAT(folder.Ranked(), ElementsAre("a.iafbt"));
}

TEST(BuildTest, WhatIsNoFolderOfBundlesIsRefused) {
  const test::TestFolder folder;
  folder.Write("store/lamina.toml", "");
  EXPECT_THAT(BuildIndex(folder.env(), folder.Path("store")),
              IsError(ErrorCode::kInvalidArgument, HasSubstr("is a store")));
  EXPECT_THAT(BuildIndex(folder.env(), folder.Path("none")), IsError(ErrorCode::kNotFound));
  // A tiered store of the framework: its index is its truth.
  folder.Write("tiered/bundles/x.iafbt", test::SmallBundle("x", 1));
  Falsify(folder.Path("tiered/index.sqlite"),
          "CREATE TABLE backtest_index(bundle_path TEXT PRIMARY KEY, engine_type TEXT);"
          "INSERT INTO backtest_index VALUES ('x', 'vector'); PRAGMA user_version = 5");
  EXPECT_THAT(BuildIndex(folder.env(), folder.Path("tiered")),
              IsError(ErrorCode::kInvalidArgument, HasSubstr("tiered/bundles")));
  EXPECT_THAT(folder.Ranked(folder.Path("tiered/index.sqlite")), ElementsAre("x"));
  folder.Write("other/index.sqlite", "something else entirely");
  EXPECT_THAT(BuildIndex(folder.env(), folder.Path("other")), IsError(ErrorCode::kCorruption));
  EXPECT_EQ(*folder.env().ReadFile(folder.Path("other/index.sqlite"), 100),
            "something else entirely");
}

TEST(BuildTest, InterruptedItLeavesTheIndexAsItWas) {
  const test::TestFolder folder;
  folder.Add("a.iafbt", 1);
  folder.Index();
  folder.Add("b.iafbt", 2);
  CancelToken cancel;
  cancel.Cancel();
  BuildOptions options;
  options.cancel = &cancel;
  EXPECT_THAT(BuildIndex(folder.env(), folder.root(), options), IsError(ErrorCode::kCancelled));
  EXPECT_THAT(folder.Ranked(), ElementsAre("a.iafbt"));
}

/// An Env whose files change, or go, while they are read.
class ChangingEnv final : public io::FaultyEnv {
 public:
  ChangingEnv() : FaultyEnv(io::PosixEnv()) {}
  Result<std::string> ReadFile(const std::string& path, std::int64_t max_bytes) override {
    auto bytes = FaultyEnv::ReadFile(path, max_bytes);
    if (changes_ > 0) {
      --changes_;
      test::TestFolder::WriteTo(path, test::SmallBundle("changed" + std::to_string(changes_), 7));
    }
    return bytes;
  }
  void SetChanges(int changes) { changes_ = changes; }

 private:
  int changes_ = 0;
};

TEST(BuildTest, ABundleThatChangesMeanwhileIsNoticed) {
  const test::TestFolder folder;
  folder.Add("a.iafbt", 1);
  ChangingEnv env;
  env.SetChanges(1);
  auto report = BuildIndex(env, folder.root());
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->indexed, 1);  // read again
  EXPECT_EQ(folder.Index().skipped, 1);
  env.SetChanges(1000);
  BuildOptions rebuild;
  rebuild.rebuild = true;
  report = BuildIndex(env, folder.root(), rebuild);
  ASSERT_THAT(report, IsOk());
  ASSERT_EQ(report->failed.size(), 1U);
  EXPECT_EQ(report->failed[0].code, ErrorCode::kConflict);
  EXPECT_EQ(folder.Index().indexed, 1);  // not remembered as bad
}

TEST(BuildTest, AFolderThatCannotBeListedKeepsItsRows) {
  const test::TestFolder folder;
  folder.Add("a.iafbt", 1);
  folder.Add("sub/b.iafbt", 2);
  folder.Index();
  io::FaultyEnv env(io::PosixEnv());
  io::Fault fault;
  fault.at = 2;  // the root is listed, the folder in it is not
  fault.operations = {io::Operation::kList};
  env.SetFault(fault);
  const auto report = BuildIndex(env, folder.root());
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->removed, 0);
  ASSERT_EQ(report->failed.size(), 1U);
  EXPECT_EQ(report->failed[0].path, "sub");
  EXPECT_THAT(folder.Ranked(), ElementsAre("sub/b.iafbt", "a.iafbt"));
}

TEST(BuildTest, ThreadsDoNotChangeTheRows) {
  const test::TestFolder folder;
  for (int i = 0; i < 600; ++i) folder.Add("b" + std::to_string(i) + ".iafbt", i % 7);
  BuildOptions one;
  one.workers = 1;
  one.output = folder.Outside("one.sqlite");
  BuildOptions four;
  four.workers = 4;
  four.output = folder.Outside("four.sqlite");
  folder.Index(one);
  std::int64_t last = 0;
  four.progress = [&](const backtests::ImportProgress& progress) { last = progress.files_done; };
  folder.Index(four);
  EXPECT_EQ(last, 600);
  EXPECT_EQ(folder.Ranked(one.output), folder.Ranked(four.output));
}

/// What a store says of the same bundles.
TEST(BuildTest, ValidatedMetricsAreThoseOfAnImport) {
  test::TestFolder folder;
  const std::string golden = std::string(LAMINA_SHARED_DIR) + "/data/bundles/golden";
  for (const char* name : {"v2_8.10.0/windows3_full.iafbt", "v5_9.0.0a6/universes.obtf"}) {
    const auto file = folder.env().ReadFile(golden + "/" + name, 1 << 24);
    ASSERT_THAT(file, IsOk());
    folder.Write(fs::path(name).filename().string(), *file);
  }
  const auto count = [&] {
    const auto index = IndexFile::Open(folder.Path("index.sqlite"));
    EXPECT_THAT(index, IsOk());
    int validated = 0, rows = 0;
    EXPECT_THAT((*index)->ForEachRow("",
                                     [&](const IndexedRow& row) -> Status {
                                       ++rows;
                                       validated += row.row.validated ? 1 : 0;
                                       return Ok();
                                     }),
                IsOk());
    return std::pair(validated, rows);
  };
  EXPECT_EQ(folder.Index().indexed, 2);
  EXPECT_EQ(count().first, 0);
  BuildOptions validate;
  validate.validate = true;
  EXPECT_EQ(folder.Index(validate).indexed, 2);
  EXPECT_EQ(count().first, count().second);
  EXPECT_EQ(folder.Index(validate).skipped, 2);
  EXPECT_EQ(folder.Index().skipped, 2);
  const auto index = IndexFile::Open(folder.Path("index.sqlite"));
  ASSERT_THAT(index, IsOk());
  ASSERT_THAT((*index)->Read([&](const backtests::RankTable& table) -> Status {
    backtests::RankQuery query;
    query.by = "validated_sharpe_ratio";
    query.rows.where = "validated_number_of_windows = 3";
    query.columns = {"handle"};
    LAMINA_ASSIGN(const auto rows, backtests::Rank(table, query));
    EXPECT_EQ(rows.rows.size(), 1U);
    return Ok();
  }),
              IsOk());
}

}  // namespace
}  // namespace lamina::folder_index
