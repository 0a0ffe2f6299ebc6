#pragma once

/// \file lamina/dataset/registry.h
/// Registry: the tables of files, fetches, processing runs, model artifacts and lineage
/// (docs/format/registry.md). Thread-safe.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "lamina/base/result.h"
#include "lamina/catalog/catalog.h"

namespace lamina::dataset {

using RegistryCell = std::variant<std::monostate, std::int64_t, double, std::string>;
/// Columns by name; absent ones are NULL, or have the table's default.
using RegistryRow = std::vector<std::pair<std::string, RegistryCell>>;

enum class RegistryTable : std::uint8_t { kFiles, kFetches, kRuns, kModels };
/// The name in the catalog: data_files, fetch_runs, processing_runs, model_artifacts.
std::string_view RegistryTableName(RegistryTable table);

/// What was made from what.
struct LineageEdge {
  std::string output_kind, output_id, input_kind, input_id;
  std::optional<std::int64_t> input_snapshot = {};
  auto operator<=>(const LineageEdge&) const = default;
};

class Registry {
 public:
  explicit Registry(catalog::Catalog& catalog) : catalog_(&catalog) {}

  /// Add a row; of kFiles, by file_path, update it if there is one: its id and created_at stay, and
  /// last_verified while the checksum does. RETURNS the id; kInvalidArgument: an unknown column, a
  /// required one without value, a status or kind that is not allowed, ids that name nothing.
  Result<std::int64_t> Put(RegistryTable table, const RegistryRow& row);
  /// The same for many, all or none. RETURNS the ids.
  Result<std::vector<std::int64_t>> PutAll(RegistryTable table,
                                           const std::vector<RegistryRow>& rows);

  /// Rows whose `column` equals the cell for all of `where`, by id.
  Result<std::vector<RegistryRow>> Rows(RegistryTable table, const RegistryRow& where = {});

  /// Take rows of kFiles out whose files left the tree. RETURNS how many there were.
  Result<std::int64_t> RemoveFiles(const std::vector<std::string>& paths);
  /// Note that files were found whole just now.
  Status MarkVerified(const std::vector<std::string>& paths);

  /// Note edges; one that is there already becomes the newest. RETURNS kInvalidArgument for unknown
  /// kinds.
  Status AddLineage(const std::vector<LineageEdge>& edges);
  /// The same within a transaction that writes more.
  static Status InsertEdges(catalog::Database& database, const std::vector<LineageEdge>& edges,
                            Nanos now);
  /// Edges into the output, and into what it was made from, and so on; nearest first. RETURNS
  /// kInvalidArgument for an unknown kind. A dataset
  /// leads to the series in it that were made (`ohlcv/EUR_USD/1d`), a range of one to the series:
  /// edges without snapshot.
  Result<std::vector<LineageEdge>> Lineage(std::string_view kind, std::string_view id);
  /// Edges whose input is a dataset that was changed after `input_snapshot`. What was made again
  /// from an input counts as of its newest edge.
  Result<std::vector<LineageEdge>> Stale();
  /// The newest edge from every input to every output, oldest first.
  Result<std::vector<LineageEdge>> NewestEdges();

 private:
  catalog::Catalog* catalog_;
};

}  // namespace lamina::dataset
