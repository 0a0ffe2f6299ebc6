#include "lamina/upkeep/history.h"

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "lamina/upkeep/upkeep_lock.h"

namespace lamina::upkeep {
namespace {

using catalog::Database;
using catalog::LakeSnapshot;
using catalog::Statement;

/// A transaction that ends this many files, or asks this many chunks, is short.
constexpr std::int64_t kBatch = 500;

/// No kept snapshot sees a row of `alias`: it has ended, and all snapshots that saw it are gone.
std::string Forgotten(std::string_view alias) {
  const std::string name(alias);
  return name +
         ".end_snapshot IS NOT NULL AND NOT EXISTS (SELECT 1 FROM ducklake_snapshot kept "
         "WHERE kept.snapshot_id >= " +
         name + ".begin_snapshot AND kept.snapshot_id < " + name + ".end_snapshot)";
}

bool AnyIn(const std::vector<std::int64_t>& sorted, std::int64_t begin, std::int64_t end) {
  const auto place = std::lower_bound(sorted.begin(), sorted.end(), begin);
  return place != sorted.end() && *place < end;
}

struct Choice {
  std::vector<LakeSnapshot> expired;
  std::vector<std::int64_t> by_policy, by_pin;  ///< kept; ascending
  std::vector<catalog::Pin> pins;
};

Choice Choose(const std::vector<LakeSnapshot>& snapshots, const std::vector<catalog::Pin>& pins,
              const ExpireOptions& options, Micros now) {
  const Micros cutoff{now.value - options.older_than.value};
  Choice choice;
  for (std::size_t i = 0; i < snapshots.size(); ++i) {
    const bool last = i + 1 == snapshots.size();
    // It was the latest until the next one came.
    const bool goes = options.range ? snapshots[i].snapshot_id >= options.range->first &&
                                          snapshots[i].snapshot_id < options.range->second
                                    : !last && snapshots[i + 1].time <= cutoff;
    if (last || !goes) {
      choice.by_policy.push_back(snapshots[i].snapshot_id);
      continue;
    }
    bool pinned = false;
    for (const catalog::Pin& pin : pins) {
      if (pin.snapshot != snapshots[i].snapshot_id) continue;
      if (!pinned) choice.by_pin.push_back(pin.snapshot);
      choice.pins.push_back(pin);
      pinned = true;
    }
    if (!pinned) choice.expired.push_back(snapshots[i]);
  }
  return choice;
}

Result<std::int64_t> CountPinned(Database& database, const Choice& choice) {
  std::int64_t count = 0;
  LAMINA_ASSIGN(Statement read,
                database.Prepare("SELECT begin_snapshot, end_snapshot FROM ducklake_data_file "
                                 "WHERE end_snapshot IS NOT NULL UNION ALL SELECT begin_snapshot, "
                                 "end_snapshot FROM ducklake_delete_file WHERE end_snapshot IS NOT "
                                 "NULL"));
  for (;;) {
    LAMINA_ASSIGN(const bool row, read.Step());
    if (!row) return count;
    if (AnyIn(choice.by_policy, read.Int(0), read.Int(1))) continue;
    if (AnyIn(choice.by_pin, read.Int(0), read.Int(1))) ++count;
  }
}

Status RemoveSnapshots(Database& database, const std::vector<LakeSnapshot>& expired) {
  for (const char* table : {"ducklake_snapshot", "ducklake_snapshot_changes"}) {
    LAMINA_ASSIGN(Statement remove, database.Prepare("DELETE FROM " + std::string(table) +
                                                     " WHERE snapshot_id = ?1"));
    for (const LakeSnapshot& snapshot : expired) {
      LAMINA_TRY(remove.Bind(1, snapshot.snapshot_id).Run());
    }
  }
  return Ok();
}

struct ForgottenFile {
  std::int64_t file_id = 0, end_snapshot = 0;
  std::string path;  ///< relative to lake/
};

/// Delete files first: their data file may be forgotten with them.
constexpr const char* kFileTables[][2] = {{"ducklake_delete_file", "delete_file_id"},
                                          {"ducklake_data_file", "data_file_id"}};

Result<std::vector<ForgottenFile>> ForgottenFiles(Database& database, std::size_t table) {
  LAMINA_ASSIGN(
      Statement read,
      database.Prepare(
          "WITH place AS (SELECT t.table_id, s.path || t.path AS folder, max(t.begin_snapshot) "
          "FROM ducklake_table t JOIN ducklake_schema s USING(schema_id) GROUP BY t.table_id) "
          "SELECT f." +
          std::string(kFileTables[table][1]) + ", f.end_snapshot, p.folder || f.path FROM " +
          kFileTables[table][0] + " f JOIN place p USING(table_id) WHERE " + Forgotten("f") +
          " LIMIT " + std::to_string(kBatch)));
  std::vector<ForgottenFile> files;
  for (;;) {
    LAMINA_ASSIGN(const bool row, read.Step());
    if (!row) return files;
    files.push_back({read.Int(0), read.Int(1), std::string(read.Text(2))});
  }
}

/// Take one batch of forgotten files out of the lake's tables and put them on the list.
/// RETURNS how many.
Result<std::int64_t> CondemnFiles(Database& database, const SnapshotTimes& times) {
  for (const std::size_t table : {std::size_t{0}, std::size_t{1}}) {
    LAMINA_ASSIGN(const auto files, ForgottenFiles(database, table));
    if (files.empty()) continue;
    LAMINA_ASSIGN(Statement schedule,
                  database.Prepare("INSERT INTO ducklake_files_scheduled_for_deletion(data_file_id,"
                                   " path, path_is_relative, schedule_start) VALUES(?1, ?2, 1, "
                                   "?3)"));
    for (const ForgottenFile& file : files) {
      const std::string retired = FormatLakeTime(times.At(file.end_snapshot));
      LAMINA_TRY(schedule.Bind(1, file.file_id).Bind(2, file.path).Bind(3, retired).Run());
      std::vector<std::string> removals = {"DELETE FROM " + std::string(kFileTables[table][0]) +
                                               " WHERE " + kFileTables[table][1] + " = ?1",
                                           "DELETE FROM lake_file WHERE file_id = ?1"};
      if (table == 1) {
        removals.emplace_back("DELETE FROM ducklake_file_column_stats WHERE data_file_id = ?1");
        removals.emplace_back("DELETE FROM ducklake_file_partition_value WHERE data_file_id = ?1");
      }
      for (const std::string& sql : removals) {
        LAMINA_ASSIGN(Statement remove, database.Prepare(sql));
        LAMINA_TRY(remove.Bind(1, file.file_id).Run());
      }
    }
    return static_cast<std::int64_t>(files.size());
  }
  return std::int64_t{0};
}

/// End the rows of chunks that no reference of a kept snapshot names; price files are named by
/// documents, too, and are not looked at. RETURNS how many of one batch.
Result<std::int64_t> CondemnChunks(Database& database, const SnapshotTimes& times) {
  struct Unnamed {
    std::int64_t kind = 0, since = 0;
    std::string sha256;
  };
  std::vector<Unnamed> unnamed;
  {
    LAMINA_ASSIGN(
        Statement read,
        database.Prepare(
            "SELECT c.kind, c.sha256, coalesce((SELECT max(r.end_snapshot) FROM chunk_ref r WHERE "
            "r.kind = c.kind AND r.sha256 = c.sha256), c.begin_snapshot) FROM chunk c WHERE "
            "c.end_snapshot IS NULL AND c.kind <> ?1 AND NOT EXISTS (SELECT 1 FROM chunk_ref r "
            "WHERE r.kind = c.kind AND r.sha256 = c.sha256 AND NOT (" +
            Forgotten("r") + ")) LIMIT " + std::to_string(kBatch)));
    read.Bind(1, static_cast<std::int64_t>(catalog::ChunkKind::kOhlcv));
    for (;;) {
      LAMINA_ASSIGN(const bool row, read.Step());
      if (!row) break;
      unnamed.push_back({read.Int(0), read.Int(2), std::string(read.Blob(1))});
    }
  }
  LAMINA_ASSIGN(Statement end,
                database.Prepare("UPDATE chunk SET end_snapshot = ?3, condemned_at = ?4 WHERE kind "
                                 "= ?1 AND sha256 = ?2"));
  const std::int64_t latest = times.snapshots().back().snapshot_id;
  for (const Unnamed& chunk : unnamed) {
    end.Bind(1, chunk.kind).BindBlob(2, chunk.sha256).Bind(3, latest);
    LAMINA_TRY(end.Bind(4, times.At(chunk.since).value).Run());
  }
  return static_cast<std::int64_t>(unnamed.size());
}

/// Our own tables whose rows carry snapshots as the lake's do. Chunks live by their references.
Result<std::vector<std::string>> VersionedTables(Database& database) {
  LAMINA_ASSIGN(
      Statement read,
      database.Prepare(
          "SELECT t.name FROM sqlite_schema t WHERE t.type = 'table' AND t.name NOT LIKE "
          "'ducklake!_%' ESCAPE '!' AND t.name <> 'chunk' AND (SELECT count(*) FROM "
          "pragma_table_info(t.name) WHERE name IN ('begin_snapshot', 'end_snapshot')) = 2 ORDER "
          "BY t.name"));
  std::vector<std::string> tables;
  for (;;) {
    LAMINA_ASSIGN(const bool row, read.Step());
    if (!row) return tables;
    tables.emplace_back(read.Text(0));
  }
}

Result<std::int64_t> RemoveForgotten(Database& database, const std::string& table) {
  const std::int64_t before = database.total_changes();
  LAMINA_ASSIGN(Statement remove,
                database.Prepare("DELETE FROM " + table + " WHERE " + Forgotten(table)));
  LAMINA_TRY(remove.Run());
  return database.total_changes() - before;
}

/// Every step in its own transaction, or (a dry run) all of them in one that is rolled back.
class Expiry {
 public:
  Expiry(catalog::Catalog& catalog, const ExpireOptions& options)
      : catalog_(catalog), options_(options) {
    report_.dry_run = options.dry_run;
  }

