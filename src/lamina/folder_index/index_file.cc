#include "lamina/folder_index/index_file.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <map>
#include <set>
#include <utility>

#include "lamina/backtests/columns.h"
#include "lamina/backtests/index_table.h"
#include "lamina/base/error_table.h"
#include "lamina/io/env.h"

namespace lamina::folder_index {
namespace {

using backtests::ColumnType;
using backtests::IndexColumn;
using catalog::Database;
using catalog::OpenMode;
using catalog::Statement;

constexpr std::int64_t kCatalogApplication = 1279348033;  // "LAMA": the catalog of a store
constexpr std::int64_t kLockWait_ms = 250;

/// Columns of a store's table that an index over files has no values for.
bool IsOfStoresOnly(std::string_view column) {
  static const std::set<std::string_view> names = {"backtest_id", "imported_at", "tags", "note"};
  return names.contains(column);
}

std::string Quoted(std::string_view name) { return "\"" + std::string(name) + "\""; }

std::string_view SqlType(ColumnType type) {
  switch (type) {
    case ColumnType::kText:
      return "TEXT";
    case ColumnType::kReal:
      return "REAL";
    case ColumnType::kDigest:
      return "BLOB";
    case ColumnType::kInteger:
    case ColumnType::kTime:
      break;
  }
  return "INTEGER";
}

/// What stands behind a column's type in the framework's table.
std::string_view ConstraintOf(std::string_view column) {
  if (column == "bundle_path") return " NOT NULL";
  if (column == "engine_type") return " NOT NULL DEFAULT 'vector'";
  if (column == "universe_key") return " NOT NULL DEFAULT ''";
  if (column == "study_name") return " NOT NULL DEFAULT 'default'";
  return "";
}

/// The columns of an index: the framework's in its order, then ours.
std::string CreateTableSql() {
  std::string framework;
  std::string ours = "summary_nan_mask INTEGER NOT NULL DEFAULT 0";
  bool of_framework = true;
  for (const IndexColumn& column : backtests::IndexColumns()) {
    if (IsOfStoresOnly(column.name)) {
      of_framework = false;  // ours begin behind the summary
      continue;
    }
    std::string text = Quoted(column.name) + " ";
    text.append(SqlType(column.type)).append(ConstraintOf(column.name));
    if (of_framework) {
      framework += text + ", ";
    } else {
      ours += ", " + text;
    }
  }
  return "CREATE TABLE backtest_index(" + framework + ours +
         ", PRIMARY KEY(bundle_path, engine_type, universe_key, study_name))";
}

std::string CreateIndexesSql() {
  std::string sql;
  for (const char* column : {"algorithm_id", "anchor_algorithm_id", "tag"}) {  // the framework's
    sql += std::string("CREATE INDEX idx_backtest_index_") + column + " ON backtest_index(" +
           column + ");";
  }
  sql +=
      "CREATE INDEX backtest_index_by_file ON "
      "backtest_index(bundle_path, bundle_mtime_ns, bundle_size, document_sha256, "
      "validated_definitions);"
      "CREATE INDEX backtest_index_by_sharpe ON backtest_index(summary_sharpe_ratio);";
  std::string narrow;
  for (const IndexColumn& column : backtests::IndexColumns()) {
    if (column.narrow && !IsOfStoresOnly(column.name))
      narrow += (narrow.empty() ? "" : ", ") + std::string(column.name);
  }
  return sql + "CREATE INDEX " + std::string(backtests::kNarrowIndex) + " ON backtest_index(" +
         narrow + ") WHERE universe_key = '';";
}

Result<std::int64_t> Integer(Database& database, const std::string& sql) {
  LAMINA_ASSIGN(Statement statement, database.Prepare(sql));
  LAMINA_ASSIGN(const bool there, statement.Step());
  return there ? statement.Int(0) : 0;
}

Result<bool> HasTable(Database& database, const std::string& name) {
  LAMINA_ASSIGN(const auto count,
                Integer(database,
                        "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND "
                        "name = '" +
                            name + "'"));
  return count != 0;
}

/// What a rank table shows for a column: its own values, or what stands for their absence. Another
/// program's table may hold anything anywhere.
std::string SelectedColumn(const IndexColumn& column, bool present, bool trusted) {
  const std::string name = Quoted(column.name);
  if (!present) {
    if (column.name == "tags") return "'[]' AS " + name;
    if (column.name == "study_name") return "'default' AS " + name;
    if (column.name == "universe_key" || column.name == "engine_type") return "'' AS " + name;
    return "NULL AS " + name;
  }
  if (trusted) return name;
  if (column.name == "universe_key" || column.name == "engine_type") {
    return "CASE WHEN " + name + " IS NULL THEN '' ELSE " + name + " END AS " + name;
  }
  if (column.type == ColumnType::kReal || column.type == ColumnType::kInteger) {
    return "CASE WHEN typeof(" + name + ") IN ('integer', 'real') THEN " + name + " END AS " + name;
  }
  return name;
}

/// Absolute, links resolved: as the roots of scopes are.
std::filesystem::path FolderOf(const std::string& path) {
  std::error_code error;
  const auto folder = std::filesystem::absolute(path).parent_path();
  auto resolved = std::filesystem::canonical(folder, error);
  return error ? folder : resolved;
}

ErrorCode CodeNamed(std::string_view name) {
  for (const ErrorCode code : {ErrorCode::kInvalidArgument, ErrorCode::kUnsupported}) {
    if (ErrorName(code) == name) return code;
  }
  return ErrorCode::kCorruption;
}

}  // namespace

Result<std::unique_ptr<IndexFile>> IndexFile::Opened(std::unique_ptr<Database> database) {
  std::unique_ptr<IndexFile> file(new IndexFile(std::move(database)));
  Status recognised = file->database_->Read([&] { return file->Recognise(); });
  if (!recognised.ok()) return std::move(recognised).error();
  return file;
}

Result<std::unique_ptr<IndexFile>> IndexFile::Open(const std::string& path) {
  LAMINA_ASSIGN(auto database, Database::OpenPlain(path, OpenMode::kReadOnly));
  return Opened(std::move(database));
}

Result<std::unique_ptr<IndexFile>> IndexFile::OpenToWrite(const std::string& path) {
  LAMINA_ASSIGN(auto database, Database::OpenPlain(path, OpenMode::kCreate));
  LAMINA_ASSIGN(auto file, Opened(std::move(database)));  // before anything of it is changed
  file->database_->SetBusyTimeout(kLockWait_ms);
  LAMINA_TRY(file->database_->Execute("PRAGMA journal_mode=WAL"));
  return file;
}

Result<std::unique_ptr<IndexFile>> IndexFile::InMemory() {
  LAMINA_ASSIGN(auto database, Database::OpenInMemory());
  return Opened(std::move(database));
}

Status IndexFile::Recognise() {
  LAMINA_ASSIGN(const auto application, Integer(*database_, "PRAGMA application_id"));
  if (application == kCatalogApplication) {
    return InvalidArgument(path() + " belongs to a store; name the store's folder instead");
  }
  LAMINA_ASSIGN(const auto tables, Integer(*database_, "SELECT count(*) FROM sqlite_schema"));
  kind_ = Kind::kEmpty;
  scope_.reset();
  version_ = 0;
  if (tables == 0) return Ok();
  LAMINA_ASSIGN(const bool is_index, HasTable(*database_, "backtest_index"));
  if (!is_index) {
    return InvalidArgument(path() + " is not an index of backtests: no table backtest_index");
  }
  LAMINA_ASSIGN(const auto version, Integer(*database_, "PRAGMA user_version"));
  if (version > kFrameworkVersion) {
    return Unsupported(path() + " was made by a newer program (user_version " +
                       std::to_string(version) + ", known up to " +
                       std::to_string(kFrameworkVersion) +
                       "); update lamina, or index into another file with -o");
  }
  LAMINA_ASSIGN(const bool ours, HasTable(*database_, "lamina_index"));
  kind_ = ours ? Kind::kOurs : Kind::kFramework;
  if (ours) LAMINA_TRY(ReadScope());
  return ReadColumns();
}

Status IndexFile::ReadScope() {
  std::map<std::string, std::string> details;
  LAMINA_ASSIGN(Statement select, database_->Prepare("SELECT key, value FROM lamina_index"));
  for (;;) {
    LAMINA_ASSIGN(const bool there, select.Step());
    if (!there) break;
    details.emplace(select.Text(0), select.Text(1));
  }
  const std::string& text = details["version"];
  std::int64_t version = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), version);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size() || version < 1) {
    return Corruption(path() +
                      ": table lamina_index has no version; remove the file and index again");
  }
  if (version > kIndexVersion) {
    return Unsupported(path() + " was made by a newer lamina (index version " +
                       std::to_string(version) + ", known up to " + std::to_string(kIndexVersion) +
                       "); update lamina, or index into another file with -o");
  }
  IndexScope scope;
  const std::string& root = details["root"];
  if (root.empty()) {
    return Corruption(path() + ": table lamina_index has no root; remove the file and index again");
  }
  // A relative root stands in relation to the file, so that both can be moved together.
  const auto folder = FolderOf(path());
  scope.root = (folder / root).lexically_normal().string();
  if (scope.root.size() > 1 && scope.root.ends_with('/')) scope.root.pop_back();
  scope.absolute_paths = details["paths"] == "absolute";
  scope_ = std::move(scope);
  version_ = version;
  return Ok();
}

