#include "lamina/upkeep/collection.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

#include "lamina/backtests/ohlcv_references.h"
#include "lamina/catalog/chunk_store.h"
#include "lamina/upkeep/history.h"
#include "lamina/upkeep/upkeep_lock.h"

namespace lamina::upkeep {
namespace {

using catalog::ChunkId;
using catalog::ChunkRow;
using catalog::Database;
using catalog::Statement;

constexpr std::size_t kBatch = 64;

struct DueFile {
  std::int64_t file_id = 0;
  std::string path;  ///< relative to lake/
};

struct DueChunk {
  ChunkId id;
  bool in_file = false;
  std::int64_t bytes = 0;
};

struct Due {
  std::vector<DueFile> files;
  std::vector<DueChunk> chunks;
  std::int64_t waiting = 0;
};

Status ReadDueFiles(Database& database, Micros cutoff, Due& due) {
  LAMINA_ASSIGN(Statement read,
                database.Prepare("SELECT data_file_id, path, path_is_relative, schedule_start FROM "
                                 "ducklake_files_scheduled_for_deletion ORDER BY data_file_id"));
  for (;;) {
    LAMINA_ASSIGN(const bool row, read.Step());
    if (!row) return Ok();
    const std::string path(read.Text(1));
    const Result<Micros> retired = ParseTime(read.Text(3));
    if (!retired.ok()) {
      return Corruption("the list of condemned files gives " + path + " the time '" +
                        std::string(read.Text(3)) + "'");
    }
    if (read.Int(2) == 0 || path.starts_with('/') ||
        ("/" + path + "/").find("/../") != std::string::npos) {
      return Unsupported("the list of condemned files names " + path +
                         ", which is not in the lake's folder");
    }
    if (*retired > cutoff) {
      ++due.waiting;
    } else {
      due.files.push_back({read.Int(0), path});
    }
  }
}

/// Chunks that have ended; price files are collected by what documents name.
Status ReadDueChunks(Database& database, Micros cutoff, Due& due) {
  LAMINA_ASSIGN(Statement read,
                database.Prepare("SELECT kind, sha256, in_file, stored_bytes, condemned_at FROM "
                                 "chunk WHERE end_snapshot IS NOT NULL AND kind <> ?1"));
  read.Bind(1, static_cast<std::int64_t>(catalog::ChunkKind::kOhlcv));
  for (;;) {
    LAMINA_ASSIGN(const bool row, read.Step());
    if (!row) return Ok();
    const auto kind = catalog::ChunkKindFromNumber(read.Int(0));
    const auto sha256 = Sha256Digest::FromBytes(read.Blob(1));
    if (!kind || !sha256.ok()) return Corruption("a row of table chunk is of no known kind");
    if (!read.IsNull(4) && read.Int(4) > cutoff.value) {
      ++due.waiting;
    } else {
      due.chunks.push_back({ChunkId{*kind, *sha256}, read.Int(2) != 0, read.Int(3)});
    }
  }
}

Status UnlinkIfPresent(io::Env& env, const std::string& path) {
  Status done = env.Unlink(path);
  if (!done.ok() && done.error().code() == ErrorCode::kNotFound) return Ok();
  return done;
}

/// Objects that no row names. They carry no time, so one run notes how far the table went, and the
/// next one that comes a grace later removes the orphans below that mark.
class LooseObjects {
 public:
  explicit LooseObjects(catalog::Catalog& catalog) : catalog_(catalog) {}

