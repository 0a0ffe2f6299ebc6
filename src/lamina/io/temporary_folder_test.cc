#include "lamina/io/temporary_folder.h"

#include <gtest/gtest.h>

#include "lamina/base/matchers.h"
#include "lamina/io/env.h"

namespace lamina::io {
namespace {

TEST(TemporaryFolder, IsThereAndThenGone) {
  std::string path;
  {
    const TemporaryFolder folder;
    path = folder.path();
    EXPECT_TRUE(PosixEnv().Stat(path)->is_directory);
    EXPECT_EQ(folder.File("x"), path + "/x");
    ASSERT_THAT(PosixEnv().CreateDirectories(folder.File("a/b/c")), IsOk());
    ASSERT_THAT(PosixEnv().WriteFileAtomically(folder.File("a/b/x"), "x"), IsOk());
    const TemporaryFolder inner(folder.File("a"));
    EXPECT_EQ(ParentPath(inner.path()), folder.File("a"));
    EXPECT_NE(TemporaryFolder().path(), path);
  }
  EXPECT_THAT(PosixEnv().Stat(path), IsError(ErrorCode::kNotFound));
}

TEST(TemporaryFolderDeathTest, MissingParent) {
  EXPECT_DEATH(TemporaryFolder("/no/such/parent"), "mkdtemp");
}

}  // namespace
}  // namespace lamina::io
