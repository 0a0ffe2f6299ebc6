#pragma once

/// \file lamina/catalog/catalog.h
/// Catalog: one open store root (catalog.sqlite, objects.sqlite, lake/, chunks/, staging/) and the
/// one way to change it, Commit. Order of steps and recovery: docs/format/commit.md. Catalog is
/// thread-safe; a Commit is used by one thread.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lamina/base/parallel.h"
#include "lamina/base/result.h"
#include "lamina/base/uuid.h"
#include "lamina/catalog/chunk_store.h"
#include "lamina/catalog/database.h"
#include "lamina/catalog/lake.h"
#include "lamina/io/env.h"

namespace lamina::catalog {

struct CatalogOptions {
  bool read_only = false;
  std::string author = "lamina";  ///< into ducklake_snapshot_changes
  bool allow_network_filesystem = false;
  /// With less than this free, nothing that takes space is begun.
  std::int64_t min_free_bytes = 0;
};

/// What a commit does to the space on the disk. Taking away is possible on a disk that is nearly
/// full.
enum class SpaceUse : std::uint8_t { kTakes, kFrees };

class Commit;

/// A process that writes, or wrote and did not end well.
struct WriterSessionInfo {
  std::string session_id;
  std::int64_t writer = 0, process_id = 0;
  std::string host;
  Micros started_at;
  bool alive = false;  ///< its lock is held; false: died, and the next writer recovers it
};

/// What Catalog::Compact is to do.
struct CompactionRequest {
  std::vector<std::string> tables = {};  ///< "backtests.trades" or "trades"; empty: all
  std::int64_t target_bytes = std::int64_t{256} << 20;
  const CancelToken* cancel = nullptr;
};

/// What it did to one table; of live files.
struct TableCompaction {
  std::string table;  ///< "backtests.trades"
  std::int64_t files_before = 0, files_after = 0, rows = 0, bytes_before = 0, bytes_after = 0;
};

/// A file that nothing names.
struct OrphanFile {
  std::string path;  ///< relative to the root
  std::int64_t bytes = 0;
};

class Catalog {
 public:
  /// Make an empty catalog in the existing folder `root`. RETURNS kAlreadyExists.
  static Status Create(io::Env& env, const std::string& root, const Uuid& store_id,
                       const CatalogOptions& options = {});
  /// RETURNS kNotFound, kUnsupported (newer format), kCorruption (damage; lost commits by `head`).
  static Result<std::unique_ptr<Catalog>> Open(io::Env& env, const std::string& root,
                                               const CatalogOptions& options = {});
  ~Catalog();

  io::Env& env();
  const std::string& root() const;  ///< absolute
  bool read_only() const;
  const Uuid& store_id() const;
  Result<std::int64_t> LatestSnapshot();
  /// Sessions that have not ended, by writer.
  Result<std::vector<WriterSessionInfo>> OpenSessions();

  /// Run `work` with a pooled connection inside one read transaction.
  Status Read(const std::function<Status(Database&)>& work);

  /// The same with a pooled connection to objects.sqlite, without a transaction.
  Status ReadObjects(const std::function<Status(Database&)>& work);

  /// Change rows of ours that belong to no snapshot (pins, what expired), in one write transaction.
  /// Registers the writer session as BeginCommit does. RETURNS what `work` does, after a rollback;
  /// kConflict, kUnsupported as BeginCommit.
  Status Transact(const std::function<Status(Database&)>& work);

  /// Start a commit. The first one of a process registers the writer session and recovers dead
  /// ones. Several may be open at once, each in its own thread; they finish one after the other.
  /// RETURNS kUnsupported on a read-only catalog and in a forked child; kResourceExhausted when
  /// less than `min_free_bytes` are free, unless it frees space.
  Result<std::unique_ptr<Commit>> BeginCommit(std::string message,
                                              SpaceUse space = SpaceUse::kTakes);

  /// Content of a chunk, hash checked. RETURNS kNotFound, kCorruption (naming it).
  Result<std::string> ReadChunk(const ChunkId& id);

  /// Whether the chunk's bytes are where its row says, with the right size; `deep` reads and hashes
  /// them. RETURNS kNotFound, kCorruption.
  Status CheckChunk(const ChunkId& id, bool deep);

