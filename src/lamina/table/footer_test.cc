#include "lamina/table/footer.h"

#include <gtest/gtest.h>
#include <parquet/metadata.h>

#include "lamina/base/matchers.h"
#include "lamina/io/temporary_folder.h"
#include "lamina/table/arrow_file.h"
#include "lamina/table/random_table.h"

namespace lamina::table {
namespace {

class FooterTest : public ::testing::Test {
 protected:
  Result<Footer> Read(std::optional<std::uint32_t> checksum = std::nullopt) {
    EnvInputFile file(*env_.OpenReadable(path_));
    return ReadFooter(file, checksum);
  }

  io::Env& env_ = io::PosixEnv();
  io::TemporaryFolder folder_;
  std::string path_ = folder_.File("x.parquet");
};

TEST_F(FooterTest, Reads) {
  RandomTable random(51);
  const auto rows = random.All(Shape::kNoise, 100, 0.1);
  auto written = WriteParquet(env_, path_, *rows, {.row_group_rows = 30});
  ASSERT_THAT(written, IsOk());
  auto footer = Read(written->footer_crc32c);
  ASSERT_THAT(footer, IsOk());
  EXPECT_EQ(footer->crc32c, written->footer_crc32c);
  EXPECT_EQ(footer->thrift_size, written->footer_size);
  EXPECT_EQ(footer->file_size, written->size_bytes);
  EXPECT_EQ(footer->metadata->num_row_groups(), 4);
  auto checksums = ChunkChecksums(*footer->metadata, 44);
  ASSERT_THAT(checksums, IsOk());
  EXPECT_EQ((*checksums)->size(), 44u);
  EXPECT_THAT(ChunkChecksums(*footer->metadata, 45), IsError(ErrorCode::kCorruption));
  EXPECT_TRUE(PageIndexChecksum(*footer->metadata)->has_value());
  EXPECT_THAT(Read(written->footer_crc32c + 1),
              IsError(ErrorCode::kCorruption, ::testing::HasSubstr("checksum")));
}

TEST_F(FooterTest, FootersLargerThanTheFirstRead) {
  RandomTable random(52);
  const auto rows = random.All(Shape::kNoise, 100, 0.1);
  auto written = WriteParquet(env_, path_, *rows, {.row_group_rows = 1});
  ASSERT_THAT(written, IsOk());
  EXPECT_GT(written->footer_size, 64 * 1024);
  EXPECT_THAT(Read(written->footer_crc32c), IsOk());
  auto read = ReadParquet(env_, path_, {.footer_crc32c = written->footer_crc32c});
  ASSERT_THAT(read, IsOk());
  EXPECT_TRUE((*read)->Equals(*rows));
}

TEST_F(FooterTest, RefusesOtherFiles) {
  const std::string tail("PAR1", 4);
  const std::string cases[] = {
      "",
      "PAR1",
      "PAR1PAR1",
      std::string(100, 'x'),
      "PAR1" + std::string(20, '\0') + std::string("\xFF\xFF\xFF\xFF", 4) + tail,  // too long
      "PAR1" + std::string(20, '\0') + std::string("\x15\0\0\0", 4) + tail,        // by one
      "PAR1" + std::string(20, '\0') + std::string("\x14\0\0\0", 4) + tail,        // no thrift
      "PAR1" + std::string(20, '\0') + std::string("\0\0\0\0", 4) + tail,          // empty
  };
  for (const std::string& bytes : cases) {
    ASSERT_THAT(env_.WriteFileAtomically(path_, bytes), IsOk());
    EXPECT_THAT(Read(), IsError(ErrorCode::kCorruption)) << bytes.size();
  }
}

TEST_F(FooterTest, ChecksumSpelling) {
  EXPECT_EQ(SpellChecksum(0), "00000000");
  EXPECT_EQ(SpellChunkChecksums({0xDEADBEEF, 0x1}), "deadbeef00000001");
}

}  // namespace
}  // namespace lamina::table
