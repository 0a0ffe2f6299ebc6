#include <gmock/gmock.h>

#include "lamina/backtests/json_pack.h"
#include "lamina/backtests/legacy_internal.h"
#include "lamina/backtests/python_json.h"
#include "lamina/backtests/store_test_support.h"

namespace lamina::backtests {
namespace {

bundle::Document Parsed(const std::string& json) {
  std::string packed;
  EXPECT_THAT(PackJson(json, packed), IsOk());
  auto document = bundle::Document::Parse(std::move(packed));
  EXPECT_THAT(document, IsOk());
  return *std::move(document);
}

std::string Json(const std::string& encoded) {
  const auto document = bundle::Document::Parse(encoded);
  EXPECT_THAT(document, IsOk());
  return PythonJson(document->root());
}

TEST(LegacyRecords, Times) {
  const std::pair<const char*, const char*> cases[] = {
      {R"("2023-01-01 10:20:30")", R"("2023-01-01T10:20:30+00:00")"},
      {R"("2023-01-01T10:20:30")", R"("2023-01-01T10:20:30+00:00")"},
      {R"("2023-01-01T10:20:30.5Z")", R"("2023-01-01T10:20:30.500000+00:00")"},
      {R"("2023-01-01T10:20:30+00:00")", R"("2023-01-01T10:20:30+00:00")"},
      {R"("2023-01-01")", R"("2023-01-01T00:00:00+00:00")"},
      {R"("2023-01-01T10:20:30+02:00")", R"("2023-01-01T10:20:30+02:00")"},
      {R"("soon")", R"("soon")"},
      {"null", "null"},
      {"17", "17"},
  };
  for (const auto& [given, made] : cases) {
    const auto document = Parsed(given);
    EXPECT_EQ(Json(LegacyTime(document.root())), made) << given;
  }
}

TEST(LegacyRecords, MetricsKeepWhatTheyAreNotMeantToHave) {
  const auto metrics = Parsed(
      R"({"best_month": null, "worst_month": "?", "worst_year": [-1, "2023-01-01 00:00:00"],
          "yearly_returns": [[0.5, "2023-01-01T00:00:00"], [NaN, null]], "best_trade": null,
          "worst_trade": {"id": 3, "orders": null, "extra": 1}, "other": [1]})");
  EXPECT_EQ(
      Json(LegacyMetrics(RunForm::kWindowed, metrics.root())),
      R"({"best_month": [null, null], "worst_month": "?", "worst_year": [-1.0, "2023-01-01"], )"
      R"("yearly_returns": [[0.5, "2023-01-01"], [NaN, null]], "best_trade": null, )"
      R"("worst_trade": {"id": 3, "orders": [], "extra": 1}, "other": [1]})");
}

TEST(LegacyRecords, OddRunsStayAsTheyAre) {
  const auto run = Parsed(
      R"({"trades": "none", "orders": [5, {"id": 1}], "portfolio_snapshots": null,
          "signal_events": [{"date": "2023-01-01 00:00:00", "x": 1}, 7],
          "recorded_values": {"v": [{"datetime": "2023-01-01", "value": 2}]}})");
  const auto document = bundle::Document::Parse(LegacyRun(RunForm::kFlat, run.root(), {}));
  ASSERT_THAT(document, IsOk());
  const auto made = document->root();
  EXPECT_EQ(made.size(), RunKeys(RunForm::kFlat).size());
  EXPECT_EQ(PythonJson(*made.Find("trades")), "\"none\"");
  EXPECT_EQ(PythonJson(*made.Find("portfolio_snapshots")), "[]");
  EXPECT_EQ(PythonJson(*made.Find("signal_events")),
            R"([{"date": "2023-01-01T00:00:00+00:00", "x": 1}, 7])");
  EXPECT_EQ(PythonJson(*made.Find("recorded_values")),
            R"({"v": [{"datetime": "2023-01-01T00:00:00+00:00", "value": 2}]})");
  EXPECT_EQ(PythonJson(*made.Find("backtest_metrics")), "null");
}

}  // namespace
}  // namespace lamina::backtests
