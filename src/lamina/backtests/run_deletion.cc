#include "lamina/backtests/run_deletion.h"

#include <algorithm>
#include <map>

#include <arrow/api.h>

#include "lamina/backtests/catalog_rows.h"
#include "lamina/backtests/lake_schema.h"
#include "lamina/backtests/run_id_column.h"
#include "lamina/catalog/lake_rows.h"
#include "lamina/table/parquet_file.h"

namespace lamina::backtests {
namespace {

/// Rows of `file` that belong to one of `runs` (sorted), by their position in the file.
Result<std::vector<std::int64_t>> PositionsOf(catalog::Catalog& catalog,
                                              const catalog::LakeFile& file,
                                              const std::vector<Uuid>& runs) {
  table::ReadOptions options;
  options.columns = {"run_id"};
  options.footer_crc32c = file.footer_crc32c;
  LAMINA_ASSIGN(auto rows,
                catalog::ReadNamedFile(catalog.env(), catalog.LakePath(file.path), options));
  LAMINA_ASSIGN(const RunIdColumn ids, RunIdColumn::Of(*rows));
  std::vector<std::int64_t> positions;
  for (std::int64_t row = 0; row < rows->num_rows(); ++row) {
    if (std::binary_search(runs.begin(), runs.end(), ids.At(row))) positions.push_back(row);
  }
  return positions;
}

}  // namespace

Result<RunDeletion> RunDeletion::Plan(catalog::Catalog& catalog,
                                      std::vector<std::int64_t> backtest_ids,
                                      std::vector<Uuid> kept) {
  RunDeletion deletion;
  deletion.catalog_ = &catalog;
  deletion.backtest_ids_ = std::move(backtest_ids);
  deletion.kept_ = std::move(kept);
  std::sort(deletion.kept_.begin(), deletion.kept_.end());
  LAMINA_TRY(catalog.Read([&](catalog::Database& database) -> Status {
    LAMINA_ASSIGN(deletion.runs_, deletion.Orphans(database));
    return Ok();
  }));
  return deletion;
}

Result<std::vector<Uuid>> RunDeletion::Orphans(catalog::Database& database) const {
  if (backtest_ids_.empty()) return std::vector<Uuid>();
  LAMINA_ASSIGN(auto runs, RunsOnlyOf(database, backtest_ids_));
  std::erase_if(
      runs, [&](const Uuid& run) { return std::binary_search(kept_.begin(), kept_.end(), run); });
  return runs;
}

Status RunDeletion::Stage(catalog::Commit& commit) {
  if (runs_.empty()) return Ok();
  for (const TableDefinition* definition : AllTables()) {
    catalog::LakeTable table;
    std::map<std::int64_t, catalog::LakeFile> files;
    LAMINA_TRY(catalog_->Read([&](catalog::Database& database) -> Status {
      catalog::LakeReader reader(database);
      LAMINA_ASSIGN(const auto snapshot, reader.LatestSnapshot());
      LAMINA_ASSIGN(auto stored, FindStoredTable(reader, *definition, snapshot));
      table = std::move(stored.table);
      for (const Uuid& run : runs_) {
        catalog::LakeRange range{"run_id", run.ToString(), run.ToString()};
        LAMINA_ASSIGN(auto planned, reader.Plan(table, snapshot, {range}));
        for (auto& file : planned) files.emplace(file.data_file_id, std::move(file));
      }
      return Ok();
    }));
    std::vector<std::int64_t> retired;
    for (const auto& [id, file] : files) {
      LAMINA_ASSIGN(auto positions, PositionsOf(*catalog_, file, runs_));
      if (positions.empty()) continue;
      if (static_cast<std::int64_t>(positions.size()) == file.rows) {
        retired.push_back(id);
      } else {
        LAMINA_TRY(commit.DeleteLakeRows(table, file, std::move(positions)));
      }
    }
    if (!retired.empty()) LAMINA_TRY(commit.RetireLakeFiles(table, std::move(retired)));
  }
  return Ok();
}

Status RunDeletion::Apply(catalog::Database& database, std::int64_t snapshot_id) {
  LAMINA_ASSIGN(const auto now, Orphans(database));
  if (now != runs_) return Conflict("another commit changed which backtests share these runs");
  for (const Uuid& run : runs_) LAMINA_TRY(EndRun(database, run, snapshot_id));
  for (std::int64_t id : backtest_ids_) LAMINA_TRY(EndBacktest(database, id, snapshot_id));
  return Ok();
}

}  // namespace lamina::backtests
