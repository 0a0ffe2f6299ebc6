#include "lamina/stores/backtest_store.h"

#include <algorithm>
#include <chrono>
#include <iterator>

#include "lamina/base/near_names.h"

namespace lamina::stores {
namespace {

using backtests::ImportFailure;
using backtests::ImportProgress;
using backtests::ImportReport;

/// Backtests that are copied between two looks at the cancel token. What a slice copied is there
/// for good, so this is also what a kill can cost.
constexpr std::size_t kSlice = 64;

void Add(ImportReport& all, ImportReport part) {
  all.imported += part.imported;
  all.unchanged += part.unchanged;
  all.replaced += part.replaced;
  all.runs_new += part.runs_new;
  all.runs_shared += part.runs_shared;
  all.bytes_in += part.bytes_in;
  all.bytes_stored += part.bytes_stored;
  all.commits += part.commits;
  std::move(part.failed.begin(), part.failed.end(), std::back_inserter(all.failed));
  std::move(part.warnings.begin(), part.warnings.end(), std::back_inserter(all.warnings));
}

/// The handles to copy: those asked for, or all; what cannot be copied goes to the report.
Result<std::vector<std::string>> ChosenHandles(BacktestStore& source,
                                               const std::vector<std::string>& handles,
                                               ImportReport& report) {
  if (handles.empty()) {
    LAMINA_ASSIGN(report.failed, source.Unreachable());
    return source.Handles();
  }
  std::vector<std::string> chosen;
  for (const std::string& handle : handles) {
    LAMINA_ASSIGN(const bool exists, source.Exists(handle));
    if (exists) {
      chosen.push_back(handle);
      continue;
    }
    LAMINA_ASSIGN(const auto all, source.Handles());
    const Error error = NoSuchBacktest(handle, all);
    report.failed.push_back({handle, error.code(), std::string(error.message())});
  }
  std::sort(chosen.begin(), chosen.end());
  chosen.erase(std::unique(chosen.begin(), chosen.end()), chosen.end());
  return chosen;
}

}  // namespace

std::string_view WithoutBundleSuffix(std::string_view handle) {
  for (const std::string_view suffix : {".iafbt", ".obtf"}) {
    if (!handle.ends_with(suffix)) continue;
    const std::string_view rest = handle.substr(0, handle.size() - suffix.size());
    if (!rest.empty() && !rest.ends_with('/')) return rest;
  }
  return handle;
}

bool HasBundleSuffix(std::string_view handle) {
  return WithoutBundleSuffix(handle).size() != handle.size();
}

Error NoSuchBacktest(std::string_view handle, const std::vector<std::string>& handles) {
  std::string message = "no backtest '" + std::string(handle) + "'";
  if (handles.size() <= 20000) {
    const auto near = NearNames(handle, handles);
    for (std::size_t i = 0; i < near.size(); ++i) {
      message += (i == 0 ? "; near: " : ", ") + near[i];
    }
  }
  return NotFound(std::move(message));
}

Result<ImportReport> BacktestStore::CopyFrom(BacktestStore& source,
                                             const std::vector<std::string>& handles,
                                             const backtests::ImportOptions& options) {
  const auto begin = std::chrono::steady_clock::now();
  ImportReport report;
  LAMINA_ASSIGN(const auto chosen, ChosenHandles(source, handles, report));
  ImportProgress done;
  done.files_total = static_cast<std::int64_t>(chosen.size());
  backtests::ImportOptions part = options;
  if (options.progress) {
    part.progress = [&](const ImportProgress& within) {
      ImportProgress now = done;
      now.files_done += within.files_done;
      now.bytes_done += within.bytes_done;
      options.progress(now);
    };
  }
  for (std::size_t first = 0; first < chosen.size(); first += kSlice) {
    if (options.cancel != nullptr && options.cancel->cancelled()) {
      return Cancelled("copying interrupted; what was copied stays, run it again to go on");
    }
    const std::size_t last = std::min(chosen.size(), first + kSlice);
    const std::vector<std::string> slice(chosen.begin() + static_cast<std::ptrdiff_t>(first),
                                         chosen.begin() + static_cast<std::ptrdiff_t>(last));
    LAMINA_ASSIGN(ImportReport copied, CopySlice(source, slice, part));
    done.files_done = static_cast<std::int64_t>(last);
    done.bytes_done += copied.bytes_in;
    Add(report, std::move(copied));
    if (options.progress) options.progress(done);
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  report.seconds = seconds.count();
  const auto by_path = [](const auto& a, const auto& b) { return a.path < b.path; };
  std::sort(report.failed.begin(), report.failed.end(), by_path);
  std::sort(report.warnings.begin(), report.warnings.end(), by_path);
  return report;
}

}  // namespace lamina::stores
