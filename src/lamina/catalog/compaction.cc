#include <algorithm>
#include <atomic>
#include <map>
#include <string>
#include <utility>

#include <arrow/table.h>

#include "lamina/base/parallel.h"
#include "lamina/catalog/catalog.h"
#include "lamina/catalog/compaction_policy.h"
#include "lamina/catalog/lake_rows.h"
#include "lamina/catalog/row_digest.h"
#include "lamina/table/arrow_status.h"
#include "lamina/table/columns.h"

namespace lamina::catalog {
namespace {

using ArrowTable = std::shared_ptr<arrow::Table>;
using table::LakeType;

// Files of one partition to make one of, as planned at `snapshot`.
struct Merge {
  LakeTable table;
  std::int64_t snapshot = 0;
  std::vector<LakeFile> files = {};
};

// The catalog keeps rows about the files of ticks; whoever replaces the files must see to those
// (ticks/fold_days.h).
bool FoldsItself(const LakeTable& table) { return table.schema == "ticks"; }

std::int64_t DecodedRowBytes(const LakeTable& table) {
  std::int64_t bytes = 0;
  for (const LakeColumn& column : table.columns) {
    switch (column.type) {
      case LakeType::kBoolean:
        bytes += 1;
        break;
      case LakeType::kInt32:
      case LakeType::kDate:
        bytes += 4;
        break;
      case LakeType::kInt64:
      case LakeType::kDouble:
      case LakeType::kTimestamp:
      case LakeType::kTimestampTz:
        bytes += 8;
        break;
      case LakeType::kVarchar:
      case LakeType::kBlob:
      case LakeType::kUuid:
      case LakeType::kInt32List:
        bytes += 20;
        break;
    }
  }
  return bytes;
}

std::int64_t DecodedBytes(const Merge& merge) {
  std::int64_t rows = 0;
  for (const LakeFile& file : merge.files) rows += file.rows;
  return rows * DecodedRowBytes(merge.table);
}

bool IsAsked(const LakeTable& table, const std::vector<std::string>& names) {
  if (names.empty()) return true;
  return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
    return name == table.name || name == table.schema + "." + table.name;
  });
}

// What is enough to merge.
struct Crowd {
  std::int64_t min_files = 32;
  const LakeTable* series = nullptr;  // pages of this table are filled sooner
};

bool FillsPage(std::int64_t files, std::int64_t rows) {
  return files >= kSeriesFilesMin && rows >= kSeriesPageRows;
}

// Tables that have a partition (by its first column) with enough live small files to be worth
// planning. Table by table, so that the index finds live files among many that were merged.
Result<std::vector<std::int64_t>> CrowdedTables(Database& database, const Crowd& crowd) {
  LAMINA_ASSIGN(
      Statement read,
      database.Prepare("SELECT f.table_id, count(*), sum(f.record_count < ?2), "
                       "sum(CASE WHEN f.record_count < ?2 THEN f.record_count ELSE 0 END) "
                       "FROM ducklake_table t CROSS JOIN ducklake_data_file f ON "
                       "f.table_id = t.table_id LEFT JOIN ducklake_file_partition_value p ON "
                       "p.data_file_id = f.data_file_id AND p.partition_key_index = 0 "
                       "WHERE t.end_snapshot IS NULL AND f.end_snapshot IS NULL AND "
                       "f.file_size_bytes < ?1 "
                       "GROUP BY f.table_id, p.partition_value"));
  read.Bind(1, kSmallFileBytes).Bind(2, kSeriesPageRows);
  std::vector<std::int64_t> ids;
  for (;;) {
    LAMINA_ASSIGN(const bool row, read.Step());
    if (!row) return ids;
    const bool series = crowd.series != nullptr && read.Int(0) == crowd.series->table_id;
    const bool crowded =
        read.Int(1) >= crowd.min_files || (series && FillsPage(read.Int(2), read.Int(3)));
    if (crowded && (ids.empty() || ids.back() != read.Int(0))) ids.push_back(read.Int(0));
  }
}

// Files of less than a page, when there are enough of them to fill one.
std::vector<std::size_t> ChoosePages(const std::vector<LakeFile>& files, std::int64_t row_bytes) {
  std::vector<std::size_t> chosen;
  std::int64_t rows = 0;
  for (std::size_t i = 0; i < files.size(); ++i) {
    const bool fits = (rows + files[i].rows) * row_bytes <= kMergeDecodedBytesMax;
    if (files[i].rows >= kSeriesPageRows || !fits) continue;
    rows += files[i].rows;
    chosen.push_back(i);
  }
  if (!FillsPage(static_cast<std::int64_t>(chosen.size()), rows)) chosen.clear();
  return chosen;
}

