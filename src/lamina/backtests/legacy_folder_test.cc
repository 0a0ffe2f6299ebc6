#include "lamina/backtests/legacy_folder.h"

#include <filesystem>

#include <gmock/gmock.h>

#include "lamina/backtests/import.h"
#include "lamina/backtests/python_json.h"
#include "lamina/backtests/store_test_support.h"
#include "lamina/bundle/layout.h"

namespace lamina::backtests {
namespace {

using test::WriteTo;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr std::int64_t kRoom = 1 << 20;

/// What real folders hold: a bare NaN, a text for metadata, dates with a space, a pair.
constexpr const char* kRun = R"json({"backtest_start_date": "2023-01-01 00:00:00",
  "backtest_date_range_name": "w1", "backtest_end_date": "2023-01-11 00:00:00",
  "trading_symbol": "EUR", "initial_unallocated": 1000, "number_of_runs": 1,
  "portfolio_snapshots": [
    {"metadata": "MetaData()", "portfolio_id": 7, "trading_symbol": "EUR", "pending_value": 0,
     "unallocated": 1000, "total_net_gain": NaN, "total_revenue": null, "total_cost": 0.0,
     "cash_flow": 0, "net_size": 1000.0, "created_at": "2023-01-01 00:00:00", "total_value": 1000},
    {"created_at": "2023-01-02T00:00:00+00:00", "portfolio_id": "p", "total_value": 1010.5}],
  "trades": [], "orders": [{"id": "o", "created_at": "2023-01-01 05:00:00", "price": 1.5}],
  "positions": [], "created_at": "2024-01-01 00:00:00", "symbols": ["BTC"], "number_of_days": 10,
  "number_of_trades": 0, "number_of_trades_closed": 0, "number_of_trades_open": 0,
  "number_of_orders": 1, "number_of_positions": 0, "metadata": {}, "own": 5})json";
constexpr const char* kMetrics = R"({"backtest_start_date": "2023-01-01T00:00:00+00:00",
  "backtest_end_date": "2023-01-11T00:00:00+00:00", "initial_unallocated": 1000,
  "equity_curve": [[1000.0, "2023-01-01T00:00:00+00:00"], [1010.5, "2023-01-02T00:00:00+00:00"]],
  "yearly_returns": [], "total_net_gain": 10.5, "total_net_gain_percentage": 0.0105,
  "total_growth": 10.5, "total_growth_percentage": 0.0105, "sharpe_ratio": NaN, "total_loss": 0,
  "number_of_positive_trades": [3, 60.0], "number_of_trades": 5, "number_of_trades_closed": 4,
  "win_rate": 0.5, "best_month": [0.0, null], "best_year": [NaN, "2023-01-01T00:00:00"],
  "max_drawdown_duration": 3})";

void WriteRun(const std::string& folder, const char* metrics = kMetrics) {
  WriteTo(folder + "/run.json", kRun);
  if (metrics != nullptr) WriteTo(folder + "/metrics.json", metrics);
}

struct Read {
  LegacyBacktest backtest;
  std::optional<bundle::Document> document;
  std::string Json(std::initializer_list<std::string_view> path) const {
    auto value = document->root();
    for (const std::string_view key : path) {
      const auto found = value.Find(key);
      if (!found) return "(absent)";
      value = *found;
    }
    return PythonJson(value);
  }
  bundle::Value Run(std::string_view list) const {
    return *document->root().Find(list)->items().begin();
  }
};

Read ReadFolder(const std::string& path) {
  Read read;
  auto backtest = ReadLegacyFolder(io::PosixEnv(), path, kRoom);
  EXPECT_THAT(backtest, IsOk());
  if (!backtest.ok()) return read;
  read.backtest = *std::move(backtest);
  auto document = bundle::Document::Parse(read.backtest.document);
  EXPECT_THAT(document, IsOk());
  if (document.ok()) read.document.emplace(*std::move(document));
  EXPECT_THAT(bundle::ReadLayout(read.backtest.version, *read.document), IsOk());
  return read;
}