Status IndexFile::ReadColumns() {
  present_.clear();
  LAMINA_ASSIGN(Statement select,
                database_->Prepare("SELECT name FROM pragma_table_info('backtest_index')"));
  for (;;) {
    LAMINA_ASSIGN(const bool there, select.Step());
    if (!there) break;
    present_.emplace_back(select.Text(0));
  }
  const auto has = [&](std::string_view name) {
    return std::find(present_.begin(), present_.end(), name) != present_.end();
  };
  const bool trusted = kind_ == Kind::kOurs;
  if (!has("bundle_path")) {
    return InvalidArgument(path() + " is not an index of backtests: no column bundle_path");
  }
  table_columns_ = "rowid AS rowid, ";
  table_columns_ += has("summary_nan_mask") ? "summary_nan_mask" : "0 AS summary_nan_mask";
  for (const IndexColumn& column : backtests::IndexColumns()) {
    const bool present = has(column.name);
    const bool expected =
        !IsOfStoresOnly(column.name) && (version_ >= 2 || !column.name.starts_with("validated_"));
    if (trusted && !present && expected) {
      return Corruption(path() + ": column " + std::string(column.name) +
                        " is missing; remove the file and index again");
    }
    table_columns_ += ", " + SelectedColumn(column, present, trusted);
  }
  return Ok();
}

