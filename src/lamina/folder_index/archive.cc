#include "lamina/folder_index/archive.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include <unistd.h>

#include "lamina/base/hash.h"

namespace lamina::folder_index {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBlockBytes = 1 << 20;
constexpr const char* kPartial = ".lamina-partial";

struct Content {
  std::int64_t size = 0;
  Sha256Digest digest;
  bool operator==(const Content&) const = default;
};

/// `consume` is given the file's bytes in order.
template <class Consume>
Status ReadBlocks(io::Env& env, const std::string& path, Consume consume) {
  LAMINA_ASSIGN(const auto file, env.OpenReadable(path));
  std::string block;
  for (std::int64_t at = 0; at < file->size();) {
    block.resize(static_cast<std::size_t>(
        std::min<std::int64_t>(file->size() - at, std::int64_t{kBlockBytes})));
    LAMINA_TRY(file->ReadAt(at, block.size(), block.data()));
    LAMINA_TRY(consume(ByteView(block)));
    at += std::ssize(block);
  }
  return Ok();
}

Result<Content> ReadContent(io::Env& env, const std::string& path) {
  Content content;
  Sha256Stream hash;
  LAMINA_TRY(ReadBlocks(env, path, [&](ByteView block) -> Status {
    hash.Update(block);
    content.size += std::ssize(block);
    return Ok();
  }));
  content.digest = hash.Finish();
  return content;
}

/// A new name for a file, failing when the name is taken: rename would replace what is there.
Status Link(const std::string& from, const std::string& to) {
  if (::link(from.c_str(), to.c_str()) == 0) return Ok();
  const int error = errno;
  std::string message = "linking " + from + " to " + to + ": " + std::strerror(error);
  if (error == EEXIST) return AlreadyExists(std::move(message));
  if (error == EXDEV || error == EPERM || error == EMLINK || error == EOPNOTSUPP) {
    return Unsupported(std::move(message));
  }
  return IoError(std::move(message));
}

Status RemoveSource(io::Env& env, const std::string& from) {
  LAMINA_TRY(env.Unlink(from));
  return env.SyncDirectory(io::ParentPath(from));
}

/// Whether the bytes at `from` are still those that were copied.
Status CheckUnchanged(io::Env& env, const std::string& from, const Content& copied) {
  LAMINA_ASSIGN(const Content now, ReadContent(env, from));
  if (now == copied) return Ok();
  return Conflict(from + " changed while it was moved; it was left");
}

}  // namespace

Result<Destination> LookAt(io::Env& env, const std::string& from, const std::string& to) {
  const auto there = env.Stat(to);
  if (!there.ok()) {
    if (there.error().code() == ErrorCode::kNotFound) return Destination::kFree;
    return there.error().Clone();
  }
  LAMINA_ASSIGN(const io::FileInfo source, env.Stat(from));
  std::error_code error;
  // Another way to `from` itself is no copy of it.
  const bool alias = fs::is_symlink(to, error) ||
                     fs::canonical(io::ParentPath(to), error) / io::BaseName(to) ==
                         fs::canonical(io::ParentPath(from), error) / io::BaseName(from);
  if (alias || error) return Destination::kOther;
  if (!there->is_regular || there->size != source.size) return Destination::kOther;
  LAMINA_ASSIGN(const Content left, ReadContent(env, from));
  LAMINA_ASSIGN(const Content right, ReadContent(env, to));
  return left == right ? Destination::kSameContent : Destination::kOther;
}

Status CopyAndRemove(io::Env& env, const std::string& from, const std::string& to) {
  const std::string partial = to + kPartial;
  Content copied;
  {
    Sha256Stream hash;
    LAMINA_ASSIGN(const auto out, env.NewWritableFile(partial));
    Status written = ReadBlocks(env, from, [&](ByteView block) -> Status {
      hash.Update(block);
      copied.size += std::ssize(block);
      return out->Append(block);
    });
    if (written.ok()) written = out->Sync();
    if (written.ok()) written = out->Close();
    if (!written.ok()) {
      const Status removed = env.Unlink(partial);
      static_cast<void>(removed);  // what went wrong first is what to tell
      return written;
    }
    copied.digest = hash.Finish();
  }
  LAMINA_ASSIGN(const Content read_back, ReadContent(env, partial));
  Status named = read_back == copied ? Link(partial, to)
                                     : Corruption(partial + " does not read back as written");
  if (!named.ok() && named.error().code() == ErrorCode::kUnsupported) {
    // A file system without hard links: look, then rename.
    named = env.Exists(to) ? AlreadyExists(to + " exists already") : env.Rename(partial, to);
  } else {
    const Status removed = env.Unlink(partial);
    if (named.ok() && !removed.ok()) return removed.error().Clone();
  }
  LAMINA_TRY(std::move(named));
  LAMINA_TRY(env.SyncDirectory(io::ParentPath(to)));
  LAMINA_TRY(CheckUnchanged(env, from, copied));
  return RemoveSource(env, from);
}

Status MoveFile(io::Env& env, const std::string& from, const std::string& to) {
  LAMINA_TRY(env.CreateDirectories(io::ParentPath(to)));
  LAMINA_ASSIGN(const Destination there, LookAt(env, from, to));
  switch (there) {
    case Destination::kOther:
      return AlreadyExists(to + " exists already and is another file");
    case Destination::kSameContent:  // an earlier move was cut short
      LAMINA_TRY(env.SyncDirectory(io::ParentPath(to)));
      return RemoveSource(env, from);
    case Destination::kFree:
      break;
  }
  Status linked = Link(from, to);
  if (linked.ok()) {
    LAMINA_TRY(env.SyncDirectory(io::ParentPath(to)));
    return RemoveSource(env, from);
  }
  if (linked.error().code() != ErrorCode::kUnsupported) return linked;
  return CopyAndRemove(env, from, to);
}

}  // namespace lamina::folder_index
