#include "lamina/io/faulty_env.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <limits>
#include <utility>

namespace lamina::io {
namespace {

constexpr std::int64_t kNoLimit = std::numeric_limits<std::int64_t>::max();

std::string Normal(const std::string& path) {
  std::error_code ignored;
  const std::filesystem::path absolute = std::filesystem::absolute(path, ignored);
  std::string text =
      (absolute.empty() ? std::filesystem::path(path) : absolute).lexically_normal().string();
  while (text.size() > 1 && text.back() == '/') text.pop_back();
  return text;
}

}  // namespace

std::string_view OperationName(Operation operation) {
  constexpr std::array<std::string_view, 16> kNames = {
      "create", "append",         "sync",          "truncate",    "close", "rename",
      "unlink", "create folders", "remove folder", "sync folder", "lock",  "open",
      "read",   "stat",           "list",          "free bytes"};
  return kNames[static_cast<std::size_t>(operation)];
}

// ---- the fault
// -----------------------------------------------------------------------------------

void FaultyEnv::SetFault(const Fault& fault) {
  const std::lock_guard lock(mutex_);
  fault_ = fault;
  count_ = 0;
  fired_ = false;
}

bool FaultyEnv::fired() const {
  const std::lock_guard lock(mutex_);
  return fired_;
}

std::int64_t FaultyEnv::count() const {
  const std::lock_guard lock(mutex_);
  return count_;
}

std::vector<FaultyEnv::Record> FaultyEnv::Records() const {
  const std::lock_guard lock(mutex_);
  return records_;
}

void FaultyEnv::ClearRecords() {
  const std::lock_guard lock(mutex_);
  records_.clear();
}

FaultyEnv::Verdict FaultyEnv::Decide(Operation operation) {
  if (!fault_.operations.Has(operation)) return Verdict::kGo;
  ++count_;
  if (fault_.at == 0 || count_ < fault_.at) return Verdict::kGo;
  if (count_ > fault_.at) return fault_.and_all_after ? Verdict::kFail : Verdict::kGo;
  fired_ = true;
  switch (fault_.effect) {
    case Fault::Effect::kNone:
      return Verdict::kFail;
    case Fault::Effect::kTorn:
      return operation == Operation::kAppend ? Verdict::kFailTorn : Verdict::kFail;
    case Fault::Effect::kDone:
      return Verdict::kFailAfter;
  }
  return Verdict::kFail;
}

void FaultyEnv::Note(Operation operation, const std::string& path, bool ok) {
  records_.push_back({operation, path, ok});
}

Error FaultyEnv::Injected(Operation operation, const std::string& path) const {
  return {fault_.code, "injected fault: " + std::string(OperationName(operation)) + " " + path};
}

template <class Action>
auto FaultyEnv::Run(Operation operation, const std::string& path, Action action)
    -> decltype(action()) {
  const Verdict verdict = Decide(operation);
  if (verdict == Verdict::kFail || verdict == Verdict::kFailTorn) {
    Note(operation, path, false);
    return Injected(operation, path);
  }
  auto result = action();
  const bool reports = result.ok() && verdict == Verdict::kGo;
  Note(operation, path, reports);
  if (result.ok() && verdict == Verdict::kFailAfter) return Injected(operation, path);
  return result;
}

// ---- files
// ---------------------------------------------------------------------------------------

class FaultyEnv::File final : public WritableFile {
 public:
  File(FaultyEnv& env, std::string path, std::unique_ptr<WritableFile> file,
       std::shared_ptr<Inode> inode)
      : env_(env),
        path_(std::move(path)),
        file_(std::move(file)),
        inode_(std::move(inode)),
        generation_(env.generation_) {}

  Status Append(ByteView data) override {
    const std::lock_guard lock(env_.mutex_);
    LAMINA_TRY(Usable());
    const Verdict verdict = env_.Decide(Operation::kAppend);
    if (verdict == Verdict::kGo) {
      Status status = file_->Append(data);
      env_.Note(Operation::kAppend, path_, status.ok());
      return status;
    }
    failed_ = true;
    env_.Note(Operation::kAppend, path_, false);
    if (verdict == Verdict::kFailTorn) data = data.substr(0, data.size() / 2);
    if (verdict != Verdict::kFail) LAMINA_TRY(file_->Append(data));
    return env_.Injected(Operation::kAppend, path_);
  }

