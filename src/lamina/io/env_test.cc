#include "lamina/io/env.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "lamina/base/matchers.h"
#include "lamina/io/faulty_env.h"
#include "lamina/io/temporary_folder.h"

namespace lamina::io {
namespace {

TEST(Paths, Join) {
  const struct {
    std::string_view a, b, joined;
  } cases[] = {{"a", "b", "a/b"},    {"a/", "b", "a/b"}, {"a", "/b", "a/b"},
               {"a/", "//b", "a/b"}, {"/", "b", "/b"},   {"", "b", "b"},
               {"", "/b", "/b"},     {"a", "", "a"},     {"a/b", "c/d", "a/b/c/d"},
               {".", "b", "./b"}};
  for (const auto& c : cases) EXPECT_EQ(JoinPath(c.a, c.b), c.joined) << c.a << " + " << c.b;
}

TEST(Paths, ParentAndBase) {
  const struct {
    std::string_view path, parent, base;
  } cases[] = {{"a/b", "a", "b"},  {"/a/b", "/a", "b"}, {"/a", "/", "a"},    {"a", ".", "a"},
               {"a/b/", "a", "b"}, {"/", "/", "/"},     {"a//b", "a", "b"},  {"//a", "/", "a"},
               {"", ".", ""},      {"../x", "..", "x"}, {"a/b///", "a", "b"}};
  for (const auto& c : cases) {
    EXPECT_EQ(ParentPath(c.path), c.parent) << c.path;
    EXPECT_EQ(BaseName(c.path), c.base) << c.path;
  }
}

TEST(WriteFileAtomically, WritesAndReplaces) {
  const TemporaryFolder folder;
  const std::string path = folder.File("x");
  ASSERT_THAT(PosixEnv().WriteFileAtomically(path, "one"), IsOk());
  EXPECT_EQ(*PosixEnv().ReadFile(path, 100), "one");
  ASSERT_THAT(PosixEnv().WriteFileAtomically(path, ""), IsOk());
  EXPECT_EQ(*PosixEnv().ReadFile(path, 100), "");
  EXPECT_EQ(PosixEnv().ListDirectory(folder.path())->size(), 1U);
}

TEST(WriteFileAtomically, OnlyFilesAreReplaced) {
  const TemporaryFolder folder;
  const std::string pipe = folder.File("pipe");
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  for (const std::string& path : {pipe, folder.path(), std::string()}) {
    EXPECT_THAT(PosixEnv().WriteFileAtomically(path, "x"), IsError(ErrorCode::kInvalidArgument))
        << path;
  }
  EXPECT_FALSE(PosixEnv().Stat(pipe)->is_regular);
}

TEST(WriteFileAtomically, FailureNamesThePathAndLeavesNothing) {
  const TemporaryFolder folder;
  const std::string missing = folder.File("no/x");
  EXPECT_THAT(PosixEnv().WriteFileAtomically(missing, "one"),
              IsError(ErrorCode::kNotFound, testing::HasSubstr(missing)));
  ASSERT_THAT(PosixEnv().CreateDirectories(folder.File("taken")), IsOk());
  EXPECT_THAT(PosixEnv().WriteFileAtomically(folder.File("taken"), "one"),
              IsError(ErrorCode::kInvalidArgument));
  EXPECT_EQ(PosixEnv().ListDirectory(folder.path())->size(), 1U);
}

/// Whatever fails, and whatever a power cut then loses: the old content or the new one.
TEST(WriteFileAtomically, OldOrNewAfterEveryFault) {
  for (const Fault::Effect effect :
       {Fault::Effect::kNone, Fault::Effect::kTorn, Fault::Effect::kDone}) {
    for (const bool and_all_after : {false, true}) {
      bool done = false;
      for (std::int64_t at = 1; !done; ++at) {
        const TemporaryFolder folder;
        const std::string path = folder.File("x");
        ASSERT_THAT(PosixEnv().WriteFileAtomically(path, "old"), IsOk());
        FaultyEnv env(PosixEnv());
        env.SetFault({at, ErrorCode::kResourceExhausted, and_all_after, effect});
        const Status status = env.WriteFileAtomically(path, "newer");
        done = !env.fired();
        if (done) {
          ASSERT_THAT(status, IsOk());
          EXPECT_GT(at, 5) << "create, append, sync, close, rename, sync of the folder";
        } else {
          EXPECT_THAT(status, IsError(ErrorCode::kResourceExhausted));
        }
        ASSERT_THAT(env.LoseUnsynced(), IsOk());
        const Result<std::string> content = PosixEnv().ReadFile(path, 100);
        ASSERT_THAT(content, IsOk()) << at;
        if (status.ok()) {
          EXPECT_EQ(*content, "newer");
        } else {
          EXPECT_TRUE(*content == "old" || *content == "newer") << at << ": " << *content;
        }
      }
    }
  }
}

TEST(Env, Exists) {
  const TemporaryFolder folder;
  EXPECT_TRUE(PosixEnv().Exists(folder.path()));
  EXPECT_FALSE(PosixEnv().Exists(folder.File("x")));
}

}  // namespace
}  // namespace lamina::io
