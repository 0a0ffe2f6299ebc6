#pragma once

/// \file lamina/backtests/backtest_store.h
/// BacktestStore: the backtests of one store, by handle. Reading, exporting, editing.
/// Thread-safe; borrows the Catalog. Import is in import.h.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "lamina/backtests/decompose.h"
#include "lamina/backtests/index_table.h"
#include "lamina/base/hash.h"
#include "lamina/base/result.h"
#include "lamina/base/time.h"
#include "lamina/base/uuid.h"
#include "lamina/catalog/catalog.h"

namespace lamina::backtests {

/// The `backtest` row of one handle.
struct BacktestRecord {
  std::int64_t backtest_id = 0;
  std::string handle;
  std::int64_t begin_snapshot = 0;
  std::optional<std::int64_t> end_snapshot;
  /// The file is the bundle that was imported, or the document where one was put without a file.
  Sha256Digest document_sha256, skeleton_sha256, file_sha256;
  std::int64_t document_bytes = 0, file_bytes = 0;
  std::uint32_t bundle_version = 0;
  std::optional<std::string> algorithm_id, tag, source_path;
  Micros imported_at;
  std::vector<std::string> warnings;
};

/// One run of a backtest as the catalog knows it.
struct RunRecord {
  std::int64_t slot = 0;
  Uuid run_id;
  std::string engine, study;
  std::int64_t snapshots = 0, trades = 0, orders = 0, positions = 0, series_points = 0;
};

enum class RunTable : std::uint8_t { kRuns, kSnapshots, kTrades, kOrders, kPositions, kSeries };

struct ExportOptions {
  std::optional<std::uint32_t> format_version;  ///< absent: the version it came in
  std::optional<int> level;  ///< absent: the level that gives the original file, else 19
};

struct ExportReport {
  std::string path;
  std::int64_t bytes = 0;
  Sha256Digest sha256, document_sha256;
  bool identical_to_original = false;
  int level = 0;
  std::uint32_t format_version = 0;
  bool converted = false;             ///< to another version than it came in
  std::vector<std::string> warnings;  ///< what could not be written as the document has it
};

/// Where a read looks: the latest state, or a lake snapshot.
using AsOf = std::optional<std::int64_t>;

class BacktestStore {
 public:
  explicit BacktestStore(catalog::Catalog& catalog) : catalog_(&catalog) {}

  /// The lake schema, tables and view of backtests in a new store; idempotent.
  static Status CreateTables(catalog::Catalog& catalog);

  catalog::Catalog& catalog() { return *catalog_; }

  /// RETURNS kNotFound naming near handles.
  Result<BacktestRecord> Find(std::string_view handle, AsOf as_of = {});
  Result<std::vector<RunRecord>> Runs(const BacktestRecord& backtest);
  /// Identity and summary metrics by engine, study and universe. Of the catalog alone: no document,
  /// lake table or chunk is read.
  Result<std::vector<StoredIndexRow>> Summaries(const BacktestRecord& backtest);
  /// Sorted by handle.
  Result<std::vector<std::string>> Handles(AsOf as_of = {});
  Result<std::int64_t> Count();
  Result<bool> Exists(std::string_view handle);

  /// The exact MessagePack document. RETURNS kCorruption when stored parts do not give its hash.
  Result<std::string> ReadDocument(const BacktestRecord& backtest);
  /// Rows of the given runs (all of the backtest's when empty), with run_id, in run order.
  /// `columns`: at least these (empty: all); others are not decoded where that is possible.
  Result<std::shared_ptr<arrow::Table>> ReadRows(const BacktestRecord& backtest, RunTable table,
                                                 const std::vector<Uuid>& run_ids = {},
                                                 const std::vector<std::string>& columns = {});
  /// The same of runs of any backtests, in the order of run ids; of each file only what may hold
  /// them, within `also`, is read. `snapshot` absent: the latest.
  Result<std::shared_ptr<arrow::Table>> ReadRowsOfRuns(RunTable table, std::vector<Uuid> run_ids,
                                                       AsOf snapshot,
                                                       const std::vector<std::string>& columns = {},
                                                       std::vector<table::ColumnRange> also = {});

  /// The rows of all runs, by run_id. RETURNS kNotFound for a column that the table lacks.
  Result<std::shared_ptr<arrow::Table>> Scan(
      RunTable table, const std::optional<std::vector<std::string>>& columns = {});

  /// Write the bundle to `path`, atomically, and the price chunks it names beside it (absent ones
  /// only; price_files.h). Nothing is written outside the folder of `path`. A file at `path` is
  /// replaced. Another version than the backtest came in: convert.h.
  Result<ExportReport> Export(std::string_view handle, const std::string& path,
                              const ExportOptions& options = {}, AsOf as_of = {});

  /// End the backtests; rows of runs that nothing else names are deleted from the lake.
  /// RETURNS kNotFound when one is missing (nothing is deleted then), kConflict.
  Status Delete(const std::vector<std::string>& handles);
  /// Bring back the last deleted backtest of that handle while a snapshot holds it. RETURNS
  /// kAlreadyExists when the handle is in use, kNotFound when nothing was deleted under it or the
  /// backtest was renamed (naming the new handle).
  Status Undelete(std::string_view handle);
  Status Rename(std::string_view from, std::string_view to);
  /// RETURNS the tags after the change (user tags; the bundle's own tag is not among them).
  Result<std::vector<std::string>> Tag(std::string_view handle, const std::vector<std::string>& add,
                                       const std::vector<std::string>& remove);
  Status Note(std::string_view handle, std::string_view text);

 private:
  struct StoredRows {
    std::shared_ptr<arrow::Table> rows;
    bool has_derived_cells = false;  ///< derived_cells.h fills them
  };
  /// Runs and the snapshot at which they are read.
  struct RunsAt {
    std::vector<Uuid> ids;
    std::int64_t snapshot = 0;
  };
  /// The given runs (all of the backtest's when empty).
  Result<RunsAt> RunsOf(const BacktestRecord& backtest, const std::vector<Uuid>& run_ids = {});
  /// REQUIRES run ids that are sorted, each once.
  Result<StoredRows> ReadStoredRows(RunTable table, const RunsAt& runs,
                                    const std::vector<std::string>& columns,
                                    std::vector<table::ColumnRange> also);

  catalog::Catalog* catalog_;
};

/// Handles are relative paths with '/' between parts: not empty, no "." or ".." part, no leading or
/// trailing '/', no control characters, valid UTF-8, at most 1,024 bytes. RETURNS kInvalidArgument.
Status CheckHandle(std::string_view handle);

}  // namespace lamina::backtests