  Status Sync() override {
    const std::lock_guard lock(env_.mutex_);
    LAMINA_TRY(Usable());
    Status status = env_.Run(Operation::kSync, path_, [&]() -> Status {
      LAMINA_TRY(file_->Sync());
      inode_->synced = file_->position();
      return Ok();
    });
    if (!status.ok()) failed_ = true;
    return status;
  }

  Status Close() override {
    const std::lock_guard lock(env_.mutex_);
    LAMINA_TRY(Usable());
    return env_.Run(Operation::kClose, path_, [&] { return file_->Close(); });
  }

  std::int64_t position() const override { return file_->position(); }

 private:
  Status Usable() const {
    if (generation_ != env_.generation_) return IoError(path_ + " was open when power was lost");
    if (failed_) return IoError("earlier failure of " + path_);
    return Ok();
  }

  FaultyEnv& env_;
  std::string path_;
  std::unique_ptr<WritableFile> file_;
  std::shared_ptr<Inode> inode_;
  std::int64_t generation_;
  bool failed_ =
      false;  ///< as of the real one: nothing after a failed write or sync can be trusted
};

class FaultyEnv::Placed final : public PlacedFile {
 public:
  Placed(FaultyEnv& env, std::string path, std::unique_ptr<PlacedFile> file,
         std::shared_ptr<Inode> inode)
      : env_(env),
        path_(std::move(path)),
        file_(std::move(file)),
        inode_(std::move(inode)),
        generation_(env.generation_) {}

  Status WriteAt(std::int64_t offset, ByteView data) override {
    const std::lock_guard lock(env_.mutex_);
    LAMINA_TRY(Usable());
    const Verdict verdict = env_.Decide(Operation::kAppend);
    if (verdict == Verdict::kGo) {
      Status status = Write(offset, data);
      env_.Note(Operation::kAppend, path_, status.ok());
      return status;
    }
    failed_ = true;
    env_.Note(Operation::kAppend, path_, false);
    if (verdict == Verdict::kFailTorn) data = data.substr(0, data.size() / 2);
    if (verdict != Verdict::kFail) LAMINA_TRY(Write(offset, data));
    return env_.Injected(Operation::kAppend, path_);
  }

  Status Sync() override {
    return Change(Operation::kSync, [&]() -> Status {
      LAMINA_TRY(file_->Sync());
      LAMINA_ASSIGN(const FileInfo info, env_.target_.Stat(path_));
      inode_->synced = info.size;
      inode_->overwritten.clear();
      return Ok();
    });
  }

  Status Truncate(std::int64_t size) override {
    return Change(Operation::kTruncate, [&]() -> Status {
      LAMINA_TRY(file_->Truncate(size));
      inode_->synced = std::min(inode_->synced, size);
      return Ok();
    });
  }

  Status Close() override {
    const std::lock_guard lock(env_.mutex_);
    LAMINA_TRY(Usable());
    return env_.Run(Operation::kClose, path_, [&] { return file_->Close(); });
  }

 private:
  Status Usable() const {
    if (generation_ != env_.generation_) return IoError(path_ + " was open when power was lost");
    if (failed_) return IoError("earlier failure of " + path_);
    return Ok();
  }
  template <class Action>
  Status Change(Operation operation, Action action) {
    const std::lock_guard lock(env_.mutex_);
    LAMINA_TRY(Usable());
    Status status = env_.Run(operation, path_, action);
    if (!status.ok()) failed_ = true;
    return status;
  }
  Status Write(std::int64_t offset, ByteView data) {
    const std::int64_t end =
        std::min(inode_->synced, offset + static_cast<std::int64_t>(data.size()));
    if (offset < end) {
      LAMINA_ASSIGN(const std::unique_ptr<ReadableFile> file, env_.target_.OpenReadable(path_));
      std::string bytes(static_cast<std::size_t>(end - offset), '\0');
      LAMINA_TRY(file->ReadAt(offset, bytes.size(), bytes.data()));
      inode_->overwritten.push_back({offset, std::move(bytes)});
    }
    return file_->WriteAt(offset, data);
  }

  FaultyEnv& env_;
  std::string path_;
  std::unique_ptr<PlacedFile> file_;
  std::shared_ptr<Inode> inode_;
  std::int64_t generation_;
  bool failed_ = false;
};

class FaultyEnv::Reader final : public ReadableFile {
 public:
  Reader(FaultyEnv& env, std::string path, std::unique_ptr<ReadableFile> file)
      : env_(env), path_(std::move(path)), file_(std::move(file)) {}
  std::int64_t size() const override { return file_->size(); }
  Status ReadAt(std::int64_t offset, std::size_t length, char* out) const override {
    const std::lock_guard lock(env_.mutex_);
    return env_.Run(Operation::kRead, path_, [&] { return file_->ReadAt(offset, length, out); });
  }