Status PlanTable(Database& database, const LakeTable& table, std::int64_t snapshot,
                 const Crowd& crowd, std::vector<Merge>& merges) {
  LAMINA_ASSIGN(std::vector<LakeFile> files, LakeReader(database).Plan(table, snapshot));
  const std::int64_t row_bytes = DecodedRowBytes(table);
  std::map<std::vector<std::string>, std::vector<LakeFile>> partitions;
  for (LakeFile& file : files) {
    if (file.size_bytes >= kSmallFileBytes || file.rows * row_bytes >= kMergeDecodedBytesMax / 2)
      continue;
    std::vector<std::string> partition = file.partition_values;
    partitions[std::move(partition)].push_back(std::move(file));
  }
  for (auto& [partition, small] : partitions) {
    std::vector<MergeCandidate> candidates;
    for (const LakeFile& file : small)
      candidates.push_back({.bytes = file.size_bytes, .decoded_bytes = file.rows * row_bytes});
    std::vector<std::size_t> chosen;
    if (crowd.series != nullptr && crowd.series->table_id == table.table_id) {
      chosen = ChoosePages(small, row_bytes);
    }
    if (chosen.empty()) chosen = ChooseMerge(candidates, crowd.min_files);
    if (chosen.empty()) continue;
    Merge merge{.table = table, .snapshot = snapshot};
    for (const std::size_t i : chosen) merge.files.push_back(std::move(small[i]));
    merges.push_back(std::move(merge));
  }
  return Ok();
}

Result<std::vector<Merge>> PlanMerges(Catalog& catalog, const Crowd& crowd) {
  std::vector<Merge> merges;
  LAMINA_TRY(catalog.Read([&](Database& database) -> Status {
    LAMINA_ASSIGN(const std::vector<std::int64_t> crowded, CrowdedTables(database, crowd));
    if (crowded.empty()) return Ok();
    LakeReader reader(database);
    LAMINA_ASSIGN(const std::int64_t snapshot, reader.LatestSnapshot());
    LAMINA_ASSIGN(const std::vector<LakeTable> tables, reader.Tables(snapshot));
    for (const LakeTable& table : tables)
      if (!FoldsItself(table) &&
          std::find(crowded.begin(), crowded.end(), table.table_id) != crowded.end())
        LAMINA_TRY(PlanTable(database, table, snapshot, crowd, merges));
    return Ok();
  }));
  return merges;
}

// Files that are sorted each are usually disjoint: in the order of their first rows they need no
// further sorting, and no copy.
Status OrderByFirstRow(std::vector<ArrowTable>& parts, const std::vector<std::string>& keys) {
  if (keys.empty() || parts.size() < 2) return Ok();
  std::vector<ArrowTable> heads;
  for (const ArrowTable& part : parts) heads.push_back(part->Slice(0, 1));
  LAMINA_ASSIGN(const ArrowTable head, table::StackTables(heads));
  LAMINA_ASSIGN(const std::vector<std::int64_t> order, table::SortOrder(*head, keys));
  std::vector<ArrowTable> ordered;
  for (const std::int64_t i : order)
    ordered.push_back(std::move(parts[static_cast<std::size_t>(i)]));
  parts = std::move(ordered);
  return Ok();
}

Result<ArrowTable> MergeRows(Catalog& catalog, const Merge& merge, RowDigest& digest) {
  const std::string lake_root = catalog.LakePath("");
  std::vector<ArrowTable> parts;
  for (const LakeFile& file : merge.files) {
    LAMINA_ASSIGN(ArrowTable part, ReadLakeFile(catalog.env(), lake_root, merge.table, file,
                                                merge.table.columns, {}));
    LAMINA_ASSIGN(const RowDigest added, DigestRows(*part));
    digest += added;
    if (part->num_rows() > 0) parts.push_back(std::move(part));
  }
  if (parts.empty()) return ArrowTable();
  LAMINA_TRY(OrderByFirstRow(parts, merge.table.sorted_by));
  LAMINA_ASSIGN(ArrowTable rows, table::StackTables(parts));
  parts.clear();
  if (merge.table.sorted_by.empty()) return rows;
  return table::SortRows(rows, merge.table.sorted_by);
}

