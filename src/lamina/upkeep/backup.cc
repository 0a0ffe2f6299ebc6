#include "lamina/upkeep/backup.h"

#include <filesystem>
#include <set>
#include <system_error>
#include <utility>

#include "lamina/catalog/database_copy.h"
#include "lamina/catalog/verify.h"
#include "lamina/store/config.h"
#include "lamina/upkeep/backup_files.h"
#include "lamina/upkeep/manifest.h"
#include "lamina/upkeep/upkeep_lock.h"

namespace lamina::upkeep {
namespace {

constexpr std::string_view kManifest = "backup";
constexpr std::string_view kUnfinished = "unfinished";
constexpr std::string_view kRestoring = ".restoring";
constexpr std::string_view kConfig = "lamina.toml";
constexpr std::string_view kCatalog = "catalog.sqlite";
constexpr std::string_view kObjects = "objects.sqlite";
constexpr std::int64_t kSmallFileMax = std::int64_t{1} << 20;

Result<std::optional<BackupManifest>> FindManifest(io::Env& env, const std::string& folder) {
  const auto text = env.ReadFile(io::JoinPath(folder, kManifest), kSmallFileMax);
  if (!text.ok()) {
    if (text.error().code() == ErrorCode::kNotFound) return std::optional<BackupManifest>();
    return text.error().Clone();
  }
  auto manifest = ParseManifest(*text);
  if (!manifest.ok()) return std::move(manifest).error().With(folder);
  return std::optional(*std::move(manifest));
}

/// The folder may be used: absent, empty, or of an earlier backup of this store.
Status ClaimFolder(io::Env& env, const std::string& folder, const std::string& store_id) {
  LAMINA_TRY(env.CreateDirectories(folder));
  LAMINA_ASSIGN(const auto manifest, FindManifest(env, folder));
  if (manifest) {
    if (manifest->store_id.ToString() == store_id) return Ok();
    return AlreadyExists(folder + " is a backup of store " + manifest->store_id.ToString() +
                         ", not of this one (" + store_id + ")");
  }
  const std::string marker = io::JoinPath(folder, kUnfinished);
  const auto begun = env.ReadFile(marker, kSmallFileMax);
  if (begun.ok() && *begun == store_id + "\n") return Ok();
  LAMINA_ASSIGN(const auto entries, env.ListDirectory(folder));
  if (!entries.empty()) {
    return AlreadyExists(folder + " holds other things; choose an empty or new folder");
  }
  return env.WriteFileAtomically(marker, store_id + "\n");
}

Status RemoveTree(io::Env& env, const std::string& folder) {
  const auto entries = env.ListDirectory(folder);
  if (!entries.ok()) {
    return entries.error().code() == ErrorCode::kNotFound ? Ok() : entries.error().Clone();
  }
  for (const io::DirectoryEntry& entry : *entries) {
    const std::string path = io::JoinPath(folder, entry.name);
    LAMINA_TRY(entry.is_directory && !entry.is_symlink ? RemoveTree(env, path) : env.Unlink(path));
  }
  return env.RemoveDirectory(folder);
}

/// Files below `folder` (relative to `root`) that are not in `named` go.
Status RemoveOthers(io::Env& env, const std::string& root, const std::string& folder,
                    const std::set<std::string>& named) {
  const auto entries = env.ListDirectory(io::JoinPath(root, folder));
  if (!entries.ok()) {
    return entries.error().code() == ErrorCode::kNotFound ? Ok() : entries.error().Clone();
  }
  for (const io::DirectoryEntry& entry : *entries) {
    const std::string path = io::JoinPath(folder, entry.name);
    if (entry.is_directory && !entry.is_symlink) {
      LAMINA_TRY(RemoveOthers(env, root, path, named));
    } else if (!named.contains(path)) {
      LAMINA_TRY(env.Unlink(io::JoinPath(root, path)));
    }
  }
  return Ok();
}

/// What only earlier backups in the folder had.
Status Tidy(io::Env& env, const std::string& folder, const BackupManifest& manifest,
            const std::vector<StoredFile>& files) {
  std::set<std::string> named;
  for (const StoredFile& file : files) named.insert(file.path);
  LAMINA_TRY(RemoveOthers(env, folder, "lake", named));
  LAMINA_TRY(RemoveOthers(env, folder, "chunks", named));
  const std::string states = io::JoinPath(folder, "state");
  LAMINA_ASSIGN(const auto entries, env.ListDirectory(states));
  for (const io::DirectoryEntry& entry : entries) {
    if (entry.name != manifest.state) LAMINA_TRY(RemoveTree(env, io::JoinPath(states, entry.name)));
  }
  const Status unmarked = env.Unlink(io::JoinPath(folder, kUnfinished));
  if (!unmarked.ok() && unmarked.error().code() != ErrorCode::kNotFound)
    return unmarked.error().Clone();
  return Ok();
}

Result<std::int64_t> LatestOf(catalog::Database& database) {
  return catalog::LakeReader(database).LatestSnapshot();
}

/// The databases as they are now, into state/<name>/. The catalog first: what it names is in the
/// objects file by then, and gc, which could take it out, waits.
Result<BackupManifest> CopyState(store::Store& store, const std::string& folder) {
  io::Env& env = store.catalog().env();
  BackupManifest manifest;
  manifest.store_id = store.config().store_id;
  manifest.state = RandomUuid4().ToString();
  manifest.made_at = Micros{env.Now().value / 1000};
  const std::string state = io::JoinPath(io::JoinPath(folder, "state"), manifest.state);
  LAMINA_TRY(env.CreateDirectories(state));
  const auto copy = [&](std::string_view name, std::uint32_t& checksum) -> Status {
    const std::string target = io::JoinPath(state, name);
    LAMINA_TRY(catalog::CopyDatabase(io::JoinPath(store.catalog().root(), name), target));
    LAMINA_ASSIGN(checksum, ChecksumOf(env, target));
    return Ok();
  };
  LAMINA_TRY(copy(kCatalog, manifest.catalog_crc32c));
  LAMINA_TRY(copy(kObjects, manifest.objects_crc32c));
  LAMINA_ASSIGN(manifest.config_crc32c, CopyFile(env, io::JoinPath(store.catalog().root(), kConfig),
                                                 io::JoinPath(state, kConfig)));
  LAMINA_TRY(env.SyncDirectory(state));
  return manifest;
}

/// A read of a copied database leaves no -wal and -shm beside it.
Result<std::vector<StoredFile>> FilesOfState(io::Env& env, const std::string& path,
                                             std::int64_t& snapshot) {
  std::vector<StoredFile> files;
  {
    LAMINA_ASSIGN(const auto database, catalog::Database::Open(path, catalog::OpenMode::kReadOnly));
    LAMINA_ASSIGN(snapshot, LatestOf(*database));
    LAMINA_ASSIGN(files, NamedFiles(*database));
  }
  for (const char* suffix : {"-wal", "-shm"}) {
    const Status gone = env.Unlink(path + suffix);
    if (!gone.ok() && gone.error().code() != ErrorCode::kNotFound) return gone.error().Clone();
  }
  return files;
}

Status CheckOutside(const std::string& destination, const std::string& root) {
  if (destination.empty()) return InvalidArgument("no folder is named for the backup");
  std::error_code error;
  const std::string real = std::filesystem::weakly_canonical(destination, error).string();
  if (error) return IoError(destination + ": " + error.message());
  if ((real + "/").starts_with(root + "/")) {
    return InvalidArgument("the backup would lie inside the store itself: " + destination);
  }
  return Ok();
}

/// Nothing else is in `root`, unless a restore of this very backup began there.
Status ClaimRoot(io::Env& env, const std::string& root, const BackupManifest& manifest) {
  LAMINA_TRY(env.CreateDirectories(root));
  const std::string marker = io::JoinPath(root, kRestoring);
  const std::string text = manifest.state + "\n";
  const auto begun = env.ReadFile(marker, kSmallFileMax);
  if (begun.ok() && *begun == text) return Ok();
  LAMINA_ASSIGN(const auto entries, env.ListDirectory(root));
  if (!entries.empty()) {
    return AlreadyExists(root + " is not empty; restore into an empty or new folder");
  }
  return env.WriteFileAtomically(marker, text);
}

/// The copies are another store's from here on.
Status GiveNewIdentity(const std::string& root, const Uuid& store_id) {
  LAMINA_ASSIGN(const auto catalog, catalog::Database::Open(io::JoinPath(root, kCatalog),
                                                            catalog::OpenMode::kReadWrite));
  LAMINA_TRY(catalog->Transact([&]() -> Status {
    LAMINA_ASSIGN(auto rename,
                  catalog->Prepare("UPDATE store_info SET value = ?1 WHERE key = 'store_id'"));
    LAMINA_TRY(rename.Bind(1, store_id.ToString()).Run());
    // Sessions and leases are of processes that write to the other store.
    LAMINA_TRY(
        catalog->Execute("UPDATE writer_session SET ended_at = started_at WHERE ended_at IS NULL; "
                         "DELETE FROM pin WHERE expires_at IS NOT NULL; "
                         "DELETE FROM ducklake_files_scheduled_for_deletion; "
                         "DELETE FROM chunk WHERE end_snapshot IS NOT NULL"));
    return Ok();
  }));
  LAMINA_ASSIGN(const auto objects, catalog::Database::Open(io::JoinPath(root, kObjects),
                                                            catalog::OpenMode::kReadWrite));
  return objects->Transact([&]() -> Status {
    LAMINA_ASSIGN(auto rename,
                  objects->Prepare("UPDATE store_info SET value = ?1 WHERE key = 'store_id'"));
    return rename.Bind(1, store_id.ToString()).Run();
  });
}

Status CheckRestored(io::Env& env, const std::string& root, const CancelToken* cancel) {
  LAMINA_ASSIGN(const auto catalog, catalog::Catalog::Open(env, root));
  LAMINA_ASSIGN(const auto report, catalog::VerifyCatalog(*catalog, false, cancel));
  if (report.problems.empty()) return Ok();
  const auto& first = report.problems.front();
  return Corruption("the restored store is not whole: " + first.path + ": " + first.detail +
                    " (and " + std::to_string(report.problems.size() - 1) + " more)");
}

Status CopyDatabases(io::Env& env, const std::string& state, const std::string& root,
                     const BackupManifest& manifest) {
  const std::pair<std::string_view, std::uint32_t> files[] = {{kCatalog, manifest.catalog_crc32c},
                                                              {kObjects, manifest.objects_crc32c}};
  for (const auto& [name, expected] : files) {
    // What an interrupted restore left has another identity by now, or is cut off.
    for (const char* suffix : {"-wal", "-shm", ""}) {
      const Status gone = env.Unlink(io::JoinPath(root, name) + suffix);
      if (!gone.ok() && gone.error().code() != ErrorCode::kNotFound) return gone.error().Clone();
    }
    LAMINA_ASSIGN(const std::uint32_t checksum,
                  CopyFile(env, io::JoinPath(state, name), io::JoinPath(root, name)));
    if (checksum != expected) {
      return Corruption(io::JoinPath(state, name) + " does not match the manifest's checksum");
    }
  }
  return Ok();
}

}  // namespace

Result<BackupReport> BackupStore(store::Store& store, const std::string& destination,
                                 const CancelToken* cancel,
                                 const catalog::WorkProgressCall& progress) {
  io::Env& env = store.catalog().env();
  LAMINA_TRY(CheckOutside(destination, store.catalog().root()));
  LAMINA_ASSIGN(const auto lock, LockUpkeep(store.catalog()));
  LAMINA_TRY(ClaimFolder(env, destination, store.config().store_id.ToString()));
  // A backup holds no logs: what they hold is archived first, up to the last durable tick.
  if (!store.catalog().read_only()) LAMINA_TRY(store.ticks().ArchiveAll(true, cancel));
  LAMINA_ASSIGN(BackupManifest manifest, CopyState(store, destination));
  const std::string state = io::JoinPath(io::JoinPath(destination, "state"), manifest.state);
  LAMINA_ASSIGN(const auto files,
                FilesOfState(env, io::JoinPath(state, kCatalog), manifest.snapshot));
  LAMINA_ASSIGN(const CopyCount copied,
                CopyFiles(env, store.catalog().root(), destination, files, cancel, progress));
  BackupReport report;
  report.copied_files = copied.files;
  report.copied_bytes = copied.bytes;
  report.snapshot = manifest.snapshot;
  for (const StoredFile& file : files) {
    ++manifest.files;
    manifest.bytes += file.bytes;
  }
  for (const std::string_view name : {kCatalog, kObjects, kConfig}) {
    LAMINA_ASSIGN(const auto info, env.Stat(io::JoinPath(state, name)));
    for (std::int64_t* count : {&manifest.files, &report.copied_files}) ++*count;
    for (std::int64_t* bytes : {&manifest.bytes, &report.copied_bytes}) *bytes += info.size;
  }
  report.files = manifest.files;
  report.bytes = manifest.bytes;
  LAMINA_TRY(
      env.WriteFileAtomically(io::JoinPath(destination, kManifest), FormatManifest(manifest)));
  LAMINA_TRY_WITH(Tidy(env, destination, manifest, files), "the backup is whole, but tidying up");
  return report;
}

Result<RestoreReport> RestoreStore(io::Env& env, const std::string& source, const std::string& root,
                                   const CancelToken* cancel,
                                   const catalog::WorkProgressCall& progress) {
  LAMINA_ASSIGN(const auto manifest, FindManifest(env, source));
  if (!manifest) {
    const bool begun = env.Exists(io::JoinPath(source, kUnfinished));
    return NotFound(begun ? source + " is a backup that was never finished; make it again there"
                          : source + " is no backup (no file `backup` there)");
  }
  const std::string state = io::JoinPath(io::JoinPath(source, "state"), manifest->state);
  LAMINA_TRY(ClaimRoot(env, root, *manifest));
  LAMINA_TRY(CopyDatabases(env, state, root, *manifest));
  LAMINA_ASSIGN(const std::string text, env.ReadFile(io::JoinPath(state, kConfig), kSmallFileMax));
  LAMINA_ASSIGN(auto config, store::ParseConfig(text, io::JoinPath(state, kConfig)));
  config.store_id = RandomUuid4();

  RestoreReport report;
  report.store_id = config.store_id;
  LAMINA_ASSIGN(const auto files, FilesOfState(env, io::JoinPath(root, kCatalog), report.snapshot));
  LAMINA_ASSIGN(const CopyCount copied, CopyFiles(env, source, root, files, cancel, progress));
  static_cast<void>(copied);
  for (const char* folder : {"lake", "chunks", "staging"}) {
    LAMINA_TRY(env.CreateDirectories(io::JoinPath(root, folder)));
  }
  LAMINA_TRY(GiveNewIdentity(root, config.store_id));
  LAMINA_TRY(CheckRestored(env, root, cancel));
  LAMINA_TRY(env.WriteFileAtomically(io::JoinPath(root, kConfig), store::FormatConfig(config)));
  LAMINA_TRY(env.Unlink(io::JoinPath(root, kRestoring)));
  report.files = manifest->files;
  report.bytes = manifest->bytes;
  return report;
}

}  // namespace lamina::upkeep
