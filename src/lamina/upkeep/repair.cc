#include "lamina/upkeep/repair.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "lamina/backtests/rebuild_index.h"
#include "lamina/catalog/lake_value.h"
#include "lamina/catalog/statistics_check.h"
#include "lamina/table/parquet_file.h"
#include "lamina/ticks/count_days.h"
#include "lamina/upkeep/backup_files.h"
#include "lamina/upkeep/upkeep_lock.h"

namespace lamina::upkeep {
namespace {

using catalog::Database;
using catalog::Statement;

class Repairer {
 public:
  Repairer(store::Store& store, const RepairOptions& options)
      : store_(store), catalog_(store.catalog()), options_(options) {
    report_.dry_run = options.dry_run;
  }

  Result<RepairReport> Run() {
    LAMINA_ASSIGN(const auto lock, LockUpkeep(catalog_));
    if (!options_.backup.empty() &&
        !catalog_.env().Exists(io::JoinPath(options_.backup, "backup"))) {
      return NotFound(options_.backup + " is no backup (no file `backup` there)");
    }
    LAMINA_ASSIGN(const auto found, VerifyStore(store_, true, options_.cancel));
    LAMINA_TRY(catalog_.Read([&](Database& database) -> Status {
      LAMINA_ASSIGN(const auto files, NamedFiles(database));
      for (const StoredFile& file : files) files_.emplace(file.path, file);
      return Ok();
    }));
    for (const StoreProblem& problem : found.problems) {
      LAMINA_TRY_WITH(Repair(problem), "repairing " + problem.path);
    }
    if (options_.dry_run || report_.actions.empty()) {
      report_.problems = found.problems;
      return std::move(report_);
    }
    LAMINA_ASSIGN(auto left, VerifyStore(store_, true, options_.cancel));
    report_.problems = std::move(left.problems);
    return std::move(report_);
  }

 private:
  Status Repair(const StoreProblem& problem) {
    if (problem.kind == "head") {
      return Once("head", "rebuilt", "from the catalog", [&] { return RewriteHead(); });
    }
    if (problem.kind == "index") {
      return Once("backtest_index", "rebuilt", "from the stored documents", [&]() -> Status {
        LAMINA_ASSIGN(const auto done,
                      backtests::RebuildIndex(store_.backtests(), options_.cancel));
        static_cast<void>(done);
        return Ok();
      });
    }
    if (problem.kind == "statistics") return RepairStatistics(problem);
    if (problem.kind == "tick-statistics") {
      return Once("data_statistics", "rebuilt", "from the archive's files", [&]() -> Status {
        LAMINA_TRY(ticks::RebuildStatistics(catalog_, options_.cancel));
        return Ok();
      });
    }
    if (problem.kind == "objects") {
      return Once("objects.sqlite", "rebuilt", "its index", [&] { return Reindex(); });
    }
    if (problem.kind == "lake-file" || problem.kind == "delete-file") return RepairFile(problem);
    if (problem.kind == "chunk") return RepairChunk(problem);
    return Ok();
  }

  /// Several problems may have one cure.
  template <class Work>
  Status Once(const std::string& path, const char* action, const std::string& detail, Work work) {
    if (!done_.insert(path).second) return Ok();
    if (!options_.dry_run) {
      Status worked = work();
      if (!worked.ok()) {
        // What cannot be cured stays among the problems that remain.
        if (worked.error().code() == ErrorCode::kCorruption) return Ok();
        return worked;
      }
    }
    report_.actions.push_back({path, action, detail});
    return Ok();
  }

  /// Every commit writes it.
  Status RewriteHead() {
    LAMINA_ASSIGN(const auto commit, catalog_.BeginCommit("repair head"));
    LAMINA_ASSIGN(const std::int64_t snapshot, commit->Finish({}));
    static_cast<void>(snapshot);
    return Ok();
  }

  Result<std::unique_ptr<Database>> Objects() {
    return Database::Open(io::JoinPath(catalog_.root(), "objects.sqlite"),
                          catalog::OpenMode::kReadWrite);
  }

  Status Reindex() {
    LAMINA_ASSIGN(const auto objects, Objects());
    return objects->Execute("REINDEX");
  }

