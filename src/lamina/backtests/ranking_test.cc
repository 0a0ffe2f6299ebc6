#include "lamina/backtests/ranking.h"

#include <cmath>
#include <limits>

#include "lamina/backtests/rank_catalog_test_support.h"

namespace lamina::backtests {
namespace {

using test::RankCatalog;
using test::RowOf;
using test::SetMetric;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> FirstColumn(const RowSet& set) {
  std::vector<std::string> out;
  for (const auto& row : set.rows) out.push_back(std::get<std::string>(row.front()));
  return out;
}

std::vector<std::string> HandlesOf(catalog::Database& database, const ListQuery& query) {
  const auto rows = List(database, query);
  EXPECT_THAT(rows, IsOk());
  return rows.ok() ? FirstColumn(*rows) : std::vector<std::string>();
}

ListQuery SortedBy(const std::string& sort, bool descending) {
  ListQuery query;
  query.sort = sort;
  query.descending = descending;
  return query;
}

class RankingTest : public ::testing::Test {
 protected:
  void AddMetric(const std::string& handle, std::string_view metric, Number value) {
    IndexRow row = RowOf(handle);
    SetMetric(row, metric, value);
    catalog_.Add(row);
  }
  catalog::Database& database() { return *catalog_; }
  RankCatalog catalog_;
};

TEST_F(RankingTest, NullsAndNanLastInBothDirections) {
  for (const char* metric : {"sharpe_ratio", "sortino_ratio", "var_95"}) {  // three kinds of plan
    RankCatalog catalog;
    const std::pair<const char*, Number> values[] = {
        {"b_two", 2.0},        {"nil", Number()},    {"one", 1.0},       {"a_two", 2.0},
        {"nan", std::nan("")}, {"minus", -HUGE_VAL}, {"plus", HUGE_VAL},
    };
    for (const auto& [handle, value] : values) {
      IndexRow row = RowOf(handle);
      SetMetric(row, metric, value);
      catalog.Add(row);
    }
    for (const std::optional<std::int64_t> limit :
         {std::optional<std::int64_t>(), std::optional<std::int64_t>(100)}) {
      ListQuery down = SortedBy(metric, true);
      down.limit = limit;
      EXPECT_THAT(HandlesOf(*catalog, down),
                  ElementsAre("plus", "a_two", "b_two", "one", "minus", "nan", "nil"))
          << metric;
      ListQuery up = SortedBy(metric, false);
      up.limit = limit;
      EXPECT_THAT(HandlesOf(*catalog, up),
                  ElementsAre("minus", "one", "a_two", "b_two", "plus", "nan", "nil"))
          << metric;
    }
  }
}

TEST_F(RankingTest, ValuesKeepTheirKind) {
  IndexRow row = RowOf("x");
  row.engine = "";
  row.parameters_json = R"({"fast": 10, "ratio": 10.0, "on": true, "name": "n", )"
                        R"("none": null, "list": [1, 2], "bad": NaN})";
  row.start = Micros{0};
  SetMetric(row, "sharpe_ratio", std::nan(""));
  SetMetric(row, "number_of_trades", std::int64_t{7});
  SetMetric(row, "cagr", -HUGE_VAL);
  catalog_.Add(row);
  ListQuery query;
  query.columns = {"handle",          "sharpe",           "trades",         "cagr",
                   "sortino",         "engine",           "universe",       "start_date",
                   "parameters.fast", "parameters.ratio", "parameters.on",  "parameters.name",
                   "parameters.none", "parameters.list",  "parameters.bad", "parameters.absent",
                   "sharpe"};
  LAMINA_ASSERT_ASSIGN(const RowSet set, List(database(), query));
  ASSERT_EQ(set.rows.size(), 1u);
  const std::vector<Cell>& cells = set.rows.front();
  ASSERT_EQ(set.columns.size(), 16u) << "the second `sharpe` is the first";
  ASSERT_EQ(cells.size(), 16u);
  EXPECT_TRUE(std::isnan(std::get<double>(cells[1])));
  EXPECT_EQ(cells[2], Cell(std::int64_t{7}));
  EXPECT_EQ(cells[3], Cell(-HUGE_VAL));
  for (const std::size_t null : {4, 5, 6, 12, 15}) EXPECT_EQ(cells[null], Cell()) << null;
  EXPECT_EQ(cells[7], Cell("1970-01-01T00:00:00+00:00"));
  EXPECT_EQ(cells[8], Cell(std::int64_t{10}));
  EXPECT_EQ(cells[9], Cell(10.0));
  EXPECT_EQ(cells[10], Cell(true));
  EXPECT_EQ(cells[11], Cell("n"));
  EXPECT_EQ(cells[13], Cell("[1, 2]"));
  EXPECT_TRUE(std::isnan(std::get<double>(cells[14])));
}

TEST_F(RankingTest, DefaultColumns) {
  catalog_.Add(RowOf("x"));
  LAMINA_ASSERT_ASSIGN(const RowSet list, List(database(), {}));
  EXPECT_THAT(list.columns,
              ElementsAre("handle", "algorithm_id", "tag", "sharpe_ratio",
                          "total_net_gain_percentage", "max_drawdown", "number_of_trades"));
  RankQuery query;
  query.by = "sharpe";
  LAMINA_ASSERT_ASSIGN(const RowSet rank, Rank(database(), query));
  EXPECT_THAT(rank.columns,
              ElementsAre("handle", "algorithm_id", "tag", "sharpe_ratio", "sortino_ratio",
                          "calmar_ratio", "total_net_gain_percentage", "max_drawdown"));
}

TEST_F(RankingTest, LimitsAndOffsets) {
  for (int i = 0; i < 30; ++i) {
    AddMetric("run_" + std::to_string(100 + i), "sortino_ratio", static_cast<double>(i));
  }
  RankQuery rank;
  rank.by = "sortino";
  LAMINA_ASSERT_ASSIGN(const RowSet ten, Rank(database(), rank));
  EXPECT_EQ(ten.rows.size(), 10u);
  rank.limit = 3;
  rank.offset = 28;
  LAMINA_ASSERT_ASSIGN(const RowSet last, Rank(database(), rank));
  EXPECT_THAT(FirstColumn(last), ElementsAre("run_101", "run_100"));
  ListQuery list;
  EXPECT_EQ(HandlesOf(database(), list).size(), 30u);
  EXPECT_EQ(HandlesOf(database(), list).front(), "run_100");
  list.offset = 29;
  EXPECT_THAT(HandlesOf(database(), list), ElementsAre("run_129"));
  list.limit = 0;
  EXPECT_THAT(HandlesOf(database(), list), IsEmpty());
  list.offset = std::numeric_limits<std::int64_t>::max();
  list.limit = std::numeric_limits<std::int64_t>::max();
  EXPECT_THAT(HandlesOf(database(), list), IsEmpty());
  list.limit = -1;
  EXPECT_THAT(List(database(), list), IsError(ErrorCode::kInvalidArgument, HasSubstr("limit -1")));
  list.limit.reset();
  list.offset = -5;
  EXPECT_THAT(List(database(), list), IsError(ErrorCode::kInvalidArgument, HasSubstr("offset -5")));
}

TEST_F(RankingTest, MisspeltNamesAreErrors) {
  catalog_.Add(RowOf("x"));
  RankQuery rank;
  EXPECT_THAT(Rank(database(), rank), IsError(ErrorCode::kInvalidArgument, HasSubstr("metric")));
  rank.by = "sharp_ratio";
  EXPECT_THAT(Rank(database(), rank),
              IsError(ErrorCode::kInvalidArgument, HasSubstr("`sharpe_ratio`")));
  rank.by = "sharpe";
  rank.columns = {"handle", "calmer_ratio"};
  EXPECT_THAT(Rank(database(), rank),
              IsError(ErrorCode::kInvalidArgument, HasSubstr("`calmar_ratio`")));
  rank.columns = {"(SELECT value FROM store_info)"};
  EXPECT_THAT(Rank(database(), rank), IsError(ErrorCode::kInvalidArgument));
  rank.columns.clear();
  rank.by = "sharpe DESC; DROP TABLE backtest_index";
  EXPECT_THAT(Rank(database(), rank), IsError(ErrorCode::kInvalidArgument));
  rank.by = "sharpe";
  rank.rows.where = "1=1) OR (1=1";
  EXPECT_THAT(Rank(database(), rank), IsError(ErrorCode::kInvalidArgument, HasSubstr("column 4")));
}

TEST_F(RankingTest, PooledRowsUnlessAsked) {
  IndexRow row = RowOf("x");
  catalog_.Add(row);
  IndexPlace same;
  same.backtest_id = 1;
  row.universe = "alts";
  catalog_.Add(row, same);
  row.universe = "";
  row.engine = "event";
  catalog_.Add(row, same);
  row.engine = "vector";
  row.study = "stress";
  catalog_.Add(row, same);
  const auto count = [&](const RowSelection& selection) {
    const auto rows = CountRows(database(), selection);
    EXPECT_THAT(rows, IsOk());
    return *rows;
  };
  RowSelection selection;
  EXPECT_EQ(count(selection), 3);
  selection.engine = "vector";
  EXPECT_EQ(count(selection), 2);
  selection.study = "default";
  EXPECT_EQ(count(selection), 1);
  selection.universe = "alts";
  EXPECT_EQ(count(selection), 1);
  selection.universe = "none";
  EXPECT_EQ(count(selection), 0);
  selection = {};
  selection.all_universes = true;
  EXPECT_EQ(count(selection), 4);
  selection.where = "universe IS NOT NULL";
  EXPECT_EQ(count(selection), 1);
}

TEST_F(RankingTest, AsOfASnapshot) {
  IndexPlace old_place;
  old_place.backtest_id = 1;
  old_place.begin_snapshot = 2;
  old_place.end_snapshot = 5;
  catalog_.Add(RowOf("old"), old_place);
  IndexPlace new_place;
  new_place.backtest_id = 2;
  new_place.begin_snapshot = 5;
  catalog_.Add(RowOf("new"), new_place);
  const auto at = [&](std::optional<std::int64_t> snapshot) {
    ListQuery query;
    query.rows.snapshot = snapshot;
    query.sort = "sortino";
    query.limit = 9;
    return HandlesOf(database(), query);
  };
  EXPECT_THAT(at(std::nullopt), ElementsAre("new"));
  EXPECT_THAT(at(1), IsEmpty());
  EXPECT_THAT(at(2), ElementsAre("old"));
  EXPECT_THAT(at(4), ElementsAre("old"));
  EXPECT_THAT(at(5), ElementsAre("new"));
  ListQuery unknown;
  unknown.rows.snapshot = 6;
  EXPECT_THAT(List(database(), unknown), IsError(ErrorCode::kNotFound));
}

TEST_F(RankingTest, TagsOfBundleAndUser) {
  const auto add = [&](const std::string& handle, std::optional<std::string> tag,
                       const std::string& tags) {
    IndexRow row = RowOf(handle);
    row.tag = std::move(tag);
    static std::int64_t id = 0;
    IndexPlace place;
    place.backtest_id = ++id;
    place.tags = tags;
    catalog_.Add(row, place);
  };
  add("both", "sweep_1", R"(["good", "k\u00e4se"])");
  add("bundle", "sweep_2", "[]");
  add("none", std::nullopt, "[]");
  add("user", std::nullopt, R"(["good"])");
  const struct {
    const char* where;
    std::vector<std::string> handles;
  } cases[] = {
      {"tag LIKE \"sweep_%\"", {"both", "bundle"}},
      {"tag = 'good'", {"both", "user"}},
      {"tag = 'k\u00e4se'", {"both"}},
      {"tag != 'good'", {"bundle"}},
      {"NOT tag = 'good'", {"bundle"}},
      {"tag NOT LIKE 'sweep%'", {"user"}},
      {"tag IN ('good', 'sweep_2')", {"both", "bundle", "user"}},
      {"tag NOT IN ('sweep_1', 'sweep_2')", {"user"}},
      {"tag IS NULL", {"none"}},
      {"tag IS NOT NULL", {"both", "bundle", "user"}},
      {"tag BETWEEN 'g' AND 'h'", {"both", "user"}},
      {"'sweep_2' <= tag", {"bundle"}},
      {"tag > 'a' AND NOT tag > 'h'", {"user"}},
      {"tag = algorithm_id", {}},
      {"tag = study_description", {}},
  };
  for (const auto& one : cases) {
    ListQuery query;
    query.rows.where = one.where;
    EXPECT_EQ(HandlesOf(database(), query), one.handles) << one.where;
  }
}

TEST_F(RankingTest, MembersOfParametersAndMetadata) {
  const auto add = [&](const std::string& handle, const std::string& parameters) {
    IndexRow row = RowOf(handle);
    row.parameters_json = parameters;
    row.extras_json = R"({"host": ")" + handle + R"("})";
    catalog_.Add(row);
  };
  add("a", R"({"fast": 5, "slow": 20.5, "pair": "BTC", "on": true, "\u0441\u0445": 1})");
  add("b", R"({"fast": "7", "slow": NaN, "pair": "ETH", "on": false})");
  add("c", R"({"fast": null, "slow": Infinity, "nested": {"x.y": [1, 2]}})");
  catalog_.Add(RowOf("d"));
  const struct {
    const char* where;
    std::vector<std::string> handles;
  } cases[] = {
      {"parameters.fast > 1", {"a"}},
      {"parameters.fast = '7'", {"b"}},
      {"parameters.fast = '5'", {"a"}},
      {"parameters.fast IS NULL", {"c", "d"}},
      {"parameters.slow > 1", {"a", "c"}},
      {"parameters.slow IS NULL", {"b", "d"}},
      {"parameters.on = TRUE", {"a"}},
      {"parameters.on = FALSE", {"b"}},
      {"parameters.on = 'true'", {"a"}},
      {"parameters.pair LIKE 'b%'", {"a"}},
      {"parameters.pair != 'BTC'", {"b"}},
      {"parameters.\u0441\u0445 = 1", {"a"}},
      {"parameters.nested.`x.y` = '[1, 2]'", {"c"}},
      {"parameters.Fast = 5", {}},
      {"parameters.fast < parameters.slow", {"a"}},
      {"parameters.slow - parameters.fast > 15", {"a"}},
      {"parameters.fast IN (5, 6) OR metadata.host = 'c'", {"a", "c"}},
      {"metadata.host = handle", {"a", "b", "c"}},
  };
  for (const auto& one : cases) {
    ListQuery query;
    query.rows.where = one.where;
    EXPECT_EQ(HandlesOf(database(), query), one.handles) << one.where;
  }
  EXPECT_THAT(HandlesOf(database(), SortedBy("parameters.slow", true)),
              ElementsAre("c", "a", "b", "d"));
}

}  // namespace
}  // namespace lamina::backtests
