#pragma once

/// \file lamina/io/faulty_env.h
/// FaultyEnv: an Env that fails its k-th operation, and that can lose what was never synced, as a
/// power cut does. For crash tests of the layers above. Thread-safe.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "lamina/io/env.h"

namespace lamina::io {

/// What a caller asked of a FaultyEnv.
enum class Operation : std::uint8_t {
  // Operations that change something.
  kCreate,
  kAppend,
  kSync,
  kTruncate,
  kClose,
  kRename,
  kUnlink,
  kCreateDirectories,
  kRemoveDirectory,
  kSyncDirectory,
  kLock,
  // Operations that only look.
  kOpen,
  kRead,
  kStat,
  kList,
  kFreeBytes,
};
std::string_view OperationName(Operation operation);

class OperationSet {
 public:
  constexpr OperationSet() = default;
  constexpr OperationSet(std::initializer_list<Operation> operations) {
    for (const Operation operation : operations) bits_ |= Bit(operation);
  }
  constexpr bool Has(Operation operation) const { return (bits_ & Bit(operation)) != 0; }
  static constexpr OperationSet Changes() { return OperationSet(Bit(Operation::kOpen) - 1); }
  static constexpr OperationSet Looks() { return OperationSet(~(Bit(Operation::kOpen) - 1)); }
  static constexpr OperationSet All() { return OperationSet(~std::uint32_t{0}); }

 private:
  constexpr explicit OperationSet(std::uint32_t bits) : bits_(bits) {}
  static constexpr std::uint32_t Bit(Operation operation) {
    return std::uint32_t{1} << static_cast<unsigned>(operation);
  }
  std::uint32_t bits_ = 0;
};

struct Fault {
  /// The operation that fails, counted from 1 among `operations` since SetFault; 0: none.
  std::int64_t at = 0;
  ErrorCode code = ErrorCode::kIo;
  /// Everything in `operations` after it fails too: the process is as good as dead.
  bool and_all_after = false;
  enum class Effect : std::uint8_t {
    kNone,  ///< fails before it does anything
    kTorn,  ///< a write writes half of its bytes; others as kNone
    kDone,  ///< does its work and reports failure all the same
  };
  Effect effect = Effect::kNone;
  OperationSet operations = OperationSet::Changes();
};

/// Wraps an Env. The model of what a power cut leaves:
/// * of a file, the bytes up to its last Sync (a truncation is durable at once, to the worse), and
///   what placed writes had not yet written over;
/// * of the names in a folder, what they were at the last SyncDirectory of it: creations, removals
///   and renames (which belong to the folder of the new name) after that are undone;
/// * folders made by CreateDirectories stay, as Env promises, and so do the files of TryLock.
/// Files that were never written through this Env count as durable.
class FaultyEnv : public Env {
 public:
  /// `target` must outlive this.
  explicit FaultyEnv(Env& target) : target_(target) {}

  /// From now on; restarts the count.
  void SetFault(const Fault& fault);
  void ClearFault() { SetFault({}); }
  /// Whether the fault has happened since SetFault.
  bool fired() const;
  /// Operations of the fault's set since SetFault (or since the start).
  std::int64_t count() const;

  struct Record {
    Operation operation;
    std::string path;
    bool ok = false;
  };
  /// Everything that was asked, in order.
  std::vector<Record> Records() const;
  void ClearRecords();

  /// What becomes of appended bytes that were not synced.
  enum class Tail : std::uint8_t {
    kLost,   ///< gone
    kHalf,   ///< the first half is there
    kZeros,  ///< the length is there, the bytes are zeros
  };
  /// Leave on the target only what was durable, as after a power cut. Files that are open fail from
  /// now on; the caller destroys what it built on this Env and opens it again.
  Status LoseUnsynced(Tail tail = Tail::kLost);
  /// Whether LoseUnsynced would change anything but bytes at the ends of files.
  std::vector<std::string> UnsyncedNames() const;

