#include "lamina/backtests/filter.h"

#include <fstream>
#include <iterator>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lamina/base/matchers.h"

namespace lamina::backtests {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

/// The SQL with parameters put back in <angle brackets>.
std::string Shown(std::string_view text) {
  const auto filter = CompileFilter(text);
  if (!filter.ok()) return "error: " + std::string(filter.error().message());
  std::string out;
  std::size_t next = 0;
  for (const char c : filter->sql) {
    if (c != '?') {
      out += c;
      continue;
    }
    const SqlValue& value = filter->parameters.at(next++);
    if (const auto* integer = std::get_if<std::int64_t>(&value)) {
      out += "<" + std::to_string(*integer) + ">";
    } else if (const auto* real = std::get_if<double>(&value)) {
      out += "<" + std::to_string(*real) + ">";
    } else {
      out += "<'" + std::get<std::string>(value) + "'>";
    }
  }
  EXPECT_EQ(next, filter->parameters.size());
  return out;
}

TEST(FilterTest, Compiles) {
  const struct {
    const char* filter;
    const char* sql;
  } cases[] = {
      {"sharpe > 1", R"(((i."summary_sharpe_ratio" > <1>)))"},
      {"1 < sharpe", R"(((<1> < i."summary_sharpe_ratio")))"},
      {"sharpe == 1.5", R"(((i."summary_sharpe_ratio" = <1.500000>)))"},
      {"sharpe <> 1", R"(((i."summary_sharpe_ratio" != <1>)))"},
      {"sharpe > '1.5'", R"(((i."summary_sharpe_ratio" > <1.500000>)))"},
      {"algorithm_id = 5", R"(((i."algorithm_id" = <'5'>)))"},
      {"algorithm_id = 1.50", R"(((i."algorithm_id" = <'1.50'>)))"},
      {"sharpe > 1 AND trades > 30 OR drawdown < 0.2",
       R"(((((i."summary_sharpe_ratio" > <1>) AND (i."summary_number_of_trades" > <30>)) OR )"
       R"((i."summary_max_drawdown" < <0.200000>))))"},
      {"sharpe > 1 AND (trades > 30 OR drawdown < 0.2)",
       R"((((i."summary_sharpe_ratio" > <1>) AND ((i."summary_number_of_trades" > <30>) OR )"
       R"((i."summary_max_drawdown" < <0.200000>)))))"},
      {"NOT sharpe > 1 AND trades = 1",
       R"((((NOT (i."summary_sharpe_ratio" > <1>)) AND (i."summary_number_of_trades" = <1>))))"},
      {"sharpe - 1 - 2 > 3 * 4 + 5",
       R"(((((i."summary_sharpe_ratio" - <1>) - <2>) > ((<3> * <4>) + <5>))))"},
      {"sharpe / trades > -2",
       R"((((CAST(i."summary_sharpe_ratio" AS REAL) / i."summary_number_of_trades") > <-2>)))"},
      {"-sharpe > - -1", R"((((-i."summary_sharpe_ratio") > <1>)))"},
      {"-(sharpe + 1) > +2", R"((((-(i."summary_sharpe_ratio" + <1>)) > <2>)))"},
      {"sharpe BETWEEN -1 AND 2 AND trades > 1",
       R"((((i."summary_sharpe_ratio" BETWEEN <-1> AND <2>) AND )"
       R"((i."summary_number_of_trades" > <1>))))"},
      {"sharpe NOT BETWEEN 1 AND 2", R"(((NOT (i."summary_sharpe_ratio" BETWEEN <1> AND <2>))))"},
      {"trades IN (1, -2, 3)", R"(((i."summary_number_of_trades" IN (<1>, <-2>, <3>))))"},
      {"engine NOT IN ('vector')", R"(((NOT (i."engine_type" IN (<'vector'>)))))"},
      {"handle LIKE 'sweep/%'", R"(((i."bundle_path" LIKE <'sweep/%'>)))"},
      {"handle not like \"x\"", R"(((NOT (i."bundle_path" LIKE <'x'>))))"},
      {"sharpe IS NULL", R"(((i."summary_sharpe_ratio" IS NULL)))"},
      {"sharpe is not null", R"(((NOT (i."summary_sharpe_ratio" IS NULL))))"},
      {"engine IS NULL", R"(((i."engine_type" = '')))"},
      {"parameters.fast IS NULL", R"(((lamina_member(i."parameters_json", <'fast'>) IS NULL)))"},
      {"parameters.fast > 10", R"(((lamina_member_number(i."parameters_json", <'fast'>) > <10>)))"},
      {"parameters.fast = 'x'", R"(((lamina_member_text(i."parameters_json", <'fast'>) = <'x'>)))"},
      {"parameters.fast = true",
       R"(((lamina_member_number(i."parameters_json", <'fast'>) = <1>)))"},
      {"parameters.fast < parameters.slow", R"(((lamina_member(i."parameters_json", <'fast'>) < )"
                                            R"(lamina_member(i."parameters_json", <'slow'>))))"},
      {"parameters.fast * 2 < sharpe",
       R"((((lamina_member_number(i."parameters_json", <'fast'>) * <2>) < )"
       R"(i."summary_sharpe_ratio")))"},
      {"metadata.`odd key`.x LIKE '%a'",
       R"(((lamina_member_text(i."extras_json", <'odd key'>, <'x'>) LIKE <'%a'>)))"},
      {"tag = 'a'", R"((lamina_any_tag(i."tag", i."tags", '=', <'a'>)))"},
      {"tag != 'a'", R"(((NOT lamina_any_tag(i."tag", i."tags", '=', <'a'>))))"},
      {"'a' < tag", R"((lamina_any_tag(i."tag", i."tags", '>', <'a'>)))"},
      {"tag LIKE \"sweep_%\"", R"((lamina_any_tag(i."tag", i."tags", 'LIKE', <'sweep_%'>)))"},
      {"tag NOT IN ('a', 7)", R"(((NOT lamina_any_tag(i."tag", i."tags", 'IN', <'a'>, <'7'>))))"},
      {"tag BETWEEN 'a' AND 'b'",
       R"((lamina_any_tag(i."tag", i."tags", 'BETWEEN', <'a'>, <'b'>)))"},
      {"tag IS NULL", R"(((i."tag" IS NULL AND i."tags" = '[]')))"},
      {"start_date >= '2024-01-01'", R"(((i."start_date" >= <1704067200000000>)))"},
      {"start_date BETWEEN '1970-01-01' AND '1970-01-01T00:00:01Z'",
       R"(((i."start_date" BETWEEN <0> AND <1000000>)))"},
      {"document_sha256 LIKE 'ab%'", R"(((lower(hex(i."document_sha256")) LIKE <'ab%'>)))"},
      {"TRUE", "(<1>)"},
      {"NOT false OR 1 = 1", "(((NOT <0>) OR (<1> = <1>)))"},
      {"9223372036854775808 > 1", "((<9223372036854775808.000000> > <1>))"},
  };
  for (const auto& one : cases) {
    EXPECT_EQ(Shown(one.filter), one.sql) << one.filter;
  }
}

TEST(FilterTest, Errors) {
  const struct {
    const char* filter;
    const char* message;
  } cases[] = {
      {"", "column 1: expected a name, a number or a quoted text, found the end"},
      {"sharpe", "column 1: 'sharpe' is not a condition"},
      {"sharpe + 1", "'sharpe + 1' is not a condition"},
      {"sharpe >", "column 9: expected a name, a number or a quoted text, found the end"},
      {"> 1", "column 1: expected a name, a number or a quoted text, found '>'"},
      {"sharpe > 1 trades > 2", "column 12: expected AND, OR or the end, found 'trades'"},
      {"sharpe > 1 AND", "column 15: expected"},
      {"(sharpe > 1", "column 12: expected ')', found the end"},
      {"sharpe > 1)", "column 11: expected AND, OR or the end, found ')'"},
      {"1 < sharpe < 2", "column 12: comparisons cannot be chained"},
      {"(sharpe > 1) = 1", "column 14: '(sharpe > 1)' cannot be compared"},
      {"1 = (sharpe > 1)", "column 5: '(sharpe > 1)' cannot be compared"},
      {"sharpe > 1 AND trades", "column 16: 'trades' is not a condition"},
      {"NOT trades", "column 5: 'trades' is not a condition"},
      {"sharpe = NULL", "column 10: NULL is tested with IS NULL"},
      {"NULL IS NULL", "column 1: NULL is tested with IS NULL"},
      {"sharpe IS 1", "column 11: expected NULL or NOT NULL, found '1'"},
      {"sharpe IS NOT 1", "column 15: expected NULL, found '1'"},
      {"sharpe NOT > 1", "column 12: expected LIKE, IN or BETWEEN after NOT, found '>'"},
      {"sharpe NOT", "column 11: expected LIKE, IN or BETWEEN after NOT, found the end"},
      {"sharpe > 'high'", "column 10: ''high'' is compared with a number but is none; back-ticks"},
      {"\"sharpe\" > 0", "column 1: both sides are constants; back-ticks"},
      {"'a' = 'a'", "column 1: both sides are constants"},
      {"sharpe > algorithm_id", "column 10: 'algorithm_id' is compared with a number"},
      {"algorithm_id > sharpe", "column 16: 'sharpe' is compared with a text"},
      {"algorithm_id = true", "column 16: 'true' is compared with a text"},
      {"sharpe LIKE '1%'", "column 1: 'sharpe' is compared with a text"},
      {"handle LIKE 5", "column 13: expected a quoted pattern after LIKE, found '5'"},
      {"handle LIKE tag", "column 13: expected a quoted pattern after LIKE, found 'tag'"},
      {"algorithm_id + 1 > 2", "column 1: 'algorithm_id' is not a number"},
      {"'a' + 1 > 2", "column 1: ''a'' is not a number"},
      {"tag + 1 > 2", "column 1: 'tag' is not a number"},
      {"-tag > 2", "column 2: 'tag' is not a number"},
      {"-(sharpe > 1) > 2", "is not a number"},
      {"tag = tag", "column 7: a tag is compared with a text"},
      {"tag = sharpe", "column 7: 'sharpe' is compared with a text"},
      {"handle BETWEEN 'a' AND tag", "column 24: 'tag' cannot be compared here"},
      {"sharpe BETWEEN 1", "column 17: expected AND between the two bounds, found the end"},
      {"trades IN 5", "column 11: expected '(' after IN, found '5'"},
      {"trades IN ()", "column 12: expected a name, a number or a quoted text, found ')'"},
      {"trades IN (1, 2", "column 16: expected ',' or ')', found the end"},
      {"trades IN (1, sharpe)", "column 15: a list holds numbers and quoted texts only"},
      {"trades IN (1, 'x')", "column 15: ''x'' is compared with a number but is none"},
      {"trades IN (SELECT 1)", "unknown name 'SELECT'"},
      {"start_date > 5", "column 14: '5' is not a time such as '2024-01-31'"},
      {"start_date > 'soon'", "column 14: ''soon'' is not a time"},
      {"start_date > sharpe", "column 14: 'sharpe' is not a time"},
      {"start_date LIKE '2024%'", "column 1: 'start_date' is compared with a text"},
      {"sharp_ratio > 1", "column 1: unknown name 'sharp_ratio'; did you mean `sharpe_ratio`"},
      {"1 < validated_sharp",
       "column 5: unknown name 'validated_sharp'; did you mean `validated_sharpe`"},
      {"parameters > 1", "column 1: 'parameters' needs a key: parameters.<key>"},
      {"1e999 > 1", "column 1: '1e999' is not a finite number"},
      {"\u00e4\u00f6 > 1", "column 1: unknown name"},
      {"handle = '\u00e4\u00f6' x", "column 15: expected AND, OR or the end, found 'x'"},
  };
  for (const auto& one : cases) {
    EXPECT_THAT(
        CompileFilter(one.filter),
        IsError(ErrorCode::kInvalidArgument, AllOf(HasSubstr("filter, "), HasSubstr(one.message))))
        << one.filter;
  }
}

TEST(FilterTest, NothingEscapes) {
  const char* attempts[] = {
      "1=1) OR (1=1",
      "1=1; DROP TABLE backtest_index",
      "1=1 -- ",
      "1=1 /* */",
      "1=1 UNION SELECT * FROM store_info",
      "EXISTS (SELECT 1 FROM store_info)",
      "(SELECT value FROM store_info) = 'x'",
      "handle IN (SELECT handle FROM backtest)",
      "PRAGMA user_version",
      "load_extension('x') = 1",
      "length(handle) > 1",
      "sqlite_version() = 'x'",
      "handle = char(65)",
      "store_info.value = 'x'",
      "backtest.handle = 'x'",
      "main.backtest_index.tag = 'x'",
      "handle GLOB '*'",
      "handle MATCH 'x'",
      "handle REGEXP 'x'",
      "handle COLLATE NOCASE = 'x'",
      "CASE WHEN 1=1 THEN 1 END = 1",
      "CAST(handle AS INTEGER) = 1",
      "handle = x'41'",
      "handle LIKE 'a' ESCAPE 'b'",
      "rowid = 1",
      "end_snapshot = 1",
      "summary_nan_mask > 0",
      "1=1 LIMIT 1",
      "1=1 ORDER BY 1",
      "handle || 'x' = 'ax'",
      "sharpe & 1 = 1",
      "sharpe << 2 > 1",
      "~1 = 2",
      "handle = ?",
      "handle = ?1",
      "handle = :a",
  };
  for (const char* attempt : attempts) {
    EXPECT_THAT(CompileFilter(attempt), IsError(ErrorCode::kInvalidArgument)) << attempt;
  }
  // Text stays text.
  EXPECT_EQ(Shown("handle = '1=1) OR (1=1; --'"), R"(((i."bundle_path" = <'1=1) OR (1=1; --'>)))");
  EXPECT_EQ(Shown("parameters.`x') OR ('1'='1` = 1"),
            R"(((lamina_member_number(i."parameters_json", <'x') OR ('1'='1'>) = <1>)))");
}

std::string Repeat(std::string_view text, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += text;
  return out;
}

TEST(FilterTest, Limits) {
  const std::string atom = "trades = 1";
  const struct {
    const char* name;
    std::string fits, exceeds;
  } cases[] = {
      {"bytes", atom + std::string(65536 - atom.size(), ' '),
       atom + std::string(65537 - atom.size(), ' ')},
      {"parentheses", Repeat("(", 64) + atom + Repeat(")", 64),
       Repeat("(", 65) + atom + Repeat(")", 65)},
      {"NOT", Repeat("NOT ", 64) + atom, Repeat("NOT ", 65) + atom},
      {"signs", "trades = " + Repeat("- ", 64) + "1", "trades = " + Repeat("- ", 65) + "1"},
      {"conditions", atom + Repeat(" OR " + atom, 249), atom + Repeat(" OR " + atom, 250)},
      {"terms", atom + Repeat(" + 1", 499), atom + Repeat(" + 1", 500)},
      {"list", "trades IN (1" + Repeat(",1", 999) + ")", "trades IN (1" + Repeat(",1", 1000) + ")"},
  };
  for (const auto& one : cases) {
    EXPECT_THAT(CompileFilter(one.fits), IsOk()) << one.name;
    EXPECT_THAT(CompileFilter(one.exceeds), IsError(ErrorCode::kResourceExhausted)) << one.name;
  }
  EXPECT_THAT(CompileFilter(Repeat("(", 60000)), IsError(ErrorCode::kResourceExhausted));
}

TEST(FilterTest, ColumnsThatAreRead) {
  const auto filter = CompileFilter("sharpe > 1 AND parameters.fast = 2");
  ASSERT_THAT(filter, IsOk());
  ASSERT_EQ(filter->columns.size(), 2u);
  EXPECT_EQ(filter->columns[0]->name, "summary_sharpe_ratio");
  EXPECT_EQ(filter->columns[1]->name, "parameters_json");
  EXPECT_TRUE(filter->uses_functions);
}

/// The blocks of docs/guide/filters.md between ```<language> and ```.
std::vector<std::string> GuideBlocks(const std::string& language) {
  std::ifstream in(std::string(LAMINA_SOURCE_DIR) + "/docs/guide/filters.md");
  EXPECT_TRUE(in.good());
  std::vector<std::string> lines;
  bool inside = false;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("```")) {
      inside = !inside && line == "```" + language;
    } else if (inside && !line.empty()) {
      lines.push_back(line);
    }
  }
  return lines;
}

TEST(FilterTest, GuideExamples) {
  const auto good = GuideBlocks("filter");
  EXPECT_GE(good.size(), 15u);
  for (const std::string& line : good) EXPECT_THAT(CompileFilter(line), IsOk()) << line;
  const auto bad = GuideBlocks("filter-error");
  EXPECT_GE(bad.size(), 2u);
  for (const std::string& line : bad) {
    EXPECT_THAT(CompileFilter(line), IsError(ErrorCode::kInvalidArgument)) << line;
  }
}

}  // namespace
}  // namespace lamina::backtests
