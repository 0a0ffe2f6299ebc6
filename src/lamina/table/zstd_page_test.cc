#include "lamina/table/zstd_page.h"

#include <string>
#include <thread>
#include <vector>

#include <arrow/util/compression.h>
#include <gtest/gtest.h>

#include "lamina/base/matchers.h"

namespace lamina::table {
namespace {

/// 200 KB that zstd shrinks.
std::string Content() {
  std::string content;
  for (int i = 0; content.size() < 200'000; ++i) content += std::to_string(i * 7919) + ",";
  return content;
}

std::string Packed(const std::string& content, std::int64_t block_bytes) {
  auto codec = *arrow::util::Codec::Create(arrow::Compression::ZSTD, *ZstdOptions(7, block_bytes));
  const auto* data = reinterpret_cast<const std::uint8_t*>(content.data());
  const auto size = static_cast<std::int64_t>(content.size());
  std::string packed(static_cast<std::size_t>(codec->MaxCompressedLen(size, data)), '\0');
  packed.resize(static_cast<std::size_t>(
      *codec->Compress(size, data, static_cast<std::int64_t>(packed.size()),
                       reinterpret_cast<std::uint8_t*>(packed.data()))));
  return packed;
}

TEST(ZstdPage, UnpacksTheFirstBytes) {
  const std::string content = Content();
  for (const std::int64_t block : {0, 32'768}) {
    const std::string packed = Packed(content, block);
    for (const std::size_t length : {std::size_t{0}, std::size_t{1}, std::size_t{32'768},
                                     std::size_t{70'000}, content.size()}) {
      std::string out(length, '\0');
      ASSERT_THAT(UnpackFirst(packed, {reinterpret_cast<std::uint8_t*>(out.data()), length}),
                  IsOk());
      EXPECT_EQ(out, content.substr(0, length));
    }
  }
}

TEST(ZstdPage, ShortBlocksNeedFewerBytesOfTheFrame) {
  const std::string content = Content();
  const std::string packed = Packed(content, 32'768);
  std::vector<std::uint8_t> out(40'000);
  EXPECT_THAT(UnpackFirst(ByteView(packed).substr(0, packed.size() / 2), out), IsOk());
  const std::string whole = Packed(content, 0);
  EXPECT_THAT(UnpackFirst(ByteView(whole).substr(0, whole.size() / 2), out),
              IsError(ErrorCode::kCorruption));
}

TEST(ZstdPage, DamageIsNoticedAndForgotten) {
  const std::string content = Content();
  const std::string packed = Packed(content, 32'768);
  std::vector<std::uint8_t> out(content.size());
  EXPECT_THAT(UnpackFirst("no frame", out), IsError(ErrorCode::kCorruption));
  EXPECT_THAT(UnpackFirst("", out), IsError(ErrorCode::kCorruption));
  EXPECT_THAT(UnpackFirst(ByteView(packed).substr(0, packed.size() - 9), out),
              IsError(ErrorCode::kCorruption));
  out.resize(content.size() + 1);
  EXPECT_THAT(UnpackFirst(packed, out), IsError(ErrorCode::kCorruption));
  out.resize(content.size());
  ASSERT_THAT(UnpackFirst(packed, out), IsOk());
  EXPECT_EQ(std::string(out.begin(), out.end()), content);
}

TEST(ZstdPage, ThreadsUnpackAtOnce) {
  const std::string content = Content();
  const std::string packed = Packed(content, 32'768);
  std::vector<int> right(12);
  std::vector<std::thread> threads;
  for (int& mine : right) {
    threads.emplace_back([&] {
      for (int i = 0; i < 20; ++i) {
        std::string out(60'000, '\0');
        const Status done =
            UnpackFirst(packed, {reinterpret_cast<std::uint8_t*>(out.data()), out.size()});
        mine += static_cast<int>(done.ok() && out == content.substr(0, 60'000));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, std::vector<int>(12, 20));
}

}  // namespace
}  // namespace lamina::table
