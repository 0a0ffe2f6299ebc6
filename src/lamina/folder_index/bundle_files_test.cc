#include "lamina/folder_index/bundle_files.h"

#include <filesystem>

#include <unistd.h>

#include "lamina/folder_index/folder_test_support.h"

namespace lamina::folder_index {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> PathsOf(const auto& files) {
  std::vector<std::string> paths;
  for (const auto& file : files) paths.push_back(file.path);
  return paths;
}

TEST(BundleFilesTest, BundlesBelowAFolderInOrder) {
  const test::TestFolder folder;
  for (const char* name : {"b.iafbt", "a.obtf", "sub/deep/c.obtf", "sub/note.txt", "sub.iafbt",
                           "archive/old.iafbt", "archive/.lamina-archive", "IAFBT", ".iafbt"}) {
    folder.Write(name, "x");
  }
  fs::create_directory_symlink(folder.Path("sub"), folder.Path("linked"));
  fs::create_symlink(folder.Path("a.obtf"), folder.Path("z.obtf"));
  fs::create_symlink(folder.Path("nothing"), folder.Path("broken.obtf"));
  const auto found = FindBundleFiles(folder.env(), folder.root());
  ASSERT_THAT(found, IsOk());
  EXPECT_THAT(PathsOf(found->files),
              ElementsAre(".iafbt", "a.obtf", "b.iafbt", "sub.iafbt", "sub/deep/c.obtf", "z.obtf"));
  EXPECT_THAT(PathsOf(found->failures), ElementsAre("broken.obtf"));
  EXPECT_EQ(found->files.front().size, 1);
  // An archive itself may be looked at when it is asked for.
  const auto archive = FindBundleFiles(folder.env(), folder.Path("archive"));
  ASSERT_THAT(archive, IsOk());
  EXPECT_THAT(PathsOf(archive->files), ElementsAre("old.iafbt"));
}

TEST(BundleFilesTest, WhatIsNoFolderIsRefused) {
  const test::TestFolder folder;
  folder.Write("a.iafbt", "x");
  EXPECT_THAT(FindBundleFiles(folder.env(), folder.Path("a.iafbt")),
              IsError(ErrorCode::kInvalidArgument));
  EXPECT_THAT(FindBundleFiles(folder.env(), folder.Path("none")), IsError(ErrorCode::kNotFound));
  const auto none = FindBundleFiles(folder.env(), folder.Outside("") + "bundles");
  ASSERT_THAT(none, IsOk());
  EXPECT_THAT(none->failures, IsEmpty());
}

}  // namespace
}  // namespace lamina::folder_index