  /// Take chunks out of the store that the caller found to be named by nobody. `check` runs in the
  /// transaction that ends their rows: what it RETURNS stops the collection. Chunks with a live
  /// reference stay, whatever the caller found. A writer that wants one of them meanwhile stores it
  /// again. Bytes of chunks of `kind` that ended before go too (an interrupted collection).
  /// RETURNS the chunks whose bytes have gone.
  Result<std::vector<ChunkId>> CollectChunks(ChunkKind kind,
                                             const std::vector<Sha256Digest>& chunks,
                                             const std::function<Status(Database&)>& check);

  /// Clean up after writers that died, as the first commit of a process does.
  Status RecoverDeadSessions();

  /// Files below lake/ and chunks/ that bear a name of ours, were last written before
  /// `written_before`, and are named by no row and no unfinished commit. Unlinks them unless
  /// `dry_run`. RETURNS an error, and has removed nothing, when a folder cannot be read.
  Result<std::vector<OrphanFile>> RemoveOrphans(Nanos written_before, bool dry_run);

  /// Absolute path of a file given relative to lake/.
  std::string LakePath(std::string_view relative) const;

  /// Rows of one lake table at `snapshot`, delete files honoured, columns in table order unless
  /// chosen. Added columns that a file lacks read as NULL. RETURNS kNotFound for an expired
  /// snapshot.
  Result<std::shared_ptr<arrow::Table>> ReadTable(
      const LakeTable& table, std::int64_t snapshot,
      const std::vector<table::ColumnRange>& ranges = {},
      const std::optional<std::vector<std::string>>& columns = {});

  /// Merge small live files of every table and partition that has at least `min_files` of them
  /// (rows sorted again by the table's sort columns, deleted ones left out), one commit a merge.
  /// RETURNS how many files were replaced; losing the race to another process is not an error.
  /// Cheap when there is nothing to merge. docs/format/lake_catalog.md: which files are chosen.
  /// `series`: a table that holds series (lake_rows.h), of which eight files that fill a page are
  /// reason enough.
  Result<std::int64_t> CompactSmallFiles(std::int64_t min_files = 32,
                                         const LakeTable* series = nullptr);

  /// The same on demand: files of any size below `target_bytes`, as few as two of them, and every
  /// file with deleted rows. Whole or not for each merge: cut short, it goes on where it was.
  /// RETURNS one entry a table, kNotFound for an unknown name, kConflict while another compacts.
  /// Tables of ticks are told but left alone, here and above: ticks/fold_days.h folds them.
  Result<std::vector<TableCompaction>> Compact(const CompactionRequest& request);

 private:
  struct State;
  explicit Catalog(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
  friend class Commit;
};

/// One unit of work. Everything slow (Parquet, compression, hashing) happens before Finish.
/// Destroyed without Finish: nothing happened, staged files are unlinked.
class Commit {
 public:
  ~Commit();

  /// A fresh path in staging/<session>/ for a lake file of `table`; pass it to table::WriteParquet.
  Result<std::string> StageLakeFile();
  /// The snapshot's message, author and time are the catalog's; this goes into commit_extra_info.
  void SetExtraInfo(std::string text);
  /// Take a staged, synced file into the commit; its final name is <table
  /// directory>[partition/]<uuid7>.parquet.
  Status AddLakeFile(const LakeTable& table, const std::string& staged_path,
                     table::WrittenFile written, std::vector<std::string> partition_values = {});
  Status RetireLakeFiles(const LakeTable& table, std::vector<std::int64_t> data_file_ids);
  /// Delete the given row positions of a data file, as planned at some snapshot (`file.deletes`
  /// included); a delete file is written in Finish, or the file retired when no row is left. May be
  /// called again for the same file. Finish RETURNS kConflict when the file's deletes have changed
  /// meanwhile.
  Status DeleteLakeRows(const LakeTable& table, const LakeFile& file,
                        std::vector<std::int64_t> positions);

  /// Prepare and add a chunk; known live chunks are not stored again. Cheap when repeated.
  Result<ChunkId> PutChunk(ChunkKind kind, ByteView content);
  Status PutPreparedChunk(PreparedChunk chunk);

  /// Steps 1-5 of the commit. `rows` runs inside the transaction, after files and chunks are
  /// registered and before the snapshot row: it writes our own rows with `writer.snapshot_id()`.
  /// RETURNS the snapshot id. RETURNS kConflict when a reused chunk was collected or a file of the
  /// lake changed meanwhile: start over. An error means that nothing was committed; calling it
  /// again: kInternal.
  Result<std::int64_t> Finish(const std::function<Status(Database&, LakeWriter&)>& rows);

 private:
  friend class Catalog;
  struct State;
  explicit Commit(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace lamina::catalog
