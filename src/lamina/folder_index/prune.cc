#include "lamina/folder_index/prune.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "lamina/folder_index/archive.h"

namespace lamina::folder_index {
namespace {

namespace fs = std::filesystem;

/// A bundle that goes.
struct Victim {
  std::string handle, path, archived;  ///< `archived`: "" when it is deleted
};

bool IsWithin(std::string_view path, std::string_view folder) {
  return path == folder ||
         (path.starts_with(folder) && path.substr(folder.size()).starts_with('/'));
}

class Pruner {
 public:
  Pruner(io::Env& env, IndexFile& index, const PruneOptions& options)
      : env_(env), index_(index), options_(options) {}

  Status Run(const backtests::RankTable& table, const backtests::RankQuery& query) {
    LAMINA_TRY(CheckScope());
    LAMINA_TRY(ReadIndex());
    LAMINA_ASSIGN(backtests::PrunePlan plan, backtests::PlanPrune(table, query));
    LAMINA_TRY(CheckKept(plan.kept));
    LAMINA_TRY(PlaceArchive());
    LAMINA_TRY(ChooseVictims(plan.pruned));
    report_.rows = std::move(plan.rows);
    report_.kept = std::move(plan.kept);
    report_.dry_run = options_.dry_run;
    if (options_.dry_run) {
      for (const Victim& victim : victims_) report_.pruned.push_back(victim.handle);
      return Ok();
    }
    return Execute();
  }

  PruneReport TakeReport() { return std::move(report_); }
  bool cancelled() const { return cancelled_; }

 private:
  Status CheckScope() {
    if (index_.kind() != IndexFile::Kind::kOurs || !index_.scope()) {
      return InvalidArgument(index_.path() +
                             " was not made by lamina and does not say which folder it is of; run "
                             "`lamina index` on the folder, then prune that");
    }
    root_ = index_.scope()->root;
    const auto info = env_.Stat(root_);
    if (!info.ok() || !info->is_directory) {
      return InvalidArgument(index_.path() + " is the index of " + root_ +
                             ", which is not there; index the folder where it is now");
    }
    return Ok();
  }

  Status ReadIndex() {
    LAMINA_ASSIGN(const auto files, index_.Files());
    for (const IndexedFile& file : files) indexed_[file.path] = file;
    LAMINA_ASSIGN(const BundleFiles found, FindBundleFiles(env_, root_));
    for (const BundleFile& file : found.files) {
      const std::string path = io::JoinPath(root_, file.path);
      std::error_code error;
      if (!fs::is_symlink(path, error)) continue;
      link_targets_.insert(fs::canonical(path, error).string());
    }
    return Ok();
  }

  /// The path of a handle below the root; absent when it points anywhere else.
  std::optional<std::string> PathOf(const std::string& handle) const {
    std::string relative = handle;
    if (index_.scope()->absolute_paths) {
      if (!IsWithin(handle, root_) || handle == root_) return std::nullopt;
      relative = handle.substr(root_.size() + 1);
    }
    const fs::path path(relative);
    const bool plain = !relative.empty() && path.is_relative() && path.lexically_normal() == path &&
                       *path.begin() != "..";
    if (!plain) return std::nullopt;
    return io::JoinPath(root_, relative);
  }

  /// Why a bundle's file is not the one that was indexed; "" when it is.
  std::string Objection(const std::string& handle) {
    const auto path = PathOf(handle);
    if (!path) return "its path does not lead into the folder";
    const auto known = indexed_.find(handle);
    std::error_code error;
    if (fs::is_symlink(*path, error)) return "it is a link";
    const auto resolved = fs::canonical(*path, error);
    if (error) return "it is not there";
    if (resolved.string() != *path) return "a folder on its path is a link";
    const auto info = env_.Stat(*path);
    if (!info.ok()) return "it is not there";
    if (known == indexed_.end() || !info->is_regular || known->second.mtime_ns != info->mtime_ns ||
        known->second.size != info->size) {
      return "it changed since it was indexed";
    }
    return "";
  }

  /// An index that does not fit its folder must not decide what goes.
  Status CheckKept(const std::vector<std::string>& kept) {
    for (const std::string& handle : kept) {
      const std::string objection = Objection(handle);
      if (objection.empty() || objection == "it is a link") continue;
      return Conflict("nothing was pruned: " + handle + " is to be kept, but " + objection +
                      "; index the folder again");
    }
    return Ok();
  }

