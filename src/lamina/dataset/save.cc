#include <algorithm>
#include <map>
#include <utility>

#include <arrow/api.h>

#include "lamina/base/parallel.h"
#include "lamina/catalog/compaction_policy.h"
#include "lamina/catalog/lake_rows.h"
#include "lamina/catalog/lake_value.h"
#include "lamina/catalog/lost_race.h"
#include "lamina/dataset/datasets.h"
#include "lamina/dataset/stored_rows_internal.h"
#include "lamina/table/arrow_status.h"
#include "lamina/table/columns.h"

namespace lamina::dataset {
namespace {

using ArrowTable = std::shared_ptr<arrow::Table>;
using catalog::Database;
using catalog::LakeFile;
using catalog::LakeReader;
using catalog::LakeWriter;
using internal::Ranges;
using internal::Resolution;
using internal::StoredRows;

constexpr int kAttempts = 8;
/// Files of one series are taken into the next one: the smallest at once, larger ones when there
/// are so many.
constexpr std::int64_t kAbsorbedAtOnceRows = 512;
constexpr std::int64_t kAbsorbedFilesMin = 4, kAbsorbedRowsMax = 16'384;

/// Live files that may hold rows of the ranges.
Result<std::vector<LakeFile>> PlanFiles(Database& database, const StoredDataset& dataset,
                                        const Ranges& ranges, std::int64_t snapshot) {
  return LakeReader(database).Plan(dataset.table, snapshot, ranges.plan);
}

/// What a writer relies on: these files, with these deletes, and no others.
std::vector<std::pair<std::int64_t, std::int64_t>> Identity(const std::vector<LakeFile>& files) {
  std::vector<std::pair<std::int64_t, std::int64_t>> ids;
  for (const LakeFile& file : files) {
    ids.emplace_back(file.data_file_id, file.deletes ? file.deletes->delete_file_id : -1);
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

/// Whether every file that came since `snapshot` was made by compaction, of the same rows.
Result<bool> OnlyCompacted(Database& database, const std::vector<LakeFile>& now,
                           std::int64_t snapshot) {
  LAMINA_ASSIGN(catalog::Statement read,
                database.Prepare("SELECT commit_message LIKE 'compact %' FROM "
                                 "ducklake_snapshot_changes WHERE snapshot_id = ?1"));
  bool any = false;
  for (const LakeFile& file : now) {
    if (file.begin_snapshot <= snapshot) continue;
    read.Bind(1, file.begin_snapshot);
    LAMINA_ASSIGN(const bool row, read.Step());
    const bool compacted = row && read.Int(0) != 0;
    read.Reset();
    if (!compacted) return false;
    any = true;
  }
  return any;
}

/// The columns of the lake table, in its order, with their ids.
Result<ArrowTable> AsStored(const ArrowTable& rows, const StoredDataset& dataset) {
  std::vector<std::shared_ptr<arrow::ChunkedArray>> columns;
  for (const catalog::LakeColumn& column : dataset.table.columns) {
    LAMINA_ASSIGN(auto array, table::ColumnNamed(*rows, column.name));
    columns.push_back(std::move(array));
  }
  return arrow::Table::Make(catalog::SchemaOf(dataset.table.columns), std::move(columns),
                            rows->num_rows());
}

/// Rows by partition; of each its value as DuckLake spells it.
Result<std::vector<std::pair<std::vector<std::string>, ArrowTable>>> Split(
    const ArrowTable& rows, const Definition& definition) {
  std::vector<std::pair<std::vector<std::string>, ArrowTable>> parts;
  if (definition.partition == Partition::kNone) {
    if (rows->num_rows() > 0) parts.emplace_back(std::vector<std::string>{}, rows);
    return parts;
  }
  const std::string name = TimeParts(definition.partition).front();
  LAMINA_ASSIGN(const auto column, table::ColumnNamed(*rows, name));
  LAMINA_ASSIGN(const auto array, table::CombineColumn(*column));
  const std::int32_t* values = array->data()->GetValues<std::int32_t>(1);
  std::map<std::int32_t, table::RowRanges> ranges;
  for (std::int64_t row = 0; row < array->length(); ++row) ranges[values[row]].Append(row, row + 1);
  for (const auto& [value, inside] : ranges) {
    LAMINA_ARROW_ASSIGN(const auto scalar, array->GetScalar(inside.ranges().front().begin),
                        "partitioning");
    LAMINA_ASSIGN(const table::LakeType type, table::LakeTypeOf(*array->type()));
    LAMINA_ASSIGN(const auto text, catalog::LakeText(type, *scalar));
    LAMINA_ASSIGN(const ArrowTable part, table::KeepRows(rows, inside));
    LAMINA_ASSIGN(ArrowTable whole, table::Combine(*part));
    parts.emplace_back(std::vector<std::string>{text.value_or("")}, std::move(whole));
  }
  return parts;
}

std::vector<KeyFilter> SpanOfKeys(const Definition& definition, const ArrowTable& rows) {
  std::vector<KeyFilter> filters;
  for (const std::string& key : definition.keys) {
    const Column* column = definition.Find(key);
    if (key == definition.time_column || column->type != table::LakeType::kVarchar) continue;
    const auto array = rows->GetColumnByName(key)->chunk(0);
    std::string least, most;
    for (std::int64_t row = 0; row < array->length(); ++row) {
      const ByteView text = table::BytesAt(*array, row);
      if (row == 0 || text < least) least = text;
      if (row == 0 || text > most) most = text;
    }
    filters.push_back({key, {std::move(least), std::move(most)}});
  }
  return filters;
}

/// One attempt at one change of a range.
class Change {
 public:
  Change(catalog::Catalog& catalog, const StoredDataset& dataset, WriteMode mode, Ranges ranges,
         ArrowTable rows)
      : catalog_(catalog),
        dataset_(dataset),
        mode_(mode),
        ranges_(std::move(ranges)),
        rows_(std::move(rows)) {}

  /// `absorb`: small files beside the new rows may be written into the new file.
  Result<SaveReport> Run(const std::function<Status(Database&, std::int64_t)>& also, bool absorb) {
    LAMINA_TRY(catalog_.Read([&](Database& database) -> Status {
      LAMINA_ASSIGN(snapshot_, LakeReader(database).LatestSnapshot());
      if (ranges_.nothing) return Ok();
      LAMINA_ASSIGN(planned_, PlanFiles(database, dataset_, ranges_, snapshot_));
      return Ok();
    }));
    LAMINA_ASSIGN(const auto stored, internal::ReadStored(catalog_, dataset_, planned_, ranges_));
    LAMINA_ASSIGN(Resolution made, internal::Resolve(dataset_.definition, mode_, stored, rows_));
    if (made.write.empty() && made.report.removed == 0) return std::move(made.report);
    LAMINA_ASSIGN(auto commit, catalog_.BeginCommit("save " + dataset_.definition.name));
    if (absorb && !made.write.empty()) LAMINA_TRY(ChooseAbsorbed());
    for (std::size_t i = 0; i < stored.size(); ++i) {
      if (absorbed_.contains(stored[i].file.data_file_id)) {
        absorbed_[stored[i].file.data_file_id].remove = made.remove[i];
        continue;
      }
      LAMINA_TRY(commit->DeleteLakeRows(dataset_.table, stored[i].file, made.remove[i]));
    }
    LAMINA_TRY(WriteFiles(*commit, made));
    LAMINA_ASSIGN(made.report.snapshot,
                  commit->Finish([&](Database& database, LakeWriter& writer) -> Status {
                    LAMINA_TRY(CheckUnchanged(database, writer.snapshot_id() - 1, snapshot_));
                    LAMINA_TRY(writer.CheckNoDeletesSince(snapshot_, AbsorbedIds()));
                    return also ? also(database, writer.snapshot_id()) : Ok();
                  }));
    return std::move(made.report);
  }

  /// Whether the range is what it was planned with. RETURNS kConflict.
  Status CheckStill() {
    return catalog_.Read([&](Database& database) -> Status {
      LAMINA_ASSIGN(const std::int64_t now, LakeReader(database).LatestSnapshot());
      return CheckUnchanged(database, now, snapshot_);
    });
  }

  bool again() const { return again_; }
  bool absorbed() const { return !absorbed_.empty(); }

 private:
  struct Absorbed {
    LakeFile file;
    std::vector<std::int64_t> remove = {};  ///< positions that new rows replace
  };

  std::vector<std::int64_t> AbsorbedIds() const {
    std::vector<std::int64_t> ids;
    for (const auto& [id, absorbed] : absorbed_) ids.push_back(id);
    return ids;
  }

  /// Many small saves of one series would leave many small files: once there are some, they go into
  /// the new one, smallest first (compaction_policy.h), in the same commit.
  Status ChooseAbsorbed() {
    if (ranges_.nothing || rows_->num_rows() > kAbsorbedRowsMax) return Ok();
    std::vector<catalog::LakeRange> keys;
    for (const catalog::LakeRange& range : ranges_.plan) {
      if (range.column == dataset_.definition.time_column) continue;
      if (range.low != range.high) return Ok();  // rows of several series
      keys.push_back(range);
    }
    LAMINA_ASSIGN(const auto parts, Split(rows_, dataset_.definition));
    if (parts.size() != 1) return Ok();
    std::vector<LakeFile> files;
    LAMINA_TRY(catalog_.Read([&](Database& database) -> Status {
      LAMINA_ASSIGN(files, LakeReader(database).Plan(dataset_.table, snapshot_, keys));
      return Ok();
    }));
    std::erase_if(files, [&](const LakeFile& file) {
      return file.partition_values != parts[0].first || file.rows > kAbsorbedRowsMax;
    });
    // The new rows are a file like the others.
    std::vector<catalog::MergeCandidate> candidates{{rows_->num_rows(), rows_->num_rows()}};
    for (const LakeFile& file : files) candidates.push_back({file.rows, file.rows});
    for (const std::size_t i : catalog::ChooseMerge(candidates, kAbsorbedFilesMin)) {
      if (i > 0) absorbed_.emplace(files[i - 1].data_file_id, Absorbed{files[i - 1]});
    }
    for (const LakeFile& file : files) {
      if (file.rows + rows_->num_rows() >= kAbsorbedAtOnceRows) continue;
      absorbed_.emplace(file.data_file_id, Absorbed{file});
    }
    return Ok();
  }

  /// The new rows, and the live ones of the files that are taken in.
  Result<ArrowTable> WithAbsorbed(const ArrowTable& rows) {
    if (absorbed_.empty()) return rows;
    const std::string lake = catalog_.LakePath("");
    std::vector<ArrowTable> parts;
    for (auto& [id, absorbed] : absorbed_) {
      const LakeFile& file = absorbed.file;
      LAMINA_ASSIGN(const ArrowTable all,
                    catalog::ReadStoredRows(catalog_.env(), lake, dataset_.table, file,
                                            dataset_.table.columns, 0, file.rows));
      LAMINA_ASSIGN(std::vector<std::int64_t> gone,
                    catalog::ReadDeletedPositions(catalog_.env(), lake, file));
      gone.insert(gone.end(), absorbed.remove.begin(), absorbed.remove.end());
      std::sort(gone.begin(), gone.end());
      LAMINA_ASSIGN(ArrowTable live, table::DropRows(all, gone));
      parts.push_back(std::move(live));
    }
    parts.push_back(rows);
    LAMINA_ASSIGN(const ArrowTable stacked, table::StackTables(parts));
    return table::SortRows(stacked, dataset_.definition.keys);
  }

  Status WriteFiles(catalog::Commit& commit, Resolution& made) {
    ArrowTable rows = rows_;
    if (static_cast<std::int64_t>(made.write.size()) != rows->num_rows()) {
      LAMINA_ASSIGN(rows, table::TakeRows(*rows_, made.write));
    }
    LAMINA_ASSIGN(rows, WithAbsorbed(rows));
    if (!absorbed_.empty()) {
      LAMINA_TRY(commit.RetireLakeFiles(dataset_.table, AbsorbedIds()));
    }
    LAMINA_ASSIGN(const auto parts, Split(rows, dataset_.definition));
    std::vector<std::string> staged;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      LAMINA_ASSIGN(std::string path, commit.StageLakeFile());
      staged.push_back(std::move(path));
    }
    std::vector<table::WrittenFile> written(parts.size());
    const table::WriteOptions options = catalog::WriteOptionsOf(dataset_.table);
    LAMINA_TRY(ParallelFor(parts.size(), 0, [&](std::size_t i, std::size_t) -> Status {
      LAMINA_ASSIGN(written[i],
                    table::WriteParquet(catalog_.env(), staged[i], *parts[i].second, options));
      return Ok();
    }));
    const std::vector<std::string> parts_of = TimeParts(dataset_.definition.partition);
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const std::vector<std::string>& values = parts[i].first;
      LAMINA_TRY(commit.AddLakeFile(dataset_.table, staged[i], std::move(written[i]), values));
      made.report.partitions.push_back(values.empty() ? ""
                                                      : parts_of.front() + "=" + values.front());
      ++made.report.files;
    }
    return Ok();
  }

  Status CheckUnchanged(Database& database, std::int64_t now, std::int64_t snapshot) {
    if (now == snapshot || ranges_.nothing) return Ok();
    LAMINA_ASSIGN(const auto files, PlanFiles(database, dataset_, ranges_, now));
    if (Identity(files) == Identity(planned_)) return Ok();
    LAMINA_ASSIGN(again_, OnlyCompacted(database, files, snapshot));
    return Conflict("another writer changed the same range of dataset '" +
                    dataset_.definition.name + "' meanwhile; nothing was saved, try again");
  }

  catalog::Catalog& catalog_;
  const StoredDataset& dataset_;
  WriteMode mode_;
  Ranges ranges_;
  ArrowTable rows_;
  std::int64_t snapshot_ = 0;
  std::vector<LakeFile> planned_;
  std::map<std::int64_t, Absorbed> absorbed_;
  bool again_ = false;
};

Result<SaveReport> RunChange(catalog::Catalog& catalog, const StoredDataset& dataset,
                             WriteMode mode, const Ranges& ranges, const ArrowTable& rows,
                             const std::function<Status(Database&, std::int64_t)>& also) {
  bool absorb = true;
  for (int attempt = 1;; ++attempt) {
    Change change(catalog, dataset, mode, ranges, rows);
    auto done = change.Run(also, absorb);
    // The same rows in another file: nobody else wanted the range.
    if (!done.ok() && change.again() && attempt < kAttempts) continue;
    // Perhaps only a file that was to be taken in has gone.
    if (!done.ok() && change.absorbed() && catalog::LostRace(done.error())) {
      Status still = change.CheckStill();
      if (!still.ok() && !change.again()) return std::move(still).error();
      absorb = false;
      continue;
    }
    // Upkeep: what fails now is tried again by the next save, and a damaged file is named by loads.
    if (done.ok() && done->snapshot) {
      static_cast<void>(catalog.CompactSmallFiles(kCrowdedFiles, &dataset.table));
    }
    return done;
  }
}

std::vector<KeyFilter> FiltersOf(const Definition& definition,
                                 const std::vector<Constant>& constants) {
  std::vector<KeyFilter> filters;
  for (const std::string& key : definition.keys) {
    for (const Constant& constant : constants) {
      if (constant.column != key) continue;
      if (const auto* text = std::get_if<std::string>(&constant.value)) {
        filters.push_back({key, {*text}});
      } else if (const auto* number = std::get_if<std::int64_t>(&constant.value)) {
        filters.push_back({key, {std::to_string(*number)}});
      }
    }
  }
  return filters;
}

}  // namespace

Result<SaveReport> Datasets::Save(std::string_view name, const arrow::Table& input,
                                  const SaveOptions& options) {
  LAMINA_ASSIGN(const StoredDataset dataset, Find(name));
  const Definition& definition = dataset.definition;
  LAMINA_ASSIGN(PreparedRows prepared, PrepareRows(definition, input, options.prepare));
  const bool any = prepared.rows->num_rows() > 0;
  SaveReport report;
  if (any || (options.mode == WriteMode::kReplace && options.replace)) {
    TimeRange span{prepared.first, Micros{prepared.last.value + 1}};
    std::vector<KeyFilter> keys;
    if (options.mode == WriteMode::kReplace) {
      keys = FiltersOf(definition, options.prepare.constants);
      if (options.replace) {
        const bool outside =
            any && ((options.replace->start && prepared.first < *options.replace->start) ||
                    (options.replace->end && prepared.last >= *options.replace->end));
        if (outside) {
          return InvalidArgument(
              "there are rows outside the range that is to be replaced (they "
              "go from " +
              FormatTime(prepared.first) + " to " + FormatTime(prepared.last) + ")");
        }
        span = *options.replace;
      }
    } else {
      keys = SpanOfKeys(definition, prepared.rows);
    }
    LAMINA_ASSIGN(const Ranges ranges, internal::MakeRanges(definition, span, keys));
    LAMINA_ASSIGN(const ArrowTable rows, AsStored(prepared.rows, dataset));
    LAMINA_ASSIGN(report, RunChange(*catalog_, dataset, options.mode, ranges, rows, options.also));
  }
  if (any) {
    report.first = prepared.first;
    report.last = prepared.last;
  }
  report.folder = definition.lake_schema + "/" + definition.name;
  report.sorted = prepared.sorted;
  report.nulls = prepared.nulls;
  report.nans = prepared.nans;
  return report;
}

Result<SaveReport> Datasets::Delete(std::string_view name, const TimeRange& range,
                                    const std::vector<KeyFilter>& keys) {
  LAMINA_ASSIGN(const StoredDataset dataset, Find(name));
  for (const KeyFilter& key : keys) {
    if (key.values.size() != 1) {
      return InvalidArgument("rows are deleted for one value of key '" + key.column +
                             "' at a time");
    }
  }
  LAMINA_ASSIGN(const Ranges ranges, internal::MakeRanges(dataset.definition, range, keys));
  LAMINA_ARROW_ASSIGN(const ArrowTable none,
                      arrow::Table::MakeEmpty(catalog::SchemaOf(dataset.table.columns)),
                      "deleting");
  return RunChange(*catalog_, dataset, WriteMode::kReplace, ranges, none, {});
}

}  // namespace lamina::dataset