  Status RepairStatistics(const StoreProblem& problem) {
    if (problem.path == "catalog.sqlite") {
      return Once("ducklake_table_column_stats", "rebuilt", "from those of the files", [&] {
        return catalog_.Transact(
            [&](Database& database) { return RebuildTableStatistics(database); });
      });
    }
    return Once(problem.path + "#statistics", "rebuilt", "from the footer", [&]() -> Status {
      LAMINA_ASSIGN(
          const auto written,
          table::InspectParquet(catalog_.env(), io::JoinPath(catalog_.root(), problem.path)));
      return catalog_.Transact([&](Database& database) -> Status {
        LAMINA_TRY(RewriteFileStatistics(database, io::BaseName(problem.path), written));
        return RebuildTableStatistics(database);
      });
    });
  }

  static Status RewriteFileStatistics(Database& database, const std::string& name,
                                      const table::WrittenFile& written) {
    LAMINA_ASSIGN(Statement find, database.Prepare("SELECT data_file_id FROM ducklake_data_file "
                                                   "WHERE path = ?1 OR path LIKE '%/' || ?1"));
    LAMINA_ASSIGN(const bool found, find.Bind(1, name).Step());
    if (!found) return Ok();
    const std::int64_t id = find.Int(0);
    LAMINA_ASSIGN(const auto stored, catalog::ReadStatistics(database, id));
    std::map<std::int64_t, table::LakeType> types;
    for (const auto& column : stored) types[column.column_id] = column.type;
    LAMINA_ASSIGN(Statement update,
                  database.Prepare("UPDATE ducklake_file_column_stats SET column_size_bytes = ?3, "
                                   "value_count = ?4, null_count = ?5, min_value = ?6, max_value = "
                                   "?7, contains_nan = ?8 WHERE data_file_id = ?1 AND column_id = "
                                   "?2"));
    for (const table::ColumnStatistics& column : written.columns) {
      update.Bind(1, id).Bind(2, column.field_id).Bind(3, column.size_bytes);
      update.Bind(4, column.value_count).Bind(5, column.null_count);
      const auto found_type = types.find(column.field_id);  // elements of lists are not there
      const auto type = found_type == types.end() ? table::LakeType::kInt32 : found_type->second;
      update.Bind(6, catalog::StoredBound(type, column.min_value, true));
      update.Bind(7, catalog::StoredBound(type, column.max_value, false));
      LAMINA_TRY(update.Bind(8, column.contains_nan).Run());
    }
    return Ok();
  }

  /// Bounds are taken away (DuckDB takes them for exact); whether there is a NaN follows from all
  /// files that some snapshot sees.
  static Status RebuildTableStatistics(Database& database) {
    return database.Execute(
        "UPDATE ducklake_table_column_stats AS t SET min_value = NULL, max_value = NULL, "
        "contains_nan = CASE WHEN contains_nan IS NULL THEN NULL ELSE EXISTS (SELECT 1 FROM "
        "ducklake_file_column_stats s WHERE s.table_id = t.table_id AND s.column_id = t.column_id "
        "AND s.contains_nan <> 0) END");
  }

  /// From the backup, when it has the file whole.
  Result<bool> Fetch(const StoredFile& file) {
    if (options_.backup.empty()) return false;
    io::Env& env = catalog_.env();
    const auto there = env.Stat(io::JoinPath(options_.backup, file.path));
    if (!there.ok() || there->size != file.bytes) return false;
    if (options_.dry_run) return true;
    const std::string target = io::JoinPath(catalog_.root(), file.path);
    if (env.Exists(target)) LAMINA_TRY(SetAside(file.path, "replaced by the copy of a backup"));
    const auto copied = CopyFiles(env, options_.backup, catalog_.root(), {file}, options_.cancel);
    if (copied.ok()) return true;
    if (copied.error().code() == ErrorCode::kCorruption) return false;
    return copied.error().Clone();
  }

  Status RepairFile(const StoreProblem& problem) {
    if (!done_.insert(problem.path).second) return Ok();
    const auto file = files_.find(problem.path);
    if (file != files_.end()) {
      LAMINA_ASSIGN(const bool fetched, Fetch(file->second));
      if (fetched) {
        report_.actions.push_back({problem.path, "fetched", "from " + options_.backup});
        return Ok();
      }
    }
    if (problem.kind != "lake-file") return Ok();  // without it deleted rows would be back
    if (!catalog_.env().Exists(io::JoinPath(catalog_.root(), problem.path))) return Ok();
    if (!options_.dry_run) LAMINA_TRY(SetAside(problem.path, problem.detail));
    report_.actions.push_back({problem.path, "quarantined", problem.detail});
    return Ok();
  }

