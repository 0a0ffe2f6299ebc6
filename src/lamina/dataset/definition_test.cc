#include "lamina/dataset/definition.h"

#include <gtest/gtest.h>

#include "lamina/base/matchers.h"

namespace lamina::dataset {
namespace {

TEST(Definition, PredefinedOnesHaveTheirColumns) {
  const Definition bars = OhlcvDefinition();
  EXPECT_THAT(CheckDefinition(bars), IsOk());
  std::vector<std::string> names;
  for (const auto& column : LakeColumns(bars)) names.push_back(column.name);
  EXPECT_THAT(names, testing::ElementsAre("timestamp", "open", "high", "low", "close", "volume",
                                          "instrument", "timeframe", "complete", "fetch_run_id",
                                          "year", "month"));
  EXPECT_THAT(CheckDefinition(SplitsDefinition()), IsOk());

  const auto features = FeaturesDefinition("features", "features", {});
  ASSERT_THAT(features, IsOk());
  ASSERT_EQ(features->columns.size(), 81U);
  EXPECT_EQ(features->columns[1].name, "slope_high_0");
  EXPECT_EQ(features->columns[5].name, "slope_high_1");
  EXPECT_EQ(features->columns[80].name, "direction_19");
  const auto real = FeaturesDefinition(
      "f", "normalized",
      {24, {"slope_high", "slope_low", "volatility", "direction", "csi"}, {"vix"}});
  ASSERT_THAT(real, IsOk());
  EXPECT_EQ(real->columns.size(), 1U + 120U + 1U);
  EXPECT_EQ(real->columns.back().name, "vix");

  const auto latents = LatentsDefinition("latents", 120);
  ASSERT_THAT(latents, IsOk());
  EXPECT_EQ(latents->columns.back().name, "latent_119");
  EXPECT_THAT(LatentsDefinition("latents", 0), IsError(ErrorCode::kInvalidArgument));
  EXPECT_THAT(FeaturesDefinition("x", "ohlcv", {}), IsError(ErrorCode::kInvalidArgument));
}

TEST(Definition, RefusesWhatCannotBeATable) {
  struct Case {
    const char* name;
    void (*spoil)(Definition&);
  };
  const Case kCases[] = {
      {"no name", [](Definition& d) { d.name = ""; }},
      {"a column twice", [](Definition& d) { d.columns.push_back({"CLOSE"}); }},
      {"a column made from the time", [](Definition& d) { d.columns.push_back({"year"}); }},
      {"no time column", [](Definition& d) { d.time_column = "open"; }},
      {"time is not the last key", [](Definition& d) { d.keys = {"timestamp", "instrument"}; }},
      {"a key that is a price", [](Definition& d) { d.keys = {"close", "timestamp"}; }},
      {"a key that may be NULL", [](Definition& d) { d.keys = {"fetch_run_id", "timestamp"}; }},
      {"complete is no boolean", [](Definition& d) { d.complete_column = "close"; }},
  };
  for (const Case& each : kCases) {
    SCOPED_TRACE(each.name);
    Definition definition = OhlcvDefinition();
    each.spoil(definition);
    EXPECT_THAT(CheckDefinition(definition), IsError(ErrorCode::kInvalidArgument));
  }
}

TEST(Definition, NamesOfPartitions) {
  for (const Partition each : {Partition::kNone, Partition::kYear, Partition::kDate}) {
    EXPECT_EQ(*PartitionFromName(PartitionName(each)), each);
  }
  EXPECT_THAT(PartitionFromName("month"), IsError(ErrorCode::kInvalidArgument));
}

}  // namespace
}  // namespace lamina::dataset
