#include "lamina/catalog/catalog.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include <signal.h>
#include <unistd.h>

#include "lamina/catalog/catalog_internal.h"
#include "lamina/catalog/head_internal.h"
#include "lamina/catalog/migrations.h"
#include "lamina/catalog/price_recipes.h"
#include "lamina/table/published_parquet.h"

namespace lamina::catalog {
namespace {

constexpr std::string_view kProgram = "lamina";
constexpr std::string_view kCatalogFile = "catalog.sqlite";
constexpr std::string_view kObjectsFile = "objects.sqlite";
constexpr std::size_t kIdleConnectionsMax = 8;

Status RefuseNetwork(io::Env& env, const std::string& root, const CatalogOptions& options) {
  if (options.allow_network_filesystem) return Ok();
  LAMINA_ASSIGN(const io::Env::FileSystemKind kind, env.FileSystemOf(root));
  if (!kind.network) return Ok();
  return Unsupported(
      root + " lies on a network file system (" + kind.name +
      "), where locks of several hosts do not hold; keep the store on a local disk, or "
      "allow it and let one process at a time use it");
}

Result<std::string> AbsolutePath(const std::string& root) {
  std::error_code error;
  const std::filesystem::path path = std::filesystem::canonical(root, error);
  if (error) {
    if (error == std::errc::no_such_file_or_directory || error == std::errc::not_a_directory) {
      return NotFound(root + " does not exist");
    }
    return IoError(root + ": " + error.message());
  }
  return path.string();
}

std::string DataPath(const std::string& root) { return io::JoinPath(root, "lake") + "/"; }

Status RequireEmpty(io::Env& env, const std::string& folder) {
  const Result<std::vector<io::DirectoryEntry>> entries = env.ListDirectory(folder);
  if (!entries.ok()) {
    if (entries.error().code() == ErrorCode::kNotFound) return Ok();
    return entries.error().Clone();
  }
  if (entries->empty()) return Ok();
  return AlreadyExists(folder +
                       " is not empty, and no catalog.sqlite beside it knows what it holds");
}

/// An objects file without a catalog is kept unless it is empty: it may be what is left of a store.
Status RemoveEmptyObjects(io::Env& env, const std::string& path) {
  Result<std::unique_ptr<Database>> objects = Database::Open(path, OpenMode::kReadOnly);
  if (!objects.ok()) {
    if (objects.error().code() == ErrorCode::kNotFound) return Ok();
    return std::move(objects).error();
  }
  {
    LAMINA_ASSIGN(Statement any, (*objects)->Prepare("SELECT 1 FROM object LIMIT 1"));
    LAMINA_ASSIGN(const bool present, any.Step());
    if (present) return AlreadyExists(path + " holds chunks, but there is no catalog beside it");
  }
  objects->reset();
  for (const char* suffix : {"-wal", "-shm", ""}) {
    const Status removed = env.Unlink(path + suffix);
    if (!removed.ok() && removed.error().code() != ErrorCode::kNotFound)
      return removed.error().Clone();
  }
  return Ok();
}

/// Make a database under another name, fill it, and give it its own name when it is whole.
Status MakeDatabase(io::Env& env, const std::string& path,
                    const std::function<Status(Database&)>& fill) {
  const std::string fresh = path + ".making";
  for (const char* suffix : {"", "-wal", "-shm"}) {
    const Status removed = env.Unlink(fresh + suffix);
    if (!removed.ok() && removed.error().code() != ErrorCode::kNotFound)
      return removed.error().Clone();
  }
  {
    LAMINA_ASSIGN(const auto database, Database::Open(fresh, OpenMode::kCreate));
    LAMINA_TRY(fill(*database));
    LAMINA_TRY(database->Checkpoint());
  }
  LAMINA_TRY(env.Rename(fresh, path));
  return env.SyncDirectory(io::ParentPath(path));
}

Result<std::string> ReadInfo(Database& database, std::string_view key) {
  LAMINA_ASSIGN(Statement read, database.Prepare("SELECT value FROM store_info WHERE key = ?1"));
  LAMINA_ASSIGN(const bool found, read.Bind(1, key).Step());
  if (!found) return Corruption(database.path() + ": store_info has no " + std::string(key));
  return std::string(read.Text(0));
}

Result<std::int64_t> LastSnapshot(Database& database) {
  LAMINA_ASSIGN(Statement read, database.Prepare("SELECT max(snapshot_id) FROM ducklake_snapshot"));
  LAMINA_ASSIGN(const bool found, read.Step());
  if (!found || read.IsNull(0)) return Corruption(database.path() + " has no snapshot");
  return read.Int(0);
}

/// REQUIRES that `head` was read before the transaction of `database` began.
Status CheckHead(Database& database, std::optional<std::int64_t> head) {
  LAMINA_ASSIGN(const std::int64_t last, LastSnapshot(database));
  if (!head || *head <= last) return Ok();
  return Corruption(database.path() + " ends at snapshot " + std::to_string(last) +
                    ", but snapshot " + std::to_string(*head) +
                    " was acknowledged (file `head`): commits were lost. Was it restored or copied "
                    "without its -wal file?");
}

std::unique_ptr<Database> TakeIdle(std::mutex& mutex,
                                   std::vector<std::unique_ptr<Database>>& idle) {
  const std::lock_guard<std::mutex> lock(mutex);
  if (idle.empty()) return nullptr;
  std::unique_ptr<Database> database = std::move(idle.back());
  idle.pop_back();
  return database;
}

void GiveBack(std::mutex& mutex, std::vector<std::unique_ptr<Database>>& idle,
              std::unique_ptr<Database> database) {
  const std::lock_guard<std::mutex> lock(mutex);
  if (idle.size() < kIdleConnectionsMax) idle.push_back(std::move(database));
}

}  // namespace

Status Catalog::Create(io::Env& env, const std::string& root, const Uuid& store_id,
                       const CatalogOptions& options) {
  LAMINA_ASSIGN(const std::string path, AbsolutePath(root));
  LAMINA_TRY(RefuseNetwork(env, path, options));
  const std::string catalog_path = io::JoinPath(path, kCatalogFile);
  const std::string objects_path = io::JoinPath(path, kObjectsFile);
  LAMINA_TRY(env.CreateDirectories(internal::StagingPath(path)));
  // Held to the end: two processes that create the same store do not mix.
  LAMINA_ASSIGN(const auto gate,
                env.TryLock(io::JoinPath(internal::StagingPath(path), "sessions.lock")));
  if (env.Exists(catalog_path)) return AlreadyExists(path + " holds a store already");
  for (const char* folder : {"lake", "chunks"}) {
    LAMINA_TRY(RequireEmpty(env, io::JoinPath(path, folder)));
  }
  LAMINA_TRY(RemoveEmptyObjects(env, objects_path));
  for (const char* folder : {"lake", "chunks"}) {
    LAMINA_TRY(env.CreateDirectories(io::JoinPath(path, folder)));
  }
  const Micros now{env.Now().value / 1000};
  LAMINA_TRY(MakeDatabase(env, objects_path, [&](Database& objects) {
    return MigrateObjects(objects, store_id.ToString());
  }));
  return MakeDatabase(env, catalog_path, [&](Database& database) -> Status {
    LAMINA_TRY(MigrateCatalog(database, kProgram, now));
    LAMINA_TRY(CreateLake(database, DataPath(path), kProgram, now));
    LAMINA_ASSIGN(Statement insert,
                  database.Prepare("INSERT INTO store_info(key, value) VALUES('store_id', ?1)"));
    return insert.Bind(1, store_id.ToString()).Run();
  });
}

Result<std::unique_ptr<Catalog>> Catalog::Open(io::Env& env, const std::string& root,
                                               const CatalogOptions& options) {
  auto state = std::make_unique<State>(env, options);
  LAMINA_ASSIGN(state->root, AbsolutePath(root));
  state->process_id = getpid();
  const std::string path = state->Path(kCatalogFile);
  const std::optional<std::int64_t> head = internal::ReadHead(env, state->root);
  std::unique_ptr<Database> database;
  if (options.read_only) {
    LAMINA_ASSIGN(database, Database::Open(path, OpenMode::kReadOnly));
    LAMINA_TRY(CheckCatalogVersion(*database));
    LAMINA_ASSIGN(const std::int64_t version, ReadCatalogVersion(*database));
    if (version < CatalogVersion()) {
      return Unsupported(path + " has format version " + std::to_string(version) +
                         "; open it once for writing to bring it to version " +
                         std::to_string(CatalogVersion()));
    }
  } else {
    LAMINA_TRY(RefuseNetwork(env, state->root, options));
    LAMINA_ASSIGN(database, Database::Open(path, OpenMode::kReadWrite));
    LAMINA_TRY(CheckCatalogVersion(*database));
  }
  LAMINA_TRY(CheckHead(*database, head));
  if (!options.read_only) {
    LAMINA_TRY(MigrateCatalog(*database, kProgram, state->Now()));
    LAMINA_TRY(UpdateLakeDataPath(*database, DataPath(state->root)));
  }
  LAMINA_ASSIGN(const std::string store_id, ReadInfo(*database, "store_id"));
  const std::optional<Uuid> parsed = Uuid::Parse(store_id);
  if (!parsed) return Corruption(path + ": store_id is not an id: " + store_id);
  state->store_id = *parsed;
  if (options.read_only) {
    state->idle_readers.push_back(std::move(database));
  } else {
    state->writer = std::move(database);
  }
  return std::unique_ptr<Catalog>(new Catalog(std::move(state)));
}

Catalog::Catalog(std::unique_ptr<State> state) : state_(std::move(state)) {}

Catalog::~Catalog() {
  state_->session.reset();
  state_->idle_objects.clear();  // before the writer: only a writing connection removes the log
  state_->objects_writer.reset();
  state_->idle_readers.clear();
}

io::Env& Catalog::env() { return state_->env; }
const std::string& Catalog::root() const { return state_->root; }
bool Catalog::read_only() const { return state_->options.read_only; }
const Uuid& Catalog::store_id() const { return state_->store_id; }

std::string Catalog::LakePath(std::string_view relative) const {
  return io::JoinPath(state_->Path("lake"), relative);
}

Status Catalog::Read(const std::function<Status(Database&)>& work) {
  return state_->WithReader(
      [&](Database& database) { return database.Read([&] { return work(database); }); });
}

Status Catalog::ReadObjects(const std::function<Status(Database&)>& work) {
  return state_->WithObjects(work);
}

Status Catalog::State::CheckProcess() const {
  if (getpid() == process_id) return Ok();
  return Unsupported(root + " was opened by process " + std::to_string(process_id) +
                     "; open the store again in this process");
}

Status Catalog::State::WithReader(const std::function<Status(Database&)>& use) {
  LAMINA_TRY(CheckProcess());
  std::unique_ptr<Database> database = TakeIdle(pool_mutex, idle_readers);
  if (database == nullptr) {
    LAMINA_ASSIGN(database, Database::Open(Path(kCatalogFile), OpenMode::kReadOnly));
  }
  Status done = use(*database);
  GiveBack(pool_mutex, idle_readers, std::move(database));
  return done;
}

Status Catalog::State::WithObjects(const std::function<Status(Database&)>& use) {
  LAMINA_TRY(CheckProcess());
  std::unique_ptr<Database> objects = TakeIdle(pool_mutex, idle_objects);
  if (objects == nullptr) {
    LAMINA_ASSIGN(objects, Database::Open(Path(kObjectsFile), OpenMode::kReadOnly));
    LAMINA_TRY(CheckObjects(*objects, store_id.ToString()));
  }
  Status done = use(*objects);
  GiveBack(pool_mutex, idle_objects, std::move(objects));
  return done;
}

Result<Database*> Catalog::State::ObjectsForWriting() {
  if (objects_writer == nullptr) {
    LAMINA_ASSIGN(auto objects, Database::Open(Path(kObjectsFile), OpenMode::kReadWrite));
    LAMINA_TRY(MigrateObjects(*objects, store_id.ToString()));
    objects_writer = std::move(objects);
  }
  return objects_writer.get();
}

Result<std::int64_t> Catalog::LatestSnapshot() {
  std::int64_t last = 0;
  LAMINA_TRY(Read([&](Database& database) -> Status {
    LAMINA_ASSIGN(last, LastSnapshot(database));
    return Ok();
  }));
  return last;
}

Result<std::vector<WriterSessionInfo>> Catalog::OpenSessions() {
  std::vector<WriterSessionInfo> sessions;
  LAMINA_TRY(Read([&](Database& database) -> Status {
    LAMINA_ASSIGN(Statement read,
                  database.Prepare("SELECT session_id, writer, pid, host, started_at FROM "
                                   "writer_session WHERE ended_at IS NULL ORDER BY writer"));
    for (;;) {
      LAMINA_ASSIGN(const bool row, read.Step());
      if (!row) return Ok();
      sessions.push_back({std::string(read.Text(0)), read.Int(1), read.Int(2),
                          std::string(read.Text(3)), Micros{read.Int(4)}, false});
    }
  }));
  for (WriterSessionInfo& session : sessions) {
    const std::string lock =
        io::JoinPath(io::JoinPath(internal::StagingPath(state_->root), session.session_id), "lock");
    if (!state_->env.Exists(lock)) continue;
    const auto taken = state_->env.TryLock(lock);
    session.alive = !taken.ok() && (taken.error().code() == ErrorCode::kConflict ||
                                    (session.host == internal::HostName() &&
                                     kill(static_cast<pid_t>(session.process_id), 0) == 0));
  }
  return sessions;
}

namespace {

/// The published bytes of a price file that is kept as a recipe.
Result<std::string> MakeAgain(Catalog& catalog, const ChunkId& id, const PriceRecipe& recipe) {
  const std::string source = recipe.source.Hex();
  const std::string context = "chunk " + id.ToString() + ", made from " + source;
  if (recipe.source == id.sha256) return Corruption(context + ": that is itself");
  LAMINA_ASSIGN(const std::string content, catalog.ReadChunk({id.kind, recipe.source}));
  auto made = table::Rewrite(content, recipe.recipe);
  if (!made.ok()) return std::move(made).error().With(context);
  if (static_cast<std::int64_t>(made->size()) == recipe.content_bytes &&
      Sha256(*made) == id.sha256) {
    return made;
  }
  return Corruption(context + ": other bytes come out");
}

}  // namespace

Result<std::string> Catalog::ReadChunk(const ChunkId& id) {
  std::optional<ChunkRow> row;
  std::optional<PriceRecipe> recipe;
  LAMINA_TRY(Read([&](Database& database) -> Status {
    LAMINA_ASSIGN(row, FindChunk(database, id));
    if (id.kind == ChunkKind::kOhlcv && (!row || !row->live())) {
      LAMINA_ASSIGN(recipe, FindPriceRecipe(database, id.sha256));
    }
    return Ok();
  }));
  if (recipe) return MakeAgain(*this, id, *recipe);
  if (!row) return NotFound("no chunk " + id.ToString());
  std::string place, stored;
  if (row->in_file) {
    place = ChunkPath(id);
    Result<std::string> bytes = state_->env.ReadFile(state_->Path(place), kChunkBytesMax);
    if (!bytes.ok() && bytes.error().code() == ErrorCode::kNotFound && row->live()) {
      return Corruption("chunk " + id.ToString() + ": " + place + " is missing");
    }
    if (!bytes.ok()) return std::move(bytes).error();
    stored = *std::move(bytes);
  } else {
    place = kObjectsFile;
    const Status read = state_->WithObjects([&](Database& objects) -> Status {
      LAMINA_ASSIGN(stored, ReadObject(objects, id));
      return Ok();
    });
    if (!read.ok() && read.error().code() == ErrorCode::kNotFound && row->live()) {
      return Corruption("chunk " + id.ToString() + " is missing from " + place);
    }
    if (!read.ok()) return read.error().Clone();
  }
  return DecodeChunk(id, *row, std::move(stored), place);
}

Status Catalog::CheckChunk(const ChunkId& id, bool deep) {
  if (deep) {
    const Result<std::string> content = ReadChunk(id);
    if (!content.ok()) return content.error().Clone();
    return Ok();
  }
  std::optional<ChunkRow> row;
  std::optional<PriceRecipe> recipe;
  LAMINA_TRY(Read([&](Database& database) -> Status {
    LAMINA_ASSIGN(row, FindChunk(database, id));
    if (id.kind == ChunkKind::kOhlcv && (!row || !row->live())) {
      LAMINA_ASSIGN(recipe, FindPriceRecipe(database, id.sha256));
      if (recipe) {
        LAMINA_ASSIGN(row, FindChunk(database, {id.kind, recipe->source}));
      }
    }
    return Ok();
  }));
  if (recipe) {
    const ChunkId source{id.kind, recipe->source};
    if (row && row->live() && source != id) return CheckChunk(source, false);
    return Corruption("chunk " + id.ToString() + ": what it is made from is missing");
  }
  if (!row) return NotFound("no chunk " + id.ToString());
  if (!row->in_file) {
    return state_->WithObjects([&](Database& objects) -> Status {
      LAMINA_ASSIGN(Statement find, objects.Prepare("SELECT length(stored) FROM object "
                                                    "WHERE kind = ?1 AND sha256 = ?2"));
      find.Bind(1, static_cast<std::int64_t>(id.kind)).BindBlob(2, id.sha256.View());
      LAMINA_ASSIGN(const bool found, find.Step());
      if (!found) return Corruption("chunk " + id.ToString() + " is missing from objects.sqlite");
      if (find.Int(0) == row->stored_bytes) return Ok();
      return Corruption("chunk " + id.ToString() + " in objects.sqlite has another size");
    });
  }
  const Result<io::FileInfo> info = state_->env.Stat(state_->Path(ChunkPath(id)));
  if (!info.ok() && info.error().code() != ErrorCode::kNotFound) return info.error().Clone();
  if (!info.ok()) return Corruption("chunk " + id.ToString() + ": its file is missing");
  if (info->size == row->stored_bytes) return Ok();
  return Corruption("chunk " + id.ToString() + ": its file has " + std::to_string(info->size) +
                    " bytes instead of " + std::to_string(row->stored_bytes));
}

Status Catalog::State::StartSession() {
  if (options.read_only) return Unsupported(root + " was opened for reading only");
  LAMINA_TRY(CheckProcess());
  if (session != nullptr) return Ok();
  LAMINA_ASSIGN(session, internal::WriterSession::Start(env, root, *writer));
  return Ok();
}

Status Catalog::Transact(const std::function<Status(Database&)>& work) {
  LAMINA_TRY(state_->CheckProcess());  // in a forked child not even the mutex may be touched
  const std::lock_guard<std::mutex> lock(state_->write_mutex);
  LAMINA_TRY(state_->StartSession());
  return state_->writer->Transact([&] { return work(*state_->writer); });
}

Status Catalog::State::CheckFreeBytes() const {
  if (options.min_free_bytes <= 0) return Ok();
  LAMINA_ASSIGN(const std::int64_t free_bytes, env.FreeBytes(root));
  if (free_bytes >= options.min_free_bytes) return Ok();
  return ResourceExhausted(root + ": " + std::to_string(free_bytes) +
                           " bytes are free on its disk, fewer than min_free_bytes (" +
                           std::to_string(options.min_free_bytes) +
                           "); nothing was written. Free some space, or lower min_free_bytes in "
                           "lamina.toml");
}

Result<std::unique_ptr<Commit>> Catalog::BeginCommit(std::string message, SpaceUse space) {
  if (read_only()) return Unsupported(root() + " was opened for reading only");
  LAMINA_TRY(state_->CheckProcess());
  if (space == SpaceUse::kTakes) LAMINA_TRY(state_->CheckFreeBytes());
  const std::lock_guard<std::mutex> lock(state_->write_mutex);
  LAMINA_TRY(state_->StartSession());
  return std::unique_ptr<Commit>(
      new Commit(std::make_unique<Commit::State>(*state_, std::move(message))));
}

}  // namespace lamina::catalog