  Result<ExpireReport> Run(const std::function<Status(Database&)>& inspect) {
    if (options_.dry_run) {
      const Status done = catalog_.Transact([&](Database& database) -> Status {
        database_ = &database;
        LAMINA_TRY(Steps());
        if (inspect) LAMINA_TRY(inspect(database));
        finished_ = true;
        return Cancelled("a dry run changes nothing");
      });
      if (!finished_) return done.error().Clone();
      return std::move(report_);
    }
    LAMINA_TRY(Steps());
    if (inspect) LAMINA_TRY(Step(inspect));
    return std::move(report_);
  }

 private:
  Status Step(const std::function<Status(Database&)>& work) {
    if (database_ != nullptr) return work(*database_);
    return catalog_.Transact(work);
  }

  Status Repeat(const std::function<Result<std::int64_t>(Database&)>& batch, std::int64_t& total) {
    for (;;) {
      std::int64_t count = 0;
      LAMINA_TRY(Step([&](Database& database) -> Status {
        LAMINA_ASSIGN(count, batch(database));
        return Ok();
      }));
      total += count;
      if (count < kBatch) return Ok();
    }
  }

  Status Steps() {
    const Micros now{catalog_.env().Now().value / 1000};
    SnapshotTimes times;
    std::vector<std::string> tables;
    LAMINA_TRY(Step([&](Database& database) -> Status {
      LAMINA_ASSIGN(times, SnapshotTimes::Read(database));
      LAMINA_ASSIGN(const auto pins, catalog::ReadPins(database, now));
      Choice choice = Choose(times.snapshots(), pins, options_, now);
      LAMINA_ASSIGN(report_.kept_pinned, CountPinned(database, choice));
      LAMINA_ASSIGN(tables, VersionedTables(database));
      LAMINA_TRY(catalog::ForgetInexactTableBounds(database));
      LAMINA_TRY(RemoveSnapshots(database, choice.expired));
      report_.kept = static_cast<std::int64_t>(choice.by_policy.size() + choice.by_pin.size());
      report_.expired = std::move(choice.expired);
      report_.pins = std::move(choice.pins);
      return Ok();
    }));
    std::int64_t files = 0;
    for (;;) {  // a batch holds files of one kind, so it may be short and not the last
      std::int64_t count = 0;
      LAMINA_TRY(Step([&](Database& database) -> Status {
        LAMINA_ASSIGN(count, CondemnFiles(database, times));
        return Ok();
      }));
      if (count == 0) break;
      files += count;
    }
    report_.condemned_files = files;
    LAMINA_TRY(Repeat([&](Database& database) { return CondemnChunks(database, times); },
                      report_.condemned_chunks));
    for (const std::string& table : tables) {
      LAMINA_TRY(Step([&](Database& database) -> Status {
        LAMINA_ASSIGN(const std::int64_t rows, RemoveForgotten(database, table));
        report_.removed_rows += rows;
        return Ok();
      }));
    }
    return Ok();
  }

