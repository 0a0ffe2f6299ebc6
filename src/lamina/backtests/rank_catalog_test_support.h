#pragma once

/// \file lamina/backtests/rank_catalog_test_support.h
/// A catalog in a folder of its own and rows to fill its rank table, for this module's tests.

#include <memory>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "lamina/backtests/index_table.h"
#include "lamina/base/matchers.h"
#include "lamina/catalog/migrations.h"
#include "lamina/io/temporary_folder.h"

namespace lamina::backtests::test {

/// As LAMINA_ASSIGN, for a test's body.
#define LAMINA_ASSERT_ASSIGN(lhs, expr) \
  LAMINA_ASSERT_ASSIGN_(LAMINA_CONCAT(lamina_t_, __COUNTER__), lhs, expr)
#define LAMINA_ASSERT_ASSIGN_(tmp, lhs, expr) \
  auto tmp = (expr);                          \
  ASSERT_THAT(tmp, ::lamina::IsOk());         \
  lhs = *std::move(tmp)

class RankCatalog {
 public:
  RankCatalog() {
    auto opened =
        catalog::Database::Open(folder_.File("catalog.sqlite"), catalog::OpenMode::kCreate);
    EXPECT_THAT(opened, IsOk());
    database_ = *std::move(opened);
    EXPECT_THAT(catalog::MigrateCatalog(*database_, "test", Micros{0}), IsOk());
    EXPECT_THAT(database_->Execute("CREATE TABLE ducklake_snapshot(snapshot_id INTEGER);"
                                   "INSERT INTO ducklake_snapshot VALUES (1), (2), (3), (4), (5)"),
                IsOk());
  }
  catalog::Database& operator*() { return *database_; }

  /// Insert under the next backtest id, visible from snapshot 1 on.
  void Add(const IndexRow& row, IndexPlace place = {}) {
    if (place.backtest_id == 0) place.backtest_id = ++last_id_;
    if (place.begin_snapshot == 0) place.begin_snapshot = 1;
    EXPECT_THAT(InsertIndexRow(*database_, row, place), IsOk());
  }

 private:
  io::TemporaryFolder folder_;
  std::unique_ptr<catalog::Database> database_;
  std::int64_t last_id_ = 0;
};

inline IndexRow RowOf(const std::string& handle) {
  IndexRow row;
  row.bundle_path = handle;
  row.algorithm_id = handle;
  row.engine = "vector";
  row.has_summary = true;
  return row;
}

inline void SetMetric(IndexRow& row, std::string_view field, Number value) {
  row.summary.at(FindSummaryField(field).value()) = value;
}

}  // namespace lamina::backtests::test
