#include "lamina/dataset/key_values.h"

#include <algorithm>
#include <functional>
#include <set>
#include <utility>

#include <arrow/api.h>

#include "lamina/base/near_names.h"
#include "lamina/catalog/lake_rows.h"
#include "lamina/dataset/ranges_internal.h"
#include "lamina/table/columns.h"

namespace lamina::dataset {
namespace {

using Values = std::set<std::string, std::less<>>;

Status AddValues(const arrow::Table& rows, std::string_view column, Values& values) {
  if (rows.num_rows() == 0) return Ok();
  LAMINA_ASSIGN(const auto chunks, table::ColumnNamed(rows, column));
  LAMINA_ASSIGN(const auto array, table::CombineColumn(*chunks));
  LAMINA_ASSIGN(const auto runs, table::EqualRuns(rows, column));
  for (const table::RowRange& run : runs) {
    if (array->IsNull(run.begin)) continue;
    const ByteView value = table::BytesAt(*array, run.begin);
    if (!values.contains(value)) values.emplace(value);
  }
  return Ok();
}

/// Those that the rows found have; they are read anew when the column is not among theirs.
Result<std::vector<std::string>> FoundValues(Datasets& datasets, std::string_view name,
                                             const std::string& column, const LoadRequest& request,
                                             const arrow::Table& loaded) {
  if (loaded.GetColumnByName(column) == nullptr) return KeyValues(datasets, name, column, request);
  Values values;
  LAMINA_TRY(AddValues(loaded, column, values));
  return std::vector<std::string>(values.begin(), values.end());
}

/// The first that is not among `known`, which is sorted.
const std::string* FirstUnknown(const KeyFilter& key, const std::vector<std::string>& known) {
  const auto unknown =
      std::find_if(key.values.begin(), key.values.end(), [&](const std::string& value) {
        return !std::binary_search(known.begin(), known.end(), value);
      });
  return unknown == key.values.end() ? nullptr : &*unknown;
}

Error Unknown(std::string_view dataset, const KeyFilter& key, const std::string& value,
              const std::vector<std::string>& known) {
  constexpr std::size_t kListed = 8;
  std::string hint = DidYouMean(value, known);
  if (hint.empty() && !known.empty() && known.size() <= kListed) {
    hint = "; there ";
    hint += known.size() == 1 ? "is " : "are ";
    for (std::size_t i = 0; i < known.size(); ++i) hint += (i == 0 ? "" : ", ") + known[i];
  }
  return NotFound("dataset '" + std::string(dataset) + "' has no " + key.column + " '" + value +
                  "'" + hint);
}

}  // namespace

Result<std::vector<std::string>> KeyValues(Datasets& datasets, std::string_view name,
                                           std::string_view column, const LoadRequest& request) {
  LAMINA_ASSIGN(const StoredDataset dataset, datasets.Find(name, request.snapshot));
  std::vector<std::string> names = {std::string(column)};
  for (const KeyFilter& key : request.keys) {
    if (std::find(names.begin(), names.end(), key.column) == names.end())
      names.push_back(key.column);
  }
  LAMINA_ASSIGN(const auto columns, catalog::ChooseColumns(dataset.table, names));
  if (columns.front().type != table::LakeType::kVarchar)
    return Unsupported("column '" + std::string(column) + "' holds no text");
  LAMINA_ASSIGN(const internal::Ranges ranges,
                internal::MakeRanges(dataset.definition, request.time, request.keys));
  if (ranges.nothing) return std::vector<std::string>();
  catalog::Catalog& catalog = datasets.catalog();
  std::vector<catalog::LakeFile> files;
  LAMINA_TRY(catalog.Read([&](catalog::Database& database) -> Status {
    LAMINA_ASSIGN(files,
                  catalog::LakeReader(database).Plan(dataset.table, dataset.snapshot, ranges.plan));
    return Ok();
  }));
  Values values;
  for (const catalog::LakeFile& file : files) {
    LAMINA_ASSIGN(auto rows, catalog::ReadLakeFile(catalog.env(), catalog.LakePath(""),
                                                   dataset.table, file, columns, ranges.read));
    LAMINA_ASSIGN(rows, internal::KeepKeys(rows, request.keys));
    LAMINA_TRY(AddValues(*rows, column, values));
  }
  return std::vector<std::string>(values.begin(), values.end());
}

Status CheckKeysKnown(Datasets& datasets, std::string_view name, const LoadRequest& request,
                      const arrow::Table& loaded) {
  const bool any = loaded.num_rows() > 0;
  LoadRequest before;
  before.snapshot = request.snapshot;
  for (const KeyFilter& key : request.keys) {
    bool known = any && key.values.size() < 2;
    if (any && !known) {
      LAMINA_ASSIGN(const auto found, FoundValues(datasets, name, key.column, request, loaded));
      known = FirstUnknown(key, found) == nullptr;
    }
    if (!known) {
      LAMINA_ASSIGN(const auto all, KeyValues(datasets, name, key.column, before));
      const std::string* unknown = FirstUnknown(key, all);
      if (unknown != nullptr) return Unknown(name, key, *unknown, all);
    }
    before.keys.push_back(key);
  }
  return Ok();
}

}  // namespace lamina::dataset