  /// Stop the clock at `now`; absent: the target's clock again.
  void SetNow(std::optional<Nanos> now);
  /// Move a stopped clock, and Monotonic with it.
  void AdvanceClock(std::int64_t nanos);
  void SetFreeBytes(std::optional<std::int64_t> bytes);
  void SetFileSystem(std::optional<FileSystemKind> kind);

  Result<std::unique_ptr<WritableFile>> NewWritableFile(const std::string& path) override;
  Result<std::unique_ptr<PlacedFile>> OpenPlaced(const std::string& path, Place place) override;
  Result<std::unique_ptr<ReadableFile>> OpenReadable(const std::string& path) override;
  Result<std::string> ReadFile(const std::string& path, std::int64_t max_bytes) override;
  Result<FileInfo> Stat(const std::string& path) override;
  Result<bool> IsSymlink(const std::string& path) override;
  Result<std::vector<DirectoryEntry>> ListDirectory(const std::string& path) override;
  Status CreateDirectories(const std::string& path) override;
  Status RemoveDirectory(const std::string& path) override;
  Status Unlink(const std::string& path) override;
  Status Rename(const std::string& from, const std::string& to) override;
  Status RenameToNew(const std::string& from, const std::string& to) override;
  Status SyncDirectory(const std::string& path) override;
  Result<std::unique_ptr<FileLock>> TryLock(const std::string& path) override;
  Result<std::int64_t> FreeBytes(const std::string& path) override;
  Result<FileSystemKind> FileSystemOf(const std::string& path) override;
  Nanos Now() override;
  Nanos Monotonic() override;

 private:
  class File;
  class Placed;
  class Reader;

  /// A file that was written through this Env.
  struct Inode {
    std::int64_t synced = 0;  ///< length
    /// What placed writes since the last sync have written over, in their order.
    struct Overwritten {
      std::int64_t offset = 0;
      std::string bytes;
    };
    std::vector<Overwritten> overwritten;
  };
  /// A file as it stood when its name was taken from it.
  struct Saved {
    std::shared_ptr<Inode> inode;  ///< absent: not written through this Env
    std::string bytes;
  };
  /// A change of a folder that a power cut undoes.
  struct Pending {
    Operation operation = Operation::kCreate;
    std::string folder;
    std::string path;
    std::string from;             ///< kRename
    std::optional<Saved> former;  ///< what `path` named before
  };

  /// All called with `mutex_` held.
  enum class Verdict : std::uint8_t { kGo, kFail, kFailTorn, kFailAfter };
  Verdict Decide(Operation operation);
  void Note(Operation operation, const std::string& path, bool ok);
  Error Injected(Operation operation, const std::string& path) const;
  Status Move(const std::string& from, const std::string& to,
              const std::function<Status()>& rename);
  /// `action`, under the rules of the fault.
  template <class Action>
  auto Run(Operation operation, const std::string& path, Action action) -> decltype(action());
  Result<std::optional<Saved>> Save(const std::string& path);
  Status Undo(const Pending& change);
  Status WriteBack(const std::string& path, const Saved& saved);
  /// Its inode, and the pending name of a new one.
  std::shared_ptr<Inode> Created(const std::string& path, bool existed);
  Status CutTail(const std::string& path, const Inode& inode, Tail tail);

  Env& target_;
  mutable std::mutex mutex_;
  Fault fault_;
  std::int64_t count_ = 0;
  bool fired_ = false;
  std::int64_t generation_ = 0;  ///< of open files; LoseUnsynced begins a new one
  std::vector<Record> records_;
  std::map<std::string, std::shared_ptr<Inode>> files_;  ///< by normal path
  std::vector<Pending> pending_;
  std::optional<Nanos> now_;
  std::int64_t monotonic_ahead_ = 0;
  std::optional<std::int64_t> free_bytes_;
  std::optional<FileSystemKind> file_system_;
};

}  // namespace lamina::io
