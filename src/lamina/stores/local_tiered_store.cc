#include "lamina/stores/local_tiered_store.h"

#include <map>
#include <mutex>

#include "lamina/backtests/index_table.h"
#include "lamina/io/temporary_folder.h"
#include "lamina/stores/local_dir_store.h"

namespace lamina::stores {
namespace {

using backtests::ImportFailure;
using backtests::ImportOptions;
using backtests::ImportReport;
using backtests::ImportSource;

/// Files are scratch; the report is about handles.
void NameByHandle(ImportReport& report, const std::vector<ImportSource>& sources) {
  std::map<std::string_view, std::string_view> handle_of;
  for (const ImportSource& source : sources) handle_of[source.path] = source.handle;
  const auto name = [&](std::string& path) {
    const auto found = handle_of.find(path);
    if (found != handle_of.end()) path = found->second;
  };
  for (ImportFailure& failure : report.failed) name(failure.path);
  for (auto& warning : report.warnings) name(warning.path);
}

}  // namespace

Result<std::string> LocalTieredStore::Known(std::string_view handle) {
  LAMINA_TRY(backtests::CheckHandle(handle));
  const std::string_view bare = WithoutBundleSuffix(handle);
  if (bare.size() == handle.size()) return std::string(handle);
  LAMINA_ASSIGN(const bool literal, engine_.Exists(handle));
  return std::string(literal ? handle : bare);
}

Result<backtests::BacktestRecord> LocalTieredStore::Find(std::string_view handle) {
  LAMINA_ASSIGN(const std::string known, Known(handle));
  return engine_.Find(known);
}

Result<std::vector<std::string>> LocalTieredStore::Handles() { return engine_.Handles(); }

Result<std::vector<ImportFailure>> LocalTieredStore::Unreachable() {
  return std::vector<ImportFailure>();
}

Result<bool> LocalTieredStore::Exists(std::string_view handle) {
  if (!backtests::CheckHandle(handle).ok()) return false;
  LAMINA_ASSIGN(const std::string known, Known(handle));
  return engine_.Exists(known);
}

Result<StoredDocument> LocalTieredStore::Read(std::string_view handle) {
  LAMINA_ASSIGN(const auto record, Find(handle));
  LAMINA_ASSIGN(std::string document, engine_.ReadDocument(record));
  return StoredDocument{record.bundle_version, std::move(document)};
}

Result<std::vector<backtests::IndexRow>> LocalTieredStore::IndexRows(std::string_view handle) {
  LAMINA_ASSIGN(const auto record, Find(handle));
  std::vector<backtests::IndexRow> rows;
  LAMINA_TRY(engine_.catalog().Read([&](catalog::Database& database) -> Status {
    LAMINA_ASSIGN(auto stored, backtests::ReadIndexRows(database, record.backtest_id));
    for (auto& one : stored) rows.push_back(std::move(one.row));
    return Ok();
  }));
  return rows;
}

Result<backtests::PutReport> LocalTieredStore::Put(std::string_view handle, std::uint32_t version,
                                                   std::string document, bool replace) {
  LAMINA_ASSIGN(const std::string known, Known(handle));
  return backtests::PutDocument(engine_, known, version, std::move(document), replace);
}

Result<backtests::MergeReport> LocalTieredStore::Merge(
    std::string_view handle, const std::vector<backtests::MergeSource>& sources,
    bool replace_windows) {
  LAMINA_ASSIGN(const std::string known, Known(handle));
  return backtests::MergeBacktest(engine_, known, sources, replace_windows);
}

Result<ImportReport> LocalTieredStore::Import(const std::vector<ImportSource>& sources,
                                              const ImportOptions& options) {
  return backtests::ImportBundles(engine_, sources, options);
}

Result<backtests::ExportReport> LocalTieredStore::Export(std::string_view handle,
                                                         const std::string& path,
                                                         const backtests::ExportOptions& options) {
  LAMINA_ASSIGN(const std::string known, Known(handle));
  return engine_.Export(known, path, options);
}

Status LocalTieredStore::Delete(std::string_view handle) {
  if (!backtests::CheckHandle(handle).ok()) return Ok();
  LAMINA_ASSIGN(const std::string known, Known(handle));
  LAMINA_ASSIGN(const bool exists, engine_.Exists(known));
  if (!exists) return Ok();
  Status deleted = engine_.Delete({known});
  // Somebody else was faster.
  if (!deleted.ok() && deleted.error().code() == ErrorCode::kNotFound) return Ok();
  return deleted;
}

Result<ImportReport> LocalTieredStore::CopySlice(BacktestStore& source,
                                                 const std::vector<std::string>& handles,
                                                 const ImportOptions& options) {
  std::vector<ImportSource> sources;
  ImportReport failed;
  std::mutex mutex;
  const io::TemporaryFolder scratch;
  const auto folder = dynamic_cast<LocalDirStore*>(&source);
  const auto fetch = [&](std::size_t i, std::size_t) -> Status {
    ImportSource one{scratch.File(std::to_string(i) + "/bundle"), handles[i], 0};
    const auto place = [&]() -> Status {
      if (folder != nullptr) {
        LAMINA_ASSIGN(one.path, folder->PathOf(handles[i]));
      } else {
        LAMINA_TRY(engine_.catalog().env().CreateDirectories(io::ParentPath(one.path)));
        LAMINA_TRY(source.Export(handles[i], one.path, {}));
      }
      LAMINA_ASSIGN(const auto info, engine_.catalog().env().Stat(one.path));
      one.bytes = info.size;
      return Ok();
    };
    Status placed = place();
    const std::lock_guard lock(mutex);
    if (placed.ok()) {
      sources.push_back(std::move(one));
      return Ok();
    }
    failed.failed.push_back(
        {handles[i], placed.error().code(), std::string(placed.error().message())});
    return options.keep_going ? Ok() : std::move(placed).error().With(handles[i]);
  };
  LAMINA_TRY(ParallelFor(handles.size(), options.workers, fetch));
  LAMINA_ASSIGN(ImportReport report, Import(sources, options));
  NameByHandle(report, sources);
  report.failed.insert(report.failed.end(), failed.failed.begin(), failed.failed.end());
  return report;
}

}  // namespace lamina::stores
