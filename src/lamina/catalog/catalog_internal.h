#pragma once

/// \file lamina/catalog/catalog_internal.h
/// The state behind Catalog and Commit. Locks, in order: `write_mutex`, then `pool_mutex`.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "lamina/base/uuid.h"
#include "lamina/catalog/catalog.h"
#include "lamina/catalog/intent_internal.h"
#include "lamina/catalog/session_internal.h"

namespace lamina::catalog {

namespace internal {
/// CRC32C of all bytes of a file.
Result<std::uint32_t> FileChecksum(io::Env& env, const std::string& path);
/// RETURNS kCorruption when the file's bytes do not have the checksum; without one only that it
/// cannot be read.
Status CheckFileChecksum(io::Env& env, const std::string& path,
                         std::optional<std::int64_t> expected);
}  // namespace internal

struct Catalog::State {
  State(io::Env& environment, CatalogOptions chosen)
      : env(environment), options(std::move(chosen)) {}

  /// RETURNS kUnsupported in a forked child: nothing here may be used there, not even a mutex.
  Status CheckProcess() const;
  /// RETURNS kResourceExhausted below options.min_free_bytes.
  Status CheckFreeBytes() const;
  /// `use` with a pooled connection to catalog.sqlite.
  Status WithReader(const std::function<Status(Database&)>& use);
  /// The same for objects.sqlite, opened at its first use.
  Status WithObjects(const std::function<Status(Database&)>& use);
  /// objects.sqlite for writing. REQUIRES write_mutex.
  Result<Database*> ObjectsForWriting();
  /// Register this process as a writer, once. REQUIRES write_mutex.
  Status StartSession();
  Micros Now() const { return Micros{env.Now().value / 1000}; }
  std::string Path(std::string_view relative) const { return io::JoinPath(root, relative); }

  io::Env& env;
  CatalogOptions options;
  std::string root;
  Uuid store_id;
  int process_id = 0;
  Uuid7Source names;

  std::mutex write_mutex;
  std::unique_ptr<Database> writer;  ///< null when read-only; opened first, closed last
  std::unique_ptr<Database> objects_writer;
  std::unique_ptr<internal::WriterSession> session;  ///< from the first BeginCommit

  std::mutex pool_mutex;
  std::vector<std::unique_ptr<Database>> idle_readers;
  std::vector<std::unique_ptr<Database>> idle_objects;
};

struct Commit::State {
  State(Catalog::State& owner, std::string text) : catalog(owner), message(std::move(text)) {}

  struct NewFile {
    std::int64_t table_id = 0;
    std::string staged;
    NewLakeFile file;
  };
  struct RowDeletion {
    LakeTable table;
    LakeFile file;
    std::vector<std::int64_t> positions;
    std::optional<NewFile> delete_file;  ///< absent: every row goes, the file is retired
  };
  struct Chunk {
    ChunkRow row;
    bool reused = false;   ///< live when it was put
    PreparedChunk object;  ///< of new small ones
    std::string staged;    ///< of new large ones
  };

  Status StageChunk(PreparedChunk chunk);
  Result<bool> ReuseChunk(const ChunkId& id);
  Status WriteDeleteFiles();
  internal::Intent MakeIntent() const;
  Status MoveIntoPlace();
  Status Register(Database& database, LakeWriter& lake);
  Status CheckChunks(Database& database);
  Status WriteRows(Database& database, const std::function<Status(Database&, LakeWriter&)>& rows);
  Result<std::int64_t> Run(const std::function<Status(Database&, LakeWriter&)>& rows);
  void TakeBack();
  void RemoveStaged();
  std::string NewName();

  Catalog::State& catalog;
  std::string message, extra_info;
  bool finished = false;

  std::vector<NewFile> files;
  std::map<std::int64_t, std::vector<std::int64_t>> retired;  ///< by table
  std::map<std::int64_t, RowDeletion> deletions;              ///< by data file
  std::map<ChunkId, Chunk> chunks;
  std::unordered_set<std::string> staged;  ///< files in staging/<session>/ that are this commit's

  // Of the run of Finish.
  internal::Intent intent;
  std::string intent_path;
  bool commit_tried = false;
  std::int64_t snapshot_id = 0;
};

}  // namespace lamina::catalog
