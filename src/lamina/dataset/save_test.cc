#include <atomic>
#include <filesystem>
#include <map>
#include <random>
#include <set>
#include <thread>

#include <gtest/gtest.h>

#include "lamina/dataset/dataset_test_support.h"

namespace lamina::dataset {
namespace {

using test::At;
using test::Bars;
using test::Of;
using testing::HasSubstr;

TEST(Save, MergesByKey) {
  test::TestStore store;
  Datasets& datasets = store.datasets();
  auto report = datasets.Save("ohlcv", *Bars({0, 1, 2}), Of("EUR_USD"));
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->added, 3);
  // Again: nothing happens, not even a snapshot.
  report = datasets.Save("ohlcv", *Bars({0, 1, 2}), Of("EUR_USD"));
  EXPECT_EQ(report->unchanged, 3);
  EXPECT_FALSE(report->snapshot.has_value());
  // A newer fetch beats an older one; the other instrument is another key.
  report = datasets.Save("ohlcv", *Bars({2, 3}, 10), Of("EUR_USD"));
  EXPECT_EQ(report->replaced, 1);
  EXPECT_EQ(report->added, 1);
  ASSERT_THAT(datasets.Save("ohlcv", *Bars({2}, 5), Of("GBP_USD")), IsOk());
  EXPECT_EQ(store.Text(), "EUR_USD 0:1 1:2 2:12 3:13 GBP_USD 2:7");
  // An incomplete bar never beats a complete one, and is beaten by any later one.
  report = datasets.Save("ohlcv", *Bars({3, 4}, 20), Of("EUR_USD", false));
  EXPECT_EQ(report->kept, 1);
  EXPECT_EQ(report->added, 1);
  report = datasets.Save("ohlcv", *Bars({4}, 30), Of("EUR_USD", false));
  EXPECT_EQ(report->replaced, 1);
  report = datasets.Save("ohlcv", *Bars({4}, 40), Of("EUR_USD"));
  EXPECT_EQ(report->replaced, 1);
  EXPECT_EQ(store.Text(), "EUR_USD 0:1 1:2 2:12 3:13 4:44 GBP_USD 2:7");
}

TEST(Save, DuplicatesInOneSaveAreCountedAndTheLaterWins) {
  test::TestStore store;
  const auto rows = *arrow::ConcatenateTables({Bars({1, 0}), Bars({1}, 7)});
  const auto report = store.datasets().Save("ohlcv", *rows, Of("EUR_USD"));
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->duplicates, 1);
  EXPECT_FALSE(report->sorted);
  EXPECT_EQ(store.Text(), "EUR_USD 0:1 1:8");
}

TEST(Save, AppendRefusesKeysThatAreStored) {
  test::TestStore store;
  Datasets& datasets = store.datasets();
  ASSERT_THAT(datasets.Save("ohlcv", *Bars({0, 1}), Of("EUR_USD", true, WriteMode::kAppend)),
              IsOk());
  EXPECT_THAT(datasets.Save("ohlcv", *Bars({1, 2}), Of("EUR_USD", true, WriteMode::kAppend)),
              IsError(ErrorCode::kAlreadyExists, HasSubstr("EUR_USD")));
  ASSERT_THAT(datasets.Save("ohlcv", *Bars({2}), Of("EUR_USD", true, WriteMode::kAppend)), IsOk());
  EXPECT_EQ(store.Text(), "EUR_USD 0:1 1:2 2:3");
}

TEST(Save, ReplacesAndDeletesRanges) {
  test::TestStore store;
  Datasets& datasets = store.datasets();
  ASSERT_THAT(datasets.Save("ohlcv", *Bars({0, 1, 2, 3}), Of("EUR_USD")), IsOk());
  ASSERT_THAT(datasets.Save("ohlcv", *Bars({0, 1}), Of("GBP_USD")), IsOk());
  SaveOptions options = Of("EUR_USD", true, WriteMode::kReplace);
  options.replace = TimeRange{At(1), At(3)};
  const std::int64_t before = *store.catalog().LatestSnapshot();
  auto report = datasets.Save("ohlcv", *Bars({2}, 50), options);
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->removed, 2);
  EXPECT_EQ(store.Text(), "EUR_USD 0:1 2:52 3:4 GBP_USD 0:1 1:2");
  EXPECT_THAT(datasets.Save("ohlcv", *Bars({5}), options), IsError(ErrorCode::kInvalidArgument));
  report = datasets.Delete("ohlcv", {At(2), {}}, {{"instrument", {"EUR_USD"}}});
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->removed, 2);
  EXPECT_EQ(store.Text(), "EUR_USD 0:1 GBP_USD 0:1 1:2");
  // As of the snapshot before, all is there.
  LoadRequest then;
  then.snapshot = before;
  EXPECT_EQ(store.Text(then), "EUR_USD 0:1 1:2 2:3 3:4 GBP_USD 0:1 1:2");
  EXPECT_EQ(datasets.Delete("ohlcv", {At(9), At(9)})->removed, 0);
}

