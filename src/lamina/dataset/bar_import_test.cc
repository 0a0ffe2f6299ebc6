#include "lamina/dataset/bar_import.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "lamina/dataset/dataset_test_support.h"

namespace lamina::dataset {
namespace {

using testing::HasSubstr;

void Write(const std::string& path, const std::string& text) { std::ofstream(path) << text; }

TEST(BarImport, TakesFilesOnceAndNamesWhatIsWrong) {
  test::TestStore store;
  const std::string folder = store.root() + "/../in";
  std::filesystem::create_directory(folder);
  Write(folder + "/EUR_USD_3years_H1.csv",
        "time,open,high,low,close\n2022-01-01 00:00:00,1,2,0.5,1.5\n2022-01-01 01:00,1,2,0.5,x\n");
  Write(
      folder + "/b.json",
      R"({"instrument": "GBP_USD", "granularity": "H1", "candles": [{"time": "2022-01-01T02:00:00Z",
            "complete": true, "mid": {"o": "1", "h": "1", "l": "1", "c": "7"}}]})");
  Write(folder + "/notes.txt", "nothing");
  const auto files = FindBarFiles(io::PosixEnv(), {folder});
  ASSERT_THAT(files, IsOk());
  ASSERT_EQ(files->size(), 2U);
  for (int again = 0; again < 2; ++again) {
    auto done = ImportBarFile(store.datasets(), (*files)[0]);
    ASSERT_THAT(done, IsOk());
    EXPECT_EQ(done->instrument, "EUR_USD");
    EXPECT_EQ(done->timeframe, "1h");
    EXPECT_EQ(done->rejected.count, 1);
    EXPECT_EQ(done->saved.added, again == 0 ? 1 : 0);
    EXPECT_EQ(done->saved.unchanged, again == 0 ? 0 : 1);
    done = ImportBarFile(store.datasets(), (*files)[1], {.instrument = "OTHER"});
    ASSERT_THAT(done, IsOk());
    EXPECT_EQ(done->instrument, "OTHER");
  }
  EXPECT_EQ(store.Text(), "EUR_USD 0:1.5 OTHER 2:7");
  EXPECT_THAT(FindBarFiles(io::PosixEnv(), {folder + "/none"}), IsError(ErrorCode::kNotFound));
  Write(folder + "/bad.csv", "a,b\n1,2\n");
  EXPECT_THAT(ImportBarFile(store.datasets(), folder + "/bad.csv"),
              IsError(ErrorCode::kInvalidArgument, HasSubstr("bad.csv:1")));
}

}  // namespace
}  // namespace lamina::dataset
