#include "lamina/backtests/index_table.h"

#include <cmath>
#include <set>

#include "lamina/backtests/columns.h"
#include "lamina/backtests/rank_catalog_test_support.h"
#include "lamina/backtests/validated_metrics.h"

namespace lamina::backtests {
namespace {

using test::RankCatalog;
using test::RowOf;
using test::SetMetric;

IndexRow FullRow() {
  IndexRow row = RowOf("sweep/run_1");
  row.anchor_algorithm_id = "anchor";
  row.tag = "t\u00e4g";
  row.framework_version = "8.10.0";
  row.universe = "alts";
  row.study = "robust";
  row.study_description = "what if";
  row.risk_free_rate = 0.027;
  row.number_of_runs = 3;
  row.parameters_json = R"({"fast": 10, "x": NaN})";
  row.strategy_ids_json = R"(["s1"])";
  row.extras_json = R"({"host": "a"})";
  row.summary_extras_json = R"({"future": 1})";
  row.bundle_mtime_ns = 17;
  row.bundle_size = 4096;
  row.start = Micros{1};
  row.end = Micros{2};
  for (std::size_t i = 0; i < kSummaryFieldCount; ++i) {
    if (kSummaryFields[i].integer) {
      row.summary[i] = static_cast<std::int64_t>(i);
    } else {
      row.summary[i] = static_cast<double>(i) / 3;
    }
  }
  SetMetric(row, "cagr", HUGE_VAL);
  SetMetric(row, "sharpe_ratio", std::nan(""));
  SetMetric(row, "stability_score", std::nan(""));
  SetMetric(row, "number_of_trades", std::nan(""));
  SetMetric(row, "win_rate", Number());
  ValidatedMetrics validated;
  validated.pooled.windows = 3;
  for (std::size_t i = 0; i < metrics::kMetricCount; ++i) {
    if (i == 4) continue;
    const double value = metrics::kMetricFields[i].integer ? i : static_cast<double>(i) / 7;
    validated.pooled.values[metrics::MetricAt(i)] = metrics::MetricValue::Of(value);
    validated.pooled.windows_used[i] = i % 2 == 0 ? 3 : 2;
  }
  validated.pooled.values[metrics::MetricAt(4)].reason = metrics::Reason::kConstant;
  validated.disagreements.push_back({"win_rate", 1, DisagreementKind::kPercent, 50, 0.5});
  row.validated = validated;
  return row;
}

TEST(IndexTableTest, GivesBackWhatItTook) {
  RankCatalog catalog;
  const IndexRow row = FullRow();
  IndexPlace place;
  place.backtest_id = 9;
  place.begin_snapshot = 4;
  place.end_snapshot = 6;
  place.document_sha256 = Sha256("document");
  place.imported_at = Micros{1'700'000'000'000'000};
  place.tags = R"(["good"])";
  place.note = "look again";
  ASSERT_THAT(InsertIndexRow(*catalog, row, place), IsOk());
  LAMINA_ASSERT_ASSIGN(const auto rows, ReadIndexRows(*catalog, std::int64_t{9}));
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_TRUE(SameRow(rows.front().row, row));
  EXPECT_EQ(ValidatedJson(rows.front().row), ValidatedJson(row));
  const IndexPlace& read = rows.front().place;
  EXPECT_EQ(read.backtest_id, 9);
  EXPECT_EQ(read.begin_snapshot, 4);
  EXPECT_EQ(read.end_snapshot, 6);
  EXPECT_EQ(read.document_sha256, place.document_sha256);
  EXPECT_EQ(read.imported_at, place.imported_at);
  EXPECT_EQ(read.tags, place.tags);
  EXPECT_EQ(read.note, place.note);
}

TEST(IndexTableTest, EmptyRowAndHandles) {
  RankCatalog catalog;
  IndexRow empty;
  empty.bundle_path = "nothing";
  catalog.Add(empty);
  LAMINA_ASSERT_ASSIGN(const auto rows, ReadIndexRows(*catalog, "nothing"));
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_TRUE(SameRow(rows.front().row, empty));
  EXPECT_THAT(ReadIndexRows(*catalog, "other"), IsError(ErrorCode::kNotFound));
  IndexPlace place;
  place.backtest_id = 1;
  EXPECT_THAT(InsertIndexRow(*catalog, empty, place), IsError(ErrorCode::kAlreadyExists));
}

TEST(IndexTableTest, TheTableHasEveryColumnThatCanBeAskedFor) {
  RankCatalog catalog;
  std::string sql = "SELECT 1";
  for (const IndexColumn& column : IndexColumns()) sql += ", " + ColumnSql(column);
  EXPECT_THAT((*catalog).Prepare(sql + " FROM backtest_index AS i"), IsOk());
}

TEST(IndexTableTest, TheNarrowIndexHasTheNarrowColumns) {
  RankCatalog catalog;
  LAMINA_ASSERT_ASSIGN(auto info, (*catalog).Prepare("SELECT name FROM pragma_index_info('" +
                                                     std::string(kNarrowIndex) + "')"));
  std::set<std::string> expected = {"backtest_id"};
  for (const IndexColumn& column : IndexColumns()) {
    if (column.narrow) expected.emplace(column.name);
  }
  std::set<std::string> found;
  while (true) {
    LAMINA_ASSERT_ASSIGN(const bool there, info.Step());
    if (!there) break;
    found.emplace(info.Text(0));
  }
  EXPECT_EQ(found, expected);
}

}  // namespace
}  // namespace lamina::backtests
