#pragma once

/// \file lamina/catalog/lake.h
/// The DuckLake 1.0 rows in the catalog database: LakeWriter inside one write transaction (one lake
/// snapshot), LakeReader inside one read transaction. spec: docs/format/lake_catalog.md.
/// Thread-compatible; they borrow the Database.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lamina/base/result.h"
#include "lamina/base/time.h"
#include "lamina/catalog/database.h"
#include "lamina/io/env.h"
#include "lamina/table/lake_type.h"
#include "lamina/table/parquet_file.h"

namespace lamina::catalog {

struct LakeColumn {
  std::string name;
  table::LakeType type = table::LakeType::kVarchar;
  bool nullable = true;
  std::int64_t column_id = 0;       ///< = Parquet field id; given by the catalog
  std::int64_t begin_snapshot = 0;  ///< given by the catalog; later than the table's = added column
};

struct LakeTable {
  std::int64_t table_id = 0;
  std::string schema, name;
  std::string directory;  ///< relative to lake/, ends in '/': "backtests/trades/"
  std::vector<LakeColumn> columns;
  std::optional<std::int64_t> partition_id;
  std::vector<std::int64_t> partition_columns;  ///< column ids, identity transform
  std::vector<std::string> sorted_by;           ///< names; every file is sorted so, ascending
  std::int64_t begin_snapshot = 0;
};

/// A data file as planned at one snapshot.
struct LakeFile {
  std::int64_t data_file_id = 0;
  std::string path;  ///< relative to lake/
  std::int64_t rows = 0, size_bytes = 0, footer_size = 0, row_id_start = 0;
  std::int64_t begin_snapshot = 0;
  std::uint32_t footer_crc32c = 0;  ///< from our `lake_file` table
  std::vector<std::string> partition_values;
  struct DeleteFile {
    std::int64_t delete_file_id = 0;
    std::string path;  ///< relative to lake/
    std::int64_t rows = 0;
    std::uint32_t footer_crc32c = 0;
  };
  std::optional<DeleteFile> deletes;
  std::vector<std::int64_t> missing_columns;  ///< ids of added columns that the file lacks (NULL)
};

/// A file to register: written and already at `path`.
struct NewLakeFile {
  std::string path;  ///< relative to lake/, below the table's directory
  table::WrittenFile written;
  std::vector<std::string> partition_values = {};  ///< DuckLake text, one per partition column
  std::optional<std::uint32_t> file_crc32c = {};   ///< of all its bytes, for a deep verify
};

/// Bounds as DuckLake spells them (FormatLakeTime for times); compared by the column's type.
struct LakeRange {
  std::string column;
  std::optional<std::string> low = {}, high = {};  ///< inclusive
};

struct LakeSnapshot {
  std::int64_t snapshot_id = 0;
  Micros time;
  std::int64_t schema_version = 0;
  std::string changes, author, message;
};

/// The DuckLake tables of a new catalog, its metadata keys and snapshot 0. `data_path` ends in '/'.
Status CreateLake(Database& database, std::string_view data_path, std::string_view created_by,
                  Micros now);
/// Correct the absolute data_path of a store that was moved; no-op when it is right.
Status UpdateLakeDataPath(Database& database, std::string_view data_path);

/// Write a positional delete file of `data_file` to `path`, synced. `positions` (row numbers in the
/// data file, *all* that are deleted) are sorted and made unique. RETURNS kInvalidArgument for
/// none, or one outside [0, rows of the file).
Result<table::WrittenFile> WriteDeleteFile(io::Env& env, const std::string& path,
                                           const LakeFile& data_file,
                                           std::vector<std::int64_t> positions);
/// The deleted positions of `data_file`, ascending and unique; none when it has no delete file.
/// `lake_root`: the lake/ folder. RETURNS kCorruption.
Result<std::vector<std::int64_t>> ReadDeletedPositions(io::Env& env, std::string_view lake_root,
                                                       const LakeFile& data_file);

/// One lake snapshot in the making. REQUIRES an open BEGIN IMMEDIATE; nothing is visible before
/// commit.
class LakeWriter {
 public:
  static Result<LakeWriter> Begin(Database& database);

