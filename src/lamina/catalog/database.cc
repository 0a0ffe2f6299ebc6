#include "lamina/catalog/database.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <limits>
#include <unordered_map>
#include <utility>
#include <vector>

#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lamina/catalog/database_file_internal.h"
#include "lamina/catalog/lost_race.h"
#include "lamina/catalog/page_checksum_internal.h"
#include "lamina/catalog/sqlite_locks_internal.h"

namespace lamina::catalog {
namespace {

using internal::FolderOf;
using internal::SqliteCall;

constexpr std::size_t kIdleStatementsMax = 256;
constexpr int kHeaderBytes = 100;
constexpr char kApplicationId[] = "LAMA";  // at byte 68 of the header, where file(1) looks
/// In the message of a conflict that is no lost race.
constexpr std::string_view kLocked = " is locked for writing";

std::int64_t MonotonicMs() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

std::int64_t FileSize(const std::string& path) {
  struct stat buffer{};
  return stat(path.c_str(), &buffer) == 0 ? buffer.st_size : -1;
}

std::string_view TrimRight(std::string_view sql) {
  while (!sql.empty() && std::strchr(" \t\r\n", sql.back()) != nullptr) sql.remove_suffix(1);
  return sql;
}

std::string HostName() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0) return "localhost";
  return name.data();
}

}  // namespace

// ---- Statement ----

struct Database::Cache {
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };
  std::unordered_map<std::string, std::vector<sqlite3_stmt*>, Hash, std::equal_to<>> idle;
  std::size_t idle_count = 0;
};

Statement::Statement(Statement&& other) noexcept
    : database_(std::exchange(other.database_, nullptr)),
      handle_(std::exchange(other.handle_, nullptr)),
      bind_error_(std::move(other.bind_error_)) {
  other.bind_error_.reset();
}

Statement& Statement::operator=(Statement&& other) noexcept {
  if (this != &other) {
    Release();
    database_ = std::exchange(other.database_, nullptr);
    handle_ = std::exchange(other.handle_, nullptr);
    bind_error_ = std::move(other.bind_error_);
    other.bind_error_.reset();
  }
  return *this;
}

Statement::~Statement() { Release(); }

void Statement::Release() {
  if (handle_ == nullptr || database_->gate_->foreign()) return;
  Reset();
  const SqliteCall call(*database_->gate_);
  Database::Cache& cache = *database_->cache_;
  if (cache.idle_count >= kIdleStatementsMax) {
    sqlite3_finalize(handle_);
  } else {
    const std::string_view sql = sqlite3_sql(handle_);
    auto place = cache.idle.find(sql);
    if (place == cache.idle.end()) place = cache.idle.emplace(std::string(sql), 0).first;
    place->second.push_back(handle_);
    ++cache.idle_count;
  }
  handle_ = nullptr;
}

template <class Call>
Statement& Statement::BindWith(int index, Call call) {
  if (bind_error_ || database_->gate_->foreign()) return *this;
  const SqliteCall guard(*database_->gate_);
  const int code = call();
  if (code != SQLITE_OK) {
    bind_error_.emplace(database_->ErrorOf(code, "binding parameter " + std::to_string(index)));
  }
  return *this;
}

Statement& Statement::Bind(int index, std::int64_t value) {
  return BindWith(index, [&] { return sqlite3_bind_int64(handle_, index, value); });
}

Statement& Statement::Bind(int index, double value) {
  return BindWith(index, [&] { return sqlite3_bind_double(handle_, index, value); });
}

Statement& Statement::Bind(int index, std::string_view text) {
  return BindWith(index, [&] {
    return sqlite3_bind_text64(handle_, index, text.empty() ? "" : text.data(), text.size(),
                               SQLITE_TRANSIENT, SQLITE_UTF8);
  });
}

Statement& Statement::BindBlob(int index, ByteView bytes) {
  return BindWith(index, [&] {
    return sqlite3_bind_blob64(handle_, index, bytes.empty() ? "" : bytes.data(), bytes.size(),
                               SQLITE_TRANSIENT);
  });
}

Statement& Statement::BindNull(int index) {
  return BindWith(index, [&] { return sqlite3_bind_null(handle_, index); });
}

