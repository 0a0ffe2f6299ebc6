#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lamina/base/matchers.h"
#include "lamina/catalog/intent_internal.h"

namespace lamina::catalog::internal {
namespace {

TEST(Intent, BytesAreFixed) {
  Intent intent;
  intent.lake_paths = {"b/runs/a.parquet", "b/ü x=1/b.parquet"};
  intent.chunk_paths = {"chunks/code/ab/abcd"};
  const Result<std::string> bytes = EncodeIntent(intent);
  ASSERT_THAT(bytes, IsOk());
  EXPECT_EQ(*bytes,
            "lamina-intent 1\nlake b/runs/a.parquet\nlake b/ü x=1/b.parquet\n"
            "chunk chunks/code/ab/abcd\nend 3 fbc04bc1\n");
  EXPECT_EQ(*DecodeIntent(*bytes), intent);
  EXPECT_EQ(*DecodeIntent(*EncodeIntent({})), Intent());
}

TEST(Intent, AnyCutOrFlippedByteIsRefused) {
  Intent intent;
  intent.lake_paths = {"t/a.parquet"};
  intent.chunk_paths = {"chunks/x"};
  const std::string bytes = *EncodeIntent(intent);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    EXPECT_THAT(DecodeIntent(bytes.substr(0, i)), IsError(ErrorCode::kCorruption)) << i;
    for (const int bit : {1, 4, 32}) {
      std::string damaged = bytes;
      damaged[i] = static_cast<char>(damaged[i] ^ bit);
      EXPECT_THAT(DecodeIntent(damaged), IsError(ErrorCode::kCorruption)) << i;
    }
  }
  EXPECT_THAT(DecodeIntent(bytes + "x"), IsError(ErrorCode::kCorruption));
  EXPECT_THAT(DecodeIntent(bytes + bytes), IsError(ErrorCode::kCorruption));
}

TEST(Intent, PathsStayInside) {
  for (const char* path :
       {"", "/etc/passwd", "../x", "a/../x", "a/..", ".", "a//b", "a/", "a\nb", "./a", "a/\x01"}) {
    Intent intent;
    intent.lake_paths = {path};
    EXPECT_THAT(EncodeIntent(intent), IsError(ErrorCode::kInvalidArgument)) << path;
  }
  for (const char* path : {"a", "a/..b", "a/b c/…"}) {
    Intent intent;
    intent.chunk_paths = {path};
    EXPECT_THAT(EncodeIntent(intent), IsOk()) << path;
  }
}

}  // namespace
}  // namespace lamina::catalog::internal
