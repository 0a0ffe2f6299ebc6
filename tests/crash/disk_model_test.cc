#include "disk_model.h"

#include <cerrno>
#include <filesystem>
#include <functional>
#include <map>
#include <set>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "lamina/io/env.h"
#include "lamina/io/temporary_folder.h"

namespace lamina::crash {
namespace {

using testing::ElementsAre;
using testing::Pair;
using testing::UnorderedElementsAre;

/// Names below the root with their bytes; folders are "/".
std::map<std::string, std::string> Seen(const Image& image, const std::string& root) {
  std::map<std::string, std::string> seen;
  for (const auto& [path, bytes] : image.entries) {
    seen[path.substr(root.size() + 1)] = bytes ? *bytes : "/";
  }
  return seen;
}

class DiskModelTest : public testing::Test {
 protected:
  /// What `work` does below the root.
  void Record(const std::function<void(io::Env&)>& work) {
    root_ = std::filesystem::canonical(folder_.path()).string();
    base_ = ReadImage(root_);
    std::vector<std::string> files;
    for (const auto& [path, bytes] : base_.entries) {
      if (bytes) files.push_back(path);
    }
    StartRecording(root_, files);
    work(io::PosixEnv());
    log_ = StopRecording();
  }
  std::map<std::string, std::string> After(Loss loss, std::uint64_t seed = 0) {
    DiskModel disk(base_, root_);
    for (const Change& change : log_) disk.Apply(change);
    Random random(seed);
    return Seen(disk.After(loss, random), root_);
  }
  std::string Path(const std::string& name) const { return root_ + "/" + name; }
  static void Write(io::Env& env, const std::string& path, const std::string& bytes, bool sync) {
    const auto file = *env.NewWritableFile(path);
    EXPECT_TRUE(file->Append(bytes).ok());
    EXPECT_TRUE(!sync || file->Sync().ok());
    EXPECT_TRUE(file->Close().ok());
  }

  io::TemporaryFolder folder_;
  std::string root_;
  Image base_;
  std::vector<Change> log_;
};

TEST_F(DiskModelTest, BytesAndNamesAreDurableApart) {
  Record([&](io::Env& env) {
    Write(env, Path("both"), "1", true);
    EXPECT_TRUE(env.SyncDirectory(root_).ok());
    Write(env, Path("bytes"), "2", true);
    Write(env, Path("none"), "3", false);
  });
  EXPECT_THAT(After(Loss::kNothing),
              UnorderedElementsAre(Pair("both", "1"), Pair("bytes", "2"), Pair("none", "3")));
  EXPECT_THAT(After(Loss::kAll), ElementsAre(Pair("both", "1")));
  EXPECT_THAT(After(Loss::kBytes),
              UnorderedElementsAre(Pair("both", "1"), Pair("bytes", "2"), Pair("none", "")));
  EXPECT_THAT(After(Loss::kNames), ElementsAre(Pair("both", "1")));
}

TEST_F(DiskModelTest, ARenameHappensInBothFoldersOrInNone) {
  Record([&](io::Env& env) {
    EXPECT_TRUE(env.CreateDirectories(Path("a")).ok());
    EXPECT_TRUE(env.CreateDirectories(Path("b")).ok());
    Write(env, Path("a/x"), "1", true);
    EXPECT_TRUE(env.Rename(Path("a/x"), Path("b/x")).ok());
    EXPECT_TRUE(env.SyncDirectory(Path("b")).ok());
    EXPECT_TRUE(env.Rename(Path("b/x"), Path("b/y")).ok());
  });
  EXPECT_THAT(After(Loss::kAll),
              UnorderedElementsAre(Pair("a", "/"), Pair("b", "/"), Pair("b/x", "1")));
  std::set<std::string> names;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    for (const auto& [name, bytes] : After(Loss::kSome, seed)) names.insert(name);
  }
  EXPECT_THAT(names, ElementsAre("a", "b", "b/x", "b/y"));
}

TEST_F(DiskModelTest, SectorsAreLostOneByOne) {
  Record([&](io::Env& env) {
    Write(env, Path("f"), std::string(4096, 'a'), true);
    EXPECT_TRUE(env.SyncDirectory(root_).ok());
    const int file = open(Path("f").c_str(), O_WRONLY | O_CLOEXEC);
    EXPECT_EQ(pwrite(file, std::string(2000, 'b').data(), 2000, 100), 2000);
    close(file);
  });
  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    const auto after = After(Loss::kSome, seed);
    const std::string& bytes = after.at("f");
    ASSERT_EQ(bytes.size(), 4096U);
    std::string sectors;
    for (std::size_t at = 0; at < 4096; at += 512) {
      // Of the bytes that were written each sector has all or none.
      const std::size_t begin = std::max<std::size_t>(at, 100);
      const std::size_t end = std::min<std::size_t>(at + 512, 2100);
      if (begin >= end) continue;
      const std::string part = bytes.substr(begin, end - begin);
      ASSERT_TRUE(part == std::string(part.size(), 'a') || part == std::string(part.size(), 'b'));
      sectors += part[0];
    }
    seen.insert(sectors);
  }
  EXPECT_GT(seen.size(), 15U) << "of 32";
  EXPECT_TRUE(seen.contains("aaaaa") && seen.contains("bbbbb"));
}

TEST_F(DiskModelTest, ImagesComeBack) {
  Record([&](io::Env& env) {
    EXPECT_TRUE(env.CreateDirectories(Path("a/b")).ok());
    Write(env, Path("a/b/c"), "1", false);
    EXPECT_TRUE(env.Unlink(Path("a/b/c")).ok());
    Write(env, Path("a/b/c"), "2", false);
  });
  DiskModel disk(base_, root_);
  for (const Change& change : log_) disk.Apply(change);
  Random random(0);
  const Image image = disk.After(Loss::kNothing, random);
  ASSERT_TRUE(WriteImage(image, root_).ok());
  EXPECT_EQ(ReadImage(root_).Hash(), image.Hash());
  EXPECT_EQ(Seen(image, root_).at("a/b/c"), "2");
}

TEST_F(DiskModelTest, FaultsHitTheCallTheyCount) {
  Record([&](io::Env& env) {
    const auto file = *env.NewWritableFile(Path("f"));
    SetFault({.at = 2, .error = ENOSPC, .calls = {FileCall::kWrite}});
    EXPECT_TRUE(file->Append("1").ok());
    const Status failed = file->Append("2");
    ASSERT_FALSE(failed.ok());
    EXPECT_EQ(failed.error().code(), ErrorCode::kResourceExhausted);
    EXPECT_TRUE(FaultFired());
    EXPECT_EQ(FaultPlace(), "write " + Path("f"));
    ClearFault();
    // A short write, and one that a signal interrupts, are gone on with.
    const auto other = *env.NewWritableFile(Path("g"));
    SetFault({.at = 1, .short_write = true, .calls = {FileCall::kWrite}});
    EXPECT_TRUE(other->Append("abcdef").ok());
    SetFault({.at = 1, .error = EINTR, .calls = {FileCall::kWrite, FileCall::kSync}});
    EXPECT_TRUE(other->Append("gh").ok());
    EXPECT_TRUE(other->Sync().ok());
  });
  EXPECT_EQ(After(Loss::kNothing).at("g"), "abcdefgh");
}

}  // namespace
}  // namespace lamina::crash
