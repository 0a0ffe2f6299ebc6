#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lamina/dataset/dataset_test_support.h"
#include "lamina/dataset/registry.h"
#include "lamina/io/faulty_env.h"

namespace lamina::dataset {
namespace {

using test::At;
using test::Bars;
using test::Of;

constexpr std::int64_t kYear = 365 * 24;

std::string TextOf(Datasets& datasets) {
  const auto rows = datasets.Load("ohlcv", {});
  if (!rows.ok()) return "error: " + std::string(rows.error().message());
  std::string text;
  for (std::int64_t row = 0; row < (*rows)->num_rows(); ++row) {
    for (const char* name : {"instrument", "timestamp", "close"}) {
      text += (*(*rows)->GetColumnByName(name)->GetScalar(row))->ToString() + " ";
    }
  }
  return text;
}

Status Saved(const Result<SaveReport>& report) {
  return report.ok() ? Ok() : Status(report.error().Clone());
}

struct Work {
  const char* name;
  Status (*run)(Datasets&);
};

const Work kWorks[] = {
    {"save into three years",
     [](Datasets& datasets) {
       return Saved(datasets.Save("ohlcv", *Bars({1, 5, kYear, 2 * kYear}, 7), Of("EUR")));
     }},
    {"replace",
     [](Datasets& datasets) {
       return Saved(
           datasets.Save("ohlcv", *Bars({0, kYear}, 8), Of("EUR", true, WriteMode::kReplace)));
     }},
    {"delete",
     [](Datasets& datasets) {
       return Saved(datasets.Delete("ohlcv", {At(0), At(2)}, {{"instrument", {"EUR"}}}));
     }},
    {"lineage with a save",
     [](Datasets& datasets) {
       SaveOptions options = Of("GBP");
       options.also = [](catalog::Database& database, std::int64_t snapshot) {
         return Registry::InsertEdges(
             database, {{"dataset", "ohlcv/GBP/1h", "ticks", "7/last", snapshot - 1}}, Nanos{0});
       };
       return Saved(datasets.Save("ohlcv", *Bars({3}), options));
     }},
};

/// Whatever call fails: an error that says what, the rows of before or after, and the same work
/// done afterwards.
TEST(DatasetFaults, NothingIsHalfDone) {
  for (const Work& work : kWorks) {
    for (const bool torn : {false, true}) {
      for (std::int64_t at = 1;; ++at) {
        test::TestStore made;
        ASSERT_THAT(made.datasets().Save("ohlcv", *Bars({0, 1, 2, kYear}), Of("EUR")), IsOk());
        const std::string before = TextOf(made.datasets());
        io::FaultyEnv env(io::PosixEnv());
        auto opened = catalog::Catalog::Open(env, made.root());
        ASSERT_THAT(opened, IsOk());
        Datasets datasets(**opened);
        Registry registry(**opened);
        env.SetFault(
            {.at = at, .effect = torn ? io::Fault::Effect::kTorn : io::Fault::Effect::kNone});
        const Status done = work.run(datasets);
        const bool fired = env.fired();
        env.ClearFault();
        if (!done.ok()) {
          EXPECT_FALSE(done.error().message().empty());
          EXPECT_EQ(TextOf(datasets), before) << work.name << " call " << at;
          EXPECT_TRUE(registry.NewestEdges()->empty()) << work.name << " call " << at;
          EXPECT_THAT(work.run(datasets), IsOk()) << work.name << " call " << at;
        }
        const std::string after = TextOf(datasets);
        EXPECT_NE(after, before);
        EXPECT_EQ(TextOf(made.datasets()), after) << "as another process sees it";
        if (!fired) break;
        // Every third is enough for a torn one.
        if (torn) at += 2;
      }
    }
  }
}

TEST(DatasetFaults, AFullDiskIsSaidAndNothingIsLost) {
  test::TestStore made;
  ASSERT_THAT(made.datasets().Save("ohlcv", *Bars({0, 1}), Of("EUR")), IsOk());
  const std::string before = TextOf(made.datasets());
  io::FaultyEnv env(io::PosixEnv());
  catalog::CatalogOptions options;
  options.min_free_bytes = 1;
  auto opened = catalog::Catalog::Open(env, made.root(), options);
  ASSERT_THAT(opened, IsOk());
  Datasets datasets(**opened);
  env.SetFreeBytes(0);
  EXPECT_THAT(datasets.Save("ohlcv", *Bars({5}), Of("EUR")),
              IsError(ErrorCode::kResourceExhausted));
  EXPECT_EQ(TextOf(datasets), before);
  env.SetFreeBytes({});
  EXPECT_THAT(datasets.Save("ohlcv", *Bars({5}), Of("EUR")), IsOk());
}

/// A file that someone removed or damaged by hand is named by every load that needs it, and only by
/// those.
TEST(DatasetFaults, AFileThatIsGoneOrDamagedIsNamed) {
  test::TestStore store;
  ASSERT_THAT(store.datasets().Save("ohlcv", *Bars({0}), Of("EUR")), IsOk());
  ASSERT_THAT(store.datasets().Save("ohlcv", *Bars({kYear}), Of("EUR")), IsOk());
  std::string path;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(store.root() + "/lake")) {
    const std::string name = entry.path().string();
    if (name.find("year=2023") != std::string::npos && name.ends_with(".parquet")) path = name;
  }
  ASSERT_NE(path, "");
  const std::string file = path.substr(path.rfind('/') + 1);
  std::filesystem::resize_file(path, std::filesystem::file_size(path) / 2);
  EXPECT_THAT(store.datasets().Load("ohlcv", {}),
              IsError(ErrorCode::kCorruption, ::testing::HasSubstr(file)));
  std::filesystem::remove(path);
  EXPECT_THAT(store.datasets().Load("ohlcv", {}),
              IsError(ErrorCode::kCorruption, ::testing::HasSubstr(file)));
  EXPECT_THAT(store.datasets().Load("ohlcv", {.time = {{}, At(10)}}), IsOk());
  // A save that would have to look into it does not guess.
  EXPECT_THAT(store.datasets().Save("ohlcv", *Bars({kYear}, 5), Of("EUR")),
              IsError(ErrorCode::kCorruption, ::testing::HasSubstr(file)));
}

}  // namespace
}  // namespace lamina::dataset
