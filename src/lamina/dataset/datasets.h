#pragma once

/// \file lamina/dataset/datasets.h
/// Datasets: the named time-series tables of a store; make, save, delete, load. Thread-safe.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lamina/base/result.h"
#include "lamina/base/time.h"
#include "lamina/catalog/catalog.h"
#include "lamina/dataset/definition.h"
#include "lamina/dataset/rows.h"

namespace arrow {
class Table;
}

namespace lamina::dataset {

enum class WriteMode : std::uint8_t {
  kAppend,   ///< every key must be new
  kMerge,    ///< of equal keys a complete row beats an incomplete one, else the later one
  kReplace,  ///< what is stored in the range goes, the rows take its place
};
Result<WriteMode> WriteModeFromName(std::string_view name);  ///< append, merge, replace

/// With so many small files of one partition a save merges some of them (catalog compaction): few
/// enough that a load of a much-appended range stays near that of one file.
inline constexpr std::int64_t kCrowdedFiles = 32;

/// Half-open; an absent end is open.
struct TimeRange {
  std::optional<Micros> start = {}, end = {};
};

/// Rows whose key column `column` is one of `values` (text; of a number its digits).
struct KeyFilter {
  std::string column;
  std::vector<std::string> values;
};

struct SaveOptions {
  WriteMode mode = WriteMode::kMerge;
  PrepareOptions prepare = {};
  /// Of kReplace: what goes; by default the span of the rows. Constants on key columns narrow it.
  std::optional<TimeRange> replace = {};
  /// Rows of ours to write in the same transaction; gets the snapshot.
  std::function<Status(catalog::Database&, std::int64_t)> also = {};
};

struct SaveReport {
  std::int64_t rows = 0;        ///< given
  std::int64_t added = 0;       ///< with a key that was not stored
  std::int64_t replaced = 0;    ///< took the place of a stored row
  std::int64_t unchanged = 0;   ///< are stored like this already
  std::int64_t kept = 0;        ///< lost against a stored, complete row
  std::int64_t duplicates = 0;  ///< lost against another given row
  std::int64_t removed = 0;     ///< stored rows that went without a new one in their place
  std::int64_t nulls = 0, nans = 0;
  std::int64_t files = 0;
  std::string folder = {};                   ///< of the table, below lake/: "bars/ohlcv"
  std::vector<std::string> partitions = {};  ///< that got a file: "year=2022"; "" when there is one
  bool sorted = true;
  std::optional<Micros> first = {}, last = {};  ///< of the rows given
  std::optional<std::int64_t> snapshot = {};    ///< absent when nothing changed
};

struct LoadRequest {
  TimeRange time = {};
  std::vector<KeyFilter> keys = {};
  std::optional<std::vector<std::string>> columns = {};  ///< absent: all
  std::optional<std::int64_t> snapshot = {};
  bool by_time = false;  ///< sorted by time first, then by the other keys
};

/// A dataset as stored at some snapshot.
struct StoredDataset {
  Definition definition;
  catalog::LakeTable table;
  std::int64_t snapshot = 0;  ///< at which it was looked up
};

struct DatasetInfo {
  Definition definition;
  std::int64_t rows = 0, files = 0, bytes = 0;
};

class Datasets {
 public:
  explicit Datasets(catalog::Catalog& catalog) : catalog_(&catalog) {}

  /// RETURNS kAlreadyExists, kInvalidArgument.
  Status Create(const Definition& definition);
  /// The same; a dataset of that name is taken as it is.
  Status CreateIfAbsent(const Definition& definition);
  /// RETURNS kNotFound, with near names.
  Result<StoredDataset> Find(std::string_view name, std::optional<std::int64_t> snapshot = {});
  Result<std::vector<DatasetInfo>> List(std::optional<std::int64_t> snapshot = {});
  /// Rows that are stored have NULL in them. RETURNS kAlreadyExists, kInvalidArgument (required).
  Status AddColumns(std::string_view name, const std::vector<Column>& columns);

  /// All partitions in one commit. Rows may come in any order. RETURNS kInvalidArgument
  /// (PrepareRows), kAlreadyExists (kAppend: a key is stored), kConflict (another writer changed
  /// the same range meanwhile; nothing was saved).
  Result<SaveReport> Save(std::string_view name, const arrow::Table& rows,
                          const SaveOptions& options = {});
  /// RETURNS how many rows went; kConflict as Save.
  Result<SaveReport> Delete(std::string_view name, const TimeRange& range,
                            const std::vector<KeyFilter>& keys = {});

  /// Rows sorted by the keys; without any row a table with the columns. Only files and row groups
  /// that may hold rows of the request are read. RETURNS kNotFound (dataset, column, snapshot),
  /// kCorruption naming a file that is damaged or gone.
  Result<std::shared_ptr<arrow::Table>> Load(std::string_view name, const LoadRequest& request);

  /// Whether a load of the range gives other rows than it gave at snapshot `since`
  /// (kProvenanceColumn apart). Rows are read and compared only when files of the range changed;
  /// with `since` expired such a change counts. RETURNS kNotFound (dataset), else as Load.
  Result<bool> Changed(std::string_view name, const TimeRange& time,
                       const std::vector<KeyFilter>& keys, std::int64_t since);

  catalog::Catalog& catalog() { return *catalog_; }

 private:
  catalog::Catalog* catalog_;
};

}  // namespace lamina::dataset