  Status Find(Micros cutoff) {
    std::int64_t mark = -1;
    LAMINA_TRY(catalog_.Read([&](Database& database) -> Status {
      LAMINA_ASSIGN(Statement read,
                    database.Prepare("SELECT value FROM store_info WHERE key = 'objects_seen'"));
      LAMINA_ASSIGN(const bool row, read.Step());
      if (!row) return Ok();
      const std::string text(read.Text(0));  // "<object_id> <micros>"
      std::int64_t id = -1, when = 0;
      const char* const end = text.data() + text.size();
      const auto first = std::from_chars(text.data(), end, id);
      if (first.ec != std::errc() || first.ptr == end) return Ok();
      const auto second = std::from_chars(first.ptr + 1, end, when);
      if (second.ec != std::errc()) return Ok();
      noted_ = true;
      if (when <= cutoff.value) mark = id;
      return Ok();
    }));
    due_ = mark >= 0;
    std::vector<std::pair<std::int64_t, DueChunk>> objects;
    LAMINA_TRY(catalog_.ReadObjects([&](Database& database) -> Status {
      LAMINA_ASSIGN(Statement read,
                    database.Prepare("SELECT object_id, kind, sha256, length(stored) FROM object"));
      for (;;) {
        LAMINA_ASSIGN(const bool row, read.Step());
        if (!row) return Ok();
        last_ = std::max(last_, read.Int(0));
        const auto kind = catalog::ChunkKindFromNumber(read.Int(1));
        const auto sha256 = Sha256Digest::FromBytes(read.Blob(2));
        if (!kind || !sha256.ok()) return Corruption("objects.sqlite holds an unknown object");
        if (read.Int(0) > mark) continue;
        objects.push_back({read.Int(0), {ChunkId{*kind, *sha256}, false, read.Int(3)}});
      }
    }));
    return catalog_.Read([&](Database& database) -> Status {
      for (const auto& [object_id, chunk] : objects) {
        LAMINA_ASSIGN(const auto row, FindChunk(database, chunk.id));
        if (!row || row->in_file) loose_.push_back(chunk);
      }
      return Ok();
    });
  }

  /// Note how far the table goes now, for the next run.
  Status Note(Micros now) {
    if (noted_ && !due_) return Ok();
    return catalog_.Transact([&](Database& database) -> Status {
      LAMINA_ASSIGN(Statement put,
                    database.Prepare("INSERT INTO store_info(key, value) VALUES('objects_seen', "
                                     "?1) ON CONFLICT(key) DO UPDATE SET value = excluded.value"));
      return put.Bind(1, std::to_string(last_) + " " + std::to_string(now.value)).Run();
    });
  }

  const std::vector<DueChunk>& loose() const { return loose_; }

 private:
  catalog::Catalog& catalog_;
  bool noted_ = false, due_ = false;
  std::int64_t last_ = 0;
  std::vector<DueChunk> loose_;
};

class Collector {
 public:
  Collector(store::Store& store, const CollectOptions& options)
      : store_(store), catalog_(store.catalog()), options_(options), objects_(store.catalog()) {
    report_.dry_run = options.dry_run;
    grace_ = options.grace.value_or(store.config().gc_grace);
    now_ = Micros{catalog_.env().Now().value / 1000};
    cutoff_ = Micros{now_.value - grace_.value};
  }

  Result<CollectReport> Run() {
    LAMINA_TRY(catalog_.RecoverDeadSessions());
    // What is to be read is read first: a folder, document or table that cannot be read stops all.
    LAMINA_TRY(FindPrices(true));
    LAMINA_TRY(objects_.Find(cutoff_));
    const Nanos written_before{cutoff_.value * 1000};
    LAMINA_ASSIGN(const auto orphans, catalog_.RemoveOrphans(written_before, true));
    LAMINA_TRY(Stop());

    ExpireOptions expiry;
    expiry.older_than = options_.keep_snapshots.value_or(store_.config().keep_snapshots);
    expiry.dry_run = options_.dry_run;
    Due due;
    LAMINA_ASSIGN(const ExpireReport expired,
                  ExpireLocked(catalog_, expiry, [&](Database& database) -> Status {
                    LAMINA_TRY(ReadDueFiles(database, cutoff_, due));
                    return ReadDueChunks(database, cutoff_, due);
                  }));
    report_.expired_snapshots = static_cast<std::int64_t>(expired.expired.size());
    report_.kept_pinned = expired.kept_pinned;
    report_.waiting = due.waiting;
    if (options_.dry_run) {
      LAMINA_TRY(CountFiles(due.files));
      for (const DueChunk& chunk : due.chunks) Count(chunk);
      for (const DueChunk& object : objects_.loose()) Count(object);
      CountOrphans(orphans);
      CountPrices();
      return report_;
    }
    LAMINA_TRY(RemoveFiles(due.files));
    LAMINA_TRY(RemoveChunks(due.chunks));
    LAMINA_TRY(RemoveObjects());
    LAMINA_TRY(FindPrices(false));
    CountPrices();
    LAMINA_ASSIGN(const auto gone, catalog_.RemoveOrphans(written_before, false));
    CountOrphans(gone);
    LAMINA_TRY(objects_.Note(now_));
    return report_;
  }

