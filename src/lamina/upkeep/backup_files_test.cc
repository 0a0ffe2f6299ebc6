#include "lamina/upkeep/backup_files.h"

#include <filesystem>

#include "lamina/base/hash.h"
#include "lamina/upkeep/upkeep_test_support.h"

namespace lamina::upkeep {
namespace {

using catalog::Database;
using test::UnitStore;
using ::testing::HasSubstr;

class BackupFilesTest : public testing::Test {
 protected:
  void SetUp() override {
    store_.Put(1);
    store_.Put(2);
    store_.Drop(1);
    files_ = Named();
    ASSERT_GE(files_.size(), 3U);
  }
  std::vector<StoredFile> Named() {
    std::vector<StoredFile> files;
    EXPECT_THAT(store_.catalog().Read([&](Database& database) -> Status {
      LAMINA_ASSIGN(files, NamedFiles(database));
      return Ok();
    }),
                IsOk());
    return files;
  }
  Result<CopyCount> Copy(const CancelToken* cancel = nullptr) {
    return CopyFiles(env_, store_.root(), target_, files_, cancel);
  }
  /// Files below the target, and whether one is of a copy that was not finished.
  std::size_t Copied() const {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(target_)) {
      count += entry.is_directory() ? 0 : 1;
      EXPECT_NE(entry.path().extension(), ".part");
    }
    return count;
  }
  void Replace(const StoredFile& file, const std::function<void(std::string&)>& change) {
    const std::string path = store_.root() + "/" + file.path;
    std::string bytes = *env_.ReadFile(path, 1 << 30);
    change(bytes);
    ASSERT_THAT(env_.WriteFileAtomically(path, bytes), IsOk());
  }

  io::Env& env_ = io::PosixEnv();
  UnitStore store_;
  const std::string target_ = store_.File("copy");
  std::vector<StoredFile> files_;
};

TEST_F(BackupFilesTest, NamesEveryFileWithItsSize) {
  std::int64_t lake = 0, chunks = 0;
  for (const StoredFile& file : files_) {
    const auto there = env_.Stat(store_.root() + "/" + file.path);
    ASSERT_THAT(there, IsOk()) << file.path;
    EXPECT_EQ(there->size, file.bytes);
    EXPECT_NE(file.crc32c.has_value(), file.chunk.has_value()) << file.path;
    (file.chunk ? chunks : lake) += 1;
    if (file.crc32c) {
      EXPECT_EQ(*ChecksumOf(env_, store_.root() + "/" + file.path), *file.crc32c);
    }
  }
  EXPECT_EQ(lake, store_.FilesBelow("lake"));
  EXPECT_EQ(chunks, store_.FilesBelow("chunks"));
  EXPECT_TRUE(std::is_sorted(files_.begin(), files_.end(),
                             [](const auto& a, const auto& b) { return a.path < b.path; }));
}

TEST_F(BackupFilesTest, CopiesWhatIsNotThere) {
  const auto first = Copy();
  ASSERT_THAT(first, IsOk());
  EXPECT_EQ(first->files, static_cast<std::int64_t>(files_.size()));
  EXPECT_EQ(Copied(), files_.size());
  EXPECT_EQ(Copy()->files, 0);
  // Of another size: cut short when a machine went down.
  std::filesystem::resize_file(target_ + "/" + files_[1].path, 1);
  EXPECT_EQ(Copy()->files, 1);
  for (const StoredFile& file : files_) {
    EXPECT_EQ(*env_.ReadFile(target_ + "/" + file.path, 1 << 30),
              *env_.ReadFile(store_.root() + "/" + file.path, 1 << 30));
  }
}

TEST_F(BackupFilesTest, DamageIsNamedAndNotCopied) {
  for (const StoredFile& file : files_) {
    std::filesystem::remove_all(target_);
    std::string good;
    Replace(file, [&](std::string& bytes) {
      good = bytes;
      bytes[bytes.size() / 2] ^= 1;
    });
    EXPECT_THAT(Copy(), IsError(ErrorCode::kCorruption, HasSubstr(file.path)));
    EXPECT_FALSE(env_.Exists(target_ + "/" + file.path));
    EXPECT_LT(Copied(), files_.size());
    Replace(file, [&](std::string& bytes) { bytes = good; });
  }
  EXPECT_THAT(Copy(), IsOk());
  std::filesystem::remove_all(target_);
  ASSERT_THAT(env_.Unlink(store_.root() + "/" + files_[0].path), IsOk());
  EXPECT_THAT(Copy(), IsError(ErrorCode::kCorruption, HasSubstr("is missing from")));
}

TEST_F(BackupFilesTest, CanBeCancelledAndGoesOn) {
  CancelToken cancel;
  cancel.Cancel();
  EXPECT_THAT(Copy(&cancel), IsError(ErrorCode::kCancelled));
  EXPECT_EQ(Copy()->files, static_cast<std::int64_t>(files_.size()));
}

TEST_F(BackupFilesTest, APathThatLeadsOutOfTheStoreIsDamage) {
  ASSERT_THAT(store_.catalog().Transact([](Database& database) {
    return database.Execute("UPDATE ducklake_data_file SET path = '../../../etc/passwd'");
  }),
              IsOk());
  EXPECT_THAT(store_.catalog().Read([](Database& database) -> Status {
    LAMINA_TRY(NamedFiles(database));
    return Ok();
  }),
              IsError(ErrorCode::kCorruption, HasSubstr("../../../etc/passwd")));
}

}  // namespace
}  // namespace lamina::upkeep
