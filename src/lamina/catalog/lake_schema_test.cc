#include <gmock/gmock.h>

#include "lamina/catalog/lake_test_support.h"
#include "lamina/catalog/migrations.h"

namespace lamina::catalog::test {
namespace {

std::string Metadata(Database& database, const std::string& key) {
  auto read = database.Prepare("SELECT value FROM ducklake_metadata WHERE key = ?1");
  EXPECT_THAT(read, IsOk());
  read->Bind(1, key);
  return *read->Step() ? std::string(read->Text(0)) : "(none)";
}

TEST(LakeSchema, NewLake) {
  TestLake lake;
  EXPECT_EQ(lake.Latest(), 0);
  EXPECT_EQ(Metadata(lake.database(), "version"), "1.0");
  EXPECT_EQ(Metadata(lake.database(), "data_inlining_row_limit"), "0");
  const auto snapshots = LakeReader(lake.database()).Snapshots();
  ASSERT_OK(snapshots);
  ASSERT_EQ(snapshots->size(), 1U);
  EXPECT_EQ((*snapshots)[0].changes, "created_schema:\"main\"");
  EXPECT_TRUE(LakeReader(lake.database()).Tables(0)->empty());
}

TEST(LakeSchema, DataPath) {
  TestLake lake;
  ASSERT_OK(UpdateLakeDataPath(lake.database(), "/somewhere/else/"));
  EXPECT_EQ(Metadata(lake.database(), "data_path"), "/somewhere/else/");
  EXPECT_THAT(UpdateLakeDataPath(lake.database(), "/no/slash"),
              IsError(ErrorCode::kInvalidArgument));
  EXPECT_THAT(UpdateLakeDataPath(lake.database(), "file:///x/"),
              IsError(ErrorCode::kInvalidArgument));
  EXPECT_THAT(CreateLake(lake.database(), "/x/", "again", Micros{0}), ::testing::Not(IsOk()));
}

// A wrong clock gives times that stand still, never ones that go back.
TEST(LakeSchema, TimesNeverGoBack) {
  TestLake lake;
  const std::int64_t start = (*LakeReader(lake.database()).Snapshots())[0].time.value;
  for (const std::int64_t offset : {5'000'000, -9'000'000, 5'000'001, 4'500'000}) {
    ASSERT_OK(lake.database().Transact([&]() -> Status {
      LAMINA_ASSIGN(LakeWriter writer, LakeWriter::Begin(lake.database()));
      return writer.Finish(Micros{start + offset}, "me", "message", "extra");
    }));
  }
  LakeReader reader(lake.database());
  const auto snapshots = reader.Snapshots();
  ASSERT_OK(snapshots);
  std::vector<std::int64_t> times;
  for (const LakeSnapshot& each : *snapshots) times.push_back(each.time.value - start);
  EXPECT_THAT(times, ::testing::ElementsAre(0, 5'000'000, 5'000'000, 5'000'001, 5'000'001));
  EXPECT_EQ(snapshots->back().author, "me");
  EXPECT_EQ(snapshots->back().changes, "");
  EXPECT_EQ(*reader.SnapshotAt(Micros{start}), 0);
  EXPECT_EQ(*reader.SnapshotAt(Micros{start + 4'999'999}), 0);
  EXPECT_EQ(*reader.SnapshotAt(Micros{start + 5'000'000}), 2);
  EXPECT_EQ(*reader.SnapshotAt(Micros{start + 99'000'000}), 4);
  EXPECT_THAT(reader.SnapshotAt(Micros{start - 1}), IsError(ErrorCode::kNotFound));
}

}  // namespace
}  // namespace lamina::catalog::test
