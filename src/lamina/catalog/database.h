#pragma once

/// \file lamina/catalog/database.h
/// SQLite as the catalog uses it: WAL, synchronous=FULL, busy timeout, open-file-description locks
/// (DESIGN: SQLite in company). A Database is one connection: thread-compatible, used by one thread
/// at a time. After fork() every inherited Database is dead in the child: its calls RETURN
/// kUnsupported and the parent's locks stay untouched; the child opens its own.

#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "lamina/base/bytes.h"
#include "lamina/base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace lamina::catalog {

namespace internal {
struct ConnectionGate;
}

enum class OpenMode : std::uint8_t { kReadOnly, kReadWrite, kCreate };

class Database;

/// A prepared statement. Parameters count from 1, columns from 0. Valid while its Database lives.
class Statement {
 public:
  Statement(Statement&&) noexcept;
  Statement& operator=(Statement&&) noexcept;
  ~Statement();

  Statement& Bind(int index, std::int64_t value);
  template <std::integral T>
  Statement& Bind(int index, T value) {
    return Bind(index, static_cast<std::int64_t>(value));
  }
  Statement& Bind(int index, double value);  ///< NaN is stored as NULL by SQLite
  Statement& Bind(int index, std::string_view text);
  Statement& Bind(int index, const char* text) { return Bind(index, std::string_view(text)); }
  Statement& BindBlob(int index, ByteView bytes);
  Statement& BindNull(int index);
  /// The value, of whatever type, of a column of the row at which `source` stands.
  Statement& BindValue(int index, const Statement& source, int column);
  template <class T>
  Statement& Bind(int index, const std::optional<T>& value) {
    return value ? Bind(index, *value) : BindNull(index);
  }

  /// Advance. true: a row is there. RETURNS kConflict (locked), kCorruption, kIo,
  /// kResourceExhausted (disk full), kAlreadyExists (unique constraint), kCancelled (interrupted),
  /// kUnsupported (read-only, or inherited over a fork).
  Result<bool> Step();
  /// Step to the end, then Reset: for statements that give no rows.
  Status Run();
  void Reset();  ///< and forget parameters

  bool IsNull(int column) const;
  std::int64_t Int(int column) const;
  double Double(int column) const;
  std::string_view Text(int column) const;  ///< valid until the next Step
  ByteView Blob(int column) const;          ///< valid until the next Step
  std::optional<std::int64_t> OptionalInt(int column) const;
  std::optional<std::string> OptionalText(int column) const;
  int column_count() const;
  std::string_view ColumnName(int column) const;

 private:
  friend class Database;
  Statement(Database* database, sqlite3_stmt* handle) : database_(database), handle_(handle) {}
  void Release();
  template <class Call>
  Statement& BindWith(int index, Call call);
  Database* database_ = nullptr;
  sqlite3_stmt* handle_ = nullptr;
  std::optional<Error> bind_error_;
};

class Database {
 public:
  /// kCreate makes the file, in WAL mode, under an flock, and RETURNS kAlreadyExists when it is
  /// there; the other modes RETURN kNotFound when absent. A file that is not a database, or fails
  /// its header check: kCorruption. kReadOnly works in a folder that cannot be written, unless a
  /// -wal there holds commits and no -shm can be made (kUnsupported).
  static Result<std::unique_ptr<Database>> Open(const std::string& path, OpenMode mode);
  /// A database that is not a catalog: any SQLite file, without page checksums, with
  /// synchronous=NORMAL. kCreate opens an existing file too. RETURNS kCorruption when the file is
  /// not a database.
  static Result<std::unique_ptr<Database>> OpenPlain(const std::string& path, OpenMode mode);
  static Result<std::unique_ptr<Database>> OpenInMemory();
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  /// Compile once, reuse: the same `sql` gives the same compiled statement from a cache.
  Result<Statement> Prepare(std::string_view sql);
  /// One or more statements without parameters and rows.
  Status Execute(const std::string& sql);

  /// Run `work` between BEGIN IMMEDIATE and COMMIT; ROLLBACK when it fails. RETURNS kConflict when
  /// the write lock could not be had within the busy timeout (5 s).
  Status Transact(const std::function<Status()>& work);
  /// Run `work` in one read transaction: all its statements see one state.
  Status Read(const std::function<Status()>& work);
  bool in_transaction() const;

  Status Checkpoint();  ///< move the WAL into the file, PASSIVE
  /// Rows changed by this connection since it was opened.
  std::int64_t total_changes() const;
  /// Wait this long for the write lock (default 5 s).
  void SetBusyTimeout(std::int64_t timeout_ms) { busy_timeout_ms_ = timeout_ms; }
  const std::string& path() const { return path_; }
  sqlite3* handle() { return handle_; }

 private:
  friend class Statement;
  struct Cache;
  Database();
  static int OnBusy(void* database, int attempt);
  /// Connect, without the -shm file when the folder cannot be written.
  Status ConnectAnyhow(OpenMode mode);
  Status Connect(OpenMode mode, bool immutable);
  Status CheckHeader();
  Status Configure(OpenMode mode);
  Status CheckUsable() const;
  Error ErrorOf(int code, std::string_view what) const;
  Error WriteLockError();
  void Close();

  std::string path_;
  sqlite3* handle_ = nullptr;
  bool writable_ = false;
  bool plain_ = false;  ///< not a catalog
  std::int64_t busy_timeout_ms_ = 5000, busy_since_ms_ = 0;
  std::unique_ptr<internal::ConnectionGate> gate_;
  std::unique_ptr<Cache> cache_;
};

/// Make SQLite use open-file-description locks and register the fork handler; idempotent, called by
/// Open. Linux only.
Status InstallSqliteLocks();

}  // namespace lamina::catalog
