#include "lamina/backtests/export_batch.h"

#include <algorithm>
#include <mutex>
#include <optional>
#include <utility>

#include "lamina/catalog/read_lease.h"

namespace lamina::backtests {
namespace {

struct Target {
  std::string handle, path;
};

Result<std::vector<Target>> Plan(BacktestStore& store, const std::vector<std::string>& handles,
                                 const std::string& folder, const ExportBatchOptions& options,
                                 std::int64_t snapshot) {
  std::vector<Target> targets;
  for (const std::string& handle : handles) {
    LAMINA_ASSIGN(const BacktestRecord record, store.Find(handle, snapshot));
    const std::uint32_t version = options.file.format_version.value_or(record.bundle_version);
    targets.push_back({handle, io::JoinPath(folder, handle + (version >= 3 ? ".obtf" : ".iafbt"))});
  }
  std::vector<std::string> paths;
  for (const Target& target : targets) paths.push_back(target.path);
  std::sort(paths.begin(), paths.end());
  const auto twice = std::adjacent_find(paths.begin(), paths.end());
  if (twice != paths.end()) return InvalidArgument(*twice + " would be written twice");
  return targets;
}

}  // namespace

Result<ExportBatchReport> ExportBatch(BacktestStore& store, const std::vector<std::string>& handles,
                                      const std::string& folder,
                                      const ExportBatchOptions& options) {
  io::Env& env = store.catalog().env();
  std::int64_t snapshot = options.as_of.value_or(0);
  if (!options.as_of) {
    LAMINA_ASSIGN(snapshot, store.catalog().LatestSnapshot());
  }
  // Of thousands it takes longer than the grace of a collection.
  const auto lease = catalog::ReadLease::Start(store.catalog(), snapshot);
  LAMINA_ASSIGN(const std::vector<Target> targets, Plan(store, handles, folder, options, snapshot));
  std::vector<std::optional<Result<ExportReport>>> done(targets.size());
  ImportProgress progress;
  progress.files_total = static_cast<std::int64_t>(targets.size());
  std::mutex mutex;
  LAMINA_TRY(
      ParallelFor(targets.size(), options.workers, [&](std::size_t i, std::size_t) -> Status {
        if (options.cancel != nullptr && options.cancel->cancelled()) {
          return Cancelled("interrupted; the files that were written stay");
        }
        const Status made = env.CreateDirectories(io::ParentPath(targets[i].path));
        done[i] = made.ok()
                      ? store.Export(targets[i].handle, targets[i].path, options.file, snapshot)
                      : Result<ExportReport>(made.error().Clone());
        const std::lock_guard lock(mutex);
        ++progress.files_done;
        if (options.progress) options.progress(progress);
        return Ok();
      }));
  LAMINA_TRY(lease->Check());
  ExportBatchReport report;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    Result<ExportReport>& one = *done[i];
    if (!one.ok()) {
      report.failed.push_back(
          {targets[i].handle, one.error().code(), std::string(one.error().message())});
      continue;
    }
    report.bytes += one->bytes;
    report.exported.push_back(std::move(*one));
  }
  return report;
}

}  // namespace lamina::backtests