TEST(Save, WritesOneFileForEachPartitionInOneCommit) {
  test::TestStore store;
  const std::int64_t before = *store.catalog().LatestSnapshot();
  const auto report = store.datasets().Save("ohlcv", *Bars({0, 8760, 17520, 17521}), Of("EUR_USD"));
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->files, 3);
  EXPECT_EQ(*report->snapshot, before + 1);
  EXPECT_THAT(
      report->partitions,
      testing::ElementsAre("bars/ohlcv/year=2022", "bars/ohlcv/year=2023", "bars/ohlcv/year=2024"));
  EXPECT_TRUE(std::filesystem::exists(store.root() + "/lake/bars/ohlcv/year=2023"));
}

TEST(Save, NamesTheFoldersOfATableWhoseNameIsNoFolder) {
  test::TestStore store;
  const std::string name = "caf\xc3\xa9 1";
  ASSERT_THAT(store.datasets().Create(OhlcvDefinition(name)), IsOk());
  const auto report = store.datasets().Save(name, *Bars({0, 8760}), Of("EUR_USD"));
  ASSERT_THAT(report, IsOk());
  ASSERT_EQ(report->partitions.size(), 2U);
  for (const std::string& folder : report->partitions) {
    EXPECT_TRUE(std::filesystem::is_directory(store.root() + "/lake/" + folder)) << folder;
  }
}

TEST(Save, TwoWritersOfOneRangeConflict) {
  test::TestStore store;
  Datasets& datasets = store.datasets();
  ASSERT_THAT(datasets.Save("ohlcv", *Bars({0, 1}), Of("EUR_USD")), IsOk());
  const auto other = store.Open();
  Datasets theirs(*other);
  // What the other one saves after this one has planned is seen in the transaction.
  std::atomic<int> saved = 0, conflicts = 0;
  const auto race = [&](Datasets& mine, double close) {
    for (int i = 0; i < 20; ++i) {
      const auto done = mine.Save("ohlcv", *Bars({0, 1, i}, close + i), Of("EUR_USD"));
      if (done.ok()) {
        ++saved;
      } else {
        EXPECT_THAT(done, IsError(ErrorCode::kConflict));
        ++conflicts;
      }
    }
  };
  std::thread thread([&] { race(theirs, 1000); });
  race(datasets, 2000);
  thread.join();
  EXPECT_EQ(saved + conflicts, 40);
  EXPECT_GE(saved, 20);
  const auto rows = datasets.Load("ohlcv", {});
  ASSERT_THAT(rows, IsOk());
  // Whatever was saved: each key once.
  EXPECT_LE((*rows)->num_rows(), 20);
  std::set<std::int64_t> stamps;
  const auto times = (*rows)->GetColumnByName("timestamp");
  for (std::int64_t row = 0; row < (*rows)->num_rows(); ++row) {
    stamps.insert(static_cast<const arrow::TimestampScalar&>(**times->GetScalar(row)).value);
  }
  EXPECT_EQ(static_cast<std::int64_t>(stamps.size()), (*rows)->num_rows());
}

TEST(Save, SmallSavesOfOneSeriesStayFewFiles) {
  test::TestStore store;
  Datasets& datasets = store.datasets();
  ASSERT_THAT(datasets.Save("ohlcv", *Bars({5}, 100), Of("GBP_USD")), IsOk());
  std::string expected = "EUR_USD";
  for (std::int64_t hour = 0; hour < 40; ++hour) {
    // Each replaces the last bar of the one before.
    ASSERT_THAT(datasets.Save("ohlcv", *Bars({hour, hour + 1}), Of("EUR_USD")), IsOk());
    expected += " " + std::to_string(hour) + ":" + std::to_string(hour + 1);
  }
  EXPECT_EQ(store.Text(), expected + " 40:41 GBP_USD 5:105");
  EXPECT_LE((*datasets.List())[0].files, 2);
}

