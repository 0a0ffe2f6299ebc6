#include "lamina/catalog/lake_bytes.h"

#include <fstream>

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
using testing::HasSubstr;

class LakeBytesTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_THAT(MakeStore(io::PosixEnv(), folder_.path()), IsOk());
    catalog_ = OpenStore(folder_.path());
    table_ = *FindRows(*catalog_);
    for (const std::int64_t unit : {1, 2}) ASSERT_THAT(PutUnit(*catalog_, table_, unit), IsOk());
    const auto commit = *catalog_->BeginCommit("delete");
    ASSERT_THAT(commit->DeleteLakeRows(table_, Files().at(0), {2}), IsOk());
    ASSERT_THAT(commit->Finish({}), IsOk());
    name_ = table_.schema + "." + table_.name;
  }
  std::vector<LakeFile> Files() {
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
  Result<LakeBytesReport> Check(const std::string& name, std::optional<std::int64_t> limit = {}) {
    return bytes_.Check(*catalog_, *catalog_->LatestSnapshot(), {name}, limit);
  }
  void Write(const std::string& path, const std::string& content) {
    std::ofstream(catalog_->LakePath(path), std::ios::binary) << content;
  }

  TempFolder folder_;
  std::unique_ptr<Catalog> catalog_;
  LakeTable table_;
  std::string name_;
  LakeBytes bytes_;
};

TEST_F(LakeBytesTest, ComparesEachFileOnce) {
  auto report = Check(name_);
  ASSERT_THAT(report, IsOk());
  const std::int64_t all = report->checked;
  EXPECT_GT(all, 0);
  EXPECT_EQ(report->known, 0);
  report = Check(name_);
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->checked, 0);
  EXPECT_EQ(report->known, all);
  // What no table is called is a view over the schema's.
  report = Check(table_.schema + ".a_view");
  ASSERT_THAT(report, IsOk());
  EXPECT_GE(report->known, all);
  report = Check("elsewhere.table");
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->checked + report->known + report->left, 0);
}

TEST_F(LakeBytesTest, LeavesWhatIsBeyondTheLimit) {
  auto report = Check(name_, 1);
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->checked, 0);
  EXPECT_GT(report->left, 1);
  report = Check(name_, report->left);
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->left, 0);
}

TEST_F(LakeBytesTest, EveryFlippedByteIsFoundInDataAndDeleteFiles) {
  ASSERT_TRUE(Files().at(0).deletes.has_value());
  for (const std::string& path : {Files().at(0).path, Files().at(0).deletes->path}) {
    const std::string good = test::ReadAll(catalog_->LakePath(path));
    for (std::size_t at = 0; at < good.size(); at += 97) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ 0x10);
      Write(path, bad);
      EXPECT_THAT(Check(name_), IsError(ErrorCode::kCorruption, HasSubstr(path))) << at;
    }
    Write(path, good.substr(0, good.size() - 1));
    EXPECT_THAT(Check(name_), IsError(ErrorCode::kCorruption, HasSubstr("bytes instead of")));
    ASSERT_THAT(io::PosixEnv().Unlink(catalog_->LakePath(path)), IsOk());
    EXPECT_THAT(Check(name_), IsError(ErrorCode::kCorruption, HasSubstr("missing")));
    Write(path, good);
    EXPECT_THAT(Check(name_), IsOk());
  }
}

}  // namespace
}  // namespace lamina::catalog