TEST(LegacyFolder, OfTheEighthReleaseBecomesVersionTwo) {
  const io::TemporaryFolder folder;
  const std::string root = folder.File("bt");
  WriteRun(root + "/runs/backtest_EUR_20230101_20230111");
  WriteTo(root + "/algorithm_id.json", R"({"algorithm_id": "alpha"})");
  WriteTo(root + "/risk_free_rate.json", R"({"risk_free_rate": 0.03})");
  WriteTo(root + "/parameters.json", R"({"fast": 12, "when": NaN})");
  WriteTo(root + "/strategy_ids.json", R"({"strategy_ids": ["s"]})");
  WriteTo(root + "/tag.json", R"({"tag": "sweep"})");
  WriteTo(root + "/summary.json", R"({"sharpe_ratio": 99})");
  WriteTo(root + "/notes.json", "[]");
  const Read read = ReadFolder(root);
  EXPECT_EQ(read.backtest.version, 2U);
  EXPECT_EQ(read.Json({"format_version"}), "2");
  EXPECT_EQ(read.Json({"engine_type"}), "null");
  EXPECT_EQ(read.Json({"algorithm_id"}), "\"alpha\"");
  EXPECT_EQ(read.Json({"parameters"}), "{\"fast\": 12, \"when\": NaN}");
  EXPECT_EQ(read.Json({"metadata"}), "{}");
  EXPECT_EQ(read.Json({"strategy_ids"}), "[\"s\"]");
  EXPECT_EQ(read.Json({"risk_free_rate"}), "0.03");
  EXPECT_THAT(read.backtest.warnings, ElementsAre(HasSubstr("notes.json")));
  // The summary is made anew, not taken from its file.
  EXPECT_EQ(read.Json({"backtest_summary", "sharpe_ratio"}), "NaN");
  EXPECT_EQ(read.Json({"backtest_summary", "total_net_gain"}), "10.5");
  EXPECT_EQ(read.Json({"backtest_summary", "total_loss"}), "0");
  EXPECT_EQ(read.Json({"backtest_summary", "number_of_trades_closed"}), "4");
  EXPECT_EQ(read.Json({"backtest_summary", "number_of_windows"}), "1");
  EXPECT_EQ(read.Json({"backtest_summary", "average_loss"}), "null");
}

TEST(LegacyFolder, RecordsAreCompletedAndTimesAreUtc) {
  const io::TemporaryFolder folder;
  const std::string root = folder.File("bt");
  WriteRun(root + "/runs/r");
  const Read read = ReadFolder(root);
  const auto run = read.Run("backtest_runs");
  EXPECT_EQ(PythonJson(*run.Find("backtest_start_date")), "\"2023-01-01T00:00:00+00:00\"");
  EXPECT_EQ(PythonJson(*run.Find("own")), "5");
  EXPECT_EQ(PythonJson(*run.Find("signals")), "{}");
  const auto snapshots = run.Find("portfolio_snapshots")->items();
  EXPECT_EQ(PythonJson(*snapshots.begin()),
            R"json({"metadata": "MetaData()", "portfolio_id": 7, "trading_symbol": "EUR", )json"
            R"("pending_value": 0.0, "unallocated": 1000, "total_net_gain": NaN, )"
            R"("total_revenue": 0.0, "total_cost": 0.0, "cash_flow": 0.0, "net_size": 1000.0, )"
            R"("created_at": "2023-01-01T00:00:00+00:00", "total_value": 1000})");
  const auto order = *run.Find("orders")->items().begin();
  EXPECT_EQ(order.size(), 21U);
  EXPECT_EQ(PythonJson(*order.Find("created_at")), "\"2023-01-01T05:00:00+00:00\"");
  const auto metrics = *run.Find("backtest_metrics");
  EXPECT_EQ(PythonJson(*metrics.Find("equity_curve")),
            R"({"@blob": "runs/0/metrics/equity_curve.parquet"})");
  EXPECT_EQ(PythonJson(*metrics.Find("yearly_returns")), "[]");
  EXPECT_EQ(PythonJson(*metrics.Find("best_month")), "[0.0, null]");
  EXPECT_EQ(PythonJson(*metrics.Find("best_year")), "[null, \"2023-01-01\"]");
  EXPECT_EQ(PythonJson(*metrics.Find("number_of_positive_trades")), "[3, 60.0]");
}

TEST(LegacyFolder, OfTheNinthReleaseBecomesVersionFive) {
  const io::TemporaryFolder folder;
  const std::string root = folder.File("bt");
  WriteRun(root + "/event_runs/backtest_20230101_20230111");
  WriteRun(root + "/runs/old");
  const std::string test = root + "/monte_carlo_tests/monte_carlo_test_20230101_20230111";
  WriteTo(test + "/original_metrics.json", kMetrics);
  for (const char* number : {"10", "2"}) {
    WriteTo(test + "/permuted_metrics/permuted_" + number + ".json",
            std::string("{\"cagr\": ") + number + "}");
  }
  WriteTo(test + "/p_values.json", R"({"cagr": 0.5})");
  WriteTo(test + "/metadata.json", R"({"backtest_start_date": "2023-01-01T00:00:00+00:00",
    "backtest_end_date": "2023-01-11T00:00:00+00:00", "backtest_date_range_name": "w1"})");
  const Read read = ReadFolder(root);
  EXPECT_EQ(read.backtest.version, 5U);
  const auto study = *read.document->root().Find("studies")->Find("default");
  EXPECT_EQ(study.Find("event_runs")->size(), 1U);
  // Runs that say nothing of windows get one.
  const auto old = *study.Find("vector_runs")->items().begin();
  EXPECT_EQ(PythonJson(*old.Find("window_role")), "\"train\"");
  const auto mc = *study.Find("vector_monte_carlo_tests")->items().begin();
  EXPECT_EQ(PythonJson(*mc.Find("permutated_metrics")), R"([{"cagr": 2}, {"cagr": 10}])");
  EXPECT_EQ(PythonJson(*mc.Find("p_values")), R"({"cagr": 0.5})");
  EXPECT_EQ(PythonJson(*mc.Find("backtest_window")->Find("train_range")->Find("name")), "\"w1\"");
  EXPECT_EQ(PythonJson(*study.Find("event_summary")->Find("total_net_gain_percentage")), "0.0105");
}

