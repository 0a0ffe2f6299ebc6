#include "lamina/table/arrow_file.h"

#include <gtest/gtest.h>

#include "lamina/base/hash.h"
#include "lamina/base/matchers.h"
#include "lamina/io/faulty_env.h"
#include "lamina/io/temporary_folder.h"

namespace lamina::table {
namespace {

class ArrowFile : public ::testing::Test {
 protected:
  io::Env& env_ = io::PosixEnv();
  io::TemporaryFolder folder_;
  std::string path_ = folder_.File("x");
};

TEST_F(ArrowFile, WritesInOrder) {
  EnvOutputStream out(*env_.NewWritableFile(path_));
  const std::string small = "small";
  const std::string large(3 << 20, 'L');
  std::string all;
  for (const std::string& part : {small, large, small, small, large}) {
    ASSERT_TRUE(out.Write(part.data(), static_cast<std::int64_t>(part.size())).ok());
    all += part;
    EXPECT_EQ(*out.Tell(), static_cast<std::int64_t>(all.size()));
  }
  EXPECT_EQ(out.TakeChecksum(), Crc32c(all));
  EXPECT_EQ(out.TakeChecksum(), 0u);
  out.HoldTail();
  ASSERT_TRUE(out.Write("tail", 4).ok());
  EXPECT_EQ(*out.Tell(), static_cast<std::int64_t>(all.size()) + 4);
  out.tail() = "TAIL";
  ASSERT_TRUE(out.ReleaseTail().ok());
  EXPECT_EQ(*out.Tell(), static_cast<std::int64_t>(all.size()) + 4);
  ASSERT_THAT(out.SyncAndClose(), IsOk());
  EXPECT_EQ(*env_.ReadFile(path_, 1 << 30), all + "TAIL");
}

TEST_F(ArrowFile, KeepsTheErrorOfTheDisk) {
  io::FaultyEnv faulty(env_);
  EnvOutputStream out(*faulty.NewWritableFile(path_));
  faulty.SetFault({.at = 1, .code = ErrorCode::kResourceExhausted});
  ASSERT_TRUE(out.Write("x", 1).ok());  // collected only
  EXPECT_TRUE(out.Flush().IsIOError());
  auto error = out.TakeError();
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->code(), ErrorCode::kResourceExhausted);
  EXPECT_FALSE(out.TakeError().has_value());
}

TEST_F(ArrowFile, ReadsAndServesTheTail) {
  ASSERT_THAT(env_.WriteFileAtomically(path_, "0123456789"), IsOk());
  EnvInputFile in(*env_.OpenReadable(path_));
  EXPECT_EQ(*in.GetSize(), 10);
  EXPECT_EQ((*in.ReadAt(2, 3))->ToString(), "234");
  EXPECT_EQ((*in.ReadAt(8, 100))->ToString(), "89");
  EXPECT_EQ((*in.ReadAt(10, 1))->size(), 0);
  EXPECT_FALSE(in.ReadAt(11, 1).ok());
  EXPECT_FALSE(in.ReadAt(-1, 1).ok());
  EXPECT_FALSE(in.ReadAt(0, -1).ok());
  EXPECT_EQ(in.bytes_read(), 5);
  in.KeepTail("56789");
  EXPECT_EQ((*in.ReadAt(6, 2))->ToString(), "67");
  char bytes[3];
  EXPECT_EQ(*in.ReadAt(7, 3, bytes), 3);
  EXPECT_EQ(std::string(bytes, 3), "789");
  EXPECT_EQ(in.bytes_read(), 5);
  EXPECT_EQ((*in.ReadAt(4, 3))->ToString(), "456");
  EXPECT_EQ(in.bytes_read(), 8);
  ASSERT_TRUE(in.Seek(1).ok());
  EXPECT_EQ((*in.Read(2))->ToString(), "12");
  EXPECT_EQ(*in.Tell(), 3);
  EXPECT_FALSE(in.Seek(-1).ok());
}

}  // namespace
}  // namespace lamina::table
