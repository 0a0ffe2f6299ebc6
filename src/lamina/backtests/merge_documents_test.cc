#include "lamina/backtests/merge_documents.h"

#include <gmock/gmock.h>

#include "lamina/backtests/json_pack.h"
#include "lamina/backtests/python_json.h"
#include "lamina/backtests/store_test_support.h"
#include "lamina/bundle/bundle_file.h"

namespace lamina::backtests {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Side {
  explicit Side(std::uint32_t number, const std::string& bytes)
      : version(number),
        document(*bundle::Document::Parse(bytes)),
        layout(*bundle::ReadLayout(number, document)) {}
  MergeInput input() const { return {version, document, layout}; }
  std::uint32_t version;
  bundle::Document document;
  bundle::Layout layout;
};

Side OfJson(std::uint32_t version, const std::string& json) {
  std::string packed;
  EXPECT_THAT(PackJson(json, packed), IsOk()) << json;
  return Side(version, packed);
}

std::string RunMap(int day, double gain, const std::string& more = "") {
  const std::string start = "2023-01-" + std::to_string(10 + day) + "T00:00:00+00:00";
  const std::string end = "2023-01-" + std::to_string(15 + day) + "T00:00:00+00:00";
  return "{\"backtest_metrics\": {\"backtest_start_date\": \"" + start +
         "\", \"backtest_end_date\": \"" + end + "\", \"total_net_gain\": " + std::to_string(gain) +
         ", \"initial_unallocated\": 100}, \"backtest_start_date\": \"" + start +
         "\", \"backtest_end_date\": \"" + end + "\"" + more + "}";
}

std::string Flat(const std::string& runs, const std::string& more = "") {
  return R"({"format_version": 2, "engine_type": "vector", "algorithm_id": "a", "metadata": {},
             "risk_free_rate": null, "strategy_ids": ["s"], "parameters": {"x": 1}, "tag": null,
             "backtest_permutation_tests": null, "vector_runs": [)" +
         runs + R"(], "vector_metrics": {"total_net_gain": 1})" + more + "}";
}

std::string Find(const std::string& document, std::initializer_list<std::string_view> path) {
  const auto parsed = bundle::Document::Parse(document);
  EXPECT_THAT(parsed, IsOk());
  auto value = parsed->root();
  for (const std::string_view key : path) {
    const auto found = value.Find(key);
    if (!found) return "(absent)";
    value = *found;
  }
  return PythonJson(value);
}

TEST(MergeDocuments, NewWindowsAreAddedAndTheSummaryIsMadeAnew) {
  const Side held = OfJson(2, Flat(RunMap(0, 1.5)));
  const Side other = OfJson(2, Flat(RunMap(0, 1.5) + "," + RunMap(5, 2)));
  const auto merged = MergeDocuments(held.input(), other.input(), false);
  ASSERT_THAT(merged, IsOk());
  EXPECT_EQ(merged->runs_added, 1);
  EXPECT_EQ(merged->runs_unchanged, 1);
  EXPECT_THAT(merged->warnings, IsEmpty());
  EXPECT_EQ(Find(merged->document, {"vector_metrics", "total_net_gain"}), "3.5");
  EXPECT_EQ(Find(merged->document, {"vector_metrics", "number_of_windows"}), "2");
  const Side both = OfJson(2, Flat(RunMap(0, 1.5) + "," + RunMap(5, 2)));
  EXPECT_EQ(Find(merged->document, {"vector_runs"}),
            Find(std::string(both.document.bytes()), {"vector_runs"}));
  // Merging the same again changes nothing.
  const Side now(2, merged->document);
  const auto again = MergeDocuments(now.input(), other.input(), false);
  ASSERT_THAT(again, IsOk());
  EXPECT_EQ(again->document, merged->document);
  EXPECT_EQ(again->runs_unchanged, 2);
}

TEST(MergeDocuments, AKnownWindowIsAConflictUnlessReplaced) {
  const Side held = OfJson(2, Flat(RunMap(0, 1) + "," + RunMap(5, 2)));
  const Side other = OfJson(2, Flat(RunMap(0, 7)));
  const auto refused = MergeDocuments(held.input(), other.input(), false);
  ASSERT_THAT(refused, IsError(ErrorCode::kConflict));
  EXPECT_THAT(std::string(refused.error().message()),
              HasSubstr("2023-01-10T00:00:00+00:00 to 2023-01-15T00:00:00+00:00"));
  const auto merged = MergeDocuments(held.input(), other.input(), true);
  ASSERT_THAT(merged, IsOk());
  EXPECT_EQ(merged->runs_replaced, 1);
  EXPECT_EQ(merged->runs_added, 0);
  EXPECT_EQ(Find(merged->document, {"vector_metrics", "total_net_gain"}), "9.0");
}

TEST(MergeDocuments, IdentityIsThatOfBoth) {
  const Side held = OfJson(2, Flat("", R"(, "own": 1)"));
  const Side other =
      OfJson(2, R"({"format_version": 2, "engine_type": "vector", "algorithm_id": null,
             "metadata": {"m": 1}, "risk_free_rate": 0.1, "strategy_ids": ["t", "s"],
             "parameters": {"y": 2, "x": 3}, "tag": "late", "vector_runs": null,
             "vector_metrics": null, "theirs": 2})");
  const auto merged = MergeDocuments(held.input(), other.input(), false);
  ASSERT_THAT(merged, IsOk());
  EXPECT_EQ(Find(merged->document, {"algorithm_id"}), "\"a\"");
  EXPECT_EQ(Find(merged->document, {"metadata"}), "{\"m\": 1}");
  EXPECT_EQ(Find(merged->document, {"risk_free_rate"}), "0.1");
  EXPECT_EQ(Find(merged->document, {"strategy_ids"}), "[\"s\", \"t\"]");
  EXPECT_EQ(Find(merged->document, {"parameters"}), "{\"x\": 3, \"y\": 2}");
  EXPECT_EQ(Find(merged->document, {"tag"}), "\"late\"");
  EXPECT_EQ(Find(merged->document, {"own"}), "1");
  EXPECT_EQ(Find(merged->document, {"theirs"}), "2");
  // Without new runs the summary is not touched.
  EXPECT_EQ(Find(merged->document, {"vector_metrics"}), "{\"total_net_gain\": 1}");
}