 private:
  FaultyEnv& env_;
  std::string path_;
  std::unique_ptr<ReadableFile> file_;
};

Result<std::unique_ptr<WritableFile>> FaultyEnv::NewWritableFile(const std::string& path) {
  const std::lock_guard lock(mutex_);
  return Run(Operation::kCreate, path, [&]() -> Result<std::unique_ptr<WritableFile>> {
    const bool existed = target_.Exists(path);
    LAMINA_ASSIGN(std::unique_ptr<WritableFile> file, target_.NewWritableFile(path));
    std::shared_ptr<Inode> inode = Created(path, existed);
    inode->synced = 0;
    inode->overwritten.clear();
    return std::make_unique<File>(*this, path, std::move(file), std::move(inode));
  });
}

std::shared_ptr<FaultyEnv::Inode> FaultyEnv::Created(const std::string& path, bool existed) {
  const std::string name = Normal(path);
  if (!existed) pending_.push_back({Operation::kCreate, ParentPath(name), name, {}, {}});
  // A file that was there may be open elsewhere: it is the same one.
  std::shared_ptr<Inode>& inode = files_[name];
  if (inode == nullptr || !existed) inode = std::make_shared<Inode>();
  return inode;
}

Result<std::unique_ptr<PlacedFile>> FaultyEnv::OpenPlaced(const std::string& path, Place place) {
  const std::lock_guard lock(mutex_);
  const Operation operation = place == Place::kNew ? Operation::kCreate : Operation::kOpen;
  return Run(operation, path, [&]() -> Result<std::unique_ptr<PlacedFile>> {
    LAMINA_ASSIGN(std::unique_ptr<PlacedFile> file, target_.OpenPlaced(path, place));
    const bool known = files_.contains(Normal(path));
    std::shared_ptr<Inode> inode = Created(path, place == Place::kExisting);
    if (!known && place == Place::kExisting) {
      LAMINA_ASSIGN(const FileInfo info, target_.Stat(path));
      inode->synced = info.size;
    }
    return std::make_unique<Placed>(*this, path, std::move(file), std::move(inode));
  });
}

Result<std::unique_ptr<ReadableFile>> FaultyEnv::OpenReadable(const std::string& path) {
  const std::lock_guard lock(mutex_);
  return Run(Operation::kOpen, path, [&]() -> Result<std::unique_ptr<ReadableFile>> {
    LAMINA_ASSIGN(std::unique_ptr<ReadableFile> file, target_.OpenReadable(path));
    return std::make_unique<Reader>(*this, path, std::move(file));
  });
}

Result<std::string> FaultyEnv::ReadFile(const std::string& path, std::int64_t max_bytes) {
  const std::lock_guard lock(mutex_);
  return Run(Operation::kRead, path, [&] { return target_.ReadFile(path, max_bytes); });
}

// ---- names
// ---------------------------------------------------------------------------------------

Result<std::optional<FaultyEnv::Saved>> FaultyEnv::Save(const std::string& path) {
  Result<FileInfo> info = target_.Stat(path);
  if (!info.ok() && info.error().code() == ErrorCode::kNotFound) return std::optional<Saved>();
  if (!info.ok()) return std::move(info).error();
  if (!info->is_regular) return std::optional<Saved>();
  Saved saved;
  LAMINA_ASSIGN(saved.bytes, target_.ReadFile(path, kNoLimit));
  const auto found = files_.find(Normal(path));
  if (found != files_.end()) saved.inode = found->second;
  return std::optional(std::move(saved));
}

Status FaultyEnv::Unlink(const std::string& path) {
  const std::lock_guard lock(mutex_);
  return Run(Operation::kUnlink, path, [&]() -> Status {
    LAMINA_ASSIGN(std::optional<Saved> former, Save(path));
    LAMINA_TRY(target_.Unlink(path));
    const std::string name = Normal(path);
    files_.erase(name);
    pending_.push_back({Operation::kUnlink, ParentPath(name), name, {}, std::move(former)});
    return Ok();
  });
}

Status FaultyEnv::Rename(const std::string& from, const std::string& to) {
  return Move(from, to, [&] { return target_.Rename(from, to); });
}

Status FaultyEnv::RenameToNew(const std::string& from, const std::string& to) {
  return Move(from, to, [&] { return target_.RenameToNew(from, to); });
}

Status FaultyEnv::Move(const std::string& from, const std::string& to,
                       const std::function<Status()>& rename) {
  const std::lock_guard lock(mutex_);
  return Run(Operation::kRename, from + " to " + to, [&]() -> Status {
    LAMINA_ASSIGN(std::optional<Saved> former, Save(to));
    LAMINA_TRY(rename());
    const std::string name = Normal(to);
    const std::string old_name = Normal(from);
    if (name == old_name) return Ok();
    pending_.push_back({Operation::kRename, ParentPath(name), name, old_name, std::move(former)});
    files_.erase(name);
    // The file itself, and when it is a folder those below it.
    std::map<std::string, std::shared_ptr<Inode>> moved;
    std::erase_if(files_, [&](auto& entry) {
      const std::string& key = entry.first;
      if (key != old_name && !key.starts_with(old_name + "/")) return false;
      moved.emplace(name + key.substr(old_name.size()), std::move(entry.second));
      return true;
    });
    files_.merge(moved);
    return Ok();
  });
}

Status FaultyEnv::SyncDirectory(const std::string& path) {
  const std::lock_guard lock(mutex_);
  return Run(Operation::kSyncDirectory, path, [&]() -> Status {
    LAMINA_TRY(target_.SyncDirectory(path));
    const std::string folder = Normal(path);
    std::erase_if(pending_, [&](const Pending& change) { return change.folder == folder; });
    return Ok();
  });
}

Status FaultyEnv::CreateDirectories(const std::string& path) {
  const std::lock_guard lock(mutex_);
  return Run(Operation::kCreateDirectories, path, [&] { return target_.CreateDirectories(path); });
}

Status FaultyEnv::RemoveDirectory(const std::string& path) {
  const std::lock_guard lock(mutex_);
  return Run(Operation::kRemoveDirectory, path, [&]() -> Status {
    LAMINA_TRY(target_.RemoveDirectory(path));
    const std::string name = Normal(path);
    pending_.push_back({Operation::kRemoveDirectory, ParentPath(name), name, {}, {}});
    return Ok();
  });
}

// ---- losing power
// --------------------------------------------------------------------------------

Status FaultyEnv::WriteBack(const std::string& path, const Saved& saved) {
  LAMINA_ASSIGN(const std::unique_ptr<WritableFile> file, target_.NewWritableFile(path));
  LAMINA_TRY(file->Append(saved.bytes));
  LAMINA_TRY(file->Close());
  if (saved.inode != nullptr) files_[path] = saved.inode;
  return Ok();
}

Status FaultyEnv::Undo(const Pending& change) {
  switch (change.operation) {
    case Operation::kCreate: {
      // Renamed away and durable there: then the name is gone already.
      Status status = target_.Unlink(change.path);
      files_.erase(change.path);
      if (!status.ok() && status.error().code() != ErrorCode::kNotFound) return status;
      return Ok();
    }
    case Operation::kUnlink:
      // A folder that is gone for good took its names along.
      if (!target_.Exists(change.folder)) return Ok();
      return change.former ? WriteBack(change.path, *change.former) : Ok();
    case Operation::kRemoveDirectory:
      return target_.CreateDirectories(change.path);
    case Operation::kRename: {
      const auto moved = files_.extract(change.path);
      if (target_.Exists(change.from) || !target_.Exists(ParentPath(change.from))) {
        // The old name is another's for good, or its folder is gone: the renamed file is lost.
        LAMINA_TRY(target_.Unlink(change.path));
      } else if (target_.Exists(change.path)) {
        LAMINA_TRY(target_.Rename(change.path, change.from));
        if (moved) files_[change.from] = moved.mapped();
      }
      return change.former ? WriteBack(change.path, *change.former) : Ok();
    }
    default:
      return Internal("not a change of a folder");
  }
}

Status FaultyEnv::CutTail(const std::string& path, const Inode& inode, Tail tail) {
  Result<FileInfo> info = target_.Stat(path);
  if (!info.ok()) return Ok();  // Removed behind our back.
  if (info->size <= inode.synced && inode.overwritten.empty()) return Ok();
  LAMINA_ASSIGN(std::string bytes, target_.ReadFile(path, kNoLimit));
  const auto synced = std::min(static_cast<std::size_t>(inode.synced), bytes.size());
  // Of half a tail the first half of the placed writes stays.
  const std::size_t kept = tail == Tail::kHalf ? inode.overwritten.size() / 2 : 0;
  for (std::size_t i = inode.overwritten.size(); i-- > kept;) {
    const Inode::Overwritten& former = inode.overwritten[i];
    const auto offset = static_cast<std::size_t>(former.offset);
    if (offset >= bytes.size()) continue;
    const std::size_t length = std::min(former.bytes.size(), bytes.size() - offset);
    bytes.replace(offset, length, former.bytes, 0, length);
  }
  switch (tail) {
    case Tail::kLost:
      bytes.resize(synced);
      break;
    case Tail::kHalf:
      bytes.resize(synced + (bytes.size() - synced) / 2);
      break;
    case Tail::kZeros:
      std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(synced), bytes.end(), '\0');
      break;
  }
  LAMINA_ASSIGN(const std::unique_ptr<WritableFile> file, target_.NewWritableFile(path));
  LAMINA_TRY(file->Append(bytes));
  return file->Close();
}

