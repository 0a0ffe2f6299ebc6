#include "lamina/catalog/verify.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lamina/catalog/catalog_test_model.h"

namespace lamina::catalog {
namespace {

using test::ChildExit;
using test::FindRows;
using test::MakeStore;
using test::OpenStore;
using test::PutUnit;
using test::TempFolder;
using testing::HasSubstr;
using testing::IsEmpty;

class Verify : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_THAT(MakeStore(io::PosixEnv(), folder_.path()), IsOk());
    const auto catalog = OpenStore(folder_.path());
    const LakeTable table = *FindRows(*catalog);
    for (const std::int64_t unit : {1, 2}) ASSERT_THAT(PutUnit(*catalog, table, unit), IsOk());
    std::vector<LakeFile> files;
    ASSERT_THAT(catalog->Read([&](Database& database) -> Status {
      LakeReader reader(database);
      LAMINA_ASSIGN(files, reader.Plan(table, 3));
      return Ok();
    }),
                IsOk());
    const auto commit = *catalog->BeginCommit("delete");
    ASSERT_THAT(commit->DeleteLakeRows(table, files.at(0), {2}), IsOk());
    ASSERT_THAT(commit->Finish({}), IsOk());
  }
  VerifyReport Run(bool deep) {
    const auto catalog = OpenStore(folder_.path(), /*read_only=*/true);
    auto report = VerifyCatalog(*catalog, deep);
    EXPECT_THAT(report, IsOk());
    return *std::move(report);
  }
  /// Run SQL on the catalog from another process.
  void Alter(const std::string& file, const std::string& sql) {
    ASSERT_EQ(test::InChild([&] {
                const auto database = *Database::Open(folder_.File(file), OpenMode::kReadWrite);
                const Status done = database->Execute(sql);
                if (!done.ok())
                  fprintf(stderr, "%s\n", std::string(done.error().message()).c_str());
                return done.ok() ? 0 : 1;
              }),
              ChildExit(0));
  }
  void Flip(const std::string& file, std::size_t place) {
    std::string bytes = test::ReadAll(folder_.File(file));
    bytes.at(place) = static_cast<char>(bytes.at(place) ^ 1);
    std::ofstream(folder_.File(file), std::ios::binary) << bytes;
  }
  std::vector<std::string> FilesWith(const std::string& part) {
    std::vector<std::string> names = folder_.List();
    std::erase_if(names,
                  [&](const std::string& name) { return name.find(part) == std::string::npos; });
    return names;
  }
  TempFolder folder_;
};

