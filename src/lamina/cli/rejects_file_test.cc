#include "lamina/cli/rejects_file.h"

#include <filesystem>

#include <gtest/gtest.h>

#include "lamina/base/matchers.h"

namespace lamina::cli {
namespace {

class RejectsFileTest : public testing::Test {
 protected:
  std::string Path(const std::string& name) const { return folder_ + "/" + name; }
  void SetUp() override { std::filesystem::create_directories(folder_); }
  void TearDown() override { std::filesystem::remove_all(folder_); }

 private:
  const std::string folder_ = testing::TempDir() + "/rejects_" +
                              testing::UnitTest::GetInstance()->current_test_info()->name();
};

TEST_F(RejectsFileTest, HoldsEveryLine) {
  io::Env& env = io::PosixEnv();
  const std::string path = Path("out.csv");
  auto file = RejectsFile::Make(env, path, {Path("in.csv")});
  ASSERT_THAT(file, IsOk());
  RejectedLines rejected;
  const RejectedLineSink sink = (*file)->SinkOf("in, 1.csv");
  for (std::int64_t line = 2; line < 5002; ++line) rejected.Add({line, "is \"bad\""}, sink);
  EXPECT_THAT((*file)->Finish(), IsOk());
  const std::string text = *env.ReadFile(path, 1 << 20);
  EXPECT_TRUE(text.starts_with("file,line,reason\n\"in, 1.csv\",2,\"is \"\"bad\"\"\"\n"));
  EXPECT_TRUE(text.ends_with("\n\"in, 1.csv\",5001,\"is \"\"bad\"\"\"\n"));
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 5001);
}

TEST_F(RejectsFileTest, OfNothingHasItsHeaderOnly) {
  auto file = RejectsFile::Make(io::PosixEnv(), Path("out.csv"), {});
  ASSERT_THAT(file, IsOk());
  EXPECT_THAT((*file)->Finish(), IsOk());
  EXPECT_EQ(*io::PosixEnv().ReadFile(Path("out.csv"), 100), "file,line,reason\n");
  file = RejectsFile::Make(io::PosixEnv(), "", {});
  ASSERT_THAT(file, IsOk());
  EXPECT_FALSE((*file)->SinkOf("x"));
  EXPECT_THAT((*file)->Finish(), IsOk());
}

TEST_F(RejectsFileTest, NeverReplacesAnInput) {
  io::Env& env = io::PosixEnv();
  const std::string input = Path("in.csv");
  ASSERT_THAT(env.WriteFileAtomically(input, std::string("a,b\n")), IsOk());
  std::filesystem::create_symlink(input, Path("link.csv"));
  for (const std::string& path : {input, Path("link.csv"), Path("./in.csv")}) {
    EXPECT_THAT(RejectsFile::Make(env, path, {input}),
                IsError(ErrorCode::kInvalidArgument, testing::HasSubstr("--rejects")));
  }
  EXPECT_EQ(*env.ReadFile(input, 100), "a,b\n");
  EXPECT_THAT(RejectsFile::Make(env, Path("none/out.csv"), {}),
              IsError(ErrorCode::kNotFound, testing::HasSubstr("--rejects")));
}

}  // namespace
}  // namespace lamina::cli
