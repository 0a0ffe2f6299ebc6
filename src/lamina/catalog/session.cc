#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <thread>
#include <unordered_set>
#include <utility>

#include <unistd.h>

#include "lamina/catalog/chunk_store.h"
#include "lamina/catalog/session_internal.h"

namespace lamina::catalog::internal {
namespace {

constexpr std::int64_t kIntentBytesMax = std::int64_t{64} << 20;
constexpr std::int64_t kGateWaitMs = 20'000;
constexpr std::string_view kIntentSuffix = ".intent";
constexpr std::string_view kLockName = "lock";

/// Sessions are born and recovered one at a time, so that no folder is seen between its making and
/// its lock.
Result<std::unique_ptr<io::FileLock>> TakeGate(io::Env& env, const std::string& staging) {
  const std::string path = io::JoinPath(staging, "sessions.lock");
  const auto start = std::chrono::steady_clock::now();
  for (;;) {
    Result<std::unique_ptr<io::FileLock>> lock = env.TryLock(path);
    if (lock.ok() || lock.error().code() != ErrorCode::kConflict) return lock;
    if (std::chrono::steady_clock::now() - start > std::chrono::milliseconds(kGateWaitMs)) {
      return Conflict(path + " is held by another process that starts or recovers; try again");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

Micros NowMicros(io::Env& env) { return Micros{env.Now().value / 1000}; }

Status UnlinkIfPresent(io::Env& env, const std::string& path) {
  Status done = env.Unlink(path);
  if (!done.ok() && done.error().code() == ErrorCode::kNotFound) return Ok();
  return done;
}

/// A torn intent was never synced, so nothing was renamed by it.
void AddWhole(const std::string& bytes, Intent& all) {
  Result<Intent> intent = DecodeIntent(bytes);
  if (!intent.ok()) return;
  std::move(intent->lake_paths.begin(), intent->lake_paths.end(),
            std::back_inserter(all.lake_paths));
  std::move(intent->chunk_paths.begin(), intent->chunk_paths.end(),
            std::back_inserter(all.chunk_paths));
}

/// What the whole intents in a session's folder name.
Result<Intent> ReadIntents(io::Env& env, const std::string& folder,
                           const std::vector<io::DirectoryEntry>& entries) {
  Intent all;
  for (const io::DirectoryEntry& entry : entries) {
    if (!entry.name.ends_with(kIntentSuffix)) continue;
    LAMINA_ASSIGN(const std::string bytes,
                  env.ReadFile(io::JoinPath(folder, entry.name), kIntentBytesMax));
    AddWhole(bytes, all);
  }
  return all;
}

/// Everything in the folder, intents last (as long as one is there its files can be found again),
/// then the lock and the folder.
Status RemoveSessionFolder(io::Env& env, const std::string& folder) {
  LAMINA_ASSIGN(const std::vector<io::DirectoryEntry> entries, env.ListDirectory(folder));
  for (const bool intents : {false, true}) {
    for (const io::DirectoryEntry& entry : entries) {
      if (entry.is_directory || entry.name == kLockName) continue;
      if (entry.name.ends_with(kIntentSuffix) != intents) continue;
      LAMINA_TRY(UnlinkIfPresent(env, io::JoinPath(folder, entry.name)));
    }
  }
  LAMINA_TRY(UnlinkIfPresent(env, io::JoinPath(folder, kLockName)));
  return env.RemoveDirectory(folder);
}

Status EndRow(Database& database, std::string_view session_id, Micros now) {
  LAMINA_ASSIGN(Statement end, database.Prepare("UPDATE writer_session SET ended_at = ?2 "
                                                "WHERE session_id = ?1 AND ended_at IS NULL"));
  return end.Bind(1, session_id).Bind(2, now.value).Run();
}

/// Twice, because SQLite leaves out of the log what an update does not change.
Status WriteOver(Database& database, std::string_view session_id) {
  return database.Transact([&]() -> Status {
    LAMINA_ASSIGN(Statement touch,
                  database.Prepare("UPDATE writer_session SET pid = -pid WHERE session_id = ?1"));
    LAMINA_TRY(touch.Bind(1, session_id).Run());
    return touch.Bind(1, session_id).Run();
  });
}

Status RecoverSession(io::Env& env, const std::string& root, Database& database,
                      const std::string& id) {
  const std::string folder = io::JoinPath(StagingPath(root), id);
  LAMINA_ASSIGN(const std::vector<io::DirectoryEntry> entries, env.ListDirectory(folder));
  LAMINA_ASSIGN(const Intent intent, ReadIntents(env, folder, entries));
  LAMINA_TRY(DropUncommitted(env, root, database, intent));
  LAMINA_TRY(RemoveSessionFolder(env, folder));
  return database.Transact([&] { return EndRow(database, id, NowMicros(env)); });
}

}  // namespace

Result<std::unordered_set<std::string>> RegisteredNames(
    Database& database, const std::unordered_set<std::string>& wanted) {
  std::unordered_set<std::string> found;
  if (wanted.empty()) return found;
  LAMINA_ASSIGN(
      Statement paths,
      database.Prepare("SELECT path FROM ducklake_data_file "
                       "UNION ALL SELECT path FROM ducklake_delete_file "
                       "UNION ALL SELECT path FROM ducklake_files_scheduled_for_deletion"));
  for (;;) {
    LAMINA_ASSIGN(const bool row, paths.Step());
    if (!row) return found;
    std::string name = io::BaseName(paths.Text(0));
    if (wanted.contains(name)) found.insert(std::move(name));
  }
}

std::optional<ChunkId> ChunkOfPath(std::string_view path) {
  std::string name = io::BaseName(path);
  name.resize(std::min(name.size(), std::size_t{64}));
  const Result<Sha256Digest> digest = Sha256Digest::FromHex(name);
  const std::size_t first = path.find('/');
  if (!digest.ok() || first == std::string_view::npos) return std::nullopt;
  const std::string_view rest = path.substr(first + 1);
  const std::optional<ChunkKind> kind = ChunkKindFromName(rest.substr(0, rest.find('/')));
  if (!kind) return std::nullopt;
  const ChunkId id{*kind, *digest};
  if (ChunkPath(id) != path) return std::nullopt;
  return id;
}

Result<Intent> ReadAllIntents(io::Env& env, const std::string& root) {
  Intent all;
  const std::string staging = StagingPath(root);
  LAMINA_ASSIGN(const std::vector<io::DirectoryEntry> sessions, env.ListDirectory(staging));
  for (const io::DirectoryEntry& session : sessions) {
    if (!session.is_directory) continue;
    const std::string folder = io::JoinPath(staging, session.name);
    const Result<std::vector<io::DirectoryEntry>> entries = env.ListDirectory(folder);
    if (!entries.ok()) {
      if (entries.error().code() == ErrorCode::kNotFound) continue;  // it ended meanwhile
      return entries.error().Clone();
    }
    for (const io::DirectoryEntry& entry : *entries) {
      if (!entry.name.ends_with(kIntentSuffix)) continue;
      Result<std::string> bytes = env.ReadFile(io::JoinPath(folder, entry.name), kIntentBytesMax);
      if (!bytes.ok() && bytes.error().code() == ErrorCode::kNotFound) continue;
      if (!bytes.ok()) return std::move(bytes).error();
      AddWhole(*bytes, all);
    }
  }
  return all;
}

std::string StagingPath(const std::string& root) { return io::JoinPath(root, "staging"); }

std::string HostName() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0) return "localhost";
  return name.data();
}

Result<std::unique_ptr<WriterSession>> WriterSession::Start(io::Env& env, const std::string& root,
                                                            Database& database) {
  const std::string staging = StagingPath(root);
  LAMINA_TRY(env.CreateDirectories(staging));
  LAMINA_ASSIGN(const auto gate, TakeGate(env, staging));
  std::unique_ptr<WriterSession> session(new WriterSession(env, database));
  session->id_ = RandomUuid4().ToString();
  session->folder_ = io::JoinPath(staging, session->id_);
  session->process_id_ = getpid();
  LAMINA_TRY(env.CreateDirectories(session->folder_));
  LAMINA_ASSIGN(session->lock_, env.TryLock(io::JoinPath(session->folder_, kLockName)));
  // A child that outlives this process must not keep the session looking alive.
  session->watch_ = std::make_unique<ForkWatch>([raw = session.get()] { raw->lock_.reset(); });
  LAMINA_TRY(session->Register());
  LAMINA_TRY_WITH(RecoverDeadSessions(env, root, database, session->id_),
                  "recovering interrupted writers");
  return session;
}

Status WriterSession::Register() {
  return database_.Transact([&]() -> Status {
    LAMINA_ASSIGN(Statement next,
                  database_.Prepare("SELECT coalesce(max(writer), 0) + 1 FROM writer_session"));
    LAMINA_ASSIGN(const bool row, next.Step());
    if (!row) return Internal("no next writer");
    writer_ = next.Int(0);
    LAMINA_ASSIGN(Statement insert,
                  database_.Prepare("INSERT INTO writer_session(session_id, writer, pid, host, "
                                    "started_at) VALUES(?1, ?2, ?3, ?4, ?5)"));
    return insert.Bind(1, id_)
        .Bind(2, writer_)
        .Bind(3, process_id_)
        .Bind(4, HostName())
        .Bind(5, NowMicros(env_).value)
        .Run();
  });
}

Status WriterSession::Touch() { return WriteOver(database_, id_); }

bool WriterSession::inherited() const { return getpid() != process_id_; }

WriterSession::~WriterSession() {
  watch_.reset();
  if (inherited()) return;
  // Intents that are still here belong to commits whose end is unknown: recovery looks into them.
  const Result<std::vector<io::DirectoryEntry>> entries = env_.ListDirectory(folder_);
  if (!entries.ok()) return;
  const bool unsettled = std::any_of(
      entries->begin(), entries->end(),
      [](const io::DirectoryEntry& entry) { return entry.name.ends_with(kIntentSuffix); });
  if (unsettled || !RemoveSessionFolder(env_, folder_).ok()) return;
  const Status ended = database_.Transact([&] { return EndRow(database_, id_, NowMicros(env_)); });
  static_cast<void>(ended);  // a row without a folder is ended by nobody's harm
}

Status DropUncommitted(io::Env& env, const std::string& root, Database& database,
                       const Intent& intent) {
  if (intent.empty()) return Ok();
  std::unordered_set<std::string> names, folders;
  for (const std::string& path : intent.lake_paths) names.insert(io::BaseName(path));
  const auto drop = [&](const std::string& path) -> Status {
    folders.insert(io::ParentPath(path));
    return UnlinkIfPresent(env, path);
  };
  LAMINA_TRY(database.Transact([&]() -> Status {
    LAMINA_ASSIGN(const auto registered, RegisteredNames(database, names));
    for (const std::string& path : intent.lake_paths) {
      if (registered.contains(io::BaseName(path))) continue;
      LAMINA_TRY(drop(io::JoinPath(io::JoinPath(root, "lake"), path)));
    }
    for (const std::string& path : intent.chunk_paths) {
      const std::optional<ChunkId> id = ChunkOfPath(path);
      if (!id) continue;
      LAMINA_ASSIGN(const std::optional<ChunkRow> row, FindChunk(database, *id));
      if (row && row->in_file) continue;
      LAMINA_TRY(drop(io::JoinPath(root, path)));
    }
    return Ok();
  }));
  // The intent that names them goes next: after a power cut they must not be there without it.
  // (Those that are not there either: who unlinked them may not have come to this.)
  for (const std::string& folder : folders) {
    const Status synced = env.SyncDirectory(folder);
    if (!synced.ok() && synced.error().code() != ErrorCode::kNotFound)
      return synced.error().Clone();
  }
  return Ok();
}

Status RecoverDeadSessions(io::Env& env, const std::string& root, Database& database,
                           const std::string& own_id) {
  const std::string staging = StagingPath(root);
  LAMINA_ASSIGN(const std::vector<io::DirectoryEntry> entries, env.ListDirectory(staging));
  for (const io::DirectoryEntry& entry : entries) {
    if (!entry.is_directory || entry.name == own_id || !Uuid::Parse(entry.name)) continue;
    const Result<std::unique_ptr<io::FileLock>> lock =
        env.TryLock(io::JoinPath(io::JoinPath(staging, entry.name), kLockName));
    if (!lock.ok()) continue;  // alive, or gone meanwhile
    // Its last commit may be in the log and seen by nobody yet: from here it is there or never is.
    LAMINA_TRY(WriteOver(database, own_id));
    const Status recovered = RecoverSession(env, root, database, entry.name);
    // A folder that cannot be cleaned (another user's, a full disk) does not stop other writers;
    // damage of the catalog does.
    if (!recovered.ok() && recovered.error().code() == ErrorCode::kCorruption) {
      return recovered.error().Clone().With("session " + entry.name);
    }
  }
  return Ok();
}

Status RecoverUnderGate(io::Env& env, const std::string& root, Database& database,
                        const std::string& own_id) {
  LAMINA_ASSIGN(const auto gate, TakeGate(env, StagingPath(root)));
  return RecoverDeadSessions(env, root, database, own_id);
}

}  // namespace lamina::catalog::internal
