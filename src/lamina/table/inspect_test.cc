#include "lamina/table/inspect.h"

#include <arrow/api.h>
#include <gtest/gtest.h>

#include "lamina/base/matchers.h"
#include "lamina/io/temporary_folder.h"
#include "lamina/table/parquet_file.h"
#include "lamina/table/random_table.h"

namespace lamina::table {
namespace {

using ::testing::HasSubstr;

TEST(Inspect, DescribesWhatWasWritten) {
  io::Env& env = io::PosixEnv();
  const io::TemporaryFolder folder;
  const std::string path = folder.File("x.parquet");
  RandomTable random(81);
  const auto rows = random.All(Shape::kRising, 1000, 0.1);
  auto written = WriteParquet(env, path, *rows,
                              {.row_group_rows = 600, .page_rows = 100, .sorted_by = {"c_int64"}});
  ASSERT_THAT(written, IsOk());
  auto file = DescribeParquet(env, path);
  ASSERT_THAT(file, IsOk());
  EXPECT_EQ(file->rows, 1000);
  EXPECT_EQ(file->size_bytes, written->size_bytes);
  EXPECT_EQ(file->footer_crc32c, written->footer_crc32c);
  EXPECT_EQ(file->created_by, "lamina");
  EXPECT_EQ(file->format_version, "2.6");
  EXPECT_EQ(file->page_index_checksum_ok, true);
  ASSERT_EQ(file->row_groups.size(), 2u);
  EXPECT_EQ(file->row_groups[0].sorted_by, std::vector<std::string>{"c_int64"});
  EXPECT_EQ(file->row_groups[1].rows, 400);
  for (const RowGroupDescription& group : file->row_groups) {
    std::int32_t id = 1;
    for (const ChunkDescription& chunk : group.chunks) {
      EXPECT_EQ(chunk.field_id, chunk.path == "c_list.list.element" ? 12 : id++) << chunk.path;
      EXPECT_EQ(chunk.codec, "zstd");
      EXPECT_EQ(chunk.chunk_checksum_ok, true) << chunk.path;
      EXPECT_TRUE(chunk.page_index) << chunk.path;
      EXPECT_GE(chunk.pages, group.rows / 100) << chunk.path;
      EXPECT_EQ(chunk.pages_with_checksum, chunk.pages + (chunk.has_dictionary ? 1 : 0))
          << chunk.path;
      EXPECT_TRUE(chunk.null_count.has_value());
    }
    EXPECT_EQ(group.chunks[2].encodings, std::vector<std::string>{"DELTA_BINARY_PACKED"});
    EXPECT_EQ(group.chunks[9].logical_type, "UUID");
  }
  const std::string text = FormatDescription(*file);
  EXPECT_THAT(text, HasSubstr("1000 rows"));
  EXPECT_THAT(text, HasSubstr("sorted by c_int64"));
  EXPECT_THAT(text, HasSubstr("c_list.list.element"));
}

TEST(Inspect, MarksDamage) {
  io::Env& env = io::PosixEnv();
  const io::TemporaryFolder folder;
  const std::string path = folder.File("x.parquet");
  RandomTable random(82);
  ASSERT_THAT(WriteParquet(env, path, *random.All(Shape::kNoise, 1000, 0)), IsOk());
  std::string bytes = *env.ReadFile(path, 1 << 30);
  bytes[2000] ^= 1;
  ASSERT_THAT(env.WriteFileAtomically(path, bytes), IsOk());
  auto file = DescribeParquet(env, path);
  ASSERT_THAT(file, IsOk());
  EXPECT_THAT(FormatDescription(*file), HasSubstr("DAMAGED"));
  ASSERT_THAT(env.WriteFileAtomically(path, "not a Parquet file"), IsOk());
  EXPECT_THAT(DescribeParquet(env, path), IsError(ErrorCode::kCorruption, HasSubstr(path)));
  EXPECT_THAT(DescribeParquet(env, folder.File("absent")), IsError(ErrorCode::kNotFound));
}

TEST(Inspect, EmptyTables) {
  io::Env& env = io::PosixEnv();
  const io::TemporaryFolder folder;
  RandomTable random(83);
  ASSERT_THAT(WriteParquet(env, folder.File("x"), *random.All(Shape::kNoise, 0, 0)), IsOk());
  auto file = DescribeParquet(env, folder.File("x"));
  ASSERT_THAT(file, IsOk());
  EXPECT_THAT(FormatDescription(*file), HasSubstr("0 rows"));
}

}  // namespace
}  // namespace lamina::table
