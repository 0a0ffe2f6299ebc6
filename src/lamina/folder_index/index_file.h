#pragma once

/// \file lamina/folder_index/index_file.h
/// IndexFile: a SQLite file with the rank table of the bundles below a folder. Format and versions:
/// docs/format/folder_index.md. Thread-compatible; reads see one committed state.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lamina/backtests/index_row.h"
#include "lamina/backtests/ranking.h"
#include "lamina/base/hash.h"
#include "lamina/base/result.h"
#include "lamina/catalog/database.h"

namespace lamina::folder_index {

/// Version of the tables that this program writes.
inline constexpr std::int64_t kIndexVersion = 2;
/// `PRAGMA user_version` of the framework's table that ours extends.
inline constexpr std::int64_t kFrameworkVersion = 5;

/// What an index is of.
struct IndexScope {
  std::string root;  ///< folder of the bundles, absolute
  bool absolute_paths = false;
};

/// A row with what the index knows beside it.
struct IndexedRow {
  backtests::IndexRow row;
  std::optional<Sha256Digest> document_sha256;  ///< absent: another program wrote the row
};

/// A bundle as the index knows it.
struct IndexedFile {
  std::string path;  ///< as in the index
  std::optional<std::int64_t> mtime_ns, size;
  bool complete = false;   ///< all its rows are ours and agree on time and size
  bool validated = false;  ///< all its rows have metrics of our own, by today's definitions
};

/// A bundle that could not be read; it is not tried again until it changes.
struct KnownFailure {
  std::string path;  ///< as in the index
  std::int64_t mtime_ns = 0, size = 0;
  ErrorCode code = ErrorCode::kCorruption;
  std::string message;
};

class IndexFile {
 public:
  enum class Kind : std::uint8_t { kEmpty, kOurs, kFramework };

  /// Open to read. RETURNS kNotFound, kInvalidArgument (another kind of file), kCorruption,
  /// kUnsupported (made by a newer program).
  static Result<std::unique_ptr<IndexFile>> Open(const std::string& path);
  /// Open to write; made when absent. Same errors.
  static Result<std::unique_ptr<IndexFile>> OpenToWrite(const std::string& path);
  static Result<std::unique_ptr<IndexFile>> InMemory();

  Kind kind() const { return kind_; }
  const std::string& path() const { return database_->path(); }
  /// Absent unless ours. A root inside which the file lies moves with it.
  const std::optional<IndexScope>& scope() const { return scope_; }

  /// Of the tables, up to kIndexVersion; 0 unless ours. An older one is read as it is and made anew
  /// when it is written.
  std::int64_t version() const { return version_; }

  /// The table for lists and ranks. RETURNS kNotFound when the file holds no index yet.
  Result<backtests::RankTable> Table();
  /// Run `work` in one read transaction.
  Status Read(const std::function<Status(const backtests::RankTable&)>& work);
  Status ReadState(const std::function<Status()>& work) { return database_->Read(work); }

  /// Run `work` in one write transaction: readers see all of it or nothing. RETURNS kConflict at
  /// once when another process writes.
  Status Write(const std::function<Status()>& work);
  /// Make the tables anew, empty. In Write.
  Status Recreate(const IndexScope& scope);
  /// Remove the rows of a path, or what is known of its failure. In Write.
  Status RemoveFile(const std::string& path);
  /// In Write.
  Status AddFailure(const KnownFailure& failure);
  /// Replace the row of the same path, engine, universe and study. In Write.
  Status Upsert(const IndexedRow& row);

  /// Sorted by path. REQUIRES version() kIndexVersion.
  Result<std::vector<IndexedFile>> Files();
  Result<std::vector<KnownFailure>> Failures();
  /// Rows in order of path, engine, universe, study; of one path when it is not empty.
  Status ForEachRow(const std::string& path,
                    const std::function<Status(const IndexedRow&)>& consume);
  Result<std::int64_t> CountRows();

 private:
  explicit IndexFile(std::unique_ptr<catalog::Database> database)
      : database_(std::move(database)) {}
  static Result<std::unique_ptr<IndexFile>> Opened(std::unique_ptr<catalog::Database> database);
  Status Recognise();
  Status ReadScope();
  Status ReadColumns();

  std::unique_ptr<catalog::Database> database_;
  Kind kind_ = Kind::kEmpty;
  std::optional<IndexScope> scope_;
  std::int64_t version_ = 0;
  std::vector<std::string> present_;  ///< columns of backtest_index
  std::string table_columns_;         ///< backtests::RankTable::columns
};

}  // namespace lamina::folder_index