Result<backtests::RankTable> IndexFile::Table() {
  if (kind_ == Kind::kEmpty) {
    return NotFound(path() + " holds no index yet; index its folder with `lamina index`");
  }
  backtests::RankTable table(*database_);
  table.columns = table_columns_;
  table.has_narrow_index = kind_ == Kind::kOurs;
  return table;
}

Status IndexFile::Read(const std::function<Status(const backtests::RankTable&)>& work) {
  LAMINA_ASSIGN(const backtests::RankTable table, Table());
  return database_->Read([&] { return work(table); });
}

Status IndexFile::Write(const std::function<Status()>& work) {
  bool begun = false;
  Status done = database_->Transact([&]() -> Status {
    begun = true;
    LAMINA_TRY(Recognise());  // what another process made of it meanwhile
    return work();
  });
  if (!done.ok() && !begun && done.error().code() == ErrorCode::kConflict) {
    return Conflict(path() + " is being written by another process; wait for it, then try again");
  }
  if (done.ok()) return database_->Checkpoint();
  return done;
}

Status IndexFile::Recreate(const IndexScope& scope) {
  LAMINA_TRY(
      database_->Execute("DROP TABLE IF EXISTS backtest_index;"
                         "DROP TABLE IF EXISTS lamina_index;"
                         "DROP TABLE IF EXISTS lamina_failure;"
                         "CREATE TABLE lamina_index(key TEXT PRIMARY KEY, value TEXT NOT "
                         "NULL) WITHOUT ROWID;"
                         "CREATE TABLE lamina_failure(bundle_path TEXT PRIMARY KEY, "
                         "bundle_mtime_ns INTEGER NOT NULL, bundle_size INTEGER NOT NULL, "
                         "code TEXT NOT NULL, message TEXT NOT NULL) WITHOUT ROWID"));
  LAMINA_TRY(database_->Execute(CreateTableSql()));
  LAMINA_TRY(database_->Execute(CreateIndexesSql()));
  std::string root = scope.root;
  if (path() != ":memory:") {
    const auto folder = FolderOf(path());
    const auto relative = folder.lexically_relative(root);
    if (!relative.empty() && *relative.begin() != "..") {
      root = std::filesystem::path(root).lexically_relative(folder).string();
    }
  }
  LAMINA_ASSIGN(Statement insert, database_->Prepare("INSERT INTO lamina_index VALUES (?, ?)"));
  const std::pair<const char*, std::string> details[] = {
      {"version", std::to_string(kIndexVersion)},
      {"root", root},
      {"paths", scope.absolute_paths ? "absolute" : "relative"}};
  for (const auto& [key, value] : details) {
    insert.Bind(1, key).Bind(2, value);
    LAMINA_TRY(insert.Run());
  }
  LAMINA_TRY(database_->Execute("PRAGMA user_version = " + std::to_string(kFrameworkVersion)));
  return Recognise();
}

