#include "lamina/cli/show.h"

#include <gtest/gtest.h>
#include <simdjson.h>

#include "lamina/backtests/import.h"
#include "lamina/base/matchers.h"
#include "lamina/io/temporary_folder.h"
#include "lamina/store/store.h"

namespace lamina::cli {
namespace {

using ::testing::HasSubstr;

class Show : public ::testing::Test {
 protected:
  void SetUp() override {
    store::StoreOptions options;
    options.create = true;
    auto opened = store::Store::Open(io::PosixEnv(), folder_.File("s"), options);
    ASSERT_THAT(opened, IsOk());
    store_ = *std::move(opened);
    for (const char* name : {"windows3_full", "nonfinite_summary", "zero_runs"}) {
      const auto file = io::PosixEnv().ReadFile(
          std::string(LAMINA_SHARED_DIR) + "/data/bundles/golden/v5_9.0.0a6/" + name + ".obtf",
          1 << 30);
      ASSERT_THAT(file, IsOk());
      ASSERT_THAT(backtests::PutBundle(backtests(), name, *file), IsOk());
    }
  }
  backtests::BacktestStore& backtests() { return store_->backtests(); }

  io::TemporaryFolder folder_;
  std::unique_ptr<store::Store> store_;
};

TEST_F(Show, Json) {
  ASSERT_THAT(backtests().Tag("windows3_full", {"b", "a"}, {}), IsOk());
  ASSERT_THAT(backtests().Note("windows3_full", "a \"note\""), IsOk());
  const auto text = ShowBacktest(backtests(), "windows3_full", {}, true);
  ASSERT_THAT(text, IsOk());
  simdjson::dom::parser parser;
  simdjson::dom::element json;
  ASSERT_EQ(parser.parse(*text).get(json), simdjson::SUCCESS) << *text;
  const auto record = backtests().Find("windows3_full");
  ASSERT_THAT(record, IsOk());
  EXPECT_EQ(std::string_view(json["handle"]), "windows3_full");
  EXPECT_EQ(std::string_view(json["algorithm_id"]), "windows3_full");
  EXPECT_EQ(std::string_view(json["document_sha256"]), record->document_sha256.Hex());
  EXPECT_EQ(std::int64_t(json["file_bytes"]), record->file_bytes);
  EXPECT_EQ(std::string_view(json["tags"].at(0)), "a");
  EXPECT_EQ(std::string_view(json["note"]), "a \"note\"");
  EXPECT_TRUE(json["source_path"].is_null());
  EXPECT_EQ(std::int64_t(json["parameters"]["fast"]), 8);
  simdjson::dom::element summary = json["summaries"].at(0)["summary"];
  EXPECT_EQ(std::int64_t(summary["number_of_trades"]), 24);
  EXPECT_TRUE(summary["sharpe_ratio"].is_double());
  simdjson::dom::array runs;
  ASSERT_EQ(json["runs"].get(runs), simdjson::SUCCESS);
  ASSERT_EQ(runs.size(), 3U);
  std::int64_t trades = 0;
  for (simdjson::dom::element run : runs) {
    trades += std::int64_t(run["trades"]);
    EXPECT_EQ(std::string_view(run["run_id"]).size(), 36U);
    EXPECT_FALSE(std::string_view(run["window_name"]).empty());
  }
  EXPECT_EQ(trades, 24);
}

/// NaN and infinities have no place in JSON.
TEST_F(Show, JsonOfNumbersThatAreNone) {
  for (const char* handle : {"nonfinite_summary", "zero_runs"}) {
    const auto text = ShowBacktest(backtests(), handle, {}, true);
    ASSERT_THAT(text, IsOk());
    simdjson::dom::parser parser;
    simdjson::dom::element json;
    ASSERT_EQ(parser.parse(*text).get(json), simdjson::SUCCESS) << *text;
    EXPECT_EQ(std::string_view(json["handle"]), handle);
  }
}

TEST_F(Show, Text) {
  const auto text = ShowBacktest(backtests(), "windows3_full", {}, false);
  ASSERT_THAT(text, IsOk());
  EXPECT_TRUE(text->starts_with("windows3_full\n"));
  EXPECT_THAT(*text, HasSubstr("  algorithm     windows3_full\n"));
  EXPECT_THAT(*text, HasSubstr("summary (vector)\n"));
  EXPECT_THAT(*text, HasSubstr("  number_of_trades                  24\n"));
  EXPECT_THAT(*text, HasSubstr("\nruns\n"));
}

TEST_F(Show, AsOfASnapshot) {
  const auto before = store_->catalog().LatestSnapshot();
  ASSERT_THAT(before, IsOk());
  ASSERT_THAT(backtests().Delete({"windows3_full"}), IsOk());
  EXPECT_THAT(ShowBacktest(backtests(), "windows3_full", {}, true), IsError(ErrorCode::kNotFound));
  const auto then = ShowBacktest(backtests(), "windows3_full", *before, true);
  ASSERT_THAT(then, IsOk());
  EXPECT_THAT(*then, HasSubstr("window_name")) << "the runs are read as of then, too";
  EXPECT_THAT(ShowBacktest(backtests(), "windows3_full", 1, true), IsError(ErrorCode::kNotFound));
}

}  // namespace
}  // namespace lamina::cli
