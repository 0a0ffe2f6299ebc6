#include "lamina/backtests/query_guard.h"

#include "lamina/backtests/rank_catalog_test_support.h"
#include "lamina/backtests/ranking.h"

namespace lamina::backtests {
namespace {

using test::RankCatalog;
using test::RowOf;
using ::testing::HasSubstr;

TEST(QueryGuardTest, OnlyTheRankTableCanBeRead) {
  RankCatalog catalog;
  QueryGuard guard(*catalog, {});
  ASSERT_THAT(guard.AddFunctions(), IsOk());
  for (const char* allowed : {
           "SELECT i.tag FROM backtest_index AS i WHERE i.tag LIKE 'x' AND lower(hex(i.tag)) = 'a'",
           "SELECT lamina_member(i.parameters_json, 'a') FROM backtest_index AS i",
       }) {
    EXPECT_THAT((*catalog).Prepare(allowed), IsOk()) << allowed;
  }
  for (const char* refused : {
           "SELECT value FROM store_info",
           "SELECT * FROM sqlite_schema",
           "SELECT (SELECT value FROM store_info) FROM backtest_index",
           "SELECT 1 FROM backtest_index, backtest",
           "SELECT load_extension('x')",
           "SELECT randomblob(1000000000)",
           "SELECT value FROM json_each('[1]')",
           "INSERT INTO backtest_index(bundle_path) VALUES ('x')",
           "UPDATE backtest_index SET tag = 'x'",
           "DELETE FROM backtest_index",
           "DROP TABLE backtest_index",
           "CREATE TABLE x(y)",
           "CREATE TEMP TABLE x(y)",
           "PRAGMA user_version = 9",
           "PRAGMA table_info(backtest)",
           "ATTACH 'x' AS y",
           "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c) SELECT x FROM c",
       }) {
    EXPECT_FALSE((*catalog).Prepare(refused).ok()) << refused;
  }
}

TEST(QueryGuardTest, ItsRulesEndWithIt) {
  RankCatalog catalog;
  {
    const QueryGuard guard(*catalog, {});
  }
  EXPECT_THAT((*catalog).Prepare("SELECT value FROM store_info"), IsOk());
}

TEST(QueryGuardTest, StopsWhatTakesTooManySteps) {
  RankCatalog catalog;
  ASSERT_THAT((*catalog).Execute("BEGIN"), IsOk());
  for (int i = 0; i < 3000; ++i) catalog.Add(RowOf("run_" + std::to_string(i)));
  ASSERT_THAT((*catalog).Execute("COMMIT"), IsOk());
  ListQuery query;
  query.rows.where = "note IS NULL";
  QueryLimits limits;
  limits.max_steps = 20000;
  EXPECT_THAT(List(*catalog, query, limits),
              IsError(ErrorCode::kResourceExhausted, HasSubstr("too many steps")));
  LAMINA_ASSERT_ASSIGN(const auto rows, List(*catalog, query));
  EXPECT_EQ(rows.rows.size(), 3000u);
}

}  // namespace
}  // namespace lamina::backtests
