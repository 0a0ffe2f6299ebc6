#include "lamina/dataset/registry.h"

#include <limits>

#include <gtest/gtest.h>

#include "lamina/dataset/dataset_test_support.h"

namespace lamina::dataset {
namespace {

using testing::HasSubstr;

RegistryRow File(const std::string& path, const std::string& checksum = "aa") {
  return {{"file_path", path},
          {"instrument", std::string("EUR_USD")},
          {"data_type", std::string("ohlcv")},
          {"start_date", std::string("2022-01-01T00:00:00+00:00")},
          {"end_date", std::string("2022-01-31T23:00:00+00:00")},
          {"record_count", std::int64_t{744}},
          {"file_size", std::int64_t{1000}},
          {"checksum", checksum}};
}

RegistryRow Fetch(const std::string& status) {
  return {{"instrument", std::string("EUR_USD")},
          {"granularity", std::string("H1")},
          {"start_date", std::string("a")},
          {"end_date", std::string("b")},
          {"records_fetched", std::int64_t{5}},
          {"api_calls_used", std::int64_t{1}},
          {"duration_seconds", 0.5},
          {"status", status}};
}

RegistryRow OneRun(const std::string& inputs) {
  return {{"run_type", std::string("training")},
          {"config_hash", std::string("c")},
          {"input_files", inputs},
          {"output_files", std::string("[]")},
          {"status", std::string("success")}};
}

RegistryCell CellOf(const RegistryRow& row, const std::string& column) {
  for (const auto& [name, cell] : row) {
    if (name == column) return cell;
  }
  return std::monostate();
}

TEST(Registry, FilesKeepTheirIds) {
  test::TestStore store;
  Registry registry(store.catalog());
  const auto ids = registry.PutAll(RegistryTable::kFiles, {File("a"), File("b")});
  ASSERT_THAT(ids, IsOk());
  ASSERT_THAT(registry.MarkVerified({"a", "b"}), IsOk());
  EXPECT_EQ(*registry.Put(RegistryTable::kFiles, File("a", "bb")), (*ids)[0]);
  EXPECT_EQ(*registry.Put(RegistryTable::kFiles, File("b")), (*ids)[1]);
  const auto rows = registry.Rows(RegistryTable::kFiles);
  ASSERT_THAT(rows, IsOk());
  ASSERT_EQ(rows->size(), 2U);
  EXPECT_EQ(CellOf((*rows)[0], "checksum"), RegistryCell(std::string("bb")));
  // Verified was the content of before.
  EXPECT_EQ(CellOf((*rows)[0], "last_verified"), RegistryCell());
  EXPECT_NE(CellOf((*rows)[1], "last_verified"), RegistryCell());
  EXPECT_EQ(registry.Rows(RegistryTable::kFiles, {{"file_path", std::string("b")}})->size(), 1U);
  EXPECT_EQ(*registry.RemoveFiles({"a", "zz"}), 1);
}

TEST(Registry, RefusesWhatTheTablesDoNotAllow) {
  test::TestStore store;
  Registry registry(store.catalog());
  const std::int64_t file = *registry.Put(RegistryTable::kFiles, File("a"));
  EXPECT_THAT(registry.Put(RegistryTable::kFetches, Fetch("success")), IsOk());
  EXPECT_THAT(registry.Put(RegistryTable::kFetches, Fetch("ok")),
              IsError(ErrorCode::kInvalidArgument, HasSubstr("success partial failed")));
  RegistryRow fetch = Fetch("success");
  fetch.erase(fetch.begin() + 1);
  EXPECT_THAT(registry.Put(RegistryTable::kFetches, fetch),
              IsError(ErrorCode::kInvalidArgument, HasSubstr("'granularity'")));
  fetch = Fetch("success");
  fetch.emplace_back("retries", std::int64_t{-1});
  EXPECT_THAT(registry.Put(RegistryTable::kFetches, fetch),
              IsError(ErrorCode::kInvalidArgument, HasSubstr("'retries' cannot be -1")));
  fetch.back() = {"alignment_hour", std::numeric_limits<double>::quiet_NaN()};
  EXPECT_THAT(registry.Put(RegistryTable::kFetches, fetch), IsError(ErrorCode::kInvalidArgument));
  fetch = Fetch("success");
  fetch.emplace_back("retrys", std::int64_t{1});
  EXPECT_THAT(registry.Put(RegistryTable::kFetches, fetch),
              IsError(ErrorCode::kInvalidArgument, HasSubstr("`retries`")));

  const auto run = registry.Put(RegistryTable::kRuns, OneRun("[" + std::to_string(file) + "]"));
  ASSERT_THAT(run, IsOk());
  for (const char* inputs : {"[99]", "{}", "[\"a\"]", "no json"}) {
    EXPECT_THAT(registry.Put(RegistryTable::kRuns, OneRun(inputs)),
                IsError(ErrorCode::kInvalidArgument));
  }
  RegistryRow model = {
      {"model_type", std::string("gbdt")}, {"version", std::string("1")},
      {"file_path", std::string("m.bin")}, {"config_hash", std::string("c")},
      {"training_run_id", *run},           {"metrics", std::string("{\"auc\": 0.6}")}};
  EXPECT_THAT(registry.Put(RegistryTable::kModels, model), IsOk());
  model[4].second = std::int64_t{77};
  EXPECT_THAT(registry.Put(RegistryTable::kModels, model), IsError(ErrorCode::kInvalidArgument));
  // The tables themselves refuse it too, whoever writes.
  EXPECT_FALSE(store.catalog()
                   .Transact([](catalog::Database& database) {
                     return database.Execute(
                         "INSERT INTO model_artifacts(model_type, version, file_path, config_hash, "
                         "training_run_id) VALUES('gbdt', '1', 'm', 'c', 77)");
                   })
                   .ok());
}

TEST(Registry, LineageIsFollowedAndGoesStale) {
  test::TestStore store;
  Registry registry(store.catalog());
  ASSERT_THAT(store.datasets().Save("ohlcv", *test::Bars({0}), test::Of("EUR_USD")), IsOk());
  const std::int64_t snapshot = *store.catalog().LatestSnapshot();
  ASSERT_THAT(registry.AddLineage({{"artifact", "1", "processing_run", "1"},
                                   {"processing_run", "1", "dataset", "ohlcv", snapshot}}),
              IsOk());
  EXPECT_THAT(registry.AddLineage({{"thing", "1", "dataset", "x"}}),
              IsError(ErrorCode::kInvalidArgument));
  EXPECT_EQ(registry.Lineage("artifact", "1")->size(), 2U);
  EXPECT_EQ(registry.Lineage("artifact", "2")->size(), 0U);
  EXPECT_EQ(registry.Stale()->size(), 0U);
  ASSERT_THAT(store.datasets().Save("ohlcv", *test::Bars({1}), test::Of("EUR_USD")), IsOk());
  const auto stale = registry.Stale();
  ASSERT_THAT(stale, IsOk());
  ASSERT_EQ(stale->size(), 1U);
  EXPECT_EQ((*stale)[0].output_kind, "processing_run");
  // Made again from what is there now.
  ASSERT_THAT(registry.AddLineage(
                  {{"processing_run", "1", "dataset", "ohlcv", *store.catalog().LatestSnapshot()}}),
              IsOk());
  EXPECT_EQ(registry.Stale()->size(), 0U);
  EXPECT_EQ(registry.NewestEdges()->size(), 2U);
  // And once more from the old ones.
  ASSERT_THAT(registry.AddLineage({{"processing_run", "1", "dataset", "ohlcv", snapshot}}), IsOk());
  EXPECT_EQ(registry.Stale()->size(), 1U);
  EXPECT_EQ(registry.NewestEdges()->size(), 2U);
  EXPECT_THAT(registry.Lineage("thing", "1"), IsError(ErrorCode::kInvalidArgument));
}

TEST(Registry, DatasetsLeadToTheirSeriesAndRangesToTheWhole) {
  test::TestStore store;
  Registry registry(store.catalog());
  ASSERT_THAT(registry.AddLineage({{"dataset", "bars/B/1d", "dataset", "bars/B/1h[a,b)", 3},
                                   {"dataset", "bars/B/1h", "ticks", "7/last", 2},
                                   {"dataset", "bars/A/1d", "dataset", "bars/A/1h", 3},
                                   {"dataset", "barsx/A/1d", "dataset", "bars/A/1h", 3},
                                   {"backtest", "x", "dataset", "bars", 4}}),
              IsOk());
  const auto text = [&](const char* kind, const char* id) {
    const auto edges = registry.Lineage(kind, id);
    EXPECT_THAT(edges, IsOk());
    std::string all;
    for (const LineageEdge& edge : *edges) all += edge.output_id + "<" + edge.input_id + " ";
    return all;
  };
  EXPECT_EQ(text("dataset", "bars/B/1d"),
            "bars/B/1d<bars/B/1h[a,b) bars/B/1h[a,b)<bars/B/1h bars/B/1h<7/last ");
  EXPECT_EQ(text("backtest", "x"),
            "x<bars bars<bars/A/1d bars<bars/B/1d bars<bars/B/1h bars/A/1d<bars/A/1h "
            "bars/B/1d<bars/B/1h[a,b) bars/B/1h<7/last bars/B/1h[a,b)<bars/B/1h ");
}

}  // namespace
}  // namespace lamina::dataset
