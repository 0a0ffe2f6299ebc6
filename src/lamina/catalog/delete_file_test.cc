#include <gmock/gmock.h>

#include "lamina/catalog/lake_test_support.h"

namespace lamina::catalog::test {
namespace {

using ::testing::ElementsAre;

TEST(DeleteFile, RoundTrip) {
  const TempFolder folder;
  LakeFile file;
  file.path = "bt/t/x.parquet";
  file.rows = 100;
  EXPECT_TRUE(ReadDeletedPositions(io::PosixEnv(), folder.path(), file)->empty());
  const auto written =
      WriteDeleteFile(io::PosixEnv(), folder.File("d.parquet"), file, {99, 3, 0, 3});
  ASSERT_OK(written);
  EXPECT_EQ(written->rows, 3);
  file.deletes = LakeFile::DeleteFile{1, "d.parquet", 3, written->footer_crc32c};
  EXPECT_THAT(*ReadDeletedPositions(io::PosixEnv(), folder.path(), file), ElementsAre(0, 3, 99));
  for (const auto& positions : {std::vector<std::int64_t>{}, {-1}, {100}})
    EXPECT_THAT(WriteDeleteFile(io::PosixEnv(), folder.File("e.parquet"), file, positions),
                IsError(ErrorCode::kInvalidArgument));
}

TEST(DeleteFile, WhatDoesNotFitIsCorruption) {
  const TempFolder folder;
  LakeFile file;
  file.path = "bt/t/x.parquet";
  file.rows = 100;
  const auto written = WriteDeleteFile(io::PosixEnv(), folder.File("d.parquet"), file, {50, 99});
  ASSERT_OK(written);
  const LakeFile::DeleteFile right{1, "d.parquet", 2, written->footer_crc32c};
  const struct {
    const char* name;
    std::function<void(LakeFile&)> change;
  } kCases[] = {
      {"other footer", [](LakeFile& f) { f.deletes->footer_crc32c ^= 1; }},
      {"other count", [](LakeFile& f) { f.deletes->rows = 3; }},
      {"row outside the file", [](LakeFile& f) { f.rows = 60; }},
      {"absent", [](LakeFile& f) { f.deletes->path = "none.parquet"; }},
  };
  for (const auto& each : kCases) {
    LakeFile changed = file;
    changed.deletes = right;
    each.change(changed);
    EXPECT_THAT(ReadDeletedPositions(io::PosixEnv(), folder.path(), changed),
                IsError(ErrorCode::kCorruption))
        << each.name;
  }
}

}  // namespace
}  // namespace lamina::catalog::test