  catalog::Catalog& catalog_;
  const ExpireOptions options_;
  Database* database_ = nullptr;  ///< of the one transaction of a dry run
  bool finished_ = false;
  ExpireReport report_;
};

}  // namespace

Result<SnapshotTimes> SnapshotTimes::Read(Database& database) {
  SnapshotTimes times;
  LAMINA_ASSIGN(times.snapshots_, catalog::LakeReader(database).Snapshots());
  if (times.snapshots_.empty()) return Corruption("the lake has no snapshot");
  return times;
}

Micros SnapshotTimes::At(std::int64_t snapshot) const {
  const auto place = std::lower_bound(
      snapshots_.begin(), snapshots_.end(), snapshot,
      [](const LakeSnapshot& known, std::int64_t id) { return known.snapshot_id < id; });
  return place == snapshots_.end() ? snapshots_.back().time : place->time;
}

std::int64_t SnapshotTimes::LastBefore(Micros time) const {
  std::int64_t last = -1;
  for (const LakeSnapshot& snapshot : snapshots_) {
    if (snapshot.time <= time) last = snapshot.snapshot_id;
  }
  return last;
}

Result<ExpireReport> ExpireLocked(catalog::Catalog& catalog, const ExpireOptions& options,
                                  const std::function<Status(Database&)>& inspect) {
  if (options.older_than.value < 0) {
    return InvalidArgument("snapshots cannot be kept for less than no time");
  }
  return Expiry(catalog, options).Run(inspect);
}

Result<ExpireReport> ExpireSnapshots(catalog::Catalog& catalog, const ExpireOptions& options) {
  LAMINA_ASSIGN(const auto lock, LockUpkeep(catalog));
  return ExpireLocked(catalog, options, {});
}

}  // namespace lamina::upkeep
