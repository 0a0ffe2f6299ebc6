#include <algorithm>
#include <string>
#include <utility>

#include <arrow/api.h>

#include "lamina/catalog/lake_rows.h"
#include "lamina/dataset/stored_rows_internal.h"
#include "lamina/table/columns.h"
#include "lamina/table/value_range.h"

namespace lamina::dataset::internal {
namespace {

using ArrowTable = std::shared_ptr<arrow::Table>;

/// Positions inside the ranges among rows [0, n) of key columns.
Result<std::vector<std::int64_t>> Inside(const ArrowTable& keys, const Ranges& ranges,
                                         std::span<const std::int64_t> deleted) {
  table::RowRanges inside = table::Without(keys->num_rows(), deleted);
  for (const table::ColumnRange& range : ranges.read) {
    LAMINA_ASSIGN(const auto column, table::ColumnNamed(*keys, range.column));
    LAMINA_ASSIGN(const table::LakeType type, table::LakeTypeOf(*column->type()));
    LAMINA_ASSIGN(const table::ValueRange values, table::ValueRange::Make(range, type));
    table::RowRanges matching;
    std::int64_t first = 0;
    for (const auto& chunk : column->chunks()) {
      values.Match(*chunk, first, matching);
      first += chunk->length();
    }
    inside = table::Intersect(inside, matching);
  }
  std::vector<std::int64_t> positions;
  for (const table::RowRange& range : inside.ranges()) {
    for (std::int64_t row = range.begin; row < range.end; ++row) positions.push_back(row);
  }
  return positions;
}

Result<StoredRows> ReadFile(catalog::Catalog& catalog, const StoredDataset& dataset,
                            const catalog::LakeFile& file, const Ranges& ranges) {
  const std::string lake = catalog.LakePath("");
  StoredRows stored{.file = file, .positions = {}, .rows = nullptr};
  LAMINA_ASSIGN(const auto keys, catalog::ChooseColumns(dataset.table, dataset.definition.keys));
  // Pruned by row groups and pages; most often there is none, or few.
  LAMINA_ASSIGN(const ArrowTable hits,
                catalog::ReadLakeFile(catalog.env(), lake, dataset.table, file, keys, ranges.read));
  if (hits->num_rows() == 0) return stored;
  LAMINA_ASSIGN(const ArrowTable all, catalog::ReadStoredRows(catalog.env(), lake, dataset.table,
                                                              file, keys, 0, file.rows));
  LAMINA_ASSIGN(const auto deleted, catalog::ReadDeletedPositions(catalog.env(), lake, file));
  LAMINA_ASSIGN(stored.positions, Inside(all, ranges, deleted));
  if (stored.positions.empty()) return stored;
  const std::int64_t begin = stored.positions.front(), end = stored.positions.back() + 1;
  LAMINA_ASSIGN(const ArrowTable span,
                catalog::ReadStoredRows(catalog.env(), lake, dataset.table, file,
                                        dataset.table.columns, begin, end));
  std::vector<std::int64_t> local;
  for (const std::int64_t position : stored.positions) local.push_back(position - begin);
  LAMINA_ASSIGN(stored.rows, table::TakeRows(*span, local));
  return stored;
}

/// Where a row of the stacked rows comes from; part == parts: a new one.
struct Origin {
  std::size_t part = 0;
  std::int64_t row = 0;
};

class Resolver {
 public:
  Resolver(const Definition& definition, WriteMode mode, const std::vector<StoredRows>& stored,
           const ArrowTable& rows)
      : definition_(definition), mode_(mode), stored_(stored), rows_(rows) {}

  Result<Resolution> Run() {
    made_.remove.resize(stored_.size());
    made_.report.rows = rows_->num_rows();
    const bool against = mode_ != WriteMode::kReplace && !stored_.empty();
    if (mode_ == WriteMode::kReplace) {
      for (std::size_t i = 0; i < stored_.size(); ++i) {
        made_.remove[i] = stored_[i].positions;
        made_.report.removed += static_cast<std::int64_t>(stored_[i].positions.size());
      }
    }
    LAMINA_TRY(Stack(against));
    LAMINA_TRY(WalkGroups());
    std::sort(made_.write.begin(), made_.write.end());
    for (auto& positions : made_.remove) std::sort(positions.begin(), positions.end());
    return std::move(made_);
  }