 private:
  Status Stop() const {
    if (options_.cancel == nullptr || !options_.cancel->cancelled()) return Ok();
    return Cancelled("interrupted; run it again to go on");
  }

  void Count(const DueChunk& chunk) {
    ++report_.removed_chunks;
    report_.freed_bytes += chunk.bytes;
  }
  void CountOrphans(const std::vector<catalog::OrphanFile>& orphans) {
    for (const catalog::OrphanFile& file : orphans) {
      ++report_.removed_files;
      ++report_.removed_orphans;
      report_.freed_bytes += file.bytes;
    }
  }
  void CountPrices() {
    for (const Sha256Digest& sha256 : prices_) {
      ++report_.removed_chunks;
      const auto size = std::find_if(sizes_.begin(), sizes_.end(),
                                     [&](const auto& blob) { return blob.sha256 == sha256; });
      if (size != sizes_.end()) report_.freed_bytes += size->bytes;
    }
  }
  Status CountFiles(const std::vector<DueFile>& files) {
    for (const DueFile& file : files) {
      const auto info = catalog_.env().Stat(catalog_.LakePath(file.path));
      if (!info.ok() && info.error().code() == ErrorCode::kNotFound) continue;
      if (!info.ok()) return info.error().Clone();
      ++report_.removed_files;
      report_.freed_bytes += info->size;
    }
    return Ok();
  }

  /// Prices that neither a live nor a deleted backtest of a kept snapshot names.
  Status FindPrices(bool dry_run) {
    backtests::OhlcvCollection what;
    what.dry_run = dry_run;
    what.keep_deleted = true;
    std::int64_t epoch = -1;
    LAMINA_TRY(catalog_.Read([&](Database& database) -> Status {
      LAMINA_ASSIGN(const SnapshotTimes times, SnapshotTimes::Read(database));
      epoch = times.LastBefore(Micros{now_.value - options_.price_grace.value_or(grace_).value});
      return Ok();
    }));
    what.stored_until = epoch;
    if (dry_run) {
      LAMINA_ASSIGN(sizes_, backtests::OhlcvBlobs(store_.backtests()));
    }
    LAMINA_ASSIGN(prices_, backtests::CollectOhlcv(store_.backtests(), what));
    return dry_run ? SpareReferenced() : Ok();
  }

  /// The collection itself leaves those that a live row names.
  Status SpareReferenced() {
    return catalog_.Read([&](Database& database) -> Status {
      LAMINA_ASSIGN(Statement find,
                    database.Prepare("SELECT 1 FROM chunk_ref WHERE kind = ?1 AND sha256 = ?2 AND "
                                     "end_snapshot IS NULL LIMIT 1"));
      std::vector<Sha256Digest> going;
      for (const Sha256Digest& sha256 : prices_) {
        find.Bind(1, static_cast<std::int64_t>(catalog::ChunkKind::kOhlcv));
        LAMINA_ASSIGN(const bool named, find.BindBlob(2, sha256.View()).Step());
        if (!named) going.push_back(sha256);
        find.Reset();
      }
      prices_ = std::move(going);
      return Ok();
    });
  }

  /// Names of lake files are never used twice, so this needs no lock; the list shrinks after it.
  Status RemoveFiles(const std::vector<DueFile>& files) {
    for (std::size_t first = 0; first < files.size(); first += kBatch) {
      LAMINA_TRY(Stop());
      const std::vector<DueFile> batch(
          files.begin() + static_cast<long>(first),
          files.begin() + static_cast<long>(std::min(first + kBatch, files.size())));
      LAMINA_TRY(CountFiles(batch));
      for (const DueFile& file : batch) {
        LAMINA_TRY(UnlinkIfPresent(catalog_.env(), catalog_.LakePath(file.path)));
      }
      LAMINA_TRY(catalog_.Transact([&](Database& database) -> Status {
        LAMINA_ASSIGN(Statement remove,
                      database.Prepare("DELETE FROM ducklake_files_scheduled_for_deletion WHERE "
                                       "data_file_id = ?1 AND path = ?2"));
        for (const DueFile& file : batch) {
          LAMINA_TRY(remove.Bind(1, file.file_id).Bind(2, file.path).Run());
        }
        return Ok();
      }));
    }
    return Ok();
  }