TEST(LegacyFolder, WhatCannotBeReadIsSkippedAndSaid) {
  const io::TemporaryFolder folder;
  const std::string root = folder.File("bt");
  WriteRun(root + "/runs/a");
  WriteTo(root + "/runs/b/run.json", "");
  WriteTo(root + "/runs/c/run.json", "{\"x\": ");
  WriteTo(root + "/runs/d/metrics.json", kMetrics);
  WriteTo(root + "/runs/e/run.json", "[]");
  WriteTo(root + "/runs/f/run.json", std::string(300, '[') + std::string(300, ']'));
  std::filesystem::create_directory_symlink(root + "/runs", root + "/runs/loop");
  const Read read = ReadFolder(root);
  EXPECT_EQ(read.document->root().Find("backtest_runs")->size(), 1U);
  for (const char* name : {"b", "c", "d", "e", "f"}) {
    EXPECT_THAT(read.backtest.warnings,
                Contains(AllOf(HasSubstr("run runs/" + std::string(name) + " is skipped"),
                               HasSubstr("run.json"))));
  }
  EXPECT_THAT(read.backtest.warnings, Contains(HasSubstr("not followed")));
  std::filesystem::remove_all(root + "/runs/a");
  EXPECT_THAT(ReadLegacyFolder(io::PosixEnv(), root, kRoom), IsError(ErrorCode::kCorruption));
}

TEST(LegacyFolder, FilesOfTheBacktestItselfAreNotSkipped) {
  const io::TemporaryFolder folder;
  const std::string root = folder.File("bt");
  WriteRun(root + "/runs/a");
  WriteTo(root + "/parameters.json", "{\"fast\": ");
  const auto read = ReadLegacyFolder(io::PosixEnv(), root, kRoom);
  ASSERT_THAT(read, IsError(ErrorCode::kCorruption));
  EXPECT_THAT(std::string(read.error().message()), HasSubstr("parameters.json"));
}

TEST(LegacyFolder, SizeIsLimitedOverAllFiles) {
  const io::TemporaryFolder folder;
  const std::string root = folder.File("bt");
  for (const char* name : {"a", "b", "c"}) WriteRun(root + "/runs/" + name, nullptr);
  const auto bytes = static_cast<std::int64_t>(std::string_view(kRun).size());
  EXPECT_THAT(ReadLegacyFolder(io::PosixEnv(), root, 3 * bytes), IsOk());
  EXPECT_THAT(ReadLegacyFolder(io::PosixEnv(), root, 3 * bytes - 1),
              IsError(ErrorCode::kResourceExhausted));
  // A sparse file of a gigabyte is not read.
  WriteTo(root + "/runs/d/run.json", "{}");
  std::filesystem::resize_file(root + "/runs/d/run.json", std::uintmax_t{1} << 30);
  EXPECT_THAT(ReadLegacyFolder(io::PosixEnv(), root, kRoom),
              IsError(ErrorCode::kResourceExhausted));
}

TEST(LegacyFolder, IsImportedBesideBundles) {
  test::TestStore store;
  const std::string in = store.File("in");
  WriteRun(in + "/sweep/old/runs/r");
  WriteTo(in + "/sweep/old/inner.iafbt", test::SmallBundle("inner", {{}}));
  WriteTo(in + "/sweep/old/runs/hidden.iafbt", test::SmallBundle("hidden", {{}}));
  WriteTo(in + "/sweep/new.iafbt", test::SmallBundle("new", {{}}));
  WriteTo(in + "/runs/plain.iafbt", test::SmallBundle("plain", {{}}));
  std::filesystem::create_directory_symlink(in, in + "/sweep/loop");
  const auto sources = FindBacktests(io::PosixEnv(), {in});
  ASSERT_THAT(sources, IsOk());
  auto report = ImportBundles(*store, *sources);
  ASSERT_THAT(report, IsOk());
  EXPECT_THAT(report->failed, SizeIs(0));
  EXPECT_THAT(*store->Handles(),
              ElementsAre("runs/plain", "sweep/new", "sweep/old", "sweep/old/inner"));
  report = ImportBundles(*store, *sources);
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->unchanged, 4);
  EXPECT_EQ(store.DocumentOf("sweep/old"), ReadFolder(in + "/sweep/old").backtest.document);
  // Given itself, it has its own name.
  const auto alone = FindBacktests(io::PosixEnv(), {in + "/sweep/old/"});
  ASSERT_THAT(alone, IsOk());
  EXPECT_EQ((*alone)[0].handle, "old");
  EXPECT_THAT(*FindBundles(io::PosixEnv(), {in + "/sweep/old"}), SizeIs(2));
}

}  // namespace
}  // namespace lamina::backtests
