#include "lamina/backtests/weights.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lamina/base/matchers.h"

namespace lamina::backtests {
namespace {

using ::testing::DoubleEq;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

TEST(WeightsTest, PresetsAreFoundHoweverTheyAreSpelt) {
  for (const char* name : {"risk_adjusted", "RISK_ADJUSTED", "Risk-Adjusted"}) {
    const auto weights = FocusWeights(name);
    ASSERT_THAT(weights, IsOk()) << name;
    EXPECT_THAT(*weights, ::testing::Contains(Pair("max_drawdown", -3.0)));
    EXPECT_EQ(weights->size(), 15U);
  }
  const std::size_t sizes[] = {17, 12, 13, 15};
  for (std::size_t i = 0; i < FocusNames().size(); ++i) {
    EXPECT_EQ(FocusWeights(FocusNames()[i])->size(), sizes[i]) << FocusNames()[i];
    EXPECT_THAT(ResolveWeights(FocusNames()[i], {}), IsOk());
  }
  EXPECT_THAT(FocusWeights("balance"),
              IsError(ErrorCode::kInvalidArgument, HasSubstr("did you mean `balanced`")));
}

TEST(WeightsTest, TextsAreParsed) {
  EXPECT_THAT(*ParseWeights("sharpe=2, max_drawdown = -1.5,"),
              ElementsAre(Pair("sharpe", 2.0), Pair("max_drawdown", -1.5)));
  EXPECT_TRUE(ParseWeights("")->empty());
  for (const char* text : {"sharpe", "=2", "sharpe=", "sharpe=x", "sharpe=inf", "sharpe=nan"}) {
    EXPECT_THAT(ParseWeights(text), IsError(ErrorCode::kInvalidArgument)) << text;
  }
}

TEST(WeightsTest, OwnWeightsStandAboveThoseOfThePreset) {
  const auto weights = ResolveWeights("profit", {{"sharpe", 9}, {"var_95", 1}});
  ASSERT_THAT(weights, IsOk());
  EXPECT_THAT(*weights, ::testing::Contains(Pair("summary_sharpe_ratio", 9.0)));
  EXPECT_THAT(*weights, ::testing::Contains(Pair("summary_var_95", 1.0)));
  EXPECT_EQ(weights->size(), 13U);
  const std::pair<Weights, const char*> kBad[] = {
      {{{"sharp_ratio", 1}}, "did you mean `sharpe_ratio`"},
      {{{"tag", 1}}, "not a metric"},
      {{{"parameters.fast", 1}}, "not a metric"},
      {{{"sharpe", 1}, {"sharpe_ratio", 2}}, "two weights"},
      {{{"sharpe", HUGE_VAL}}, "no number"},
      {{}, "no weights"},
  };
  for (const auto& [own, message] : kBad) {
    EXPECT_THAT(ResolveWeights("", own), IsError(ErrorCode::kInvalidArgument, HasSubstr(message)));
  }
}

TEST(WeightsTest, ScoresAreWeightedPlaces) {
  const Weights weights = {{"up", 2}, {"down", -1}, {"same", 5}};
  const double inf = HUGE_VAL;
  EXPECT_THAT(ScoreRows(weights, {{0, 10, 3}, {1, 20, 3}, {0.5, 10, 3}}),
              ElementsAre(DoubleEq(0), DoubleEq(1), DoubleEq(1)));
  // Missing is worst; infinities are ends and do not stretch the range.
  EXPECT_THAT(ScoreRows(weights, {{0, 10, 3}, {1, 20, 3}, {std::nullopt, std::nullopt, 3}}),
              ElementsAre(DoubleEq(0), DoubleEq(1), DoubleEq(-1)));
  EXPECT_THAT(ScoreRows({{"up", 1}}, {{inf}, {1}, {2}, {-inf}}),
              ElementsAre(DoubleEq(1), DoubleEq(0), DoubleEq(1), DoubleEq(0)));
  EXPECT_THAT(ScoreRows({{"up", 1}}, {{1e308}, {-1e308}, {0}}),
              ElementsAre(DoubleEq(1), DoubleEq(0), DoubleEq(0.5)));
  EXPECT_TRUE(ScoreRows(weights, {}).empty());
}

}  // namespace
}  // namespace lamina::backtests