TEST_F(Verify, CleanStoreIsClean) {
  for (const bool deep : {false, true}) {
    const VerifyReport report = Run(deep);
    for (const VerifyProblem& problem : report.problems) {
      ADD_FAILURE() << problem.kind << " " << problem.path << ": " << problem.detail;
    }
    EXPECT_EQ(report.checked_files, 3);
    EXPECT_EQ(report.checked_chunks, 6);
    EXPECT_GT(report.checked_bytes, 210'000);
  }
}

TEST_F(Verify, EveryKindOfDamageIsNamedAndNoneHidesAnother) {
  const std::vector<std::string> lake = FilesWith("lake/");
  ASSERT_EQ(lake.size(), 3U);
  std::string deletes, first, second;
  for (const std::string& name : lake) {
    (name.find("-delete") != std::string::npos ? deletes : first.empty() ? first : second) = name;
  }
  std::filesystem::remove(folder_.File(first));
  std::filesystem::resize_file(folder_.File(deletes), 10);
  Flip(second, std::filesystem::file_size(folder_.File(second)) - 20);
  const std::vector<std::string> chunks = FilesWith("chunks/series");
  ASSERT_EQ(chunks.size(), 2U);
  std::filesystem::remove(folder_.File(chunks[0]));
  std::ofstream(folder_.File(chunks[1])) << "short";
  Alter("objects.sqlite", "DELETE FROM object WHERE kind = 2");
  Alter("catalog.sqlite", "INSERT INTO chunk_ref VALUES(9, 2, x'ABCD', 1, NULL)");
  std::ofstream(folder_.File("head")) << "x";

  const VerifyReport report = Run(false);
  std::vector<std::pair<std::string, std::string>> found;
  for (const VerifyProblem& problem : report.problems) {
    EXPECT_FALSE(problem.detail.empty());
    found.emplace_back(problem.kind, problem.path);
  }
  const std::string code = ChunkId{ChunkKind::kCode, Sha256(test::SmallContent(0))}.ToString();
  const auto chunk = [](const std::string& path) {
    return testing::Pair("chunk", "series/" + path.substr(path.rfind('/') + 1));
  };
  EXPECT_THAT(found, testing::UnorderedElementsAre(
                         testing::Pair("lake-file", first), testing::Pair("lake-file", second),
                         testing::Pair("delete-file", deletes), chunk(chunks[0]), chunk(chunks[1]),
                         testing::Pair("chunk", code), testing::Pair("chunk-ref", "catalog.sqlite"),
                         testing::Pair("head", "head")));
}

TEST_F(Verify, WhatAPowerCutLeavesOfTheHeadIsNoDamage) {
  const std::string head = test::ReadAll(folder_.File("head"));
  for (const std::string& left : {std::string(), std::string(head.size(), '\0')}) {
    std::ofstream(folder_.File("head"), std::ios::binary) << left;
    EXPECT_THAT(Run(true).problems, IsEmpty());
  }
  std::ofstream(folder_.File("head"), std::ios::binary) << head.substr(0, 20);
  EXPECT_EQ(Run(true).problems.size(), 1U);
}

TEST_F(Verify, WhatACollectionLeavesIsNoDamage) {
  // Cut short: the row has ended, the bytes have gone. Done: only deleted backtests name it.
  const auto large = FilesWith("chunks/ohlcv");
  ASSERT_EQ(large.size(), 1U);
  std::filesystem::remove(folder_.File(large[0]));
  EXPECT_EQ(Run(false).problems.size(), 1U);
  Alter("catalog.sqlite", "UPDATE chunk SET end_snapshot = 4 WHERE kind = 1");
  EXPECT_THAT(Run(true).problems, IsEmpty());
  Alter("catalog.sqlite", "DELETE FROM chunk WHERE kind = 1");
  EXPECT_EQ(Run(false).problems.size(), 2U) << "live backtests name it";
  Alter("catalog.sqlite", "UPDATE chunk_ref SET end_snapshot = 4 WHERE kind = 1");
  EXPECT_THAT(Run(true).problems, IsEmpty());
}

TEST_F(Verify, DeepFindsAnyFlippedByte) {
  for (const std::string& name : FilesWith("lake/")) {
    const std::string before = test::ReadAll(folder_.File(name));
    for (std::size_t place = 0; place < before.size(); place += 7) {
      Flip(name, place);
      const VerifyReport report = Run(true);
      ASSERT_EQ(report.problems.size(), 1U) << name << " byte " << place << " of " << before.size();
      EXPECT_EQ(report.problems[0].path, name);
      std::ofstream(folder_.File(name), std::ios::binary) << before;
    }
  }
  for (const std::string& name : FilesWith("chunks/")) {
    Flip(name, 4321);
    EXPECT_THAT(Run(false).problems, IsEmpty()) << "only the deep look reads content";
    const VerifyReport report = Run(true);
    ASSERT_EQ(report.problems.size(), 1U);
    EXPECT_THAT(report.problems[0].detail, HasSubstr("SHA-256"));
    Flip(name, 4321);
  }
  Alter("objects.sqlite", "UPDATE object SET stored = zeroblob(length(stored)) WHERE kind = 2");
  EXPECT_EQ(Run(true).problems.size(), 1U);
}

TEST_F(Verify, RowsThatTheFileDoesNotHold) {
  Alter("catalog.sqlite", "UPDATE ducklake_data_file SET record_count = 4 WHERE record_count = 5");
  EXPECT_THAT(Run(false).problems, IsEmpty());
  const VerifyReport report = Run(true);
  ASSERT_EQ(report.problems.size(), 2U);
  EXPECT_THAT(report.problems[0].detail, HasSubstr("5 rows instead of 4"));
}

TEST_F(Verify, CanBeCancelled) {
  const auto catalog = OpenStore(folder_.path(), true);
  CancelToken cancel;
  cancel.Cancel();
  EXPECT_THAT(VerifyCatalog(*catalog, false, &cancel), IsError(ErrorCode::kCancelled));
}

}  // namespace
}  // namespace lamina::catalog