Status IndexFile::RemoveFile(const std::string& path) {
  LAMINA_ASSIGN(Statement remove,
                database_->Prepare("DELETE FROM backtest_index WHERE bundle_path = ?"));
  remove.Bind(1, path);
  LAMINA_TRY(remove.Run());
  LAMINA_ASSIGN(Statement forget,
                database_->Prepare("DELETE FROM lamina_failure WHERE bundle_path = ?"));
  forget.Bind(1, path);
  return forget.Run();
}

Status IndexFile::AddFailure(const KnownFailure& failure) {
  LAMINA_ASSIGN(Statement insert,
                database_->Prepare("INSERT OR REPLACE INTO lamina_failure VALUES (?,?,?,?,?)"));
  insert.Bind(1, failure.path).Bind(2, failure.mtime_ns).Bind(3, failure.size);
  insert.Bind(4, ErrorName(failure.code)).Bind(5, failure.message);
  return insert.Run();
}

Result<std::vector<KnownFailure>> IndexFile::Failures() {
  LAMINA_ASSIGN(Statement select,
                database_->Prepare("SELECT bundle_path, bundle_mtime_ns, bundle_size, code, "
                                   "message FROM lamina_failure ORDER BY bundle_path"));
  std::vector<KnownFailure> failures;
  for (;;) {
    LAMINA_ASSIGN(const bool there, select.Step());
    if (!there) return failures;
    KnownFailure one;
    one.path = select.Text(0);
    one.mtime_ns = select.Int(1);
    one.size = select.Int(2);
    one.code = CodeNamed(select.Text(3));
    one.message = select.Text(4);
    failures.push_back(std::move(one));
  }
}