  Status PlaceArchive() {
    if (options_.archive.empty()) return Ok();
    std::error_code error;
    archive_ = fs::weakly_canonical(fs::absolute(options_.archive), error).string();
    if (error) return IoError("resolving " + options_.archive + ": " + error.message());
    if (archive_.size() > 1 && archive_.ends_with('/')) archive_.pop_back();
    if (IsWithin(root_, archive_)) {
      return InvalidArgument("the archive " + archive_ +
                             " holds the folder that is pruned; choose "
                             "a folder of its own");
    }
    const auto info = env_.Stat(archive_);
    if (info.ok() && !info->is_directory) {
      return InvalidArgument("the archive " + archive_ + " is not a folder");
    }
    if (!IsWithin(archive_, root_)) return Ok();
    for (const auto& [handle, file] : indexed_) {
      const auto path = PathOf(handle);
      if (path && IsWithin(*path, archive_)) {
        return InvalidArgument("the archive " + archive_ + " holds bundles of this index (" +
                               handle + "); choose an empty folder");
      }
    }
    return Ok();
  }

  Status ChooseVictims(const std::vector<std::string>& pruned) {
    for (const std::string& handle : pruned) {
      std::string objection = Objection(handle);
      const std::string path = PathOf(handle).value_or("");
      if (objection.empty() && link_targets_.contains(path)) objection = "a link points to it";
      if (!objection.empty()) {
        report_.left.push_back({handle, ErrorCode::kConflict, std::move(objection)});
        continue;
      }
      Victim victim{handle, path, ""};
      if (!archive_.empty()) {
        victim.archived = io::JoinPath(archive_, path.substr(root_.size() + 1));
        LAMINA_ASSIGN(const Destination there, LookAt(env_, path, victim.archived));
        if (there == Destination::kOther) {
          return AlreadyExists("nothing was pruned: " + victim.archived +
                               " exists and is another file; choose another archive");
        }
      }
      victims_.push_back(std::move(victim));
    }
    return Ok();
  }

  Status Execute() {
    if (!archive_.empty()) {
      LAMINA_TRY(env_.CreateDirectories(archive_));
      const std::string marker = io::JoinPath(archive_, kArchiveMarker);
      if (IsWithin(archive_, root_) && !env_.Exists(marker)) {
        LAMINA_TRY(env_.WriteFileAtomically(marker, ""));
      }
    }
    std::set<std::string> folders;
    for (const Victim& victim : victims_) {
      if (options_.cancel != nullptr && options_.cancel->cancelled()) {
        cancelled_ = true;
        break;
      }
      const Status gone = Remove(victim);
      if (!gone.ok()) {
        report_.left.push_back(
            {victim.handle, gone.error().code(), std::string(gone.error().message())});
        continue;
      }
      folders.insert(io::ParentPath(victim.path));
      report_.pruned.push_back(victim.handle);
      LAMINA_TRY(index_.RemoveFile(victim.handle));
    }
    for (const std::string& folder : folders) LAMINA_TRY(env_.SyncDirectory(folder));
    return Ok();
  }

  Status Remove(const Victim& victim) {
    const std::string objection = Objection(victim.handle);  // since the plan was made
    if (!objection.empty()) return Conflict(objection);
    return victim.archived.empty() ? env_.Unlink(victim.path)
                                   : MoveFile(env_, victim.path, victim.archived);
  }

  io::Env& env_;
  IndexFile& index_;
  const PruneOptions& options_;
  std::string root_, archive_;
  std::map<std::string, IndexedFile> indexed_;
  std::set<std::string> link_targets_;
  std::vector<Victim> victims_;
  PruneReport report_;
  bool cancelled_ = false;
};

}  // namespace

Result<PruneReport> Prune(io::Env& env, IndexFile& index, const backtests::RankQuery& query,
                          const PruneOptions& options) {
  Pruner pruner(env, index, options);
  const auto work = [&]() -> Status {
    LAMINA_ASSIGN(const backtests::RankTable table, index.Table());
    return pruner.Run(table, query);
  };
  LAMINA_TRY(options.dry_run ? index.ReadState(work) : index.Write(work));
  if (pruner.cancelled()) {
    return Error(ErrorCode::kCancelled,
                 "the prune was interrupted; what it had done stays done, and the index says so");
  }
  return pruner.TakeReport();
}

}  // namespace lamina::folder_index
