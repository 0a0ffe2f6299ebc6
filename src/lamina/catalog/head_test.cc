#include <fstream>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lamina/base/matchers.h"
#include "lamina/catalog/catalog_test_support.h"
#include "lamina/catalog/head_internal.h"

namespace lamina::catalog::internal {
namespace {

TEST(Head, BytesAreFixed) {
  EXPECT_EQ(EncodeHead(42), "lamina-head 1 42 06550db3\n");
  for (const std::int64_t id : {std::int64_t{0}, std::int64_t{1}, std::int64_t{1} << 40,
                                std::numeric_limits<std::int64_t>::max()}) {
    EXPECT_EQ(*DecodeHead(EncodeHead(id)), id);
  }
}

TEST(Head, DamageIsFound) {
  const std::string bytes = EncodeHead(1234);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string damaged = bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    EXPECT_THAT(DecodeHead(damaged), IsError(ErrorCode::kCorruption)) << i;
    EXPECT_THAT(DecodeHead(bytes.substr(0, i)), IsError(ErrorCode::kCorruption)) << i;
  }
  EXPECT_THAT(DecodeHead(bytes + " "), IsError(ErrorCode::kCorruption));
}

TEST(Head, WrittenAndRead) {
  const test::TempFolder folder;
  EXPECT_EQ(ReadHead(io::PosixEnv(), folder.path()), std::nullopt);
  ASSERT_THAT(WriteHead(io::PosixEnv(), folder.path(), folder.File("head.tmp"), 7), IsOk());
  EXPECT_EQ(ReadHead(io::PosixEnv(), folder.path()), 7);
  EXPECT_EQ(folder.List(), std::vector<std::string>{"head"});
  std::ofstream(folder.File("head")) << "";
  EXPECT_EQ(ReadHead(io::PosixEnv(), folder.path()), std::nullopt);
  std::ofstream(folder.File("head")) << std::string(10'000, 'x');
  EXPECT_EQ(ReadHead(io::PosixEnv(), folder.path()), std::nullopt);
}

}  // namespace
}  // namespace lamina::catalog::internal
