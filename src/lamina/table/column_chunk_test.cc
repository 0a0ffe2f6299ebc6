#include "lamina/table/column_chunk.h"

#include <arrow/api.h>
#include <gtest/gtest.h>
#include <parquet/metadata.h>
#include <parquet/schema.h>

#include "lamina/base/matchers.h"
#include "lamina/io/temporary_folder.h"
#include "lamina/table/arrow_file.h"
#include "lamina/table/columns.h"
#include "lamina/table/footer.h"
#include "lamina/table/random_table.h"

namespace lamina::table {
namespace {

class ColumnChunkTest : public ::testing::Test {
 protected:
  void SetUp() override {
    RandomTable random(71);
    rows_ = random.All(Shape::kFew, 500, 0.1);
    ASSERT_THAT(WriteParquet(env_, path_, *rows_, {.page_rows = 50}), IsOk());
    file_ = std::make_unique<EnvInputFile>(*env_.OpenReadable(path_));
    auto footer = ReadFooter(*file_, std::nullopt);
    ASSERT_THAT(footer, IsOk());
    footer_ = *footer;
    checksums_ = **ChunkChecksums(*footer_.metadata, kAllLakeTypes.size());
  }

  Result<ColumnChunk> Open(int leaf, std::int64_t rows = 500, std::uint32_t spoil = 0) {
    return ColumnChunk::Make(
        *file_,
        {footer_.metadata->schema()->Column(leaf), kAllLakeTypes[static_cast<std::size_t>(leaf)],
         rows_->field(leaf)->type()},
        *footer_.metadata->RowGroup(0)->ColumnChunk(leaf), rows,
        checksums_[static_cast<std::size_t>(leaf)] ^ spoil);
  }

  io::Env& env_ = io::PosixEnv();
  io::TemporaryFolder folder_;
  std::string path_ = folder_.File("x.parquet");
  std::shared_ptr<arrow::Table> rows_;
  std::unique_ptr<EnvInputFile> file_;
  Footer footer_;
  std::vector<std::uint32_t> checksums_;
};

TEST_F(ColumnChunkTest, DecodesAtLeastWhatIsWanted) {
  RowRanges few;
  for (const std::int64_t at : {3, 60, 149, 480}) few.Append(at, at + 2);
  RowRanges many;
  for (std::int64_t at = 0; at < 300; at += 3) many.Append(at, at + 1);
  for (const RowRanges& wanted : {RowRanges(0, 500), RowRanges(120, 121), few, many}) {
    for (int leaf = 0; leaf < rows_->num_columns(); ++leaf) {
      auto chunk = Open(leaf);
      ASSERT_THAT(chunk, IsOk());
      EXPECT_GE(chunk->pages().size(), 10u);
      auto decoded = chunk->Decode(wanted);
      ASSERT_THAT(decoded, IsOk());
      EXPECT_EQ(Intersect(decoded->rows, wanted), wanted);
      auto expected = KeepRows(rows_->column(leaf), decoded->rows);
      ASSERT_THAT(expected, IsOk());
      EXPECT_TRUE(decoded->values->Equals(**expected)) << rows_->field(leaf)->name();
    }
  }
}

TEST_F(ColumnChunkTest, ChecksBytesAndCounts) {
  EXPECT_THAT(Open(2, 500, 1), IsError(ErrorCode::kCorruption, ::testing::HasSubstr("checksum")));
  EXPECT_THAT(Open(2, 499), IsError(ErrorCode::kCorruption, ::testing::HasSubstr("add up")));
}

TEST_F(ColumnChunkTest, PlacesLieInsideTheFile) {
  const auto group = footer_.metadata->RowGroup(0);
  EXPECT_THAT(PlaceOf(*group->ColumnChunk(0), footer_.file_size), IsOk());
  EXPECT_THAT(PlaceOf(*group->ColumnChunk(3), 100), IsError(ErrorCode::kCorruption));
}

}  // namespace
}  // namespace lamina::table
