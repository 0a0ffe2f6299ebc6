#include "lamina/base/near_names.h"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lamina {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const std::vector<std::string>& Metrics() {
  static const std::vector<std::string> names = {
      "sharpe_ratio",     "sortino_ratio",  "calmar_ratio", "max_drawdown", "profit_factor",
      "number_of_trades", "total_net_gain", "total_return", "win_rate",     "cagr",
      "annual_volatility"};
  return names;
}

TEST(EditDistance, Table) {
  const struct {
    std::string_view a, b;
    std::size_t distance;
  } cases[] = {{"", "", 0},       {"abc", "abc", 0}, {"", "abc", 3},
               {"abc", "abd", 1}, {"abc", "acb", 1}, {"kitten", "sitting", 3},
               {"ab", "ba", 1},   {"ca", "abc", 3},  {"sharp", "sharpe", 1}};
  for (const auto& c : cases) {
    EXPECT_EQ(EditDistance(c.a, c.b), c.distance) << c.a << " " << c.b;
    EXPECT_EQ(EditDistance(c.b, c.a), c.distance) << c.b << " " << c.a;
  }
}

TEST(NearNames, Misspellings) {
  EXPECT_EQ(NearNames("sharp_ratio", Metrics()).front(), "sharpe_ratio");
  EXPECT_EQ(NearNames("sharpe_raito", Metrics()).front(), "sharpe_ratio");
  EXPECT_EQ(NearNames("Sharpe-Ratio", Metrics()).front(), "sharpe_ratio");
  EXPECT_THAT(NearNames("max_drawdwon", Metrics()), ElementsAre("max_drawdown"));
  EXPECT_THAT(NearNames("carg", Metrics()), ElementsAre("cagr"));
}

TEST(NearNames, BeginningsAndParts) {
  EXPECT_THAT(NearNames("sharpe", Metrics()), ElementsAre("sharpe_ratio"));
  EXPECT_THAT(NearNames("total", Metrics()), ElementsAre("total_return", "total_net_gain"));
  EXPECT_THAT(NearNames("drawdown", Metrics()), ElementsAre("max_drawdown"));
  EXPECT_THAT(NearNames("cagr_percent", Metrics()), ElementsAre("cagr"));
  EXPECT_THAT(NearNames("trades", Metrics()), ElementsAre("number_of_trades"));
}

TEST(NearNames, NothingNear) {
  EXPECT_THAT(NearNames("", Metrics()), IsEmpty());
  EXPECT_THAT(NearNames("x", Metrics()), IsEmpty());
  EXPECT_THAT(NearNames("ra", Metrics()), IsEmpty());
  EXPECT_THAT(NearNames("zebra_crossing", Metrics()), IsEmpty());
  EXPECT_THAT(NearNames(std::string(100'000, 's'), Metrics()), IsEmpty());
  EXPECT_THAT(NearNames("sharpe", {}), IsEmpty());
}

TEST(NearNames, LimitAndRepeats) {
  const std::vector<std::string> known = {"aaa1", "aaa2", "aaa2", "aaa3", "aaa4"};
  EXPECT_THAT(NearNames("aaa0", known), ElementsAre("aaa1", "aaa2", "aaa3"));
  EXPECT_THAT(NearNames("aaa0", known, 1), ElementsAre("aaa1"));
  EXPECT_THAT(NearNames("aaa0", known, 0), IsEmpty());
}

TEST(DidYouMean, Sentence) {
  EXPECT_EQ(DidYouMean("max_drawdwon", Metrics()), "; did you mean `max_drawdown`?");
  EXPECT_EQ(DidYouMean("total", Metrics()), "; did you mean `total_return` or `total_net_gain`?");
  EXPECT_EQ(DidYouMean("aaa0", {"aaa1", "aaa2", "aaa3"}),
            "; did you mean `aaa1`, `aaa2` or `aaa3`?");
  EXPECT_EQ(DidYouMean("zebra_crossing", Metrics()), "");
}

TEST(NearNames, OneSlipIsAlwaysFound) {
  std::mt19937 random(5);
  for (int round = 0; round < 500; ++round) {
    const std::string& name = Metrics()[random() % Metrics().size()];
    std::string wrong = name;
    const std::size_t at = random() % (wrong.size() - 1);
    switch (random() % 4) {
      case 0:
        wrong.erase(at, 1);
        break;
      case 1:
        wrong.insert(at, 1, 'x');
        break;
      case 2:
        wrong[at] = 'q';
        break;
      default:
        std::swap(wrong[at], wrong[at + 1]);
    }
    const std::vector<std::string> near = NearNames(wrong, Metrics());
    ASSERT_FALSE(near.empty()) << wrong;
    EXPECT_EQ(near.front(), name) << wrong;
  }
}

}  // namespace
}  // namespace lamina
