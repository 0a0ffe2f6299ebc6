#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include "lamina/base/hash.h"
#include "lamina/base/matchers.h"
#include "lamina/catalog/catalog_test_model.h"
#include "lamina/catalog/page_checksum_internal.h"
#include "lamina/catalog/verify.h"

namespace lamina::catalog {
namespace {

using internal::CheckPage;
using internal::PageState;
using internal::StampPage;
using test::ChildExit;
using test::Contents;
using test::FindRows;
using test::InChild;
using test::Make;
using test::MakeStore;
using test::Noise;
using test::One;
using test::OpenStore;
using test::PutUnit;
using test::TempFolder;
using testing::HasSubstr;

TEST(PageChecksum, StampIsFixedAndFindsEveryFlip) {
  std::string page = Noise(internal::kPageBytes, 3);
  StampPage(page.data(), 7);
  EXPECT_EQ(page.substr(4092), "LAM1");
  EXPECT_EQ(LoadLittleEndian<std::uint32_t>(page.data() + 4088),
            Crc32c(std::string("\7\0\0\0", 4), Crc32c(page.substr(0, 4088))));
  EXPECT_EQ(CheckPage(page, 7), PageState::kValid);
  EXPECT_EQ(CheckPage(page, 8), PageState::kDamaged) << "at another place";
  for (std::size_t i = 0; i < page.size(); ++i) {
    std::string damaged = page;
    damaged[i] = static_cast<char>(damaged[i] ^ (1 << i % 8));
    ASSERT_EQ(CheckPage(damaged, 7), PageState::kDamaged) << i;
  }
  EXPECT_EQ(CheckPage(std::string(internal::kPageBytes, '\0'), 1), PageState::kUnstamped);
}

void Fill(Database& database) {
  ASSERT_THAT(database.Execute("CREATE TABLE t(x INTEGER PRIMARY KEY, y); "
                               "CREATE INDEX i ON t(y); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL "
                               "SELECT i + 1 FROM n WHERE i < 300) "
                               "INSERT INTO t SELECT i, printf('%0200d', i * 7919) FROM n; "
                               "INSERT INTO t VALUES(1000, zeroblob(20000))"),
              IsOk());
}

TEST(PageChecksum, EveryPageOfAClosedFileIsStamped) {
  const TempFolder folder;
  const std::string path = folder.File("db");
  {
    Fill(*Make(path));
  }
  const std::string bytes = test::ReadAll(path);
  ASSERT_GT(bytes.size(), 100'000U);
  ASSERT_EQ(bytes.size() % internal::kPageBytes, 0U);
  for (std::size_t page = 0; page * internal::kPageBytes < bytes.size(); ++page) {
    EXPECT_EQ(CheckPage(ByteView(bytes).substr(page * internal::kPageBytes, internal::kPageBytes),
                        static_cast<std::uint32_t>(page + 1)),
              PageState::kValid)
        << page + 1;
  }
}

TEST(PageChecksum, ADamagedPageIsNamed) {
  const TempFolder folder;
  const std::string path = folder.File("db");
  {
    Fill(*Make(path));
  }
  const std::string before = test::ReadAll(path);
  for (std::size_t place = 150; place < before.size(); place += 997) {
    std::string bytes = before;
    bytes[place] = static_cast<char>(bytes[place] ^ 0x20);
    std::ofstream(path, std::ios::binary) << bytes;
    auto database = Database::Open(path, OpenMode::kReadOnly);
    Status looked = Ok();
    if (database.ok()) {
      // Every page is asked for: the table, its index, and the long value.
      for (const char* sql : {"SELECT sum(length(y)), max(hex(y)) FROM t NOT INDEXED",
                              "SELECT count(y), max(y) FROM t INDEXED BY i WHERE y > ''"}) {
        auto read = (*database)->Prepare(sql);
        looked = read.ok() ? Status() : Status(read.error().Clone());
        if (looked.ok()) {
          const auto row = read->Step();
          if (!row.ok()) looked = row.error().Clone();
        }
        if (!looked.ok()) break;
      }
    } else {
      looked = database.error().Clone();
    }
    EXPECT_THAT(looked, IsError(ErrorCode::kCorruption)) << place;
    if (place > internal::kPageBytes && !looked.ok()) {
      EXPECT_THAT(std::string(looked.error().message()),
                  HasSubstr("page " + std::to_string(place / internal::kPageBytes + 1) + " "));
    }
  }
}

// Another program that closes the file last copies our log into it.
TEST(PageChecksum, AForeignCheckpointHarmsNothing) {
  const TempFolder folder;
  const std::string path = folder.File("db");
  {
    const auto database = Make(path);
    Fill(*database);
    ASSERT_THAT(database->Checkpoint(), IsOk());
    ASSERT_THAT(database->Execute("UPDATE t SET y = y || 'z' WHERE x % 3 = 0"), IsOk());
    // As after a kill: the log is there, no connection is.
    std::filesystem::create_directory(folder.File("killed"));
    for (const char* suffix : {"", "-wal"}) {
      std::filesystem::copy_file(path + suffix, folder.File("killed/db") + suffix);
    }
  }
  const std::string killed = folder.File("killed/db");
  ASSERT_EQ(InChild([&] {
              sqlite3* handle = nullptr;
              if (sqlite3_open_v2(killed.c_str(), &handle, SQLITE_OPEN_READWRITE, "unix") != 0)
                return 1;
              if (sqlite3_exec(handle, "SELECT count(*) FROM t", nullptr, nullptr, nullptr) != 0)
                return 2;
              return sqlite3_close(handle);
            }),
            ChildExit(0));
  ASSERT_FALSE(std::filesystem::exists(killed + "-wal")) << "it was copied";
  {
    const auto database = *Database::Open(killed, OpenMode::kReadWrite);
    EXPECT_EQ(One(*database, "SELECT count(*) FROM t WHERE y LIKE '%z'"), 100);
    ASSERT_THAT(database->Execute("UPDATE t SET y = y || 'w'"), IsOk());
  }
  EXPECT_EQ(One(**Database::Open(killed, OpenMode::kReadOnly),
                "SELECT count(*) FROM t WHERE y LIKE '%zw'"),
            100);
}

TEST(PageChecksum, AnotherProgramReadsTheFile) {
  const TempFolder folder;
  const std::string path = folder.File("db");
  const auto database = Make(path);
  Fill(*database);
  EXPECT_EQ(InChild([&] {
              sqlite3* handle = nullptr;
              if (sqlite3_open_v2(path.c_str(), &handle, SQLITE_OPEN_READONLY, "unix") != 0)
                return 1;
              int count = 0;
              sqlite3_exec(
                  handle, "SELECT count(*) FROM t WHERE length(y) > 199",
                  [](void* out, int, char** values, char**) {
                    *static_cast<int*>(out) = std::stoi(values[0]);
                    return 0;
                  },
                  &count, nullptr);
              sqlite3_close(handle);
              return count == 301 ? 0 : 2;
            }),
            ChildExit(0));
}

TEST(PageChecksum, EveryFlippedByteOfAStoresDatabasesIsFound) {
  const TempFolder folder;
  ASSERT_THAT(MakeStore(io::PosixEnv(), folder.path()), IsOk());
  {
    const auto catalog = OpenStore(folder.path());
    ASSERT_THAT(PutUnit(*catalog, *FindRows(*catalog), 1), IsOk());
  }
  for (const char* name : {"catalog.sqlite", "objects.sqlite"}) {
    const std::string path = folder.File(name);
    const std::string before = test::ReadAll(path);
    std::size_t found = 0, tried = 0;
    for (std::size_t place = 0; place < before.size(); place += place < 100 ? 1 : 1009) {
      std::string bytes = before;
      bytes[place] = static_cast<char>(bytes[place] ^ 4);
      std::ofstream(path, std::ios::binary) << bytes;
      ++tried;
      CatalogOptions options;
      options.read_only = true;
      const auto catalog = Catalog::Open(io::PosixEnv(), folder.path(), options);
      if (!catalog.ok()) {
        EXPECT_THAT(catalog, IsError(ErrorCode::kCorruption)) << name << " byte " << place;
        ++found;
        continue;
      }
      const auto report = VerifyCatalog(**catalog, true);
      ASSERT_THAT(report, IsOk());
      EXPECT_FALSE(report->problems.empty()) << name << " byte " << place;
      found += !report->problems.empty();
    }
    EXPECT_EQ(found, tried) << name;
    std::ofstream(path, std::ios::binary) << before;
  }
}

// The log has checksums of its own, which end it silently: that is what `head` is for.
TEST(PageChecksum, EveryFlippedByteOfTheLogIsFoundOrHarmless) {
  const TempFolder folder, copy;
  ASSERT_THAT(MakeStore(io::PosixEnv(), folder.path()), IsOk());
  std::string log;
  {
    const auto catalog = OpenStore(folder.path());
    ASSERT_THAT(PutUnit(*catalog, *FindRows(*catalog), 1), IsOk());
    std::filesystem::copy(folder.path(), copy.path(), std::filesystem::copy_options::recursive);
    log = test::ReadAll(copy.File("catalog.sqlite-wal"));
  }
  ASSERT_GT(log.size(), 10'000U);
  const std::string database = test::ReadAll(copy.File("catalog.sqlite"));
  std::size_t lost = 0;
  for (std::size_t place = 0; place < log.size(); place += place < 60 ? 1 : 1511) {
    std::string bytes = log;
    bytes[place] = static_cast<char>(bytes[place] ^ 4);
    std::ofstream(copy.File("catalog.sqlite-wal"), std::ios::binary) << bytes;
    std::ofstream(copy.File("catalog.sqlite"), std::ios::binary) << database;
    std::filesystem::remove(copy.File("catalog.sqlite-shm"));
    CatalogOptions options;
    options.read_only = true;
    const auto catalog = Catalog::Open(io::PosixEnv(), copy.path(), options);
    if (catalog.ok()) {
      EXPECT_EQ(Contents(**catalog), std::set<std::int64_t>{1}) << place;
    } else {
      EXPECT_THAT(catalog, IsError(ErrorCode::kCorruption)) << place;
      ++lost;
    }
  }
  EXPECT_GT(lost, 20U);
}

}  // namespace
}  // namespace lamina::catalog