 private:
  Status Stack(bool against) {
    std::vector<ArrowTable> parts;
    if (against) {
      for (std::size_t i = 0; i < stored_.size(); ++i) {
        parts.push_back(stored_[i].rows);
        for (std::int64_t row = 0; row < stored_[i].rows->num_rows(); ++row) {
          origins_.push_back({i, row});
        }
      }
    }
    parts.push_back(rows_);
    for (std::int64_t row = 0; row < rows_->num_rows(); ++row) {
      origins_.push_back({stored_.size(), row});
    }
    LAMINA_ASSIGN(const ArrowTable stacked, table::StackTables(parts));
    LAMINA_ASSIGN(all_, table::Combine(*stacked));
    LAMINA_ASSIGN(order_, table::SortOrder(*all_, definition_.keys));
    for (const auto& field : all_->schema()->fields()) {
      const auto& array = all_->GetColumnByName(field->name());
      LAMINA_ASSIGN(auto plain, table::CombineColumn(*array));
      const bool key = std::find(definition_.keys.begin(), definition_.keys.end(), field->name()) !=
                       definition_.keys.end();
      if (key) keys_.push_back(plain);
      if (!key && field->name() != kProvenanceColumn) values_.push_back(plain);
      if (definition_.complete_column == field->name()) complete_ = plain;
    }
    return Ok();
  }

  static bool Equal(const arrow::ArrayVector& columns, std::int64_t a, std::int64_t b) {
    static const auto kOptions =
        arrow::EqualOptions::Defaults().nans_equal(true).signed_zeros_equal(false);
    for (auto column = columns.rbegin(); column != columns.rend(); ++column) {
      if (!(*column)->RangeEquals(**column, a, a + 1, b, kOptions)) return false;
    }
    return true;
  }

  bool Complete(std::int64_t row) const {
    return complete_ == nullptr || complete_->IsNull(row) ||
           static_cast<const arrow::BooleanArray&>(*complete_).Value(row);
  }

  bool IsNew(std::int64_t row) const {
    return origins_[static_cast<std::size_t>(row)].part == stored_.size();
  }

  Status WalkGroups() {
    std::size_t begin = 0;
    while (begin < order_.size()) {
      std::size_t end = begin + 1;
      while (end < order_.size() && Equal(keys_, order_[begin], order_[end])) ++end;
      LAMINA_TRY(Settle(std::span(order_).subspan(begin, end - begin)));
      begin = end;
    }
    return Ok();
  }

  /// Rows with one key, in the order they came: stored ones first.
  Status Settle(std::span<const std::int64_t> group) {
    std::int64_t winner = group[0], given = 0, stored = 0;
    for (const std::int64_t row : group) {
      (IsNew(row) ? given : stored) += 1;
      if (Complete(row) || !Complete(winner)) winner = row;
    }
    if (given == 0) return Ok();
    made_.report.duplicates += given - 1;
    if (stored > 0 && mode_ == WriteMode::kAppend) {
      std::string key;
      for (const std::string& name : definition_.keys) {
        const auto scalar = all_->GetColumnByName(name)->GetScalar(group[0]);
        key += (key.empty() ? "" : ", ") + name + " " +
               (scalar.ok() ? (*scalar)->ToString() : std::string("?"));
      }
      return AlreadyExists("dataset '" + definition_.name + "' has a row of " + key +
                           " already; merge, or replace the range");
    }
    const bool same = stored == 1 && winner != group[0] && Equal(values_, winner, group[0]);
    if (same) {
      ++made_.report.unchanged;
    } else if (!IsNew(winner)) {
      const bool equal = Equal(values_, winner, group.back());
      ++(equal ? made_.report.unchanged : made_.report.kept);
    } else {
      for (const std::int64_t row : group) {
        const Origin& origin = origins_[static_cast<std::size_t>(row)];
        if (IsNew(row)) continue;
        made_.remove[origin.part].push_back(
            stored_[origin.part].positions[static_cast<std::size_t>(origin.row)]);
      }
      made_.write.push_back(origins_[static_cast<std::size_t>(winner)].row);
      ++(stored > 0 ? made_.report.replaced : made_.report.added);
    }
    return Ok();
  }

  const Definition& definition_;
  WriteMode mode_;
  const std::vector<StoredRows>& stored_;
  const ArrowTable& rows_;
  Resolution made_;
  ArrowTable all_;
  std::vector<Origin> origins_;
  std::vector<std::int64_t> order_;
  arrow::ArrayVector keys_, values_;
  std::shared_ptr<arrow::Array> complete_;
};

}  // namespace

Result<std::vector<StoredRows>> ReadStored(catalog::Catalog& catalog, const StoredDataset& dataset,
                                           const std::vector<catalog::LakeFile>& files,
                                           const Ranges& ranges) {
  std::vector<StoredRows> stored;
  for (const catalog::LakeFile& file : files) {
    LAMINA_ASSIGN(StoredRows rows, ReadFile(catalog, dataset, file, ranges));
    if (!rows.positions.empty()) stored.push_back(std::move(rows));
  }
  return stored;
}

Result<Resolution> Resolve(const Definition& definition, WriteMode mode,
                           const std::vector<StoredRows>& stored, const ArrowTable& rows) {
  return Resolver(definition, mode, stored, rows).Run();
}

}  // namespace lamina::dataset::internal
