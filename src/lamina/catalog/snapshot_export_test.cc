#include "lamina/catalog/snapshot_export.h"

#include <random>
#include <set>

#include <arrow/api.h>
#include <gmock/gmock.h>

#include "lamina/base/uuid.h"
#include "lamina/catalog/lake_test_support.h"

namespace lamina::catalog::test {
namespace {

Result<std::unique_ptr<Database>> Copy(TestLake& lake, const std::string& name,
                                       std::optional<std::int64_t> snapshot) {
  LAMINA_ASSIGN(auto copy, Database::Open(lake.root() + "/" + name, OpenMode::kCreate));
  LAMINA_TRY(lake.database().Read([&]() -> Status {
    LAMINA_ASSIGN(const std::int64_t exported, CopySnapshotRows(lake.database(), snapshot, *copy));
    if (snapshot && exported != *snapshot) return Internal("exported another snapshot");
    return Ok();
  }));
  return copy;
}

/// Everything that a reader sees of the lake at `snapshot`, as text.
Result<std::string> Picture(Database& database, std::int64_t snapshot) {
  LakeReader reader(database);
  LAMINA_ASSIGN(const auto tables, reader.Tables(snapshot));
  std::string text;
  for (const LakeTable& table : tables) {
    text += table.schema + "." + table.name + " " + table.directory + "\n";
    for (const LakeColumn& column : table.columns) {
      text += "  " + std::to_string(column.column_id) + " " + column.name + "\n";
    }
    LAMINA_ASSIGN(const auto files, reader.Plan(table, snapshot));
    for (const LakeFile& file : files) {
      text += "  " + file.path + " " + std::to_string(file.rows) + " " +
              (file.deletes ? file.deletes->path : "whole") + "\n";
    }
  }
  return text;
}

std::int64_t Scalar(Database& database, const std::string& sql) {
  auto statement = database.Prepare(sql);
  EXPECT_TRUE(statement.ok()) << statement.error().message();
  const auto row = statement->Step();
  EXPECT_TRUE(row.ok() && *row);
  return statement->Int(0);
}

/// Two tables over a few snapshots: appended, deleted from, retired, widened. RETURNS the
/// snapshots.
std::vector<std::int64_t> FillLake(TestLake& lake) {
  std::mt19937_64 random(11);
  std::vector<std::int64_t> snapshots;
  const LakeTable trades = lake.MakeTable("trades", AllColumns(), {}, {"run_id", "seq"});
  lake.MakeTable("empty", AllColumns());
  for (int i = 0; i < 3; ++i) {
    snapshots.push_back(*lake.Append(trades, *RandomRows(trades.columns, 50, random)));
  }
  const auto files = lake.Plan(trades, lake.Latest());
  snapshots.push_back(*lake.Delete(trades, (*files)[0], {0, 5, 49}));
  snapshots.push_back(*lake.Write([&](LakeWriter& writer) {
    return writer.Retire(trades.table_id, {(*files)[1].data_file_id});
  }));
  snapshots.push_back(*lake.AddColumn(trades, {.name = "note", .type = table::LakeType::kVarchar}));
  return snapshots;
}

TEST(SnapshotExport, CopyShowsWhatTheSnapshotShows) {
  TestLake lake;
  const std::vector<std::int64_t> snapshots = FillLake(lake);
  std::set<std::string> different;
  for (const std::int64_t snapshot : snapshots) {
    const auto copy = Copy(lake, "copy" + std::to_string(snapshot) + ".sqlite", snapshot);
    ASSERT_OK(copy);
    const auto live_picture = Picture(lake.database(), snapshot);
    const auto copy_picture = Picture(**copy, snapshot);
    ASSERT_OK(live_picture);
    ASSERT_OK(copy_picture);
    EXPECT_EQ(*live_picture, *copy_picture) << snapshot;
    different.insert(*copy_picture);
    EXPECT_EQ(Scalar(**copy, "SELECT count(*) FROM ducklake_snapshot"), 1);
    EXPECT_EQ(Scalar(**copy, "SELECT max(snapshot_id) FROM ducklake_snapshot"), snapshot);
    EXPECT_EQ(Scalar(**copy,
                     "SELECT count(*) FROM ducklake_file_column_stats WHERE data_file_id "
                     "NOT IN (SELECT data_file_id FROM ducklake_data_file)"),
              0);
  }
  EXPECT_EQ(different.size(), snapshots.size());
}

TEST(SnapshotExport, LatestUnlessGivenAndUnknownIsNotFound) {
  TestLake lake;
  FillLake(lake);
  const auto copy = Copy(lake, "latest.sqlite", std::nullopt);
  ASSERT_OK(copy);
  EXPECT_EQ(Scalar(**copy, "SELECT max(snapshot_id) FROM ducklake_snapshot"), lake.Latest());
  const auto unknown = Copy(lake, "unknown.sqlite", 1000);
  ASSERT_FALSE(unknown.ok());
  EXPECT_EQ(unknown.error().code(), ErrorCode::kNotFound) << unknown.error().message();
}

TEST(SnapshotExport, HandlesOfTheSnapshotWithRunIdsAsText) {
  TestLake lake;
  FillLake(lake);
  Database& live = lake.database();
  const Uuid run = *Uuid::Parse("01890a5d-ac96-774b-bcce-b302099a8057");
  ASSERT_OK(live.Transact([&]() -> Status {
    for (const auto& [id, handle, end] : {std::tuple{1, "kept", "NULL"}, std::tuple{2, "gone", "3"},
                                          std::tuple{3, "later", "NULL"}}) {
      const std::string begin = id == 3 ? "5" : "2";
      LAMINA_TRY(live.Execute("INSERT INTO backtest VALUES(" + std::to_string(id) + ", '" + handle +
                              "', " + begin + ", " + end +
                              ", x'00', 1, x'00', 0, 2, x'00', 1, 'a', NULL, NULL, 0, NULL)"));
      LAMINA_ASSIGN(auto insert,
                    live.Prepare("INSERT INTO backtest_run VALUES(?1, 0, ?2, 'vector', "
                                 "'default', ?3, NULL)"));
      LAMINA_TRY(insert.Bind(1, std::int64_t{id}).BindBlob(2, run.View()).Bind(3, begin).Run());
    }
    return Ok();
  }));
  const auto copy = Copy(lake, "handles.sqlite", 4);
  ASSERT_OK(copy);
  auto rows = (*copy)->Prepare("SELECT handle, run_id FROM backtest_run");
  ASSERT_OK(rows);
  ASSERT_TRUE(*rows->Step());
  EXPECT_EQ(rows->Text(0), "kept");
  EXPECT_EQ(rows->Text(1), run.ToString());
  EXPECT_FALSE(*rows->Step());
  EXPECT_EQ(Scalar(**copy, "SELECT count(*) FROM backtest_index"), 0);
}

}  // namespace
}  // namespace lamina::catalog::test