Status IndexFile::Upsert(const IndexedRow& row) {
  std::string sql = "INSERT OR REPLACE INTO backtest_index(" + backtests::IndexRowColumns() +
                    ", document_sha256, " + backtests::ValidatedColumns() + ") VALUES (?";
  const int columns = backtests::kIndexRowColumnCount + backtests::kValidatedColumnCount;
  for (int i = 0; i < columns; ++i) sql += ",?";
  LAMINA_ASSIGN(Statement insert, database_->Prepare(sql + ")"));
  backtests::BindIndexRow(insert, 1, row.row);
  const int digest = backtests::kIndexRowColumnCount + 1;
  if (row.document_sha256) {
    insert.BindBlob(digest, row.document_sha256->View());
  } else {
    insert.BindNull(digest);
  }
  backtests::BindValidated(insert, digest + 1, row.row);
  LAMINA_TRY_WITH(insert.Run(), "indexing " + row.row.bundle_path);
  return Ok();
}

Result<std::vector<IndexedFile>> IndexFile::Files() {
  LAMINA_ASSIGN(Statement select,
                database_->Prepare("SELECT bundle_path, bundle_mtime_ns, bundle_size, "
                                   "document_sha256, validated_definitions FROM backtest_index "
                                   "INDEXED BY backtest_index_by_file ORDER BY bundle_path"));
  std::vector<IndexedFile> files;
  for (;;) {
    LAMINA_ASSIGN(const bool there, select.Step());
    if (!there) return files;
    IndexedFile one;
    one.path = select.Text(0);
    one.mtime_ns = select.OptionalInt(1);
    one.size = select.OptionalInt(2);
    one.complete = one.mtime_ns && one.size && !select.IsNull(3);
    one.validated = select.OptionalInt(4) == metrics::kDefinitions;
    if (files.empty() || files.back().path != one.path) {
      files.push_back(std::move(one));
    } else {
      IndexedFile& same = files.back();
      same.complete &= one.complete && same.mtime_ns == one.mtime_ns && same.size == one.size;
      same.validated &= one.validated;
    }
  }
}

Status IndexFile::ForEachRow(const std::string& path,
                             const std::function<Status(const IndexedRow&)>& consume) {
  if (kind_ == Kind::kEmpty) return Ok();
  // Another program's table lacks columns: they come as NULL.
  std::string columns;
  const std::string wanted = backtests::IndexRowColumns() + ", " + backtests::ValidatedColumns();
  std::string_view left = wanted;
  while (!left.empty()) {
    const std::size_t comma = left.find(", ");
    const std::string name(left.substr(0, comma));
    left.remove_prefix(comma == std::string_view::npos ? left.size() : comma + 2);
    const bool present = std::find(present_.begin(), present_.end(), name) != present_.end();
    columns += present ? Quoted(name) : "NULL";
    columns += ", ";
  }
  const bool hashed =
      std::find(present_.begin(), present_.end(), "document_sha256") != present_.end();
  columns += hashed ? "document_sha256" : "NULL";
  LAMINA_ASSIGN(
      Statement select,
      database_->Prepare("SELECT " + columns + " FROM backtest_index" +
                         (path.empty() ? "" : " WHERE bundle_path = ?") + " ORDER BY 1, 6, 7, 8"));
  if (!path.empty()) select.Bind(1, path);
  for (;;) {
    LAMINA_ASSIGN(const bool there, select.Step());
    if (!there) return Ok();
    IndexedRow row;
    row.row = backtests::ReadIndexRow(select, 0);
    row.row.validated = backtests::ReadValidated(select, backtests::kIndexRowColumnCount);
    const int count = backtests::kIndexRowColumnCount + backtests::kValidatedColumnCount;
    if (const ByteView digest = select.Blob(count); digest.size() == 32) {
      LAMINA_ASSIGN(row.document_sha256, Sha256Digest::FromBytes(digest));
    }
    LAMINA_TRY(consume(row));
  }
}

Result<std::int64_t> IndexFile::CountRows() {
  if (kind_ == Kind::kEmpty) return 0;
  return Integer(*database_, "SELECT count(*) FROM backtest_index");
}

}  // namespace lamina::folder_index