Status FaultyEnv::LoseUnsynced(Tail tail) {
  const std::lock_guard lock(mutex_);
  ++generation_;
  while (!pending_.empty()) {
    const Pending change = std::move(pending_.back());
    pending_.pop_back();
    LAMINA_TRY_WITH(Undo(change), "undoing a " + std::string(OperationName(change.operation)));
  }
  for (const auto& [path, inode] : files_) LAMINA_TRY(CutTail(path, *inode, tail));
  files_.clear();
  return Ok();
}

std::vector<std::string> FaultyEnv::UnsyncedNames() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  names.reserve(pending_.size());
  for (const Pending& change : pending_) names.push_back(change.path);
  return names;
}

// ---- the rest
// ------------------------------------------------------------------------------------

Result<FileInfo> FaultyEnv::Stat(const std::string& path) {
  const std::lock_guard lock(mutex_);
  return Run(Operation::kStat, path, [&] { return target_.Stat(path); });
}

Result<bool> FaultyEnv::IsSymlink(const std::string& path) {
  const std::lock_guard lock(mutex_);
  return Run(Operation::kStat, path, [&] { return target_.IsSymlink(path); });
}

Result<std::vector<DirectoryEntry>> FaultyEnv::ListDirectory(const std::string& path) {
  const std::lock_guard lock(mutex_);
  return Run(Operation::kList, path, [&] { return target_.ListDirectory(path); });
}

