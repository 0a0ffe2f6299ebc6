#pragma once

/// \file lamina/catalog/session_internal.h
/// The writer session of this process: a folder staging/<id>/ whose `lock` is held for life, and a
/// row in `writer_session`. And the recovery of sessions whose process died. Thread-compatible.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "lamina/base/result.h"
#include "lamina/base/uuid.h"
#include "lamina/catalog/chunk_store.h"
#include "lamina/catalog/database.h"
#include "lamina/catalog/intent_internal.h"
#include "lamina/catalog/sqlite_locks_internal.h"
#include "lamina/io/env.h"

namespace lamina::catalog::internal {

class WriterSession {
 public:
  /// Make the folder, take its lock, register the row, then recover dead sessions.
  /// REQUIRES no open transaction on `database`, which must outlive the session.
  static Result<std::unique_ptr<WriterSession>> Start(io::Env& env, const std::string& root,
                                                      Database& database);
  /// Ends the session: folder gone, row ended. In a forked child it leaves everything to the
  /// parent.
  ~WriterSession();
  WriterSession(const WriterSession&) = delete;
  WriterSession& operator=(const WriterSession&) = delete;

  const std::string& id() const { return id_; }
  const std::string& folder() const { return folder_; }
  std::int64_t writer() const { return writer_; }
  /// This process is not the one that started the session.
  bool inherited() const;

  /// A write that reaches the disk: after it, nothing of an earlier commit that failed half-way
  /// can come back from the write-ahead log.
  Status Touch();

 private:
  WriterSession(io::Env& env, Database& database) : env_(env), database_(database) {}
  Status Register();

  io::Env& env_;
  Database& database_;
  std::string id_, folder_;
  std::int64_t writer_ = 0;
  int process_id_ = 0;
  std::unique_ptr<io::FileLock> lock_;
  std::unique_ptr<ForkWatch> watch_;
};

/// Take away those files of `intent` that no row names. REQUIRES that the commit of the intent is
/// over. Runs a write transaction: no other process commits between the look and the unlink.
Status DropUncommitted(io::Env& env, const std::string& root, Database& database,
                       const Intent& intent);

/// The names among `wanted` that some row of the lake names, on the list of condemned files too.
/// Names of lake files are never used twice.
Result<std::unordered_set<std::string>> RegisteredNames(
    Database& database, const std::unordered_set<std::string>& wanted);

/// The chunk whose file `path` (relative to the root) would be.
std::optional<ChunkId> ChunkOfPath(std::string_view path);

/// What the whole intents of all sessions name, dead ones included.
Result<Intent> ReadAllIntents(io::Env& env, const std::string& root);

/// Recover every session in staging/ whose lock is free. What cannot be cleaned stays for the next
/// time. REQUIRES that `own_id` is a registered session.
Status RecoverDeadSessions(io::Env& env, const std::string& root, Database& database,
                           const std::string& own_id);

/// The same for a session that began before: no session is born meanwhile.
Status RecoverUnderGate(io::Env& env, const std::string& root, Database& database,
                        const std::string& own_id);

std::string StagingPath(const std::string& root);
std::string HostName();

}  // namespace lamina::catalog::internal
