#include <algorithm>
#include <utility>

#include <arrow/api.h>

#include "lamina/dataset/datasets.h"
#include "lamina/dataset/ranges_internal.h"

namespace lamina::dataset {
namespace {

using ArrowTable = std::shared_ptr<arrow::Table>;
using Files = std::vector<std::pair<std::int64_t, std::int64_t>>;

/// The files that a load would read, with their deletes.
Result<Files> FilesOf(catalog::Catalog& catalog, const StoredDataset& dataset,
                      const internal::Ranges& ranges) {
  Files ids;
  if (ranges.nothing) return ids;
  LAMINA_TRY(catalog.Read([&](catalog::Database& database) -> Status {
    LAMINA_ASSIGN(const auto files,
                  catalog::LakeReader(database).Plan(dataset.table, dataset.snapshot, ranges.plan));
    for (const catalog::LakeFile& file : files) {
      ids.emplace_back(file.data_file_id, file.deletes ? file.deletes->delete_file_id : -1);
    }
    return Ok();
  }));
  std::sort(ids.begin(), ids.end());
  return ids;
}

/// Columns that only one of them has must be NULL.
bool SameRows(const arrow::Table& now, const arrow::Table& then) {
  if (now.num_rows() != then.num_rows()) return false;
  const auto equal = arrow::EqualOptions::Defaults().nans_equal(true);
  for (const auto* side : {&now, &then}) {
    const arrow::Table& other = side == &now ? then : now;
    for (int i = 0; i < side->num_columns(); ++i) {
      const std::string& name = side->field(i)->name();
      if (name == kProvenanceColumn) continue;
      const auto mine = side->column(i), its = other.GetColumnByName(name);
      const bool same =
          its == nullptr ? mine->null_count() == mine->length() : mine->Equals(*its, equal);
      if (!same) return false;
    }
  }
  return true;
}

}  // namespace

Result<bool> Datasets::Changed(std::string_view name, const TimeRange& time,
                               const std::vector<KeyFilter>& keys, std::int64_t since) {
  LAMINA_ASSIGN(const StoredDataset dataset, Find(name));
  LAMINA_ASSIGN(const internal::Ranges ranges,
                internal::MakeRanges(dataset.definition, time, keys));
  LAMINA_ASSIGN(const Files now, FilesOf(*catalog_, dataset, ranges));
  auto before = Find(name, since);
  if (!before.ok() && before.error().code() == ErrorCode::kNotFound) return true;
  if (!before.ok()) return std::move(before).error();
  LAMINA_ASSIGN(const Files then, FilesOf(*catalog_, *before, ranges));
  if (now == then) return false;
  LoadRequest request{.time = time, .keys = keys};
  LAMINA_ASSIGN(const ArrowTable rows, Load(name, request));
  request.snapshot = since;
  LAMINA_ASSIGN(const ArrowTable old_rows, Load(name, request));
  return !SameRows(*rows, *old_rows);
}

}  // namespace lamina::dataset