Result<std::unique_ptr<FileLock>> FaultyEnv::TryLock(const std::string& path) {
  const std::lock_guard lock(mutex_);
  return Run(Operation::kLock, path, [&] { return target_.TryLock(path); });
}

Result<std::int64_t> FaultyEnv::FreeBytes(const std::string& path) {
  const std::lock_guard lock(mutex_);
  return Run(Operation::kFreeBytes, path, [&]() -> Result<std::int64_t> {
    if (free_bytes_) return *free_bytes_;
    return target_.FreeBytes(path);
  });
}

Result<Env::FileSystemKind> FaultyEnv::FileSystemOf(const std::string& path) {
  const std::lock_guard lock(mutex_);
  if (file_system_) return *file_system_;
  return target_.FileSystemOf(path);
}

Nanos FaultyEnv::Now() {
  const std::lock_guard lock(mutex_);
  return now_ ? *now_ : target_.Now();
}

Nanos FaultyEnv::Monotonic() {
  const std::lock_guard lock(mutex_);
  return Nanos{target_.Monotonic().value + monotonic_ahead_};
}

void FaultyEnv::SetNow(std::optional<Nanos> now) {
  const std::lock_guard lock(mutex_);
  now_ = now;
}

void FaultyEnv::AdvanceClock(std::int64_t nanos) {
  const std::lock_guard lock(mutex_);
  if (now_) now_->value += nanos;
  monotonic_ahead_ += nanos;
}

void FaultyEnv::SetFreeBytes(std::optional<std::int64_t> bytes) {
  const std::lock_guard lock(mutex_);
  free_bytes_ = bytes;
}

void FaultyEnv::SetFileSystem(std::optional<FileSystemKind> kind) {
  const std::lock_guard lock(mutex_);
  file_system_ = std::move(kind);
}

}  // namespace lamina::io
