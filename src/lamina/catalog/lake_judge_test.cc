#include <cstdlib>
#include <filesystem>
#include <limits>

#include <arrow/api.h>
#include <gmock/gmock.h>

#include "lamina/catalog/lake_rows.h"
#include "lamina/catalog/lake_test_support.h"

namespace lamina::catalog::test {
namespace {

using table::LakeType;
using ::testing::HasSubstr;
using ::testing::Not;

// The independent check of DuckLake catalogs, by DuckDB's own extension; and our questions to it.
constexpr const char* kConformance = LAMINA_SHARED_DIR "/tools/ducklake_conformance.py";
constexpr const char* kDuckDb = LAMINA_SOURCE_DIR "/tests/judges/duckdb_lake.py";

JudgeAnswer Conformance(const std::string& catalog_path, const std::string& predicates = "60") {
  return RunJudge(kConformance,
                  {catalog_path, "--max-snapshots", "5", "--max-predicates", predicates});
}

constexpr std::array<const char*, 3> kDays = {"2023-12-09", "2023-12-10", "2023-12-11"};
constexpr std::int32_t kFirstDay = 19'700;

// A store with all that the rows can say: partitions, deleted rows, retired files, added columns,
// views.
void FillLake(TestLake& lake, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const LakeTable trades = lake.MakeTable("trades", AllColumns(), {}, {"run_id", "seq"});
  const LakeTable ticks = lake.MakeTable("ticks", AllColumns(), {"d"});
  lake.MakeTable("empty", AllColumns());
  for (int i = 0; i < 3; ++i)
    ASSERT_OK(lake.Append(trades, *RandomRows(trades.columns, 150, random)));
  for (std::size_t day = 0; day < kDays.size(); ++day) {
    for (const std::int64_t count : {40, 3}) {
      const auto rows =
          RandomRows(ticks.columns, count, random, kFirstDay + static_cast<std::int32_t>(day));
      ASSERT_OK(lake.Append(ticks, *rows, {kDays[day]}));
    }
  }
  auto files = lake.Plan(trades, lake.Latest());
  ASSERT_OK(files);
  ASSERT_OK(lake.Delete(trades, (*files)[0], {0, 5, 149}));
  files = lake.Plan(trades, lake.Latest());
  ASSERT_OK(lake.Delete(trades, (*files)[0], {7, 64}));
  ASSERT_OK(lake.Write([&](LakeWriter& writer) {
    return writer.Retire(trades.table_id, {(*files)[1].data_file_id});
  }));
  ASSERT_OK(lake.AddColumn(trades, {.name = "note", .type = LakeType::kVarchar}));
  ASSERT_OK(lake.AddColumn(trades, {.name = "parts", .type = LakeType::kInt32List}));
  const auto wider = lake.Find("trades", lake.Latest());
  ASSERT_OK(wider);
  ASSERT_OK(lake.Append(*wider, *RandomRows(wider->columns, 80, random)));
  ASSERT_OK(lake.Write([&](LakeWriter& writer) -> Status {
    LAMINA_TRY(writer.CreateView(
        "bt", "positive", "SELECT run_id, qty FROM {DUCKLAKE_CATALOG}.bt.trades WHERE qty > 0"));
    return writer.CreateView("bt", "named",
                             "SELECT run_id, seq + 1 FROM {DUCKLAKE_CATALOG}.bt.trades",
                             {"run", "next \"one\""});
  }));
  ASSERT_OK(lake.Write([](LakeWriter&) { return Ok(); }));
}

TEST(LakeJudge, ConformanceOfAllKindsOfRows) {
  TestLake lake;
  FillLake(lake, 1);
  const JudgeAnswer answer = Conformance(lake.catalog_path());
  EXPECT_EQ(answer.status, 0);
  EXPECT_THAT(answer.output, HasSubstr("OK: 22 passed, 0 failed, 0 warnings"));
}

TEST(LakeJudge, ConformanceOfANewLakeAndOddNames) {
  TestLake lake;
  EXPECT_EQ(Conformance(lake.catalog_path()).status, 0);
  ASSERT_OK(lake.Write([](LakeWriter& writer) -> Status {
    LAMINA_TRY(writer.CreateSchema("o\"d'd, x"));
    LAMINA_TRY(writer.CreateTable("o\"d'd, x", "ta.b\"le", {{.name = "se\"lect, 'x'"}}, {},
                                  {"se\"lect, 'x'"}));
    return writer.CreateView("o\"d'd, x", "order", "SELECT 1");
  }));
  const JudgeAnswer answer = Conformance(lake.catalog_path());
  EXPECT_EQ(answer.status, 0) << answer.output;
  const JudgeAnswer duckdb =
      RunJudge(kDuckDb, {lake.catalog_path(), lake.lake_root(), "any", "rows", "[[0]]",
                         R"(SELECT count(*) FROM any."o""d''d, x"."ta.b""le")"});
  EXPECT_THAT(duckdb.output, Not(HasSubstr("FAIL")));
}

// A moved store, under another alias: time travel, views, deleted rows, one file for one run.
TEST(LakeJudge, DuckDbReadsAMovedLake) {
  TestLake lake;
  std::mt19937_64 random(7);
  const LakeTable runs = lake.MakeTable("runs", {{.name = "run_id", .type = LakeType::kUuid},
                                                 {.name = "x", .type = LakeType::kInt64}});
  std::vector<std::int64_t> snapshots;
  for (int file = 0; file < 40; ++file) {
    const auto rows = RandomRows(runs.columns, 3, random);
    const auto ids = std::make_shared<arrow::ChunkedArray>(OneRunRows(file, 3));
    const auto one_run = arrow::Table::Make(rows->schema(), {ids, rows->column(1)}, 3);
    const Result<std::int64_t> snapshot = lake.Append(runs, *one_run);
    ASSERT_OK(snapshot);
    snapshots.push_back(*snapshot);
  }
  const auto files = lake.Plan(runs, lake.Latest());
  ASSERT_OK(files);
  ASSERT_OK(lake.Delete(runs, (*files)[9], {1}));
  ASSERT_OK(lake.Write([](LakeWriter& writer) {
    return writer.CreateView("bt", "counts",
                             "SELECT run_id, count(*) AS n FROM {DUCKLAKE_CATALOG}.bt.runs "
                             "GROUP BY run_id");
  }));
  const std::string moved = lake.root() + "-moved";
  std::filesystem::rename(lake.root(), moved);
  const std::string id9 = RunIdText(9);
  const JudgeAnswer answer = RunJudge(
      kDuckDb,
      {moved + "/catalog.sqlite",
       moved + "/lake/",
       "other",
       "rows",
       "[[119]]",
       "SELECT count(*) FROM other.bt.runs",
       "rows",
       "[[30]]",
       "SELECT count(*) FROM other.bt.runs AT (VERSION => " + std::to_string(snapshots[9]) + ")",
       "rows",
       "[[3]]",
       "SELECT count(*) FROM other.bt.runs AT (VERSION => " + std::to_string(snapshots[39]) +
           ") WHERE run_id = '" + id9 + "'",
       "rows",
       "[[2]]",
       "SELECT n FROM other.bt.counts WHERE run_id = '" + id9 + "'",
       "rows",
       "[[2]]",
       "SELECT count(*) FROM other.bt.runs WHERE run_id = '" + id9 + "'",
       "files",
       "1",
       "SELECT count(*) FROM other.bt.runs WHERE run_id = '" + id9 + "'",
       "error",
       "No snapshot found",
       "SELECT 1 FROM other.bt.runs AT (VERSION => 9999)"});
  EXPECT_EQ(answer.status, 0) << answer.output;
  std::filesystem::rename(moved, lake.root());
}

// DuckDB hands the constant of a filter to the catalog as digits, which come back as another double
// (2 places off for the first of these); the file must not be left out for that.
TEST(LakeJudge, DuckDbFindsTheLeastAndGreatestDoubles) {
  const struct {
    const char* text;
    double value;
  } kValues[] = {{"-0.00010963174272710198", -0.00010963174272710198},
                 {"-0.0009345880843920978", -0.0009345880843920978},
                 {"0.015526975459621607", 0.015526975459621607},
                 {"0.12345678901234568", 0.12345678901234568},
                 {"0.0", 0.0},
                 {"5e-324", 5e-324},
                 {"1.7976931348623157e308", std::numeric_limits<double>::max()}};
  TestLake lake;
  const LakeTable table = lake.MakeTable("t", {{.name = "x", .type = LakeType::kDouble},  //
                                               {.name = "y", .type = LakeType::kDouble}});
  const auto schema = arrow::schema(
      {table::MakeField("x", LakeType::kDouble, 1), table::MakeField("y", LakeType::kDouble, 2)});
  std::vector<std::string> checks = {lake.catalog_path(), lake.lake_root(), "lake"};
  for (const auto& one : kValues) {  // the least of its file in x, the greatest in y
    arrow::DoubleBuilder x, y;
    EXPECT_TRUE(x.AppendValues({one.value, std::max(one.value, 1.0)}).ok());
    EXPECT_TRUE(y.AppendValues({one.value, std::min(one.value, -1.0)}).ok());
    ASSERT_OK(lake.Append(table, *arrow::Table::Make(schema, {*x.Finish(), *y.Finish()})));
    for (const char* column : {"x", "y"}) {
      for (const char* comparison : {" = ", " <= ", " >= "}) {
        const std::string constant = "'" + std::string(one.text) + "'::DOUBLE";
        checks.insert(checks.end(),
                      {"rows", "[[true]]",
                       "SELECT count(*) > 0 FROM lake.bt.t WHERE " + std::string(column) +
                           comparison + constant + " AND " + column + " = " + constant});
      }
    }
  }
  // Nobody takes a bound for a value.
  checks.insert(checks.end(), {"rows", "[[true, true]]",
                               "SELECT min(x) = '-0.0009345880843920978'::DOUBLE, max(y) = "
                               "'1.7976931348623157e308'::DOUBLE FROM lake.bt.t"});
  const JudgeAnswer answer = RunJudge(kDuckDb, checks);
  EXPECT_EQ(answer.status, 0) << answer.output;
}

// DuckDB answers min and max from the statistics of the table: what has left must not be in them.
TEST(LakeJudge, DuckDbTakesNoBoundOfWhatHasLeftForAValue) {
  TestLake lake;
  const LakeTable table = lake.MakeTable("t", {{.name = "i", .type = LakeType::kInt64}});
  const auto schema = arrow::schema({table::MakeField("i", LakeType::kInt64, 1)});
  for (const std::int64_t first : {1, 100, 10'000}) {
    arrow::Int64Builder i;
    EXPECT_TRUE(i.AppendValues({first, first + 7}).ok());
    ASSERT_OK(lake.Append(table, *arrow::Table::Make(schema, {*i.Finish()})));
  }
  const std::string question = "SELECT min(i), max(i), count(*) FROM lake.bt.t";
  const auto ask = [&](const std::string& expected) {
    const JudgeAnswer answer = RunJudge(
        kDuckDb, {lake.catalog_path(), lake.lake_root(), "lake", "rows", expected, question});
    EXPECT_EQ(answer.status, 0) << answer.output;
  };
  ask("[[1, 10007, 6]]");
  const auto files = lake.Plan(table, lake.Latest());
  ASSERT_OK(files);
  ASSERT_OK(lake.Write(
      [&](LakeWriter& w) { return w.Retire(table.table_id, {(*files)[0].data_file_id}); }));
  ask("[[100, 10007, 4]]");
  ASSERT_OK(lake.Delete(table, (*files)[2], {1}));
  ask("[[100, 10000, 3]]");
}

// A store of before, whose bounds stayed.
TEST(LakeJudge, BoundsThatNoFileAttainsAreForgotten) {
  TestLake lake;
  const LakeTable table = lake.MakeTable("t", {{.name = "i", .type = LakeType::kInt64}});
  const auto schema = arrow::schema({table::MakeField("i", LakeType::kInt64, 1)});
  for (const std::int64_t value : {1, 7}) {
    arrow::Int64Builder i;
    EXPECT_TRUE(i.Append(value).ok());
    ASSERT_OK(lake.Append(table, *arrow::Table::Make(schema, {*i.Finish()})));
  }
  const auto files = lake.Plan(table, lake.Latest());
  ASSERT_OK(files);
  ASSERT_OK(lake.Write(
      [&](LakeWriter& w) { return w.Retire(table.table_id, {(*files)[0].data_file_id}); }));
  ASSERT_OK(lake.database().Execute(
      "UPDATE ducklake_table_column_stats SET min_value = '1', max_value = '7'"));
  ASSERT_OK(ForgetInexactTableBounds(lake.database()));
  auto read = lake.database().Prepare(
      "SELECT count(*) FROM ducklake_table_column_stats WHERE min_value IS NULL AND max_value = "
      "'7'");
  ASSERT_OK(read);
  ASSERT_OK(read->Step());
  EXPECT_EQ(read->Int(0), 1);
}

// Everything holds while another process commits. Only files younger than the judge's backup may
// look unregistered to it.
TEST(LakeJudge, ConformanceWhileAWriterRuns) {
  TestLake lake;
  const LakeTable narrow = lake.MakeTable("narrow", {{.name = "run_id", .type = LakeType::kUuid},
                                                     {.name = "px", .type = LakeType::kDouble}});
  const std::string stop = lake.root() + "/stop";
  const pid_t writer = Spawn([&] {
    lake.Reopen();
    std::mt19937_64 random(11);
    for (int i = 0; i < 100 && !std::filesystem::exists(stop); ++i) {
      if (!lake.Append(narrow, *RandomRows(narrow.columns, 20, random)).ok()) return 2;
      const auto files = lake.Plan(narrow, lake.Latest());
      if (!files.ok()) return 3;
      const LakeFile& last = files->back();
      if (i % 3 == 0 && !lake.Delete(narrow, last, {1, 2}).ok()) return 4;
      const auto retire = [&](LakeWriter& w) {
        return w.Retire(narrow.table_id, {last.data_file_id});
      };
      if (i % 5 == 0 && !lake.Write(retire).ok()) return 5;
      usleep(100'000);
    }
    return 0;
  });
  while (lake.Latest() < 8) usleep(10'000);
  const JudgeAnswer during = Conformance(lake.catalog_path(), "20");
  std::ofstream(stop).put('x');
  EXPECT_EQ(Wait(writer), 0);
  for (std::size_t at = 0; (at = during.output.find("FAIL ", at)) != std::string::npos; ++at)
    EXPECT_THAT(during.output.substr(at, 60),
                HasSubstr("no unregistered .parquet under DATA_PATH"));
  EXPECT_THAT(during.output, HasSubstr("insert, alter, delete, merge by DuckDB on a copy: "));
  const JudgeAnswer after = Conformance(lake.catalog_path(), "20");
  EXPECT_EQ(after.status, 0) << after.output;
}

}  // namespace
}  // namespace lamina::catalog::test
