#include "lamina/backtests/prune_plan.h"

#include "lamina/backtests/rank_catalog_test_support.h"

namespace lamina::backtests {
namespace {

using test::RankCatalog;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

void Add(RankCatalog& catalog, const std::string& handle, double sharpe,
         const std::string& study = "default", std::int64_t id = 0) {
  IndexRow row = test::RowOf(handle);
  row.study = study;
  test::SetMetric(row, "sharpe_ratio", sharpe);
  IndexPlace place;
  place.backtest_id = id;
  catalog.Add(row, place);
}

RankQuery Best(std::int64_t limit) {
  RankQuery query;
  query.by = "sharpe";
  query.limit = limit;
  query.columns = {"tag"};
  return query;
}

TEST(PrunePlanTest, OneGoodRowKeepsABacktest) {
  RankCatalog catalog;
  Add(catalog, "a", 5, "x", 100);
  Add(catalog, "a", 0, "y", 100);
  Add(catalog, "b", 3);
  Add(catalog, "c", 2);
  const auto plan = PlanPrune(*catalog, Best(2));
  ASSERT_THAT(plan, IsOk());
  EXPECT_THAT(plan->kept, ElementsAre("a", "b"));
  EXPECT_THAT(plan->pruned, ElementsAre("c"));
  EXPECT_EQ(plan->rows.rows.size(), 2U);
}

TEST(PrunePlanTest, WhoTookPartInPartOnlyIsLeft) {
  RankCatalog catalog;
  Add(catalog, "a", 5, "x", 100);
  Add(catalog, "b", 4, "x", 101);
  Add(catalog, "b", 9, "y", 101);
  Add(catalog, "c", 3, "x", 102);
  RankQuery query = Best(1);
  query.rows.study = "x";
  const auto plan = PlanPrune(*catalog, query);
  ASSERT_THAT(plan, IsOk());
  EXPECT_THAT(plan->kept, ElementsAre("a"));
  EXPECT_THAT(plan->pruned, ElementsAre("c"));
}

TEST(PrunePlanTest, WeightsRankToo) {
  RankCatalog catalog;
  Add(catalog, "a", 5);
  Add(catalog, "b", 6);
  RankQuery query = Best(1);
  query.by.clear();
  query.weights = {{"summary_sharpe_ratio", -1}};
  const auto plan = PlanPrune(*catalog, query);
  ASSERT_THAT(plan, IsOk());
  EXPECT_THAT(plan->kept, ElementsAre("a"));
  EXPECT_THAT(plan->pruned, ElementsAre("b"));
}

TEST(PrunePlanTest, WhatCouldKeepNothingIsRefused) {
  RankCatalog catalog;
  EXPECT_THAT(PlanPrune(*catalog, Best(5)),
              IsError(ErrorCode::kInvalidArgument, HasSubstr("keeps nothing")));
  Add(catalog, "a", 1);
  EXPECT_THAT(PlanPrune(*catalog, Best(0)), IsError(ErrorCode::kInvalidArgument));
  RankQuery query = Best(1);
  query.offset = 1;
  EXPECT_THAT(PlanPrune(*catalog, query), IsError(ErrorCode::kInvalidArgument));
  query = Best(1);
  query.rows.universe = "u";
  EXPECT_THAT(PlanPrune(*catalog, query), IsError(ErrorCode::kInvalidArgument));
  query = Best(1);
  query.rows.snapshot = 1;
  EXPECT_THAT(PlanPrune(*catalog, query), IsError(ErrorCode::kInvalidArgument));
  const auto plan = PlanPrune(*catalog, Best(1));
  ASSERT_THAT(plan, IsOk());
  EXPECT_THAT(plan->pruned, IsEmpty());
}

}  // namespace
}  // namespace lamina::backtests
