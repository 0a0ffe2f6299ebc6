#include "lamina/catalog/database_copy.h"

#include <atomic>
#include <thread>

#include <gmock/gmock.h>

#include "lamina/base/matchers.h"
#include "lamina/catalog/catalog_test_support.h"
#include "lamina/catalog/database.h"
#include "lamina/catalog/page_checksum_internal.h"

namespace lamina::catalog {
namespace {

std::int64_t Ask(Database& database, const std::string& sql) {
  auto read = database.Prepare(sql);
  EXPECT_THAT(read, IsOk());
  EXPECT_TRUE(*read->Step());
  return read->Int(0);
}

TEST(DatabaseCopy, IsWholeStampedAndOursWhileTheSourceIsWritten) {
  const test::TempFolder folder;
  auto source = *Database::Open(folder.File("a"), OpenMode::kCreate);
  ASSERT_THAT(source->Execute("CREATE TABLE t(x INTEGER PRIMARY KEY, y BLOB) STRICT"), IsOk());
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    auto other = *Database::Open(folder.File("a"), OpenMode::kReadWrite);
    for (int i = 0; !stop && i < 2000; ++i) {  // always two rows at once
      EXPECT_THAT(other->Transact([&] {
        return other->Execute("INSERT INTO t(y) VALUES(randomblob(900)), (randomblob(900))");
      }),
                  IsOk());
    }
  });
  for (int round = 0; round < 5; ++round) {
    const std::string target = folder.File("copy" + std::to_string(round));
    ASSERT_THAT(CopyDatabase(folder.File("a"), target), IsOk());
    const std::string bytes = test::ReadAll(target);
    ASSERT_EQ(bytes.size() % internal::kPageBytes, 0U);
    for (std::size_t page = 0; page < bytes.size() / internal::kPageBytes; ++page) {
      ASSERT_EQ(internal::CheckPage({bytes.data() + page * internal::kPageBytes,
                                     static_cast<std::size_t>(internal::kPageBytes)},
                                    static_cast<std::uint32_t>(page + 1)),
                internal::PageState::kValid);
    }
    auto copy = Database::Open(target, OpenMode::kReadWrite);
    ASSERT_THAT(copy, IsOk());
    EXPECT_EQ(Ask(**copy, "SELECT count(*) FROM t") % 2, 0);
    EXPECT_EQ(Ask(**copy,
                  "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> "
                  "'ok'"),
              0);
    EXPECT_THAT((*copy)->Execute("INSERT INTO t(y) VALUES(x'00')"), IsOk());
  }
  stop = true;
  writer.join();
}

TEST(DatabaseCopy, Refusals) {
  const test::TempFolder folder;
  EXPECT_THAT(CopyDatabase(folder.File("absent"), folder.File("b")), IsError(ErrorCode::kNotFound));
  auto source = *Database::Open(folder.File("a"), OpenMode::kCreate);
  ASSERT_THAT(source->Execute("CREATE TABLE t(x INTEGER) STRICT"), IsOk());
  ASSERT_THAT(CopyDatabase(folder.File("a"), folder.File("b")), IsOk());
  EXPECT_FALSE(CopyDatabase(folder.File("a"), folder.File("b")).ok()) << "never over another file";
}

}  // namespace
}  // namespace lamina::catalog
