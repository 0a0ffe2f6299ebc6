#include "lamina/folder_index/archive.h"

#include <filesystem>

#include "lamina/folder_index/folder_test_support.h"
#include "lamina/io/faulty_env.h"

namespace lamina::folder_index {
namespace {

namespace fs = std::filesystem;
using Move = Status (*)(io::Env&, const std::string&, const std::string&);

std::string ContentOf(const std::string& path) {
  auto bytes = io::PosixEnv().ReadFile(path, 1 << 24);
  return bytes.ok() ? *std::move(bytes) : "(absent)";
}

TEST(ArchiveTest, FilesAreMovedWhole) {
  const std::string content(3 << 20, 'x');
  for (const Move move : {&MoveFile, &CopyAndRemove}) {
    const test::TestFolder folder;
    folder.Write("a", content);
    ASSERT_THAT(move(folder.env(), folder.Path("a"), folder.Path("b")), IsOk());
    EXPECT_FALSE(fs::exists(folder.Path("a")));
    EXPECT_EQ(ContentOf(folder.Path("b")), content);
    EXPECT_EQ(std::distance(fs::directory_iterator(folder.root()), {}), 1);
  }
}

TEST(ArchiveTest, AnotherFileIsNeverReplaced) {
  for (const Move move : {&MoveFile, &CopyAndRemove}) {
    const test::TestFolder folder;
    folder.Write("a", "mine");
    folder.Write("b", "that");
    EXPECT_THAT(move(folder.env(), folder.Path("a"), folder.Path("b")),
                IsError(ErrorCode::kAlreadyExists));
    EXPECT_EQ(ContentOf(folder.Path("a")), "mine");
    EXPECT_EQ(ContentOf(folder.Path("b")), "that");
  }
}

TEST(ArchiveTest, AMoveThatWasCutShortIsFinished) {
  const test::TestFolder folder;
  folder.Write("a", "same");
  folder.Write("sub/b", "same");
  ASSERT_THAT(MoveFile(folder.env(), folder.Path("a"), folder.Path("sub/b")), IsOk());
  EXPECT_FALSE(fs::exists(folder.Path("a")));
  EXPECT_EQ(ContentOf(folder.Path("sub/b")), "same");
}

TEST(ArchiveTest, AnotherWayToTheSameFileIsNoCopy) {
  const test::TestFolder folder;
  folder.Write("real/a", "only");
  fs::create_directory_symlink(folder.Path("real"), folder.Path("linked"));
  fs::create_symlink(folder.Path("real/a"), folder.Path("link"));
  for (const char* to : {"linked/a", "link", "real/a"}) {
    EXPECT_THAT(MoveFile(folder.env(), folder.Path("real/a"), folder.Path(to)),
                IsError(ErrorCode::kAlreadyExists))
        << to;
    EXPECT_EQ(ContentOf(folder.Path("real/a")), "only");
  }
}

TEST(ArchiveTest, WhateverFailsOneWholeCopyHasAName) {
  const std::string content(100000, 'y');
  for (const Move move : {&MoveFile, &CopyAndRemove}) {
    for (const auto effect : {io::Fault::Effect::kNone, io::Fault::Effect::kTorn}) {
      for (std::int64_t at = 1; at < 40; ++at) {
        const test::TestFolder folder;
        folder.Write("a", content);
        io::FaultyEnv env(io::PosixEnv());
        io::Fault fault;
        fault.at = at;
        fault.and_all_after = true;
        fault.effect = effect;
        env.SetFault(fault);
        const Status moved = move(env, folder.Path("a"), folder.Path("b"));
        const bool whole_a = ContentOf(folder.Path("a")) == content;
        const bool whole_b = ContentOf(folder.Path("b")) == content;
        EXPECT_TRUE(whole_a || whole_b) << at;
        EXPECT_TRUE(whole_b || !fs::exists(folder.Path("b"))) << at;
        if (!env.fired()) {
          EXPECT_THAT(moved, IsOk());
          break;
        }
        // The next attempt finishes it.
        if (whole_a) {
          ASSERT_THAT(MoveFile(io::PosixEnv(), folder.Path("a"), folder.Path("b")), IsOk());
        }
        EXPECT_EQ(ContentOf(folder.Path("b")), content);
      }
    }
  }
}

}  // namespace
}  // namespace lamina::folder_index
