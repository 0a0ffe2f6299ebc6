#include "lamina/backtests/compare.h"

#include <cmath>

#include "lamina/backtests/rank_catalog_test_support.h"

namespace lamina::backtests {
namespace {

using test::RowOf;
using test::SetMetric;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

IndexRow RowWith(const std::string& handle, const std::string& parameters, Number sharpe) {
  IndexRow row = RowOf(handle);
  row.parameters_json = parameters;
  SetMetric(row, "sharpe_ratio", sharpe);
  SetMetric(row, "number_of_trades", std::int64_t{3});
  return row;
}

TEST(CompareTest, ParametersThatDiffer) {
  const struct {
    const char* left;
    const char* right;
    std::vector<std::string> differing, equal;
  } cases[] = {
      {R"({"fast": 1, "slow": 2})", R"({"fast": 1, "slow": 3})", {"slow"}, {"fast"}},
      {R"({"x": 10})", R"({"x": 10.0})", {}, {"x"}},
      {R"({"x": 9007199254740993})", R"({"x": 9007199254740992})", {"x"}, {}},
      {R"({"x": NaN})", R"({"x": NaN})", {}, {"x"}},
      {R"({"x": null})", R"({})", {"x"}, {}},
      {R"({"x": "1"})", R"({"x": 1})", {"x"}, {}},
      {R"({"x": true})", R"({"x": 1})", {"x"}, {}},
      {R"({"r": {"a": 1, "b": {"c": 2}}})",
       R"({"r": {"a": 1, "b": {"c": 3}}})",
       {"r.b.c"},
       {"r.a"}},
      {R"({"r": {}})", R"({"r": {"a": 1}})", {"r", "r.a"}, {}},
      {R"({"l": [1, 2]})", R"({"l": [1, 2]})", {}, {"l"}},
      {R"({"l": [1, 2]})", R"({"l": [2, 1]})", {"l"}, {}},
      {"not json", R"({"a": 1})", {"a"}, {}},
  };
  for (const auto& one : cases) {
    LAMINA_ASSERT_ASSIGN(const Comparison comparison,
                         Compare({RowWith("a", one.left, 1.0), RowWith("b", one.right, 2.0)}));
    std::vector<std::string> names;
    for (const auto& parameter : comparison.differing) names.push_back(parameter.name);
    EXPECT_EQ(names, one.differing) << one.left;
    EXPECT_EQ(comparison.equal, one.equal) << one.left;
  }
}

TEST(CompareTest, DeepParametersEnd) {
  std::string deep = "1";
  for (int i = 0; i < 5000; ++i) deep = R"({"a": )" + deep + "}";
  LAMINA_ASSERT_ASSIGN(const Comparison comparison,
                       Compare({RowWith("a", deep, 1.0), RowWith("b", "{}", 1.0)}));
  EXPECT_EQ(comparison.differing.size(), 1u);
}

TEST(CompareTest, TextAndJson) {
  IndexRow left = RowWith("a", R"({"fast": 1, "stop": 0.05, "same": 1})", 1.5);
  left.start = Micros{0};
  const IndexRow right =
      RowWith("b", R"({"fast": 2, "stop": null, "same": 1, "new": "x"})", std::nan(""));
  LAMINA_ASSERT_ASSIGN(const Comparison comparison, Compare({left, right, left}));
  EXPECT_EQ(RenderComparison(comparison),
            "parameter  a     b\n"
            "---------  ----  ----\n"
            "fast       1     2\n"
            "stop       0.05  null\n"
            "new        -     x\n"
            "\n"
            "metric            a       b\n"
            "----------------  ------  ---\n"
            "sharpe_ratio      1.5000  nan\n"
            "number_of_trades  3       3\n");
  EXPECT_EQ(ComparisonJson(comparison),
            R"({"backtests":[{"label":"a","handle":"a","engine":"vector","study":"default",)"
            R"("universe":null,"algorithm_id":"a","tag":null,"start":"1970-01-01T00:00:00+00:00",)"
            R"("end":null},{"label":"b","handle":"b","engine":"vector","study":"default",)"
            R"("universe":null,"algorithm_id":"b","tag":null,"start":null,"end":null}],)"
            R"("parameters":{"fast":{"a":1,"b":2},"stop":{"a":0.05,"b":null},"new":{"b":"x"}},)"
            R"("equal_parameters":["same"],)"
            R"("metrics":{"sharpe_ratio":{"a":1.5,"b":null},"number_of_trades":{"a":3,"b":3}}})");
}

TEST(CompareTest, LabelsTellRowsOfOneHandleApart) {
  IndexRow vector = RowOf("x"), event = RowOf("x"), universe = RowOf("x");
  event.engine = "event";
  universe.universe = "alts";
  LAMINA_ASSERT_ASSIGN(const Comparison comparison, Compare({vector, event, universe, RowOf("y")}));
  std::vector<std::string> labels;
  for (const auto& backtest : comparison.backtests) labels.push_back(backtest.label);
  EXPECT_THAT(labels, ElementsAre("x (vector, -)", "x (event, -)", "x (vector, alts)", "y"));
  EXPECT_THAT(comparison.metrics, IsEmpty());
  EXPECT_EQ(RenderComparison(comparison).substr(0, 21), "no parameter differs\n");
}

TEST(CompareTest, ChosenMetricsAndErrors) {
  CompareOptions options;
  options.metrics = {"calmar", "summary_sharpe_ratio"};
  LAMINA_ASSERT_ASSIGN(const Comparison comparison, Compare({RowWith("a", "{}", 1.0)}, options));
  ASSERT_EQ(comparison.metrics.size(), 2u);
  EXPECT_EQ(comparison.metrics[0].name, "calmar_ratio");
  EXPECT_EQ(comparison.metrics[1].values, std::vector<Cell>{Cell(1.0)});
  options.metrics = {"sharp"};
  EXPECT_THAT(Compare({RowOf("a")}, options),
              IsError(ErrorCode::kInvalidArgument, HasSubstr("`sharpe`")));
  options.metrics = {"handle"};
  EXPECT_THAT(Compare({RowOf("a")}, options), IsError(ErrorCode::kInvalidArgument));
  EXPECT_THAT(Compare({}), IsError(ErrorCode::kInvalidArgument));
}

}  // namespace
}  // namespace lamina::backtests