Statement& Statement::BindValue(int index, const Statement& source, int column) {
  return BindWith(index, [&] {
    return sqlite3_bind_value(handle_, index, sqlite3_column_value(source.handle_, column));
  });
}

Result<bool> Statement::Step() {
  LAMINA_TRY(database_->CheckUsable());
  if (bind_error_) return bind_error_->Clone();
  const SqliteCall call(*database_->gate_);
  const int code = sqlite3_step(handle_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return database_->ErrorOf(code, {});
}

Status Statement::Run() {
  for (;;) {
    LAMINA_ASSIGN(const bool row, Step());
    if (!row) break;
  }
  Reset();
  return Ok();
}

void Statement::Reset() {
  bind_error_.reset();
  if (database_->gate_->foreign()) return;
  const SqliteCall call(*database_->gate_);
  sqlite3_reset(handle_);
  sqlite3_clear_bindings(handle_);
}

bool Statement::IsNull(int column) const {
  return sqlite3_column_type(handle_, column) == SQLITE_NULL;
}
std::int64_t Statement::Int(int column) const { return sqlite3_column_int64(handle_, column); }
double Statement::Double(int column) const { return sqlite3_column_double(handle_, column); }

std::string_view Statement::Text(int column) const {
  if (database_->gate_->foreign()) return {};
  const SqliteCall call(*database_->gate_);
  const unsigned char* const text = sqlite3_column_text(handle_, column);
  if (text == nullptr) return {};
  return {reinterpret_cast<const char*>(text),
          static_cast<std::size_t>(sqlite3_column_bytes(handle_, column))};
}

ByteView Statement::Blob(int column) const {
  if (database_->gate_->foreign()) return {};
  const SqliteCall call(*database_->gate_);
  const void* const bytes = sqlite3_column_blob(handle_, column);
  if (bytes == nullptr) return {};
  return {static_cast<const char*>(bytes),
          static_cast<std::size_t>(sqlite3_column_bytes(handle_, column))};
}

std::optional<std::int64_t> Statement::OptionalInt(int column) const {
  if (IsNull(column)) return std::nullopt;
  return Int(column);
}

std::optional<std::string> Statement::OptionalText(int column) const {
  if (IsNull(column)) return std::nullopt;
  return std::string(Text(column));
}

int Statement::column_count() const { return sqlite3_column_count(handle_); }

std::string_view Statement::ColumnName(int column) const {
  const char* const name = sqlite3_column_name(handle_, column);
  return name != nullptr ? name : "";
}

// ---- Database ----

Database::Database()
    : gate_(std::make_unique<internal::ConnectionGate>()), cache_(std::make_unique<Cache>()) {}

Result<std::unique_ptr<Database>> Database::Open(const std::string& path, OpenMode mode) {
  LAMINA_TRY(InstallSqliteLocks());
  if (mode == OpenMode::kCreate) LAMINA_TRY(internal::CreateDatabaseFile(path));
  struct stat buffer{};
  if (stat(path.c_str(), &buffer) != 0) {
    const int error = errno;
    if (error == ENOENT || error == ENOTDIR) return NotFound(path + " does not exist");
    return IoError(path + ": " + std::strerror(error));
  }
  if (!S_ISREG(buffer.st_mode)) return InvalidArgument(path + " is not a file");
  std::unique_ptr<Database> database(new Database);
  database->path_ = path;
  LAMINA_TRY(database->ConnectAnyhow(mode));
  return database;
}

Result<std::unique_ptr<Database>> Database::OpenPlain(const std::string& path, OpenMode mode) {
  LAMINA_TRY(InstallSqliteLocks());
  struct stat buffer{};
  const int error = stat(path.c_str(), &buffer) == 0 ? 0 : errno;
  if (error == ENOENT || error == ENOTDIR) {
    if (mode != OpenMode::kCreate) return NotFound(path + " does not exist");
  } else if (error != 0) {
    return IoError(path + ": " + std::strerror(error));
  } else if (!S_ISREG(buffer.st_mode)) {
    return InvalidArgument(path + " is not a file");
  }
  std::unique_ptr<Database> database(new Database);
  database->path_ = path;
  database->plain_ = true;
  if (mode == OpenMode::kReadOnly && FileSize(path + "-journal") > 0) {
    // A writer that died left a transaction to roll back, which a reader may not do.
    const Status rolled_back = database->ConnectAnyhow(OpenMode::kReadWrite);
    static_cast<void>(rolled_back);  // what stands in the way shows below
  }
  LAMINA_TRY(database->ConnectAnyhow(mode));
  return database;
}

Result<std::unique_ptr<Database>> Database::OpenInMemory() {
  LAMINA_TRY(InstallSqliteLocks());
  std::unique_ptr<Database> database(new Database);
  database->path_ = ":memory:";
  database->plain_ = true;
  LAMINA_TRY(database->Connect(OpenMode::kCreate, /*immutable=*/false));
  return database;
}

Status Database::ConnectAnyhow(OpenMode mode) {
  Status connected = Connect(mode, /*immutable=*/false);
  if (!connected.ok() && mode == OpenMode::kReadOnly &&
      (connected.error().code() == ErrorCode::kIo ||
       connected.error().code() == ErrorCode::kUnsupported) &&
      access(FolderOf(path_).c_str(), W_OK) != 0) {
    // A folder that cannot be written has no place for the -shm file.
    if (FileSize(path_ + "-wal") > 0) {
      return Unsupported(path_ +
                         "-wal holds commits and its folder cannot be written, so they cannot be " +
                         "read; open it once where it can be written, or copy it");
    }
    connected = Connect(mode, /*immutable=*/true);
  }
  return connected;
}

Status Database::Connect(OpenMode mode, bool immutable) {
  Close();
  writable_ = mode != OpenMode::kReadOnly;
  {
    const SqliteCall call(*gate_);
    int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE;
    flags |= writable_ ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY;
    if (plain_ && mode == OpenMode::kCreate) flags |= SQLITE_OPEN_CREATE;
    if (immutable) flags |= SQLITE_OPEN_URI;
    const std::string name = immutable ? internal::FileUri(path_, "immutable=1") : path_;
    const int code = sqlite3_open_v2(name.c_str(), &handle_, flags,
                                     plain_ ? nullptr : internal::kCheckedVfsName);
    if (handle_ == nullptr) return ResourceExhausted("opening " + path_ + ": out of memory");
    if (code != SQLITE_OK) return ErrorOf(code, "opening");
    sqlite3_busy_handler(handle_, &Database::OnBusy, this);
  }
  if (!plain_) LAMINA_TRY(CheckHeader());
  return Configure(mode);
}

Status Database::CheckHeader() {
  std::array<unsigned char, kHeaderBytes> header{};
  sqlite3_int64 size = 0;
  {
    const SqliteCall call(*gate_);
    sqlite3_file* file = nullptr;
    sqlite3_file_control(handle_, "main", SQLITE_FCNTL_FILE_POINTER, static_cast<void*>(&file));
    if (file == nullptr || file->pMethods == nullptr) return IoError("opening " + path_);
    int code = file->pMethods->xRead(file, header.data(), kHeaderBytes, 0);
    if (code == SQLITE_OK) code = file->pMethods->xFileSize(file, &size);
    if (code == SQLITE_IOERR_SHORT_READ) {
      return Corruption(path_ + " is shorter than a database header");
    }
    if (code != SQLITE_OK) return ErrorOf(code, "reading the header");
  }
  if (std::memcmp(header.data(), "SQLite format 3", 16) != 0) {
    return Corruption(path_ + " is not a database: bad magic in its header");
  }
  if (std::memcmp(header.data() + 68, kApplicationId, 4) != 0 ||
      (header[16] << 8 | header[17]) != internal::kPageBytes ||
      header[20] != internal::kPageReservedBytes) {
    return Corruption(path_ + ": the header is damaged, or another program made the file");
  }
  if (size < internal::kPageBytes) return Corruption(path_ + " is cut off");
  if (header[18] != 2 || header[19] != 2) {
    return Corruption(
        path_ + ": the header does not say WAL mode (damaged, or changed by another program)");
  }
  return Ok();
}

Status Database::Configure(OpenMode mode) {
  const bool writable = mode != OpenMode::kReadOnly;
  {
    const SqliteCall call(*gate_);
    if (writable && sqlite3_db_readonly(handle_, "main") == 1) {
      return Unsupported(path_ + " cannot be written (permissions or a read-only file system)");
    }
    sqlite3_db_config(handle_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_db_config(handle_, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, nullptr);
  }
  LAMINA_TRY(
      Execute("PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; PRAGMA temp_store=MEMORY; "
              "PRAGMA cache_size=-32768; PRAGMA mmap_size=0"));
  if (writable) {
    LAMINA_TRY(Execute(std::string("PRAGMA synchronous=") + (plain_ ? "NORMAL" : "FULL") +
                       "; PRAGMA secure_delete=OFF; "
                       "PRAGMA journal_size_limit=33554432; PRAGMA wal_autocheckpoint=1000"));
  }
  // The first read: opens the WAL (recovering it after a crash) and checks the first page.
  LAMINA_TRY(Execute("PRAGMA schema_version"));
  return Ok();
}

Database::~Database() { Close(); }

namespace {

template <class Statements>
void DropIdle(Statements& idle, std::size_t& count) {
  for (auto& [sql, statements] : idle) {
    for (sqlite3_stmt* statement : statements) sqlite3_finalize(statement);
  }
  idle.clear();
  count = 0;
}

}  // namespace

void Database::Close() {
  if (handle_ == nullptr || gate_->foreign()) return;
  const SqliteCall call(*gate_);
  DropIdle(cache_->idle, cache_->idle_count);
  // SQLite's own checkpoint at the last close may find a lock that another connection of this
  // process left on its descriptor, so do not rely on it.
  if (writable_ && sqlite3_total_changes64(handle_) > 0) {
    sqlite3_wal_checkpoint_v2(handle_, "main", SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
  }
  sqlite3_close_v2(handle_);
  handle_ = nullptr;
}

Status Database::CheckUsable() const {
  if (gate_->foreign()) {
    return Unsupported(path_ + " was opened by process " + std::to_string(gate_->process_id) +
                       "; open the store again in this process");
  }
  return Ok();
}

Error Database::ErrorOf(int code, std::string_view what) const {
  const int extended = handle_ != nullptr ? sqlite3_extended_errcode(handle_) : code;
  const int used = (extended & 0xFF) == (code & 0xFF) ? extended : code;
  std::string message = path_ + ": ";
  if (!what.empty()) message.append(what).append(": ");
  if (used == SQLITE_IOERR_DATA) {
    message += "page " + std::to_string(internal::LastDamagedPage()) +
               " does not match its checksum (damaged, or written by another program)";
    return Corruption(std::move(message));
  }
  message +=
      used == extended && handle_ != nullptr ? sqlite3_errmsg(handle_) : sqlite3_errstr(used);
  return Error(internal::SqliteErrorCode(used), std::move(message));
}

int Database::OnBusy(void* database, int attempt) {
  auto* const self = static_cast<Database*>(database);
  const std::int64_t now_ms = MonotonicMs();
  if (attempt == 0) self->busy_since_ms_ = now_ms;
  if (now_ms - self->busy_since_ms_ >= self->busy_timeout_ms_) return 0;
  // Short waits first: a commit takes a few milliseconds. The clock's low bits keep waiters apart.
  const std::int64_t base_us = attempt < 4 ? 300 << attempt : 4000;
  const auto jitter_us = std::chrono::steady_clock::now().time_since_epoch().count() / 64 % 1000;
  usleep(static_cast<useconds_t>(base_us + jitter_us));
  return 1;
}

Result<Statement> Database::Prepare(std::string_view sql) {
  LAMINA_TRY(CheckUsable());
  sql = TrimRight(sql);
  const SqliteCall call(*gate_);
  const auto place = cache_->idle.find(sql);
  if (place != cache_->idle.end() && !place->second.empty()) {
    sqlite3_stmt* const handle = place->second.back();
    place->second.pop_back();
    --cache_->idle_count;
    return Statement(this, handle);
  }
  if (sql.size() > std::numeric_limits<int>::max()) return InvalidArgument("statement too long");
  sqlite3_stmt* handle = nullptr;
  const char* tail = nullptr;
  const int code = sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &handle, &tail);
  if (code != SQLITE_OK) {
    return ErrorOf(code, "preparing `" + std::string(sql.substr(0, 200)) + "`");
  }
  if (handle == nullptr || tail != sql.data() + sql.size()) {
    sqlite3_finalize(handle);
    return Internal("not one SQL statement: " + std::string(sql.substr(0, 200)));
  }
  return Statement(this, handle);
}

Status Database::Execute(const std::string& sql) {
  LAMINA_TRY(CheckUsable());
  const SqliteCall call(*gate_);
  const int code = sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return ErrorOf(code, {});
  return Ok();
}

Status Database::Transact(const std::function<Status()>& work) {
  if (in_transaction()) return Internal("a write transaction inside another: " + path_);
  Status begun = Execute("BEGIN IMMEDIATE");
  if (!begun.ok() && begun.error().code() == ErrorCode::kUnsupported && writable_ &&
      CheckUsable().ok()) {
    // SQLite that failed once to open the log for writing only reads it from then on: open all of
    // it again, unless a statement is in use.
    bool in_use = true;
    {
      const SqliteCall call(*gate_);
      DropIdle(cache_->idle, cache_->idle_count);
      in_use = sqlite3_next_stmt(handle_, nullptr) != nullptr;
    }
    if (!in_use) {
      LAMINA_TRY(Connect(OpenMode::kReadWrite, /*immutable=*/false));
      begun = Execute("BEGIN IMMEDIATE");
    }
  }
  if (!begun.ok()) {
    if (begun.error().code() == ErrorCode::kConflict) return WriteLockError();
    return begun;
  }
  Status done = work();
  if (done.ok()) done = Execute("COMMIT");
  if (!done.ok() && in_transaction()) {
    // The first error is the one to tell; a rollback that fails leaves nothing committed either.
    const Status rolled_back = Execute("ROLLBACK");
    static_cast<void>(rolled_back);
  }
  return done;
}

Status Database::Read(const std::function<Status()>& work) {
  if (in_transaction()) return work();
  LAMINA_TRY(Execute("BEGIN"));
  Status done = work();
  const Status ended = Execute(done.ok() ? "COMMIT" : "ROLLBACK");
  if (done.ok() && !ended.ok()) return ended.error().Clone();
  return done;
}

bool Database::in_transaction() const {
  return !gate_->foreign() && handle_ != nullptr && sqlite3_get_autocommit(handle_) == 0;
}

std::int64_t Database::total_changes() const {
  return gate_->foreign() ? 0 : sqlite3_total_changes64(handle_);
}

bool LostRace(const Error& error) {
  return error.code() == ErrorCode::kConflict && error.message().find(kLocked) == std::string::npos;
}

Error Database::WriteLockError() {
  std::string holders;
  Result<Statement> sessions =
      Prepare("SELECT pid, host FROM writer_session WHERE ended_at IS NULL ORDER BY writer");
  while (sessions.ok()) {
    const Result<bool> row = sessions->Step();
    if (!row.ok() || !*row) break;
    const std::int64_t pid = sessions->Int(0);
    const std::string host(sessions->Text(1));
    if (host == HostName() && (pid == getpid() || kill(static_cast<pid_t>(pid), 0) != 0)) continue;
    holders += (holders.empty() ? "" : ", ") + std::to_string(pid) + " on " + host;
  }
  std::string message = path_ + std::string(kLocked);
  message += holders.empty() ? " by another connection" : "; open writers: process " + holders;
  return Conflict(message + "; waited " + std::to_string(busy_timeout_ms_) + " ms, try again");
}

Status Database::Checkpoint() {
  LAMINA_TRY(CheckUsable());
  const SqliteCall call(*gate_);
  const int code =
      sqlite3_wal_checkpoint_v2(handle_, "main", SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
  // Busy: another process checkpoints at this moment.
  if (code != SQLITE_OK && (code & 0xFF) != SQLITE_BUSY) return ErrorOf(code, "checkpoint");
  return Ok();
}

}  // namespace lamina::catalog
