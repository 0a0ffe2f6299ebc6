#include "lamina/folder_index/index_file.h"

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "lamina/folder_index/folder_test_support.h"

namespace lamina::folder_index {
namespace {

using test::Falsify;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// The statements that made the tables, one a line.
std::string SchemaOf(const std::string& path) {
  std::string schema;
  const auto database = catalog::Database::OpenPlain(path, catalog::OpenMode::kReadOnly);
  EXPECT_THAT(database, IsOk());
  auto select = (*database)->Prepare(
      "SELECT 'user_version ' || user_version FROM pragma_user_version UNION ALL "
      "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL UNION ALL "
      "SELECT key || ' = ' || value FROM lamina_index");
  EXPECT_THAT(select, IsOk());
  while (*select->Step()) schema += std::string(select->Text(0)) + "\n";
  return schema;
}

TEST(IndexFileTest, SchemaIsGolden) {
  const test::TestFolder folder;
  folder.Index();
  const std::string schema = SchemaOf(folder.Path("index.sqlite"));
  const std::string golden =
      std::string(LAMINA_SOURCE_DIR) + "/src/lamina/folder_index/golden/index_v2.sql";
  if (std::getenv("LAMINA_UPDATE_GOLDEN") != nullptr) test::TestFolder::WriteTo(golden, schema);
  std::ostringstream wanted;
  wanted << std::ifstream(golden).rdbuf();
  EXPECT_EQ(schema, wanted.str()) << "a change of the tables needs another kIndexVersion";
}

IndexedRow RowOf(const std::string& path, double sharpe) {
  IndexedRow row;
  row.row.bundle_path = path;
  row.row.engine = "vector";
  row.row.has_summary = true;
  row.row.summary[*backtests::FindSummaryField("sharpe_ratio")] = sharpe;
  row.row.summary[*backtests::FindSummaryField("cagr")] = HUGE_VAL;
  row.row.parameters_json = R"({"fast": 3})";
  row.row.bundle_mtime_ns = 5;
  row.row.bundle_size = 6;
  row.row.start = Micros{7};
  row.document_sha256 = Sha256(path);
  return row;
}

TEST(IndexFileTest, RowsComeBackAsTheyWent) {
  const test::TestFolder folder;
  const std::string path = folder.Path("index.sqlite");
  const auto index = IndexFile::OpenToWrite(path);
  ASSERT_THAT(index, IsOk());
  EXPECT_EQ((*index)->kind(), IndexFile::Kind::kEmpty);
  EXPECT_THAT((*index)->Table(), IsError(ErrorCode::kNotFound, HasSubstr("lamina index")));
  const IndexedRow row = RowOf("a", 1.5);
  const IndexedRow nan = RowOf("b", std::nan(""));
  ASSERT_THAT((*index)->Write([&]() -> Status {
    LAMINA_TRY((*index)->Recreate({folder.root(), false}));
    LAMINA_TRY((*index)->Upsert(RowOf("a", 1)));
    LAMINA_TRY((*index)->Upsert(row));  // replaces
    return (*index)->Upsert(nan);
  }),
              IsOk());
  EXPECT_EQ((*index)->kind(), IndexFile::Kind::kOurs);
  std::vector<IndexedRow> rows;
  ASSERT_THAT((*index)->ForEachRow("",
                                   [&](const IndexedRow& one) -> Status {
                                     rows.push_back(one);
                                     return Ok();
                                   }),
              IsOk());
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_TRUE(SameRow(rows[0].row, row.row));
  EXPECT_TRUE(SameRow(rows[1].row, nan.row));
  EXPECT_EQ(rows[1].document_sha256, nan.document_sha256);
  const auto files = (*index)->Files();
  ASSERT_THAT(files, IsOk());
  ASSERT_EQ(files->size(), 2U);
  EXPECT_TRUE(files->front().complete);
  EXPECT_EQ(files->front().mtime_ns, 5);
  EXPECT_THAT(folder.Ranked(), ElementsAre("a", "b"));
}

TEST(IndexFileTest, AnAbortedWriteLeavesNothing) {
  const test::TestFolder folder;
  folder.Add("a.iafbt", 1);
  folder.Index();
  const auto index = IndexFile::OpenToWrite(folder.Path("index.sqlite"));
  ASSERT_THAT(index, IsOk());
  EXPECT_THAT((*index)->Write([&]() -> Status {
    LAMINA_TRY((*index)->Recreate({folder.root(), true}));
    LAMINA_TRY((*index)->Upsert(RowOf("half", 1)));
    EXPECT_THAT(folder.Ranked(), ElementsAre("a.iafbt"));  // a reader beside it
    return IoError("stop");
  }),
              IsError(ErrorCode::kIo));
  EXPECT_THAT(folder.Ranked(), ElementsAre("a.iafbt"));
}

TEST(IndexFileTest, ASecondWriterConflictsAtOnce) {
  const test::TestFolder folder;
  folder.Add("a.iafbt", 1);
  folder.Index();
  folder.Add("b.iafbt", 2);
  const auto index = IndexFile::OpenToWrite(folder.Path("index.sqlite"));
  ASSERT_THAT(index, IsOk());
  ASSERT_THAT((*index)->Write([&]() -> Status {
    EXPECT_THAT(BuildIndex(folder.env(), folder.root()),
                IsError(ErrorCode::kConflict, HasSubstr("another process")));
    return Ok();
  }),
              IsOk());
  EXPECT_EQ(folder.Index().indexed, 1);
}

TEST(IndexFileTest, OtherFilesAreToldApart) {
  const test::TestFolder folder;
  const struct {
    const char* name;
    const char* sql;
    ErrorCode code;
    const char* message;
  } kCases[] = {
      {"other table", "CREATE TABLE t(a)", ErrorCode::kInvalidArgument, "no table backtest_index"},
      {"other column", "CREATE TABLE backtest_index(a)", ErrorCode::kInvalidArgument,
       "no column bundle_path"},
      {"newer framework", "CREATE TABLE backtest_index(bundle_path); PRAGMA user_version = 6",
       ErrorCode::kUnsupported, "newer program"},
      {"newer lamina",
       "CREATE TABLE backtest_index(bundle_path); CREATE TABLE lamina_index(key, value);"
       "INSERT INTO lamina_index VALUES ('version', '3'), ('root', '.')",
       ErrorCode::kUnsupported, "newer lamina"},
      {"no version",
       "CREATE TABLE backtest_index(bundle_path); CREATE TABLE lamina_index(key, value)",
       ErrorCode::kCorruption, "no version"},
      {"no root",
       "CREATE TABLE backtest_index(bundle_path); CREATE TABLE lamina_index(key, value);"
       "INSERT INTO lamina_index VALUES ('version', '1')",
       ErrorCode::kCorruption, "no root"},
      {"lost column",
       "CREATE TABLE backtest_index(bundle_path); CREATE TABLE lamina_index(key, value);"
       "INSERT INTO lamina_index VALUES ('version', '1'), ('root', '.')",
       ErrorCode::kCorruption, "is missing"},
      {"catalog", "CREATE TABLE backtest_index(bundle_path); PRAGMA application_id = 1279348033",
       ErrorCode::kInvalidArgument, "belongs to a store"},
  };
  for (const auto& one : kCases) {
    const std::string path = folder.Outside(std::string(one.name) + ".sqlite");
    Falsify(path, one.sql);
    EXPECT_THAT(IndexFile::Open(path), IsError(one.code, HasSubstr(one.message))) << one.name;
    EXPECT_THAT(IndexFile::OpenToWrite(path), IsError(one.code, HasSubstr(one.message)))
        << one.name;
  }
  folder.Write("text", std::string(5000, 'x'));
  EXPECT_THAT(IndexFile::Open(folder.Path("text")), IsError(ErrorCode::kCorruption));
  EXPECT_THAT(IndexFile::Open(folder.Path("none")), IsError(ErrorCode::kNotFound));
  EXPECT_THAT(IndexFile::Open(folder.root()), IsError(ErrorCode::kInvalidArgument));
}

/// Tables as releases of the framework made them.
TEST(IndexFileTest, TheFrameworksIndexIsRead) {
  const test::TestFolder folder;
  const std::string path = folder.Outside("framework.sqlite");
  Falsify(path,
          "CREATE TABLE backtest_index(bundle_path TEXT PRIMARY KEY, algorithm_id TEXT, tag TEXT, "
          "engine_type TEXT, summary_sharpe_ratio REAL, summary_max_drawdown_duration INTEGER);"
          "PRAGMA user_version = 2;"
          "INSERT INTO backtest_index VALUES ('a', 'x', NULL, NULL, 1.5, 3), "
          "('b', 'y', 't', 'event', NULL, NULL), ('c', 'z', 't', 'vector', 'text', 'text'), "
          "('d', 'w', 't', 'vector', 9e999, 1)");
  EXPECT_THAT(folder.Ranked(path), ElementsAre("d", "a", "b", "c"));
  const auto index = IndexFile::Open(path);
  ASSERT_THAT(index, IsOk());
  EXPECT_EQ((*index)->kind(), IndexFile::Kind::kFramework);
  EXPECT_FALSE((*index)->scope().has_value());
  ASSERT_THAT((*index)->Read([&](const backtests::RankTable& table) -> Status {
    backtests::RankQuery query;
    query.by = "sharpe";
    query.rows.where = "engine IS NULL OR tag = 't' AND NOT trades > 5";
    query.columns = {"handle", "engine", "study", "sharpe", "note", "parameters.x"};
    LAMINA_ASSIGN(const auto rows, backtests::Rank(table, query));
    EXPECT_EQ(rows.rows.size(), 1U);
    EXPECT_EQ(std::get<std::string>(rows.rows[0][2]), "default");
    EXPECT_TRUE(std::holds_alternative<std::monostate>(rows.rows[0][1]));
    backtests::RankQuery weighted;
    weighted.weights = {{"summary_sharpe_ratio", 1}, {"summary_max_drawdown_duration", -1}};
    LAMINA_ASSIGN(const auto best, backtests::Rank(table, weighted));
    EXPECT_EQ(best.rows.size(), 4U);
    return Ok();
  }),
              IsOk());
}

/// The tables of version 1, from its golden statements.
TEST(IndexFileTest, AnIndexOfVersionOneIsReadAndMadeAnewWhenWritten) {
  const test::TestFolder folder;
  folder.Add("a.iafbt", 1);
  std::ifstream golden(std::string(LAMINA_SOURCE_DIR) +
                       "/src/lamina/folder_index/golden/index_v1.sql");
  std::string sql, line;
  while (std::getline(golden, line)) {
    if (line.starts_with("CREATE")) sql += line + ";";
  }
  ASSERT_THAT(sql, HasSubstr("CREATE TABLE lamina_index"));
  sql +=
      "PRAGMA user_version = 5; INSERT INTO lamina_index VALUES ('paths', 'relative'), "
      "('root', '.'), ('version', '1');"
      "INSERT INTO backtest_index(bundle_path, summary_sharpe_ratio) VALUES ('old.iafbt', 2)";
  const std::string path = folder.Path("index.sqlite");
  Falsify(path, sql.c_str());
  const auto index = IndexFile::Open(path);
  ASSERT_THAT(index, IsOk());
  EXPECT_EQ((*index)->version(), 1);
  EXPECT_THAT(folder.Ranked(path), ElementsAre("old.iafbt"));
  ASSERT_THAT((*index)->ForEachRow("",
                                   [](const IndexedRow& row) -> Status {
                                     EXPECT_FALSE(row.row.validated);
                                     return Ok();
                                   }),
              IsOk());
  const auto report = folder.Index();
  EXPECT_EQ(report.indexed, 1);
  EXPECT_THAT(folder.Ranked(path), ElementsAre("a.iafbt"));
}

TEST(IndexFileTest, AMovedFolderTakesItsIndexAlong) {
  const test::TestFolder folder;
  folder.Add("a.iafbt", 1);
  folder.Index();
  const std::string moved = folder.Outside("moved");
  std::filesystem::rename(folder.root(), moved);
  const auto index = IndexFile::Open(moved + "/index.sqlite");
  ASSERT_THAT(index, IsOk());
  EXPECT_EQ((*index)->scope()->root, moved);
  const auto report = BuildIndex(folder.env(), moved);
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->skipped, 1);
}

}  // namespace
}  // namespace lamina::folder_index
