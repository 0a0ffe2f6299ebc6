#include <algorithm>
#include <utility>

#include <arrow/api.h>

#include "lamina/base/parallel.h"
#include "lamina/catalog/lake_rows.h"
#include "lamina/dataset/datasets.h"
#include "lamina/dataset/ranges_internal.h"
#include "lamina/table/arrow_status.h"
#include "lamina/table/columns.h"

namespace lamina::dataset {
namespace {

using ArrowTable = std::shared_ptr<arrow::Table>;

/// Threads cost more than they bring below this.
constexpr std::size_t kParallelFiles = 4;

/// One table of the parts, sorted. Files are sorted each; most often they do not overlap, and
/// nothing is copied.
Result<ArrowTable> MergeParts(std::vector<ArrowTable> parts, const std::vector<std::string>& keys,
                              bool sorted_each) {
  if (parts.size() == 1 && sorted_each) return parts[0];
  if (sorted_each) {
    std::vector<ArrowTable> heads;
    for (const ArrowTable& part : parts) heads.push_back(part->Slice(0, 1));
    LAMINA_ASSIGN(const ArrowTable head, table::StackTables(heads));
    LAMINA_ASSIGN(const auto order, table::SortOrder(*head, keys));
    std::vector<ArrowTable> ordered, ends;
    for (const std::int64_t i : order) {
      const ArrowTable& part = parts[static_cast<std::size_t>(i)];
      ends.push_back(part->Slice(0, 1));
      ends.push_back(part->Slice(part->num_rows() - 1, 1));
      ordered.push_back(part);
    }
    parts = std::move(ordered);
    LAMINA_ASSIGN(const ArrowTable rims, table::StackTables(ends));
    LAMINA_ASSIGN(const auto rim_order, table::SortOrder(*rims, keys));
    if (std::is_sorted(rim_order.begin(), rim_order.end())) return table::StackTables(parts);
  }
  LAMINA_ASSIGN(const ArrowTable stacked, table::StackTables(parts));
  return table::SortRows(stacked, keys);
}

}  // namespace

Result<ArrowTable> Datasets::Load(std::string_view name, const LoadRequest& request) {
  LAMINA_ASSIGN(const StoredDataset dataset, Find(name, request.snapshot));
  const Definition& definition = dataset.definition;
  LAMINA_ASSIGN(const auto wanted, catalog::ChooseColumns(dataset.table, request.columns));
  LAMINA_ASSIGN(const internal::Ranges ranges,
                internal::MakeRanges(definition, request.time, request.keys));
  std::vector<catalog::LakeFile> files;
  if (!ranges.nothing) {
    LAMINA_TRY(catalog_->Read([&](catalog::Database& database) -> Status {
      LAMINA_ASSIGN(
          files, catalog::LakeReader(database).Plan(dataset.table, dataset.snapshot, ranges.plan));
      return Ok();
    }));
  }
  // What is sorted or chosen by must be read too.
  std::vector<std::string> order = definition.keys;
  if (request.by_time) std::rotate(order.begin(), order.end() - 1, order.end());
  std::vector<catalog::LakeColumn> read = wanted;
  const bool several = files.size() > 1 || order != definition.keys;
  for (const catalog::LakeColumn& column : dataset.table.columns) {
    const bool filtered = std::any_of(
        request.keys.begin(), request.keys.end(),
        [&](const KeyFilter& key) { return key.column == column.name && key.values.size() > 1; });
    const bool sorted =
        several && std::find(order.begin(), order.end(), column.name) != order.end();
    const bool there = std::any_of(read.begin(), read.end(), [&](const catalog::LakeColumn& each) {
      return each.column_id == column.column_id;
    });
    if ((filtered || sorted) && !there) read.push_back(column);
  }
  const std::string lake = catalog_->LakePath("");
  std::vector<ArrowTable> parts(files.size());
  const bool many = files.size() >= kParallelFiles;
  LAMINA_TRY(ParallelFor(files.size(), many ? 0 : 1, [&](std::size_t index, std::size_t) -> Status {
    LAMINA_ASSIGN(parts[index],
                  catalog::ReadLakeFile(catalog_->env(), lake, dataset.table, files[index], read,
                                        ranges.read, nullptr, many ? 1 : 0));
    LAMINA_ASSIGN(parts[index], internal::KeepKeys(parts[index], request.keys));
    return Ok();
  }));
  std::erase_if(parts, [](const ArrowTable& part) { return part->num_rows() == 0; });
  if (parts.empty()) {
    LAMINA_ARROW_ASSIGN(ArrowTable empty, arrow::Table::MakeEmpty(catalog::SchemaOf(wanted)),
                        "loading");
    return empty;
  }
  LAMINA_ASSIGN(ArrowTable rows, MergeParts(std::move(parts), order, order == definition.keys));
  if (read.size() == wanted.size()) return rows;
  std::vector<int> chosen(wanted.size());
  for (std::size_t i = 0; i < chosen.size(); ++i) chosen[i] = static_cast<int>(i);
  LAMINA_ARROW_ASSIGN(rows, rows->SelectColumns(chosen), "loading");
  return rows;
}

}  // namespace lamina::dataset
