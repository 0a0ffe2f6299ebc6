#include "lamina/backtests/validated_metrics.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include "lamina/backtests/bundle_fixtures_internal.h"
#include "lamina/base/matchers.h"

namespace lamina::backtests {
namespace {

using metrics::Metric;
using ::testing::HasSubstr;

std::vector<IndexRow> RowsOf(const std::filesystem::path& path) {
  const auto opened = OpenBundle(path);
  EXPECT_THAT(opened, IsOk());
  const auto parts = Decompose(*opened->document, *opened->layout);
  EXPECT_THAT(parts, IsOk());
  auto rows = IndexRowsOf(*opened->layout, path.stem().string());
  EXPECT_THAT(FillValidatedMetrics(*opened->layout, parts->runs, rows), IsOk());
  return rows;
}

const std::optional<double>& Value(const IndexRow& row, Metric metric) {
  return row.validated->pooled.values[metric].value;
}

std::filesystem::path Golden(const char* name) { return SharedBundles() / "golden" / name; }

TEST(ValidatedMetricsTest, PooledOverTheRunsOfARow) {
  const auto rows = RowsOf(Golden("v5_9.0.0a6/universes.obtf"));
  ASSERT_GT(rows.size(), 1u);
  EXPECT_EQ(rows[0].universe, "");
  EXPECT_EQ(rows[0].validated->pooled.windows, 2u);
  std::uint32_t windows = 0;
  for (std::size_t i = 1; i < rows.size(); ++i) windows += rows[i].validated->pooled.windows;
  EXPECT_EQ(windows, 2u) << "one universe each";
  EXPECT_EQ(rows[0].validated->CountDisagreements(), 0);
}

TEST(ValidatedMetricsTest, VersionsOfOneBacktestAgree) {
  const auto one = RowsOf(Golden("v2_8.10.0/windows3_full.iafbt"));
  for (const char* other : {"v1_8.10.0/windows3_full.iafbt", "v5_9.0.0a6/windows3_full.obtf"}) {
    const auto two = RowsOf(Golden(other));
    for (std::size_t i = 0; i < metrics::kMetricCount; ++i) {
      EXPECT_EQ(Value(one[0], metrics::MetricAt(i)), Value(two[0], metrics::MetricAt(i)))
          << other << " " << metrics::kMetricFields[i].name;
    }
  }
  EXPECT_NEAR(*Value(one[0], Metric::kMaxDrawdown), 0.03054966932808888, 1e-15) << "the deepest";
}

/// The framework's own numbers of golden bundles stand up to ours wherever they are defined alike.
TEST(ValidatedMetricsTest, GoldenBundlesHaveNoDisagreements) {
  int compared = 0;
  for (const auto& path : BundlesBelow(SharedBundles() / "golden")) {
    for (const IndexRow& row : RowsOf(path)) {
      ASSERT_TRUE(row.validated.has_value());
      // That bundle records NaN and infinities on purpose.
      if (path.stem() == "nonfinite_summary") continue;
      EXPECT_EQ(row.validated->CountDisagreements(), 0)
          << path << " " << ValidatedDetailsJson(*row.validated);
      ++compared;
    }
  }
  EXPECT_GT(compared, 100);
}

/// Bundles of releases that recorded no streaks and durations: real disagreements.
TEST(ValidatedMetricsTest, RealBundlesHaveThem) {
  const auto rows = RowsOf(SharedBundles() / "real" / "v2_8.10.0" / "0aa37205.iafbt");
  EXPECT_EQ(rows[0].validated->CountDisagreements(), 6);
  EXPECT_EQ(Value(rows[0], Metric::kMaxConsecutiveLosses), 1);
  EXPECT_EQ(Value(rows[0], Metric::kAverageLossDuration), 4806);
}

TEST(ValidatedMetricsTest, DetailsComeBack) {
  for (const auto& path : {SharedBundles() / "real" / "v2_8.10.0" / "a023229a.iafbt",
                           Golden("v2_8.10.0/nonfinite_summary.iafbt")}) {
    const auto rows = RowsOf(path);
    const ValidatedMetrics& given = *rows[0].validated;
    ValidatedMetrics back;
    back.pooled.values = given.pooled.values;
    for (std::size_t i = 0; i < metrics::kMetricCount; ++i) {
      back.pooled.values[metrics::MetricAt(i)].reason = metrics::Reason::kNone;
    }
    back.pooled.windows = given.pooled.windows;
    ReadValidatedDetails(ValidatedDetailsJson(given), back);
    EXPECT_EQ(back.pooled.windows_used, given.pooled.windows_used);
    for (std::size_t i = 0; i < metrics::kMetricCount; ++i) {
      EXPECT_EQ(back.pooled.values[metrics::MetricAt(i)].reason,
                given.pooled.values[metrics::MetricAt(i)].reason)
          << metrics::kMetricFields[i].name;
    }
    EXPECT_EQ(ValidatedDetailsJson(back), ValidatedDetailsJson(given));
  }
}

TEST(ValidatedMetricsTest, DetailsOfAnyFormAreTaken) {
  for (const char* text :
       {"", "[]", "{", R"({"windows": 3, "reasons": [], "disagreements": {}})",
        R"({"windows": {"x": 1, "cagr": "a"}, "reasons": {"cagr": 1, "y": "z"}})",
        R"({"disagreements": [1, {}, {"metric": "a"}, {"metric": "a", "kind": "b"}]})"}) {
    ValidatedMetrics validated;
    ReadValidatedDetails(text, validated);
    EXPECT_TRUE(validated.disagreements.empty()) << text;
  }
}

TEST(ValidatedMetricsTest, Json) {
  const auto rows = RowsOf(SharedBundles() / "real" / "v2_8.10.0" / "a023229a.iafbt");
  const std::string text = ValidatedJson(rows[0]);
  simdjson::dom::parser parser;
  simdjson::dom::element json;
  ASSERT_EQ(parser.parse(text).get(json), simdjson::SUCCESS) << text;
  EXPECT_TRUE(json["metrics"]["sharpe_ratio"].is_double());
  EXPECT_TRUE(json["metrics"]["number_of_trades_closed"].is_int64());
  EXPECT_EQ(std::int64_t(json["windows"]["win_rate"]), 1);
  EXPECT_TRUE(json["disagreements"].at(0)["counted"].get_bool().value());
  EXPECT_EQ(ValidatedJson(IndexRow()), "null");
}

TEST(ValidatedMetricsTest, RunsMustBeTheLayouts) {
  const auto opened = OpenBundle(Golden("v2_8.10.0/one_run.iafbt"));
  ASSERT_THAT(opened, IsOk());
  std::vector<IndexRow> rows(1);
  EXPECT_THAT(FillValidatedMetrics(*opened->layout, {}, rows),
              IsError(ErrorCode::kInternal, HasSubstr("runs")));
}

}  // namespace
}  // namespace lamina::backtests