// What was written is read again: only rows that came back leave their old files.
Status CheckWritten(io::Env& env, const std::string& path, const table::WrittenFile& written,
                    const RowDigest& expected) {
  LAMINA_ASSIGN(const ArrowTable rows,
                table::ReadParquet(env, path, {.footer_crc32c = written.footer_crc32c}));
  LAMINA_ASSIGN(const RowDigest digest, DigestRows(*rows));
  if (digest != expected)
    return Internal(path + ": merged rows differ from those of the files merged (" +
                    std::to_string(digest.rows) + " against " + std::to_string(expected.rows) +
                    ")");
  return Ok();
}

Status RunMerge(Catalog& catalog, const Merge& merge) {
  const std::string name = merge.table.schema + "." + merge.table.name;
  LAMINA_ASSIGN(const std::unique_ptr<Commit> commit,
                catalog.BeginCommit("compact " + name + ": " + std::to_string(merge.files.size()) +
                                    " files"));
  RowDigest digest;
  {
    LAMINA_ASSIGN(ArrowTable rows, MergeRows(catalog, merge, digest));
    if (rows) {
      LAMINA_ASSIGN(const std::string staged, commit->StageLakeFile());
      LAMINA_ASSIGN(table::WrittenFile written,
                    table::WriteParquet(catalog.env(), staged, *rows, WriteOptionsOf(merge.table)));
      rows.reset();
      LAMINA_TRY(CheckWritten(catalog.env(), staged, written, digest));
      LAMINA_TRY(commit->AddLakeFile(merge.table, staged, std::move(written),
                                     merge.files.front().partition_values));
    }
  }
  std::vector<std::int64_t> ids;
  for (const LakeFile& file : merge.files) ids.push_back(file.data_file_id);
  LAMINA_TRY(commit->RetireLakeFiles(merge.table, ids));
  LAMINA_ASSIGN(const std::int64_t snapshot, commit->Finish([&](Database&, LakeWriter& writer) {
    return writer.CheckNoDeletesSince(merge.snapshot, ids);
  }));
  static_cast<void>(snapshot);
  return Ok();
}

// Smallest first, as many as fit; one alone only to be rid of its deleted rows.
std::vector<LakeFile> ChooseOnDemand(std::vector<LakeFile> files, std::int64_t row_bytes,
                                     std::int64_t target_bytes) {
  std::erase_if(files, [&](const LakeFile& file) {
    const bool large =
        file.size_bytes >= target_bytes / 2 || file.rows * row_bytes >= kDemandDecodedBytesMax / 2;
    return large && !file.deletes;
  });
  std::stable_sort(files.begin(), files.end(), [](const LakeFile& a, const LakeFile& b) {
    return a.size_bytes < b.size_bytes;
  });
  std::vector<LakeFile> chosen;
  std::int64_t bytes = 0, decoded = 0;
  for (LakeFile& file : files) {
    bytes += file.size_bytes;
    decoded += file.rows * row_bytes;
    if (!chosen.empty() && (bytes > target_bytes || decoded > kDemandDecodedBytesMax)) break;
    chosen.push_back(std::move(file));
  }
  if (chosen.size() >= 2 || (chosen.size() == 1 && chosen[0].deletes)) return chosen;
  const auto folded = std::find_if(files.begin(), files.end(),
                                   [](const LakeFile& file) { return file.deletes.has_value(); });
  if (folded == files.end()) return {};
  return {std::move(*folded)};
}

struct DemandPlan {
  std::vector<Merge> merges;  // at most one for each partition
  std::vector<TableCompaction> tables;
};

Result<DemandPlan> PlanOnDemand(Catalog& catalog, const CompactionRequest& request) {
  DemandPlan plan;
  LAMINA_TRY(catalog.Read([&](Database& database) -> Status {
    LakeReader reader(database);
    LAMINA_ASSIGN(const std::int64_t snapshot, reader.LatestSnapshot());
    LAMINA_ASSIGN(const std::vector<LakeTable> tables, reader.Tables(snapshot));
    for (const LakeTable& table : tables) {
      if (!IsAsked(table, request.tables)) continue;
      TableCompaction& state = plan.tables.emplace_back();
      state.table = table.schema + "." + table.name;
      std::map<std::vector<std::string>, std::vector<LakeFile>> partitions;
      LAMINA_ASSIGN(std::vector<LakeFile> files, reader.Plan(table, snapshot));
      for (LakeFile& file : files) {
        ++state.files_after;
        state.rows += file.rows - (file.deletes ? file.deletes->rows : 0);
        state.bytes_after += file.size_bytes;
        std::vector<std::string> partition = file.partition_values;
        partitions[std::move(partition)].push_back(std::move(file));
      }
      if (FoldsItself(table)) continue;
      for (auto& [partition, members] : partitions) {
        std::vector<LakeFile> chosen =
            ChooseOnDemand(std::move(members), DecodedRowBytes(table), request.target_bytes);
        if (!chosen.empty()) plan.merges.push_back({table, snapshot, std::move(chosen)});
      }
    }
    return Ok();
  }));
  return plan;
}

