#include "lamina/store/prune_store.h"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <set>
#include <utility>
#include <vector>

#include "lamina/backtests/prune_plan.h"
#include "lamina/bundle/bundle_file.h"

namespace lamina::store {
namespace {

using backtests::BacktestRecord;

constexpr std::int64_t kMaxBundleBytes = std::int64_t{2} << 30;

struct Victim {
  BacktestRecord record;
  std::string archived;  ///< "" when it is only deleted
  bool is_there = false;
};

/// Whether a file is a bundle of that very document.
Result<bool> HoldsDocument(io::Env& env, const std::string& path, const Sha256Digest& document) {
  LAMINA_ASSIGN(const std::string bytes, env.ReadFile(path, kMaxBundleBytes));
  const auto bundle = bundle::ReadBundle(bytes);
  return bundle.ok() && Sha256(bundle->document) == document;
}

Result<std::string> PlaceArchive(const Store& store, const std::string& archive) {
  std::error_code error;
  const auto place = std::filesystem::weakly_canonical(std::filesystem::absolute(archive), error);
  if (error) return IoError("resolving " + archive + ": " + error.message());
  const std::string root = std::filesystem::canonical(store.root(), error).string();
  if (place.string() == root || place.string().starts_with(root + "/")) {
    return InvalidArgument("the archive " + place.string() +
                           " lies in the store; choose a folder " + "outside it");
  }
  return place.string();
}

Status ChooseArchived(io::Env& env, const std::string& archive, Victim& victim) {
  const char* suffix = victim.record.bundle_version >= 3 ? ".obtf" : ".iafbt";
  victim.archived = io::JoinPath(archive, victim.record.handle + suffix);
  if (!env.Exists(victim.archived)) return Ok();
  LAMINA_ASSIGN(victim.is_there,
                HoldsDocument(env, victim.archived, victim.record.document_sha256));
  if (victim.is_there) return Ok();
  return AlreadyExists("nothing was pruned: " + victim.archived +
                       " exists and is another file; choose another archive");
}

Status Archive(io::Env& env, Store& store, const Victim& victim) {
  LAMINA_TRY(env.CreateDirectories(io::ParentPath(victim.archived)));
  LAMINA_ASSIGN(const auto report, store.backtests().Export(victim.record.handle, victim.archived));
  LAMINA_ASSIGN(const bool whole, HoldsDocument(env, report.path, victim.record.document_sha256));
  if (whole) return Ok();
  return Conflict("nothing was deleted: " + victim.record.handle +
                  " changed while it was archived");
}

/// The backtests that go, with their places in the archive.
Result<std::vector<Victim>> ChooseVictims(io::Env& env, Store& store,
                                          const std::vector<std::string>& handles,
                                          const folder_index::PruneOptions& options) {
  std::vector<Victim> victims;
  for (const std::string& handle : handles) {
    LAMINA_ASSIGN(auto record, store.backtests().Find(handle));
    victims.push_back({std::move(record), "", false});
  }
  if (options.archive.empty()) return victims;
  LAMINA_ASSIGN(const std::string archive, PlaceArchive(store, options.archive));
  for (Victim& victim : victims) LAMINA_TRY(ChooseArchived(env, archive, victim));
  return victims;
}

Result<folder_index::PruneReport> Execute(io::Env& env, Store& store, backtests::PrunePlan plan,
                                          const folder_index::PruneOptions& options) {
  LAMINA_ASSIGN(const auto victims, ChooseVictims(env, store, plan.pruned, options));
  folder_index::PruneReport report;
  report.rows = std::move(plan.rows);
  report.kept = std::move(plan.kept);
  report.pruned = plan.pruned;
  report.dry_run = options.dry_run;
  if (options.dry_run || victims.empty()) return report;
  for (const Victim& victim : victims) {
    if (options.cancel != nullptr && options.cancel->cancelled()) {
      return Error(ErrorCode::kCancelled, "the prune was interrupted; nothing was deleted");
    }
    if (!victim.archived.empty() && !victim.is_there) LAMINA_TRY(Archive(env, store, victim));
  }
  for (const Victim& victim : victims) {
    LAMINA_ASSIGN(const auto now, store.backtests().Find(victim.record.handle));
    if (now.backtest_id == victim.record.backtest_id) continue;
    return Conflict("nothing was deleted: " + victim.record.handle +
                    " was changed by another process; rank again");
  }
  LAMINA_TRY(store.backtests().Delete(plan.pruned));
  return report;
}

}  // namespace

Result<folder_index::PruneReport> PruneStore(io::Env& env, Store& store,
                                             const backtests::RankQuery& query,
                                             const folder_index::PruneOptions& options) {
  backtests::PrunePlan plan;
  LAMINA_TRY(store.catalog().Read([&](catalog::Database& database) -> Status {
    LAMINA_ASSIGN(plan, backtests::PlanPrune(database, query));
    return Ok();
  }));
  return Execute(env, store, std::move(plan), options);
}

Result<folder_index::PruneReport> PruneStoreExcept(io::Env& env, Store& store,
                                                   const std::vector<std::string>& keep,
                                                   const folder_index::PruneOptions& options) {
  if (keep.empty()) return InvalidArgument("a prune that keeps nothing is refused");
  backtests::PrunePlan plan;
  std::set<std::string> kept;
  for (const std::string& handle : keep) {
    LAMINA_ASSIGN(const auto record, store.backtests().Find(handle));
    if (kept.insert(record.handle).second) plan.kept.push_back(record.handle);
  }
  LAMINA_ASSIGN(const auto handles, store.backtests().Handles());
  std::copy_if(handles.begin(), handles.end(), std::back_inserter(plan.pruned),
               [&](const std::string& handle) { return !kept.contains(handle); });
  return Execute(env, store, std::move(plan), options);
}

}  // namespace lamina::store
