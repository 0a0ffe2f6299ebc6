#include "lamina/backtests/columns.h"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lamina/base/matchers.h"

namespace lamina::backtests {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(ColumnsTest, Names) {
  const struct {
    const char* name;
    const char* column;
  } cases[] = {
      {"sharpe_ratio", "summary_sharpe_ratio"},
      {"summary_sharpe_ratio", "summary_sharpe_ratio"},
      {"summary.sharpe_ratio", "summary_sharpe_ratio"},
      {"Summary_Sharpe_Ratio", "summary_sharpe_ratio"},
      {"sharpe", "summary_sharpe_ratio"},
      {"sortino", "summary_sortino_ratio"},
      {"calmar", "summary_calmar_ratio"},
      {"return", "summary_total_net_gain_percentage"},
      {"drawdown", "summary_max_drawdown"},
      {"trades", "summary_number_of_trades"},
      {"handle", "bundle_path"},
      {"bundle_path", "bundle_path"},
      {"engine", "engine_type"},
      {"study", "study_name"},
      {"universe", "universe_key"},
      {"summary_extras_json", "summary_extras_json"},
      {"number_of_runs", "number_of_runs"},
      {"start_date", "start_date"},
  };
  for (const auto& one : cases) {
    const IndexColumn* column = FindColumn(one.name);
    ASSERT_NE(column, nullptr) << one.name;
    EXPECT_EQ(column->name, one.column) << one.name;
  }
  for (const char* name : {"", "sharp", "summary_", "summary_sharpe", "end_snapshot", "rowid",
                           "summary_nan_mask", "summary_handle"}) {
    EXPECT_EQ(FindColumn(name), nullptr) << name;
  }
}

TEST(ColumnsTest, Members) {
  const auto member = ResolveName(std::string_view("parameters.fast"));
  ASSERT_THAT(member, IsOk());
  EXPECT_EQ(member->column->name, "parameters_json");
  EXPECT_THAT(member->path, ElementsAre("fast"));
  const auto odd = ResolveName(std::string_view("metadata.`a.b`.c"));
  ASSERT_THAT(odd, IsOk());
  EXPECT_EQ(odd->column->name, "extras_json");
  EXPECT_THAT(odd->path, ElementsAre("a.b", "c"));
}

TEST(ColumnsTest, OurOwnMetrics) {
  const std::pair<const char*, const char*> cases[] = {
      {"validated_sharpe_ratio", "validated_sharpe_ratio"},
      {"Validated.Sharpe_Ratio", "validated_sharpe_ratio"},
      {"validated_sharpe", "validated_sharpe_ratio"},
      {"validated_drawdown", "validated_max_drawdown"},
      {"validated_return", "validated_total_net_gain_percentage"},
      {"validated_kurtosis", "validated_kurtosis"},
      {"validated_disagreements", "validated_disagreements"},
  };
  for (const auto& [name, column] : cases) {
    const IndexColumn* found = FindColumn(name);
    ASSERT_NE(found, nullptr) << name;
    EXPECT_EQ(found->name, column);
    EXPECT_EQ(found->summary_field, -1);
  }
  EXPECT_EQ(FindColumn("sharpe")->name, "summary_sharpe_ratio") << "the recorded one";
  EXPECT_EQ(FindColumn("validated_handle"), nullptr);
}

TEST(ColumnsTest, ErrorsNameNearNames) {
  const struct {
    const char* name;
    const char* message;
  } cases[] = {
      {"sharp_ratio", "sharpe_ratio"},
      {"summary_sharp_ratio", "sharpe_ratio"},
      {"max_drawdwon", "max_drawdown"},
      {"validated_sharpe_rato", "validated_sharpe_ratio"},
      {"validated_trades", "validated_"},
      {"parameter.fast", "parameters"},
      {"parameters", "parameters.<key>"},
      {"sharpe; DROP TABLE backtest_index", "is not a column name"},
      {"1", "is not a column name"},
      {"", "is not a column name"},
      {"a b", "is not a column name"},
  };
  for (const auto& one : cases) {
    EXPECT_THAT(
        ResolveName(std::string_view(one.name)),
        IsError(ErrorCode::kInvalidArgument, AllOf(HasSubstr(one.message), HasSubstr(one.name))));
  }
}

TEST(ColumnsTest, NamesAreUnique) {
  std::set<std::string_view> seen;
  for (const IndexColumn& column : IndexColumns()) {
    EXPECT_TRUE(seen.insert(column.name).second) << column.name;
  }
  EXPECT_EQ(seen.size(), 104u);
}

}  // namespace
}  // namespace lamina::backtests