Status CheckNames(const DemandPlan& plan, const CompactionRequest& request) {
  for (const std::string& name : request.tables) {
    const bool known =
        std::any_of(plan.tables.begin(), plan.tables.end(), [&](const TableCompaction& table) {
          return table.table == name || table.table.ends_with("." + name);
        });
    if (known) continue;
    return NotFound("the lake has no table '" + name + "'; `lamina stats` lists them");
  }
  return Ok();
}

// One compaction at a time: a second one would only lose the race. Harmless to lose the file.
Result<std::unique_ptr<io::FileLock>> LockCompaction(Catalog& catalog) {
  const std::string folder = io::JoinPath(catalog.root(), "cache");
  LAMINA_TRY(catalog.env().CreateDirectories(folder));
  return catalog.env().TryLock(io::JoinPath(folder, "compaction.lock"));
}

}  // namespace

Result<std::vector<TableCompaction>> Catalog::Compact(const CompactionRequest& request) {
  if (read_only()) return Unsupported("the store is open for reading only");
  if (request.target_bytes < 1) return InvalidArgument("files cannot be made of less than a byte");
  LAMINA_ASSIGN(DemandPlan plan, PlanOnDemand(*this, request));
  LAMINA_TRY(CheckNames(plan, request));
  const std::vector<TableCompaction> before = std::move(plan.tables);
  Result<std::unique_ptr<io::FileLock>> lock = LockCompaction(*this);
  if (!lock.ok()) return std::move(lock).error().With("another process compacts this store");
  for (;;) {
    bool progress = false;
    for (const Merge& merge : plan.merges) {
      if (request.cancel != nullptr && request.cancel->cancelled())
        return Cancelled("interrupted; what was compacted stays, run it again to go on");
      Status merged = RunMerge(*this, merge);
      if (merged.ok()) {
        progress = true;
      } else if (merged.error().code() != ErrorCode::kConflict) {
        return std::move(merged).error().With("compacting " + merge.table.schema + "." +
                                              merge.table.name);
      }
    }
    LAMINA_ASSIGN(plan, PlanOnDemand(*this, request));
    if (!progress) break;
  }
  for (TableCompaction& table : plan.tables) {
    for (const TableCompaction& old : before) {
      if (old.table != table.table) continue;
      table.files_before = old.files_after;
      table.bytes_before = old.bytes_after;
    }
  }
  return std::move(plan.tables);
}

Result<std::int64_t> Catalog::CompactSmallFiles(std::int64_t min_files, const LakeTable* series) {
  if (read_only()) return Unsupported("the store is open for reading only");
  const Crowd crowd{.min_files = std::max<std::int64_t>(min_files, 2), .series = series};
  bool crowded = false;  // called after every put: most often there is nothing to do
  LAMINA_TRY(Read([&](Database& database) -> Status {
    LAMINA_ASSIGN(const auto tables, CrowdedTables(database, crowd));
    crowded = !tables.empty();
    return Ok();
  }));
  if (!crowded) return std::int64_t{0};
  Result<std::unique_ptr<io::FileLock>> lock = LockCompaction(*this);
  if (!lock.ok() && lock.error().code() == ErrorCode::kConflict) return std::int64_t{0};
  if (!lock.ok()) return std::move(lock).error();
  std::int64_t replaced = 0;
  for (;;) {
    LAMINA_ASSIGN(const std::vector<Merge> merges, PlanMerges(*this, crowd));
    std::int64_t decoded = 0;
    for (const Merge& merge : merges) decoded += DecodedBytes(merge);
    std::atomic<std::int64_t> now = 0;
    LAMINA_TRY(ParallelFor(merges.size(), decoded <= kMergeDecodedBytesMax ? 0 : 1,
                           [&](std::size_t i, std::size_t) -> Status {
                             const Merge& merge = merges[i];
                             Status merged = RunMerge(*this, merge);
                             if (merged.ok()) now += static_cast<std::int64_t>(merge.files.size());
                             if (merged.ok() || merged.error().code() == ErrorCode::kConflict) {
                               return Ok();
                             }
                             return std::move(merged).error().With(
                                 "compacting " + merge.table.schema + "." + merge.table.name);
                           }));
    if (now == 0) return replaced;
    replaced += now;
  }
}

}  // namespace lamina::catalog
