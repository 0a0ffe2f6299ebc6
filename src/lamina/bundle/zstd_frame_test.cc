#include "lamina/bundle/zstd_frame.h"

#include <gtest/gtest.h>

#include "lamina/bundle/bundle_test_support.h"

namespace lamina::bundle {
namespace {

std::string Frame(std::initializer_list<int> after_magic) {
  std::string bytes("\x28\xb5\x2f\xfd", 4);
  for (const int value : after_magic) bytes.push_back(static_cast<char>(value));
  return bytes;
}

TEST(ZstdFrameTest, HeadersOfEveryForm) {
  struct Case {
    const char* name;
    std::string bytes;
    std::optional<std::uint64_t> content_size;
    std::uint64_t window, content_max;
    std::uint32_t dictionary, blocks;
    bool checksum;
  };
  // A last raw block of 1 byte: header 1 | 0 << 1 | 1 << 3 = 09 00 00.
  const Case cases[] = {
      {"single segment, 1 byte size", Frame({0x20, 1, 9, 0, 0, 'x'}), 1, 1, 1, 0, 1, false},
      {"2 byte size adds 256", Frame({0x60, 0x10, 0x01, 9, 0, 0, 'x'}), 528, 528, 1, 0, 1, false},
      {"4 byte size", Frame({0xa0, 1, 0, 1, 0, 9, 0, 0, 'x'}), 65537, 65537, 1, 0, 1, false},
      {"8 byte size", Frame({0xe0, 1, 0, 0, 0, 1, 0, 0, 0, 9, 0, 0, 'x'}), 4294967297, 4294967297,
       1, 0, 1, false},
      {"window, no size", Frame({0x00, 0x58, 9, 0, 0, 'x'}), std::nullopt, 2 << 20, 1, 0, 1, false},
      {"window with mantissa", Frame({0x00, 0x5b, 9, 0, 0, 'x'}), std::nullopt, (2 << 20) * 11 / 8,
       1, 0, 1, false},
      {"dictionary", Frame({0x23, 4, 3, 2, 1, 1, 9, 0, 0, 'x'}), 1, 1, 1, 0x01020304, 1, false},
      {"checksum", Frame({0x24, 1, 9, 0, 0, 'x', 0, 0, 0, 0}), 1, 1, 1, 0, 1, true},
      // Run of 0x10000 bytes: 1 | 1 << 1 | 0x10000 << 3; then one byte.
      {"run length", Frame({0x80, 0x58, 0, 0, 1, 0, 0x03, 0, 0x08, 'x'}), 65536, 2 << 20, 65536, 0,
       1, false},
      {"empty raw block first", Frame({0x20, 1, 0, 0, 0, 9, 0, 0, 'x'}), 1, 1, 1, 0, 2, false},
  };
  for (const Case& c : cases) {
    const auto frame = ReadZstdFrame(c.bytes + "rest");
    ASSERT_TRUE(frame.ok()) << c.name << ": " << frame.error().message();
    EXPECT_EQ(frame->content_size, c.content_size) << c.name;
    EXPECT_EQ(frame->window_bytes, c.window) << c.name;
    EXPECT_EQ(frame->content_bytes_max, c.content_max) << c.name;
    EXPECT_EQ(frame->dictionary_id, c.dictionary) << c.name;
    EXPECT_EQ(frame->block_count, c.blocks) << c.name;
    EXPECT_EQ(frame->has_checksum, c.checksum) << c.name;
    EXPECT_EQ(frame->frame_bytes, c.bytes.size()) << c.name;
    for (std::size_t size = 0; size < c.bytes.size(); ++size) {
      EXPECT_EQ(ReadZstdFrame(c.bytes.substr(0, size)).error().code(), ErrorCode::kCorruption)
          << c.name << " cut at " << size;
    }
  }
}

TEST(ZstdFrameTest, WhatIsNoFrame) {
  struct Case {
    const char* name;
    std::string bytes;
    const char* message;
  };
  const Case cases[] = {
      {"empty", "", "truncated in its header"},
      {"other magic", "PK\x03\x04 and more", "bad magic"},
      {"skippable", std::string("\x5a\x2a\x4d\x18\x04\x00\x00\x00", 8),
       "skippable frame comes first"},
      {"reserved bit", Frame({0x28, 1, 9, 0, 0, 'x'}), "reserved bit"},
      {"reserved block", Frame({0x20, 1, 0x0f, 0, 0, 'x'}), "reserved block type at byte 6"},
      {"block past the end", Frame({0x20, 1, 0x19, 0, 0, 'x'}), "a block of 3 bytes"},
  };
  for (const Case& c : cases) {
    const auto frame = ReadZstdFrame(c.bytes);
    ASSERT_FALSE(frame.ok()) << c.name;
    EXPECT_EQ(frame.error().code(), ErrorCode::kCorruption) << c.name;
    EXPECT_NE(frame.error().message().find(c.message), std::string::npos)
        << c.name << ": " << frame.error().message();
  }
}

TEST(ZstdFrameTest, EveryGoldenAndRealFrameEndsWithItsFile) {
  for (const char* folder : {"golden", "real"}) {
    for (const auto& path : test::BundlesIn(folder)) {
      const std::string file = test::ReadAll(path);
      const auto frame = ReadZstdFrame(ByteView(file).substr(8));
      ASSERT_TRUE(frame.ok()) << path;
      EXPECT_EQ(frame->frame_bytes, file.size() - 8) << path;
      ASSERT_TRUE(frame->content_size.has_value()) << path;
      EXPECT_LE(*frame->content_size, frame->content_bytes_max) << path;
      EXPECT_FALSE(frame->has_checksum) << path;
    }
  }
}

}  // namespace
}  // namespace lamina::bundle
