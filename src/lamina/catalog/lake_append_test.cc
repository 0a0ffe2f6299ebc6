#include <cmath>

#include <arrow/api.h>
#include <gmock/gmock.h>

#include "lamina/catalog/lake_rows.h"
#include "lamina/catalog/lake_test_support.h"

namespace lamina::catalog::test {
namespace {

using table::LakeType;
using ::testing::ElementsAre;

table::ColumnStatistics Column(std::int32_t id, std::int64_t values, std::int64_t nulls,
                               std::optional<std::string> min, std::optional<std::string> max,
                               std::optional<bool> nan = {}) {
  table::ColumnStatistics column;
  column.field_id = id;
  column.value_count = values;
  column.null_count = nulls;
  column.min_value = std::move(min);
  column.max_value = std::move(max);
  column.contains_nan = nan;
  return column;
}

NewLakeFile File(const std::string& name, std::vector<table::ColumnStatistics> columns) {
  NewLakeFile file;
  file.path = "bt/t/" + name;
  file.written.rows = columns.front().value_count + columns.front().null_count;
  file.written.size_bytes = 100;
  file.written.columns = std::move(columns);
  return file;
}

// contains_null|contains_nan|min|max of one column in the table's statistics.
std::string Summary(TestLake& lake, const LakeTable& table, std::int64_t column_id) {
  auto read = lake.database().Prepare(
      "SELECT contains_null, contains_nan, min_value, max_value FROM ducklake_table_column_stats "
      "WHERE table_id = ?1 AND column_id = ?2");
  read->Bind(1, table.table_id).Bind(2, column_id);
  if (!*read->Step()) return "(none)";
  std::string text;
  for (int c = 0; c < 4; ++c) text += (c > 0 ? "|" : "") + read->OptionalText(c).value_or("NULL");
  return text;
}

TEST(LakeAppend, TableStatisticsOnlyGrowAndStayUnknown) {
  TestLake lake;
  const LakeTable table = lake.MakeTable("t", {{.name = "i", .type = LakeType::kInt64},
                                               {.name = "x", .type = LakeType::kDouble},
                                               {.name = "s"}});
  const struct {
    NewLakeFile file;
    const char* i;
    const char* x;
    const char* s;
  } kSteps[] = {
      {File("1", {Column(1, 5, 0, "9", "10"), Column(2, 0, 5, {}, {}, false),
                  Column(3, 5, 0, "b", "c")}),
       "0|NULL|9|10", "(none)", "0|NULL|b|c"},
      {File("2", {Column(1, 5, 1, "-2", "9"), Column(2, 6, 0, "1.5", "20.5", false),
                  Column(3, 6, 0, "a", "bb")}),
       "1|NULL|-2|10", "1|0|1.5|20.5", "0|NULL|a|c"},
      {File("3", {Column(1, 0, 3, {}, {}), Column(2, 3, 0, "9.0", "100.0", false),
                  Column(3, 3, 0, {}, {})}),  // text too long for a bound
       "1|NULL|-2|10", "1|0|1.5|100.0", "0|NULL|NULL|NULL"},
      {File("4",
            {Column(1, 3, 0, "5", "?"), Column(2, 3, 0, {}, {}, true), Column(3, 3, 0, "a", "b")}),
       "1|NULL|-2|NULL", "1|1|NULL|NULL", "0|NULL|NULL|NULL"},
  };
  for (const auto& step : kSteps) {
    SCOPED_TRACE(step.file.path);
    ASSERT_OK(lake.Write([&](LakeWriter& w) -> Status {
      LAMINA_TRY(w.Append(table.table_id, {step.file}));
      return Ok();
    }));
    EXPECT_EQ(Summary(lake, table, 1), step.i);
    EXPECT_EQ(Summary(lake, table, 2), step.x);
    EXPECT_EQ(Summary(lake, table, 3), step.s);
  }
}

TEST(LakeAppend, AddedColumnIsNullInOlderRows) {
  TestLake lake;
  const LakeTable table = lake.MakeTable("t", {{.name = "i", .type = LakeType::kInt64}});
  const auto append = [&](NewLakeFile file) {
    return lake.Write([&](LakeWriter& w) -> Status {
      LAMINA_TRY(w.Append(table.table_id, {file}));
      return Ok();
    });
  };
  ASSERT_OK(append(File("1", {Column(1, 5, 0, "1", "2")})));
  ASSERT_OK(lake.AddColumn(table, {.name = "j", .type = LakeType::kInt64}));
  ASSERT_OK(append(File("2", {Column(1, 5, 0, "1", "2"), Column(2, 5, 0, "7", "8")})));
  EXPECT_EQ(Summary(lake, table, 2), "1|NULL|7|8");
  // A file of a writer that did not know the column.
  ASSERT_OK(append(File("3", {Column(1, 5, 0, "1", "2")})));
  const auto wider = lake.Find("t", lake.Latest());
  const auto files = lake.Plan(*wider, lake.Latest());
  ASSERT_OK(files);
  ASSERT_EQ(files->size(), 3U);
  EXPECT_THAT((*files)[0].missing_columns, ElementsAre(2));
  EXPECT_TRUE((*files)[1].missing_columns.empty());
  EXPECT_THAT((*files)[2].missing_columns, ElementsAre(2));
  EXPECT_EQ(lake.Plan(*wider, lake.Latest(), {{"j", "7", "7"}})->size(), 1U);
}

TEST(LakeAppend, Refuses) {
  TestLake lake;
  const LakeTable table = lake.MakeTable(
      "t", {{.name = "i", .type = LakeType::kInt64, .nullable = false}, {.name = "d"}}, {"d"});
  const auto good = [&] {
    NewLakeFile file = File("1", {Column(1, 2, 0, "1", "2"), Column(2, 2, 0, "x", "x")});
    file.partition_values = {"x"};
    return file;
  };
  const struct {
    const char* name;
    std::function<void(NewLakeFile&)> change;
  } kCases[] = {
      {"other folder", [](NewLakeFile& f) { f.path = "bt/u/1"; }},
      {"folder itself", [](NewLakeFile& f) { f.path = "bt/t/"; }},
      {"climbs out", [](NewLakeFile& f) { f.path = "bt/t/../u/1"; }},
      {"no partition value", [](NewLakeFile& f) { f.partition_values.clear(); }},
      {"wrong partition value", [](NewLakeFile& f) { f.partition_values = {"y"}; }},
      {"unknown field id", [](NewLakeFile& f) { f.written.columns[1].field_id = 7; }},
      {"field id twice", [](NewLakeFile& f) { f.written.columns[1].field_id = 1; }},
      {"required column missing",
       [](NewLakeFile& f) { f.written.columns.erase(f.written.columns.begin()); }},
      {"NULL in a required column", [](NewLakeFile& f) { f.written.columns[0].null_count = 1; }},
  };
  const auto append = [&](const NewLakeFile& file) {
    return lake.Write([&](LakeWriter& w) -> Status {
      LAMINA_TRY(w.Append(table.table_id, {file}));
      return Ok();
    });
  };
  for (const auto& each : kCases) {
    NewLakeFile file = good();
    each.change(file);
    EXPECT_THAT(append(file), IsError(ErrorCode::kInvalidArgument)) << each.name;
  }
  EXPECT_THAT(append(good()), IsOk());
}

TEST(LakeAppend, RetireAndDeleteConflicts) {
  TestLake lake;
  std::mt19937_64 random(1);
  const LakeTable table = lake.MakeTable("t", {{.name = "i", .type = LakeType::kInt64}});
  for (int i = 0; i < 3; ++i) ASSERT_OK(lake.Append(table, *RandomRows(table.columns, 10, random)));
  const auto first = *lake.Plan(table, lake.Latest());
  const std::int64_t planned = lake.Latest();
  const auto retire = [&](std::int64_t id) {
    return lake.Write([&](LakeWriter& w) { return w.Retire(table.table_id, {id}); });
  };
  ASSERT_OK(retire(first[0].data_file_id));
  EXPECT_THAT(retire(first[0].data_file_id), IsError(ErrorCode::kConflict));
  EXPECT_THAT(retire(12345), IsError(ErrorCode::kConflict));
  EXPECT_THAT(lake.Delete(table, first[0], {1}), IsError(ErrorCode::kConflict));
  ASSERT_OK(lake.Delete(table, first[1], {1}));
  EXPECT_THAT(lake.Delete(table, first[1], {2}), IsError(ErrorCode::kConflict));  // a stale plan
  const auto check = [&](std::int64_t snapshot, std::int64_t id) {
    return lake.Write([&](LakeWriter& w) { return w.CheckNoDeletesSince(snapshot, {id}); });
  };
  EXPECT_THAT(check(planned, first[1].data_file_id), IsError(ErrorCode::kConflict));
  EXPECT_THAT(check(lake.Latest(), first[1].data_file_id), IsOk());
  EXPECT_THAT(check(planned, first[2].data_file_id), IsOk());
  // What an old snapshot had, it has.
  EXPECT_EQ((*lake.Read(table, planned))->num_rows(), 30);
  EXPECT_EQ((*lake.Read(table, lake.Latest()))->num_rows(), 19);
  EXPECT_FALSE((*lake.Plan(table, planned))[1].deletes);
}

}  // namespace
}  // namespace lamina::catalog::test