  /// A writer that wants one of them stores it again and makes its row live, so each is looked at
  /// once more under the write lock.
  Status RemoveChunks(const std::vector<DueChunk>& chunks) {
    for (std::size_t first = 0; first < chunks.size(); first += kBatch) {
      LAMINA_TRY(Stop());
      std::vector<DueChunk> gone;
      LAMINA_TRY(catalog_.Transact([&](Database& database) -> Status {
        for (std::size_t i = first; i < std::min(first + kBatch, chunks.size()); ++i) {
          LAMINA_ASSIGN(const auto row, FindChunk(database, chunks[i].id));
          if (!row || row->live()) continue;
          if (row->in_file) {
            LAMINA_TRY(UnlinkIfPresent(catalog_.env(),
                                       io::JoinPath(catalog_.root(), ChunkPath(chunks[i].id))));
          } else {
            LAMINA_TRY(RemoveObject(chunks[i].id));
          }
          LAMINA_ASSIGN(Statement remove,
                        database.Prepare("DELETE FROM chunk WHERE kind = ?1 AND sha256 = ?2"));
          remove.Bind(1, static_cast<std::int64_t>(chunks[i].id.kind));
          LAMINA_TRY(remove.BindBlob(2, chunks[i].id.sha256.View()).Run());
          gone.push_back(chunks[i]);
        }
        return Ok();
      }));
      for (const DueChunk& chunk : gone) Count(chunk);
    }
    return Ok();
  }

  Status RemoveObjects() {
    const std::vector<DueChunk>& loose = objects_.loose();
    for (std::size_t first = 0; first < loose.size(); first += kBatch) {
      LAMINA_TRY(Stop());
      std::vector<DueChunk> gone;
      LAMINA_TRY(catalog_.Transact([&](Database& database) -> Status {
        for (std::size_t i = first; i < std::min(first + kBatch, loose.size()); ++i) {
          LAMINA_ASSIGN(const auto row, FindChunk(database, loose[i].id));
          if (row && !row->in_file) continue;  // a commit has named it meanwhile
          LAMINA_TRY(RemoveObject(loose[i].id));
          gone.push_back(loose[i]);
        }
        return Ok();
      }));
      for (const DueChunk& chunk : gone) Count(chunk);
    }
    return Ok();
  }

  Status RemoveObject(const ChunkId& id) {
    if (writable_objects_ == nullptr) {
      LAMINA_ASSIGN(writable_objects_,
                    Database::Open(io::JoinPath(catalog_.root(), "objects.sqlite"),
                                   catalog::OpenMode::kReadWrite));
      LAMINA_TRY(writable_objects_->Execute("PRAGMA secure_delete=ON"));
    }
    LAMINA_ASSIGN(Statement remove,
                  writable_objects_->Prepare("DELETE FROM object WHERE kind = ?1 AND sha256 = ?2"));
    remove.Bind(1, static_cast<std::int64_t>(id.kind));
    return remove.BindBlob(2, id.sha256.View()).Run();
  }

  store::Store& store_;
  catalog::Catalog& catalog_;
  const CollectOptions options_;
  Micros grace_, now_, cutoff_;
  LooseObjects objects_;
  std::unique_ptr<Database> writable_objects_;
  std::vector<Sha256Digest> prices_;
  std::vector<backtests::OhlcvBlob> sizes_;
  CollectReport report_;
};

}  // namespace

Result<CollectReport> CollectGarbage(store::Store& store, const CollectOptions& options) {
  for (const auto& span : {options.keep_snapshots, options.grace, options.price_grace}) {
    if (span && span->value < 0) return InvalidArgument("a span of time cannot be negative");
  }
  LAMINA_ASSIGN(const auto lock, LockUpkeep(store.catalog()));
  return CollectLocked(store, options);
}

Result<CollectReport> CollectLocked(store::Store& store, const CollectOptions& options) {
  return Collector(store, options).Run();
}

}  // namespace lamina::upkeep