  /// The id that Finish will give to the snapshot.
  std::int64_t snapshot_id() const { return snapshot_id_; }

  Result<std::int64_t> CreateSchema(std::string_view name);
  /// Column ids are given in order from 1 (a list takes two). `sorted_by` names the columns that
  /// every file of the table is sorted by; compaction keeps that order. RETURNS kAlreadyExists,
  /// kNotFound (schema), kInvalidArgument (unknown or repeated names).
  Result<LakeTable> CreateTable(std::string_view schema, std::string_view name,
                                std::vector<LakeColumn> columns,
                                const std::vector<std::string>& partition_by = {},
                                const std::vector<std::string>& sorted_by = {});
  /// `sql`: a DuckDB SELECT. Name tables as {DUCKLAKE_CATALOG}.schema.table: the extension puts the
  /// alias of the attached lake there. RETURNS kAlreadyExists, kNotFound (schema).
  Status CreateView(std::string_view schema, std::string_view name, std::string_view sql,
                    const std::vector<std::string>& column_aliases = {});
  /// Existing rows read as NULL. RETURNS kAlreadyExists, kNotFound.
  Status AddColumn(std::int64_t table_id, const LakeColumn& column);

  /// RETURNS the data_file_ids, in order.
  Result<std::vector<std::int64_t>> Append(std::int64_t table_id,
                                           const std::vector<NewLakeFile>& files);
  /// RETURNS kConflict when one of them is not live any more.
  Status Retire(std::int64_t table_id, const std::vector<std::int64_t>& data_file_ids);
  /// RETURNS kConflict when rows of one of the files were deleted after `snapshot`: what a rewrite
  /// that read them at `snapshot` must ask before it commits.
  Status CheckNoDeletesSince(std::int64_t snapshot, const std::vector<std::int64_t>& data_file_ids);
  /// Register a delete file that holds *all* deleted positions of the data file (it replaces the
  /// former). `expected_deletes`: the delete file this one was made from; kConflict when another is
  /// live.
  Status DeleteRows(std::int64_t table_id, std::int64_t data_file_id,
                    const NewLakeFile& delete_file, std::optional<std::int64_t> expected_deletes);

  /// Write the snapshot rows. A writer that made no lake change writes a snapshot all the same
  /// (our versioned rows need one). Time: `now`, but never before the last snapshot's.
  Status Finish(Micros now, std::string_view author, std::string_view message,
                std::string_view extra_info = {});

 private:
  explicit LakeWriter(Database& database) : database_(&database) {}
  Database* database_;
  std::int64_t snapshot_id_ = 0, schema_version_ = 0, next_catalog_id_ = 0, next_file_id_ = 0;
  bool schema_changed_ = false;
  std::vector<std::string> changes_;

  void AddChange(std::string change);
  Status ChangeTableSchema(std::int64_t table_id);
};

/// Reads at one snapshot. REQUIRES an open transaction on the Database for a consistent answer.
class LakeReader {
 public:
  explicit LakeReader(Database& database) : database_(&database) {}

  Result<std::int64_t> LatestSnapshot();
  Result<std::vector<LakeSnapshot>> Snapshots();
  /// The snapshot that was the latest at `time`. RETURNS kNotFound: before the first one, or it
  /// has expired.
  Result<std::int64_t> SnapshotAt(Micros time);
  /// RETURNS kNotFound for a snapshot that never was, or has expired.
  Status CheckSnapshot(std::int64_t snapshot);
  Result<std::vector<LakeTable>> Tables(std::int64_t snapshot);
  Result<LakeTable> FindTable(std::string_view schema, std::string_view name,
                              std::int64_t snapshot);
  /// Live files of the table at the snapshot that may hold rows in all `ranges`, by row_id_start.
  Result<std::vector<LakeFile>> Plan(const LakeTable& table, std::int64_t snapshot,
                                     const std::vector<LakeRange>& ranges = {});

 private:
  Database* database_;
};

/// Take away bounds of whole tables that no live file attains, of tables which files have left:
/// before files' leaving took them away, they stayed, and DuckDB takes them for the least and
/// greatest value.
Status ForgetInexactTableBounds(Database& database);

}  // namespace lamina::catalog
