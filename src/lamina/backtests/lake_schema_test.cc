#include "lamina/backtests/lake_schema.h"

#include <algorithm>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lamina::backtests {
namespace {

using testing::HasSubstr;

TEST(LakeSchemaTest, TablesAreWellFormed) {
  std::set<std::string> names;
  for (const TableDefinition* table : AllTables()) {
    SCOPED_TRACE(table->name);
    EXPECT_TRUE(names.insert(table->name).second);
    std::set<std::string> columns;
    std::int64_t id = 1;
    for (const auto& column : table->columns) {
      EXPECT_TRUE(columns.insert(column.name).second) << column.name;
      EXPECT_EQ(column.column_id, id) << column.name;
      id += column.type == table::LakeType::kInt32List ? 2 : 1;
    }
    EXPECT_EQ(table->columns[0].name, "run_id");
    EXPECT_EQ(table->columns[0].type, table::LakeType::kUuid);
    EXPECT_FALSE(table->columns[0].nullable);
    ASSERT_FALSE(table->sorted_by.empty());
    for (const std::string& key : table->sorted_by) {
      const auto column = std::find_if(table->columns.begin(), table->columns.end(),
                                       [&](const auto& c) { return c.name == key; });
      ASSERT_NE(column, table->columns.end()) << key;
      EXPECT_FALSE(column->nullable) << key;
    }
  }
  EXPECT_EQ(names.size(), 6U);
}

TEST(LakeSchemaTest, MetricsAreTheFrameworksScalars) {
  EXPECT_EQ(RunMetricNames().size(), 81U);
  for (const std::string_view series : kSeriesNames) {
    EXPECT_EQ(std::count(RunMetricNames().begin(), RunMetricNames().end(), series), 0);
  }
}

TEST(LakeSchemaTest, TheViewKnowsEverySeriesThatHasRecipes) {
  const std::string sql = AllMetricSeriesSql();
  for (const std::string_view series : kSeriesNames) {
    if (series == "rolling_sharpe_ratio") continue;
    EXPECT_THAT(sql, HasSubstr("'" + std::string(series) + "'"));
  }
  EXPECT_THAT(sql, testing::Not(HasSubstr(";")));
}

}  // namespace
}  // namespace lamina::backtests
