#include "lamina/table/plain_pages.h"

#include <cstring>
#include <string>

#include <arrow/buffer.h>
#include <arrow/util/compression.h>
#include <gtest/gtest.h>

#include "lamina/base/matchers.h"
#include "lamina/table/zstd_page.h"

namespace lamina::table {
namespace {

constexpr std::int64_t kRows = 20'000;

/// A chunk of pages of 64-bit numbers; the row number is the value.
class PlainPagesTest : public ::testing::Test {
 protected:
  void AddPage(std::int64_t rows, const std::string& levels) {
    std::string body = levels;
    for (std::int64_t i = 0; i < rows; ++i) {
      const std::int64_t value = next_++;
      body.append(reinterpret_cast<const char*>(&value), 8);
    }
    auto codec = *arrow::util::Codec::Create(arrow::Compression::ZSTD, *ZstdOptions(3, 32'768));
    const auto* data = reinterpret_cast<const std::uint8_t*>(body.data());
    const auto size = static_cast<std::int64_t>(body.size());
    std::string packed(static_cast<std::size_t>(codec->MaxCompressedLen(size, data)), '\0');
    packed.resize(static_cast<std::size_t>(
        *codec->Compress(size, data, static_cast<std::int64_t>(packed.size()),
                         reinterpret_cast<std::uint8_t*>(packed.data()))));
    PageHeader& page = pages_.emplace_back();
    page.offset = static_cast<std::int64_t>(chunk_.size());
    page.header_size = 3;
    page.body_size = static_cast<std::int64_t>(packed.size());
    page.uncompressed_size = size;
    page.num_values = rows;
    page.level_encoding = 3;
    chunk_ += "hdr" + packed;
  }

  Result<std::shared_ptr<arrow::Buffer>> Decode(const RowRanges& wanted, bool nullable) {
    return DecodePlain({.chunk = chunk_, .pages = &pages_, .nullable = nullable}, wanted);
  }

  void ExpectRows(const RowRanges& wanted, bool nullable) {
    const auto values = Decode(wanted, nullable);
    ASSERT_THAT(values, IsOk());
    ASSERT_NE(*values, nullptr);
    ASSERT_EQ((*values)->size(), wanted.row_count() * 8);
    const std::uint8_t* at = (*values)->data();
    for (const RowRange& range : wanted.ranges()) {
      for (std::int64_t row = range.begin; row < range.end; ++row, at += 8) {
        std::int64_t value = 0;
        std::memcpy(&value, at, 8);
        ASSERT_EQ(value, row);
      }
    }
  }

  std::string chunk_;
  std::vector<PageHeader> pages_;
  std::int64_t next_ = 0;
};

/// Levels of `rows` values that are all there: one run.
std::string Levels(std::int64_t rows) {
  std::string run;
  for (std::uint64_t head = static_cast<std::uint64_t>(rows) << 1;; head >>= 7) {
    run += static_cast<char>((head & 0x7F) | (head > 0x7F ? 0x80 : 0));
    if (head <= 0x7F) break;
  }
  run += '\1';
  std::string levels(4, '\0');
  levels[0] = static_cast<char>(run.size());
  return levels + run;
}

TEST_F(PlainPagesTest, GivesTheWantedRows) {
  RowRanges scattered;
  for (std::int64_t row = 5; row < 2 * kRows; row += 611) scattered.Append(row, row + 1 + row % 3);
  for (const bool nullable : {false, true}) {
    chunk_.clear();
    pages_.clear();
    next_ = 0;
    for (const std::int64_t rows : {kRows, kRows - 7, std::int64_t{7}}) {
      AddPage(rows, nullable ? Levels(rows) : "");
    }
    for (const RowRanges& wanted :
         {RowRanges(0, 2 * kRows), RowRanges(0, 1), RowRanges(2 * kRows - 1, 2 * kRows),
          RowRanges(kRows - 3, kRows + 3), RowRanges(9, 9), scattered}) {
      ExpectRows(wanted, nullable);
    }
  }
}

TEST_F(PlainPagesTest, ReadsNoFurtherThanTheLastWantedRow) {
  AddPage(kRows, Levels(kRows));
  chunk_.resize(chunk_.size() / 2);
  chunk_.resize(static_cast<std::size_t>(pages_[0].end()), 'x');
  ExpectRows(RowRanges(0, kRows / 4), true);
  EXPECT_THAT(Decode(RowRanges(0, kRows), true), IsError(ErrorCode::kCorruption));
}

TEST_F(PlainPagesTest, LeavesOtherPagesAlone) {
  AddPage(100, Levels(100));
  const RowRanges all(0, 100);
  ExpectRows(all, true);
  const std::vector<PageHeader> good = pages_;
  const auto refuse = [&](const char* what) {
    const auto values = Decode(all, true);
    ASSERT_THAT(values, IsOk()) << what;
    EXPECT_EQ(*values, nullptr) << what;
    pages_ = good;
  };
  pages_[0].encoding = 5;
  refuse("DELTA_BINARY_PACKED");
  pages_[0].kind = PageKind::kDataV2;
  refuse("page of version 2");
  pages_[0].level_encoding = 4;
  refuse("BIT_PACKED levels");
  pages_[0].kind = PageKind::kDictionary;
  refuse("dictionary");
  for (const std::string& levels :
       {std::string("\2\0\0\0\xC8\0", 6), std::string("\2\0\0\0\3\xFF", 6),
        std::string("\3\0\0\0\xC6\1\1", 7), std::string("\xFF\xFF\xFF\xFF", 4)}) {
    chunk_.clear();
    pages_.clear();
    AddPage(100, levels);
    const auto values = Decode(all, true);
    ASSERT_THAT(values, IsOk());
    EXPECT_EQ(*values, nullptr);
  }
}

TEST_F(PlainPagesTest, WrongCountsAreDamage) {
  AddPage(100, Levels(100));
  const std::vector<PageHeader> good = pages_;
  pages_[0].uncompressed_size += 8;
  EXPECT_THAT(Decode(RowRanges(0, 3), true), IsError(ErrorCode::kCorruption));
  pages_ = good;
  EXPECT_THAT(Decode(RowRanges(0, 101), true), IsError(ErrorCode::kCorruption));
  pages_[0].num_values = 101;
  EXPECT_THAT(Decode(RowRanges(0, 3), false), IsError(ErrorCode::kCorruption));
}

}  // namespace
}  // namespace lamina::table
