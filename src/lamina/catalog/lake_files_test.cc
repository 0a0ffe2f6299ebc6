#include "lamina/catalog/lake_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lamina/catalog/catalog_test_model.h"

namespace lamina::catalog {
namespace {

using test::FindRows;
using test::MakeStore;
using test::OpenStore;
using test::PutUnit;
using test::TempFolder;

class LakeFilesTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_THAT(MakeStore(io::PosixEnv(), folder_.path()), IsOk());
    catalog_ = OpenStore(folder_.path());
    table_ = *FindRows(*catalog_);
    for (const std::int64_t unit : {1, 2}) ASSERT_THAT(PutUnit(*catalog_, table_, unit), IsOk());
  }
  std::vector<NamedLakeFile> Files(std::optional<std::int64_t> snapshot = {}) {
    std::vector<NamedLakeFile> files;
    EXPECT_THAT(catalog_->Read([&](Database& database) -> Status {
      LAMINA_ASSIGN(files, snapshot ? LiveLakeFiles(database, table_.table_id, *snapshot)
                                    : AllLakeFiles(database));
      return Ok();
    }),
                IsOk());
    return files;
  }
  std::vector<LakeFile> Planned() {
    std::vector<LakeFile> files;
    EXPECT_THAT(catalog_->Read([&](Database& database) -> Status {
      LakeReader reader(database);
      LAMINA_ASSIGN(const std::int64_t latest, reader.LatestSnapshot());
      LAMINA_ASSIGN(files, reader.Plan(table_, latest));
      return Ok();
    }),
                IsOk());
    return files;
  }

  TempFolder folder_;
  std::unique_ptr<Catalog> catalog_;
  LakeTable table_;
};

TEST_F(LakeFilesTest, AreThoseOfThePlanAndTheirBytes) {
  const std::vector<LakeFile> planned = Planned();
  const std::vector<NamedLakeFile> files = Files(*catalog_->LatestSnapshot());
  ASSERT_EQ(files.size(), planned.size());
  for (const NamedLakeFile& file : files) {
    const auto same = std::find_if(planned.begin(), planned.end(), [&](const LakeFile& each) {
      return each.data_file_id == file.file_id;
    });
    ASSERT_NE(same, planned.end()) << file.path;
    EXPECT_FALSE(file.deletes);
    EXPECT_EQ(file.path, same->path);
    EXPECT_EQ(file.rows, same->rows);
    EXPECT_EQ(file.footer_size, same->footer_size);
    EXPECT_EQ(file.footer_crc32c, std::optional<std::int64_t>(same->footer_crc32c));
    EXPECT_TRUE(file.file_crc32c);
    EXPECT_EQ(catalog_->env().Stat(catalog_->LakePath(file.path))->size, file.size_bytes);
  }
}

TEST_F(LakeFilesTest, OfASnapshotAndOfAll) {
  const std::int64_t before = *catalog_->LatestSnapshot();
  const std::size_t count = Files(before).size();
  const std::vector<LakeFile> planned = Planned();
  {
    const auto commit = *catalog_->BeginCommit("change");
    ASSERT_THAT(commit->DeleteLakeRows(table_, planned.at(0), {2}), IsOk());
    ASSERT_THAT(commit->RetireLakeFiles(table_, {planned.at(1).data_file_id}), IsOk());
    ASSERT_THAT(commit->Finish({}), IsOk());
  }
  EXPECT_EQ(Files(before).size(), count);
  const std::vector<NamedLakeFile> now = Files(*catalog_->LatestSnapshot());
  ASSERT_EQ(now.size(), count);  // one retired, one that deletes
  EXPECT_EQ(std::count_if(now.begin(), now.end(), [](const auto& file) { return file.deletes; }),
            1);
  EXPECT_EQ(Files().size(), count + 1);
  EXPECT_TRUE(Files(0).empty());
}

}  // namespace
}  // namespace lamina::catalog