/// Series saved one after the other come to stand together once they fill a page.
TEST(Save, FilesOfSeveralSeriesAreFolded) {
  test::TestStore store;
  Datasets& datasets = store.datasets();
  std::vector<std::int64_t> hours(4000);
  for (std::size_t i = 0; i < hours.size(); ++i) hours[i] = static_cast<std::int64_t>(i);
  for (int series = 0; series < 9; ++series) {
    ASSERT_THAT(datasets.Save("ohlcv", *Bars(hours, series), Of("S" + std::to_string(series))),
                IsOk());
  }
  EXPECT_EQ((*datasets.List())[0].files, 2);
  EXPECT_EQ((*datasets.List())[0].rows, 36'000);
  const auto rows = datasets.Load("ohlcv", {.keys = {{"instrument", {"S3"}}}});
  ASSERT_THAT(rows, IsOk());
  ASSERT_EQ((*rows)->num_rows(), 4000);
  EXPECT_EQ((*(*rows)->GetColumnByName("close")->GetScalar(3999))->ToString(), "4002");
  EXPECT_EQ((*(*rows)->GetColumnByName("instrument")->GetScalar(7))->ToString(), "S3");
}

/// Random saves, replacements and deletions against a map, with compaction in between.
TEST(Save, AgreesWithAPlainModel) {
  std::mt19937_64 random(7);
  test::TestStore store;
  Datasets& datasets = store.datasets();
  std::map<std::pair<std::string, std::int64_t>, std::pair<double, bool>> model;
  const std::vector<std::string> instruments = {"AUD_JPY", "EUR_USD", "GBP_USD"};
  for (int step = 0; step < 150; ++step) {
    const std::string& instrument = instruments[random() % 3];
    const auto begin = static_cast<std::int64_t>(random() % 12) * 800;
    std::vector<std::int64_t> hours;
    for (std::int64_t hour = begin; hour < begin + 40; ++hour) {
      if (random() % 4 != 0) hours.push_back(hour);
    }
    const double close = static_cast<double>(random() % 5);
    const bool complete = random() % 3 != 0;
    const auto action = random() % 10;
    if (action == 0) {
      ASSERT_THAT(
          datasets.Delete("ohlcv", {At(begin), At(begin + 20)}, {{"instrument", {instrument}}}),
          IsOk());
      std::erase_if(model, [&](const auto& item) {
        return item.first.first == instrument && item.first.second >= begin &&
               item.first.second < begin + 20;
      });
      continue;
    }
    SaveOptions options = Of(instrument, complete);
    if (action == 1) {
      options.mode = WriteMode::kReplace;
      options.replace = TimeRange{At(begin), At(begin + 40)};
      std::erase_if(model, [&](const auto& item) {
        return item.first.first == instrument && item.first.second >= begin &&
               item.first.second < begin + 40;
      });
    }
    ASSERT_THAT(datasets.Save("ohlcv", *Bars(hours, close), options), IsOk());
    for (const std::int64_t hour : hours) {
      const auto value = std::pair(close + static_cast<double>(hour), complete);
      const auto [place, fresh] = model.try_emplace({instrument, hour}, value);
      if (!fresh && (complete || !place->second.second)) place->second = value;
    }
    if (step % 40 == 39) {
      ASSERT_THAT(store.catalog().Compact({}), IsOk());
    }
  }
  const auto expected = [&](const std::string& only, std::int64_t first, std::int64_t last) {
    std::string text, before;
    for (const auto& [key, value] : model) {
      const auto& [instrument, hour] = key;
      if ((!only.empty() && instrument != only) || hour < first || hour >= last) continue;
      if (instrument != before) text += (text.empty() ? "" : " ") + instrument;
      before = instrument;
      text += " " + std::to_string(hour) + ":" + arrow::DoubleScalar(value.first).ToString();
    }
    return text;
  };
  EXPECT_EQ(store.Text(), expected("", 0, 100'000));
  LoadRequest request;
  request.keys = {{"instrument", {"EUR_USD"}}};
  request.time = {At(810), At(8840)};
  EXPECT_EQ(store.Text(request), expected("EUR_USD", 810, 8840));
}

}  // namespace
}  // namespace lamina::dataset
