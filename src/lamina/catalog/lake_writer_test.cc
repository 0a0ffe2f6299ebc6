#include <gmock/gmock.h>

#include "lamina/catalog/lake_test_support.h"

namespace lamina::catalog::test {
namespace {

using table::LakeType;
using ::testing::ElementsAre;

std::vector<LakeColumn> TwoColumns() {
  return {{.name = "a", .type = LakeType::kInt64}, {.name = "b"}};
}

TEST(LakeWriter, TablesComeBackAsTheyWereMade) {
  TestLake lake;
  const LakeTable made = lake.MakeTable("t", AllColumns(), {"d"}, {"run_id", "seq"});
  EXPECT_EQ(made.directory, "bt/t/");
  const auto found = lake.Find("t", lake.Latest());
  ASSERT_OK(found);
  EXPECT_EQ(found->table_id, made.table_id);
  EXPECT_EQ(found->directory, made.directory);
  EXPECT_EQ(found->partition_id, made.partition_id);
  EXPECT_EQ(found->partition_columns, made.partition_columns);
  EXPECT_THAT(found->sorted_by, ElementsAre("run_id", "seq"));
  ASSERT_EQ(found->columns.size(), made.columns.size());
  std::int64_t id = 1;
  for (std::size_t i = 0; i < made.columns.size(); ++i) {
    EXPECT_EQ(found->columns[i].name, made.columns[i].name);
    EXPECT_EQ(found->columns[i].type, made.columns[i].type);
    EXPECT_EQ(found->columns[i].nullable, made.columns[i].nullable);
    EXPECT_EQ(found->columns[i].column_id, id);
    EXPECT_EQ(made.columns[i].column_id, id);
    id += made.columns[i].type == LakeType::kInt32List ? 2 : 1;
  }
  EXPECT_THAT(lake.Find("t", 0), IsError(ErrorCode::kNotFound));
  EXPECT_THAT(lake.Find("u", lake.Latest()), IsError(ErrorCode::kNotFound));
}

TEST(LakeWriter, Refuses) {
  TestLake lake;
  const LakeTable table = lake.MakeTable("t", TwoColumns());
  const struct {
    const char* name;
    ErrorCode code;
    std::function<Status(LakeWriter&)> work;
  } kCases[] = {
      {"schema again", ErrorCode::kAlreadyExists,
       [](LakeWriter& w) -> Status {
         LAMINA_TRY(w.CreateSchema("BT"));
         return Ok();
       }},
      {"table again", ErrorCode::kAlreadyExists,
       [](LakeWriter& w) -> Status {
         LAMINA_TRY(w.CreateTable("bt", "T", TwoColumns()));
         return Ok();
       }},
      {"view with the table's name", ErrorCode::kAlreadyExists,
       [](LakeWriter& w) { return w.CreateView("bt", "t", "SELECT 1"); }},
      {"no such schema", ErrorCode::kNotFound,
       [](LakeWriter& w) -> Status {
         LAMINA_TRY(w.CreateTable("zz", "u", TwoColumns()));
         return Ok();
       }},
      {"no columns", ErrorCode::kInvalidArgument,
       [](LakeWriter& w) -> Status {
         LAMINA_TRY(w.CreateTable("bt", "u", {}));
         return Ok();
       }},
      {"column twice", ErrorCode::kInvalidArgument,
       [](LakeWriter& w) -> Status {
         LAMINA_TRY(w.CreateTable("bt", "u", {{.name = "a"}, {.name = "A"}}));
         return Ok();
       }},
      {"partition by an unknown column", ErrorCode::kInvalidArgument,
       [](LakeWriter& w) -> Status {
         LAMINA_TRY(w.CreateTable("bt", "u", TwoColumns(), {"z"}));
         return Ok();
       }},
      {"sorted by an unknown column", ErrorCode::kInvalidArgument,
       [](LakeWriter& w) -> Status {
         LAMINA_TRY(w.CreateTable("bt", "u", TwoColumns(), {}, {"z"}));
         return Ok();
       }},
      {"added column that is there", ErrorCode::kAlreadyExists,
       [&](LakeWriter& w) { return w.AddColumn(table.table_id, {.name = "B"}); }},
      {"added column without NULL", ErrorCode::kInvalidArgument,
       [&](LakeWriter& w) {
         return w.AddColumn(table.table_id, {.name = "c", .nullable = false});
       }},
      {"column of no table", ErrorCode::kNotFound,
       [](LakeWriter& w) { return w.AddColumn(999, {.name = "c"}); }},
  };
  const std::int64_t snapshot = lake.Latest();
  for (const auto& each : kCases)
    EXPECT_THAT(lake.Write(each.work), IsError(each.code)) << each.name;
  EXPECT_EQ(lake.Latest(), snapshot);
}

TEST(LakeWriter, ChangesAndSchemaVersions) {
  TestLake lake;
  LakeTable table;
  ASSERT_OK(lake.Write([&](LakeWriter& w) -> Status {
    LAMINA_TRY(w.CreateSchema("a\"b"));
    LAMINA_ASSIGN(table, w.CreateTable("a\"b", "t", TwoColumns()));
    return w.CreateView("a\"b", "v", "SELECT 1");
  }));
  ASSERT_OK(lake.Write([](LakeWriter&) { return Ok(); }));
  ASSERT_OK(lake.Write([&](LakeWriter& w) -> Status {
    LAMINA_TRY(w.AddColumn(table.table_id, {.name = "c"}));
    return w.AddColumn(table.table_id, {.name = "d", .type = LakeType::kInt32List});
  }));
  const std::string id = std::to_string(table.table_id);
  const auto snapshots = LakeReader(lake.database()).Snapshots();
  ASSERT_OK(snapshots);
  std::vector<std::string> changes;
  std::vector<std::int64_t> versions;
  for (const LakeSnapshot& each : *snapshots) {
    changes.push_back(each.changes);
    versions.push_back(each.schema_version);
  }
  EXPECT_THAT(changes, ElementsAre("created_schema:\"main\"",
                                   "created_schema:\"a\"\"b\",created_table:\"a\"\"b\".\"t\","
                                   "created_view:\"a\"\"b\".\"v\"",
                                   "", "altered_table:" + id));
  EXPECT_THAT(versions, ElementsAre(0, 1, 1, 2));
  LakeReader reader(lake.database());
  EXPECT_EQ(reader.FindTable("a\"b", "t", 2)->columns.size(), 2U);
  const auto wider = reader.FindTable("a\"b", "t", 3);
  ASSERT_OK(wider);
  ASSERT_EQ(wider->columns.size(), 4U);
  EXPECT_EQ(wider->columns[2].column_id, 3);
  EXPECT_EQ(wider->columns[3].column_id, 4);
  EXPECT_EQ(wider->columns[3].begin_snapshot, 3);
}

}  // namespace
}  // namespace lamina::catalog::test