TEST(MergeDocuments, WhatDoesNotGoTogetherIsRefused) {
  const Side held = OfJson(2, Flat(RunMap(0, 1)));
  const Side algorithm =
      OfJson(2, R"({"format_version": 2, "engine_type": "vector", "algorithm_id": "b"})");
  EXPECT_THAT(MergeDocuments(held.input(), algorithm.input(), false),
              IsError(ErrorCode::kInvalidArgument));
  const Side engine =
      OfJson(2, R"({"format_version": 2, "engine_type": "event", "algorithm_id": "a"})");
  EXPECT_THAT(MergeDocuments(held.input(), engine.input(), false),
              IsError(ErrorCode::kUnsupported));
  const Side third = OfJson(3, R"({"format_version": 3, "algorithm_id": "a"})");
  EXPECT_THAT(MergeDocuments(third.input(), held.input(), false), IsError(ErrorCode::kUnsupported));
  const Side prices =
      OfJson(2, Flat("", R"(, "ohlcv": {"store_dir": "p", "manifest": {"BTC": "1.parquet"}})"));
  const Side others = OfJson(
      2, Flat("", R"(, "ohlcv": {"store_dir": "q", "manifest": {"BTC": "2.parquet", "E": "3"}})"));
  EXPECT_THAT(MergeDocuments(prices.input(), others.input(), false), IsError(ErrorCode::kConflict));
  const auto merged = MergeDocuments(prices.input(), others.input(), true);
  ASSERT_THAT(merged, IsOk());
  EXPECT_EQ(Find(merged->document, {"ohlcv"}),
            R"({"store_dir": "p", "manifest": {"BTC": "2.parquet", "E": "3"}})");
}

TEST(MergeDocuments, StudiesAndEnginesOfVersionFive) {
  const auto study = [](const std::string& name, const std::string& vector,
                        const std::string& event) {
    return "\"" + name + R"(": {"name": ")" + name + R"(", "description": null, "metadata": {},
             "vector_runs": [)" +
           vector + R"(], "vector_summary": null,
             "vector_summaries_by_universe": {}, "vector_monte_carlo_tests": [1],
             "event_runs": [)" +
           event + R"(], "event_summary": null,
             "event_summaries_by_universe": {"u": {}}, "event_monte_carlo_tests": []})";
  };
  const auto top = [](const std::string& studies) {
    return R"({"algorithm_id": "a", "metadata": {}, "strategy_ids": [], "parameters": {},
               "studies": {)" +
           studies + R"(}, "format_version": 5})";
  };
  const std::string in_u = R"(, "metadata": {"universe_key": "u"})";
  const std::string in_w = R"(, "metadata": {"universe_key": "w"})";
  const Side held = OfJson(5, top(study("s", RunMap(0, 1), RunMap(0, 1, in_u))));
  const Side other =
      OfJson(5, top(study("s", "", RunMap(0, 4, in_w)) + "," + study("t", RunMap(0, 9), "")));
  const auto merged = MergeDocuments(held.input(), other.input(), false);
  ASSERT_THAT(merged, IsOk());
  EXPECT_EQ(merged->runs_added, 2);
  const auto find = [&](std::initializer_list<std::string_view> path) {
    return Find(merged->document, path);
  };
  EXPECT_EQ(find({"studies", "s", "vector_summary"}), "null");
  EXPECT_EQ(find({"studies", "s", "vector_monte_carlo_tests"}), "[1]");
  EXPECT_EQ(find({"studies", "s", "event_summary", "total_net_gain"}), "5.0");
  EXPECT_EQ(find({"studies", "s", "event_summary", "total_net_gain_percentage"}), "0.025");
  EXPECT_EQ(find({"studies", "s", "event_summaries_by_universe", "u", "total_net_gain"}), "1.0");
  EXPECT_EQ(find({"studies", "t", "name"}), "\"t\"");
  EXPECT_EQ(find({"format_version"}), "5");
}

/// Real bundles taken apart into windows and merged are what they were.
TEST(MergeDocuments, WindowsOfGoldenBundlesComeTogetherAgain) {
  for (const char* name : {"v1_8.10.0/windows3_full.iafbt", "v2_8.10.0/windows3_full.iafbt",
                           "v5_9.0.0a6/windows3_full.obtf"}) {
    const std::string path = std::string(LAMINA_SHARED_DIR) + "/data/bundles/golden/" + name;
    const auto file = io::PosixEnv().ReadFile(path, 1 << 24);
    ASSERT_THAT(file, IsOk());
    const auto read = bundle::ReadBundle(*file);
    ASSERT_THAT(read, IsOk());
    const Side whole(read->version, read->document);
    const auto merged = MergeDocuments(whole.input(), whole.input(), false);
    ASSERT_THAT(merged, IsOk()) << name;
    EXPECT_EQ(merged->document, read->document) << name;
    EXPECT_THAT(merged->warnings, IsEmpty()) << name;
    EXPECT_EQ(merged->runs_unchanged, 3) << name;
  }
}

}  // namespace
}  // namespace lamina::backtests
