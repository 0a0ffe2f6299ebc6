#include <filesystem>

#include <gmock/gmock.h>

#include "lamina/backtests/store_test_support.h"
#include "lamina/io/faulty_env.h"

namespace lamina::backtests {
namespace {

using test::WriteTo;
using ::testing::ElementsAre;

std::vector<std::string> Handles(const std::vector<ImportSource>& sources) {
  std::vector<std::string> handles;
  for (const ImportSource& source : sources) handles.push_back(source.handle);
  return handles;
}

TEST(FindBundles, FoldersAreWalkedAndNamesMakeHandles) {
  const io::TemporaryFolder folder;
  const std::string root = folder.File("in");
  for (const char* name : {"b.iafbt", "a/deep/x.obtf", "a/Y.IAFBT", "a/notes.txt", ".iafbt"}) {
    WriteTo(root + "/" + name, "12345");
  }
  std::filesystem::create_directory_symlink(root, root + "/a/loop");
  std::filesystem::create_symlink("absent", root + "/broken.obtf");
  const auto sources = FindBundles(io::PosixEnv(), {root});
  ASSERT_THAT(sources, IsOk());
  // Sorted by path; a name that is nothing but a suffix stays; the linked folder is left out.
  EXPECT_THAT(Handles(*sources), ElementsAre(".iafbt", "a/Y", "a/deep/x", "b", "broken"));
  EXPECT_EQ((*sources)[2].path, root + "/a/deep/x.obtf");
  EXPECT_EQ((*sources)[2].bytes, 5);
  EXPECT_EQ((*sources)[4].bytes, 0);
}

TEST(FindBundles, AFolderThatCannotBeReadIsOneFailure) {
  test::TestStore store;
  WriteTo(store.File("in/good.iafbt"), test::SmallBundle("x", {{}}));
  WriteTo(store.File("in/locked/hidden.iafbt"), test::SmallBundle("y", {{}}));
  io::FaultyEnv env(io::PosixEnv());
  env.SetFault({.at = 1, .operations = {io::Operation::kList}});
  const auto sources = FindBundles(env, {store.File("in/locked"), store.File("in/good.iafbt")});
  ASSERT_THAT(sources, IsOk());
  ASSERT_EQ(sources->size(), 2U);
  const auto report = ImportBundles(*store, *sources);
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->imported, 1);
  ASSERT_EQ(report->failed.size(), 1U);
  EXPECT_EQ(report->failed[0].path, store.File("in/locked"));
}

TEST(FindBundles, FilesGetTheirNameAndCountOnce) {
  const io::TemporaryFolder folder;
  WriteTo(folder.File("in/x.iafbt"), "1");
  WriteTo(folder.File("in/odd.bin"), "1");
  const auto sources = FindBundles(
      io::PosixEnv(), {folder.File("in/x.iafbt"), folder.File("in"), folder.File("in/odd.bin")});
  ASSERT_THAT(sources, IsOk());
  EXPECT_THAT(Handles(*sources), ElementsAre("odd.bin", "x"));
  EXPECT_THAT(FindBundles(io::PosixEnv(), {folder.File("in"), folder.File("absent")}),
              IsError(ErrorCode::kNotFound));
}

}  // namespace
}  // namespace lamina::backtests
