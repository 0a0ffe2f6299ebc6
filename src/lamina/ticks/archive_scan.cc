#include "lamina/ticks/archive_scan.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include <arrow/api.h>
#include <arrow/scalar.h>

#include "lamina/base/parallel.h"
#include "lamina/catalog/lake_rows.h"
#include "lamina/ticks/tick_tables.h"

namespace lamina::ticks {
namespace {

using ArrowTable = std::shared_ptr<arrow::Table>;

/// One read: a file, one contract of it.
struct Task {
  TickKind kind;
  const catalog::LakeFile* file;
  std::int64_t contract;
};

std::vector<Task> TasksOf(const ArchivePlan& plan, const TickSelection& selection) {
  std::vector<Task> tasks;
  for (const TickKind kind : tick_log::kTickKinds) {
    if (TypesOfKind(selection.types, kind).empty()) continue;
    for (const catalog::LakeFile& file : plan.files[static_cast<std::size_t>(kind)]) {
      for (const std::int64_t contract : selection.contracts) {
        tasks.push_back({kind, &file, contract});
      }
    }
  }
  return tasks;
}

/// `column` within [low, high].
table::ColumnRange Within(const char* column, std::int64_t low, std::int64_t high) {
  return {column, std::make_shared<arrow::Int64Scalar>(low),
          std::make_shared<arrow::Int64Scalar>(high)};
}

std::vector<table::ColumnRange> RangesOf(const TickSelection& selection, const Task& task,
                                         TimeSpan span) {
  std::vector<table::ColumnRange> ranges = {Within("contract_id", task.contract, task.contract),
                                            Within("ts_ns", span.begin, span.end - 1)};
  const std::vector<TickType> types = TypesOfKind(selection.types, task.kind);
  if (task.kind == TickKind::kTrades && types.size() == 1) {
    const auto type = arrow::MakeScalar(std::string(tick_log::TickTypeName(types.front())));
    ranges.push_back({"tick_type", type, type});
  }
  if (selection.seqs) {
    const SeqSpan& seqs = *selection.seqs;
    ranges.push_back(Within("writer", seqs.writer, seqs.writer));
    ranges.push_back(Within("seq", seqs.from_seq, seqs.end_seq - 1));
  }
  return ranges;
}

/// The columns to read from a file of `kind` for the columns of a run.
Result<std::vector<catalog::LakeColumn>> FileColumns(const catalog::LakeTable& table,
                                                     const std::vector<TickType>& types,
                                                     const std::vector<std::string>& columns) {
  std::vector<std::string> names;
  for (const std::string& name : columns) {
    if (name != "contract_id" && name != "tick_type") names.push_back(name);
  }
  if (types.size() > 1) names.emplace_back("tick_type");
  return catalog::ChooseColumns(table, names);
}

}  // namespace

void ScanCounts::Add(const ScanCounts& more) {
  files_live = std::max(files_live, more.files_live);
  files_planned = std::max(files_planned, more.files_planned);
  row_groups += more.row_groups;
  row_groups_read += more.row_groups_read;
  bytes_read += more.bytes_read;
  archive_rows += more.archive_rows;
  log_rows += more.log_rows;
  slices += more.slices;
}

std::int64_t ArchivePlan::file_count() const {
  std::size_t count = 0;
  for (const auto& of_kind : files) count += of_kind.size();
  return static_cast<std::int64_t>(count);
}

std::string ArchivePlan::Fingerprint() const {
  std::string text;
  for (const auto& of_kind : files) {
    for (const catalog::LakeFile& file : of_kind) {
      text += std::to_string(file.data_file_id);
      if (file.deletes) text += "-" + std::to_string(file.deletes->delete_file_id);
      text += ",";
    }
    text += ";";
  }
  return text;
}

Result<ArchivePlan> PlanArchive(catalog::Database& database, std::int64_t snapshot,
                                const TickSelection& selection, TimeSpan span) {
  ArchivePlan plan{.snapshot = snapshot, .tables = {}, .files = {}};
  catalog::LakeReader reader(database);
  LAMINA_TRY(reader.CheckSnapshot(snapshot));
  if (span.empty() || selection.contracts.empty()) return plan;
  std::vector<catalog::LakeRange> ranges = {
      {"ts_ns", std::to_string(span.begin), std::to_string(span.end - 1)},
      {"contract_id", std::to_string(selection.contracts.front()),
       std::to_string(selection.contracts.back())}};
  if (selection.seqs) {
    const std::string writer = std::to_string(selection.seqs->writer);
    ranges.push_back({"writer", writer, writer});
    ranges.push_back({"seq", std::to_string(selection.seqs->from_seq),
                      std::to_string(selection.seqs->end_seq - 1)});
  }
  for (const TickKind kind : tick_log::kTickKinds) {
    if (TypesOfKind(selection.types, kind).empty()) continue;
    const auto at = static_cast<std::size_t>(kind);
    LAMINA_ASSIGN(plan.tables[at], FindTickTable(reader, kind, snapshot));
    if (!plan.tables[at]) continue;
    LAMINA_ASSIGN(plan.files[at], reader.Plan(*plan.tables[at], snapshot, ranges));
    LAMINA_ASSIGN(auto live, database.Prepare(
                                 "SELECT count(*) FROM ducklake_data_file WHERE table_id = ?1 AND "
                                 "begin_snapshot <= ?2 AND (end_snapshot IS NULL OR end_snapshot > "
                                 "?2)"));
    live.Bind(1, plan.tables[at]->table_id).Bind(2, snapshot);
    LAMINA_ASSIGN(const bool row, live.Step());
    if (row) plan.files_live += live.Int(0);
  }
  return plan;
}

Result<std::vector<ArrowTable>> LoadArchive(catalog::Catalog& catalog, const ArchivePlan& plan,
                                            const TickSelection& selection, TimeSpan span,
                                            const arrow::Schema& result, std::size_t workers,
                                            ScanCounts& counts) {
  counts.files_live = plan.files_live;
  counts.files_planned = plan.file_count();
  if (span.empty()) return std::vector<ArrowTable>{};
  const std::vector<Task> tasks = TasksOf(plan, selection);
  std::vector<ArrowTable> runs(tasks.size());
  std::mutex mutex;
  const std::string lake_root = catalog.LakePath("");
  const std::size_t cores = workers == 0 ? AvailableCores() : workers;
  // One file alone is decoded column by column on all of them, if it is long enough.
  const std::size_t inside = tasks.size() == 1 ? workers : 1;
  LAMINA_TRY(ParallelFor(
      tasks.size(), std::min(cores, tasks.size()), [&](std::size_t i, std::size_t) -> Status {
        const Task& task = tasks[i];
        const catalog::LakeTable& table = *plan.tables[static_cast<std::size_t>(task.kind)];
        const std::vector<std::string> columns = RunColumns(task.kind, result);
        const std::vector<TickType> types = TypesOfKind(selection.types, task.kind);
        LAMINA_ASSIGN(const auto wanted, FileColumns(table, types, columns));
        table::ReadStatistics read;
        LAMINA_ASSIGN(const ArrowTable rows,
                      catalog::ReadLakeFile(catalog.env(), lake_root, table, *task.file, wanted,
                                            RangesOf(selection, task, span), &read, inside));
        auto run = RunOfFile(task.contract, types, columns, rows);
        if (!run.ok()) return std::move(run).error().With("reading lake/" + task.file->path);
        runs[i] = *std::move(run);
        const std::lock_guard<std::mutex> lock(mutex);
        counts.row_groups += read.row_groups;
        counts.row_groups_read += read.row_groups_read;
        counts.bytes_read += read.bytes_read;
        counts.archive_rows += runs[i]->num_rows();
        return Ok();
      }));
  std::erase_if(runs, [](const ArrowTable& run) { return run->num_rows() == 0; });
  return runs;
}

Result<std::int64_t> CountArchive(catalog::Catalog& catalog, const ArchivePlan& plan,
                                  const TickSelection& selection, TimeSpan span) {
  std::int64_t rows = 0;
  if (span.empty()) return rows;
  for (const Task& task : TasksOf(plan, selection)) {
    const table::ReadOptions options{.columns = std::vector<std::string>{"ts_ns"},
                                     .ranges = RangesOf(selection, task, span),
                                     .footer_crc32c = task.file->footer_crc32c};
    auto count = table::CountCandidates(catalog.env(), catalog.LakePath(task.file->path), options);
    if (!count.ok()) return std::move(count).error();
    rows += *count;
  }
  return rows;
}

}  // namespace lamina::ticks