  /// A file under the same name below quarantine/, with the reason beside it.
  Status SetAside(const std::string& path, const std::string& reason) {
    io::Env& env = catalog_.env();
    const std::string target = QuarantinePath(path);
    LAMINA_TRY(env.CreateDirectories(io::ParentPath(target)));
    LAMINA_TRY(env.WriteFileAtomically(target + ".reason", path + "\n" + reason + "\n"));
    LAMINA_TRY(env.Rename(io::JoinPath(catalog_.root(), path), target));
    return env.SyncDirectory(io::ParentPath(target));
  }

  std::string QuarantinePath(const std::string& path) {
    const std::string base = io::JoinPath(io::JoinPath(catalog_.root(), "quarantine"), path);
    std::string target = base;
    for (int i = 2; catalog_.env().Exists(target); ++i) target = base + "." + std::to_string(i);
    return target;
  }

  Status RepairChunk(const StoreProblem& problem) {
    const std::size_t slash = problem.path.find('/');
    if (slash == std::string::npos || !done_.insert(problem.path).second) return Ok();
    const auto kind = catalog::ChunkKindFromName(problem.path.substr(0, slash));
    const auto sha256 = Sha256Digest::FromHex(problem.path.substr(slash + 1));
    if (!kind || !sha256.ok()) return Ok();
    const catalog::ChunkId id{*kind, *sha256};
    const auto file = files_.find(ChunkPath(id));
    if (file != files_.end()) {
      LAMINA_ASSIGN(const bool fetched, Fetch(file->second));
      if (fetched) {
        report_.actions.push_back({problem.path, "fetched", "from " + options_.backup});
        return Ok();
      }
    }
    if (!options_.dry_run) LAMINA_TRY(SetChunkAside(id, file != files_.end(), problem.detail));
    report_.actions.push_back({problem.path, "quarantined", problem.detail});
    return Ok();
  }

  /// With its row ended, whoever has the content stores it again.
  Status SetChunkAside(const catalog::ChunkId& id, bool in_file, const std::string& reason) {
    return catalog_.Transact([&](Database& database) -> Status {
      if (in_file) {
        if (catalog_.env().Exists(io::JoinPath(catalog_.root(), ChunkPath(id)))) {
          LAMINA_TRY(SetAside(ChunkPath(id), reason));
        }
      } else {
        LAMINA_TRY(SetObjectAside(id, reason));
      }
      LAMINA_ASSIGN(const std::int64_t latest, catalog::LakeReader(database).LatestSnapshot());
      LAMINA_ASSIGN(Statement end,
                    database.Prepare("UPDATE chunk SET end_snapshot = ?3 WHERE kind = ?1 AND "
                                     "sha256 = ?2 AND end_snapshot IS NULL"));
      end.Bind(1, static_cast<std::int64_t>(id.kind)).BindBlob(2, id.sha256.View());
      return end.Bind(3, latest).Run();
    });
  }

  Status SetObjectAside(const catalog::ChunkId& id, const std::string& reason) {
    LAMINA_ASSIGN(const auto objects, Objects());
    const auto stored = catalog::ReadObject(*objects, id);
    if (!stored.ok()) {
      return stored.error().code() == ErrorCode::kNotFound ? Ok() : stored.error().Clone();
    }
    const std::string target = QuarantinePath("objects/" + id.ToString());
    LAMINA_TRY(catalog_.env().CreateDirectories(io::ParentPath(target)));
    LAMINA_TRY(catalog_.env().WriteFileAtomically(target, *stored));
    LAMINA_TRY(catalog_.env().WriteFileAtomically(target + ".reason",
                                                  id.ToString() + "\n" + reason + "\n"));
    LAMINA_ASSIGN(Statement remove,
                  objects->Prepare("DELETE FROM object WHERE kind = ?1 AND sha256 = ?2"));
    remove.Bind(1, static_cast<std::int64_t>(id.kind));
    return remove.BindBlob(2, id.sha256.View()).Run();
  }

  store::Store& store_;
  catalog::Catalog& catalog_;
  const RepairOptions options_;
  std::map<std::string, StoredFile> files_;
  std::set<std::string> done_;
  RepairReport report_;
};

}  // namespace

Result<RepairReport> RepairStore(store::Store& store, const RepairOptions& options) {
  return Repairer(store, options).Run();
}

}  // namespace lamina::upkeep
