#include "lamina/table/page_header.h"

#include <random>

#include <gtest/gtest.h>

#include "lamina/base/matchers.h"

namespace lamina::table {
namespace {

// type 0, 10 bytes unpacked, 4 stored, crc 7, DataPageHeader{3 values, DELTA_BINARY_PACKED (5),
// RLE, RLE}
const std::string kDataPage =
    std::string("\x15\x00\x15\x14\x15\x08\x15\x0e\x1c\x15\x06\x15\x0a\x15\x06\x15\x06\x00\x00",
                19) +
    "body";
// type 2, 8 bytes, 8 stored, no crc, DictionaryPageHeader{1 value, PLAIN, sorted}
const std::string kDictionaryPage =
    std::string("\x15\x04\x15\x10\x15\x10\x4c\x15\x02\x15\x00\x11\x00\x00", 14) + "dictdict";

TEST(PageHeader, Walks) {
  const std::string chunk = kDictionaryPage + kDataPage + kDataPage;
  auto pages = WalkPages(chunk);
  ASSERT_THAT(pages, IsOk());
  ASSERT_EQ(pages->size(), 3u);
  EXPECT_EQ((*pages)[0].kind, PageKind::kDictionary);
  EXPECT_FALSE((*pages)[0].has_crc);
  EXPECT_EQ((*pages)[0].num_values, 1);
  const PageHeader& data = (*pages)[2];
  EXPECT_EQ(data.kind, PageKind::kDataV1);
  EXPECT_EQ(data.offset, 22 + 23);
  EXPECT_EQ(data.header_size, 19);
  EXPECT_EQ(data.body_size, 4);
  EXPECT_EQ(data.uncompressed_size, 10);
  EXPECT_EQ(data.num_values, 3);
  EXPECT_EQ(data.encoding, 5);
  EXPECT_EQ(data.level_encoding, 3);
  EXPECT_TRUE(data.has_crc);
  EXPECT_EQ(data.end(), static_cast<std::int64_t>(chunk.size()));
  EXPECT_TRUE(WalkPages("")->empty());
}

TEST(PageHeader, RefusesDamage) {
  EXPECT_THAT(WalkPages(kDataPage + kDictionaryPage), IsError(ErrorCode::kCorruption));
  EXPECT_THAT(WalkPages(kDataPage.substr(0, 10)), IsError(ErrorCode::kCorruption));
  EXPECT_THAT(WalkPages(kDataPage.substr(0, 22)), IsError(ErrorCode::kCorruption));
  EXPECT_THAT(WalkPages(std::string(1, '\0')), IsError(ErrorCode::kCorruption));
  EXPECT_THAT(WalkPages(std::string(100, '\x1c')), IsError(ErrorCode::kCorruption));  // nested
}

TEST(PageHeader, SurvivesAnything) {
  std::mt19937_64 random(5);
  const std::string good = kDictionaryPage + kDataPage;
  for (int round = 0; round < 20000; ++round) {
    std::string bytes = good;
    for (std::uint64_t i = 0; i <= random() % 3; ++i) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    auto pages = WalkPages(bytes);
    if (!pages.ok()) continue;
    std::int64_t at = 0;
    for (const PageHeader& page : *pages) {
      EXPECT_EQ(page.offset, at);
      at = page.end();
    }
    EXPECT_EQ(at, static_cast<std::int64_t>(bytes.size()));
  }
}

}  // namespace
}  // namespace lamina::table
