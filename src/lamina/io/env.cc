#include "lamina/io/env.h"

#include "lamina/base/uuid.h"

namespace lamina::io {

Status Env::WriteFileAtomically(const std::string& path, ByteView data) {
  if (path.empty()) return InvalidArgument("no file is named");
  // Renaming over a device or a pipe would take it away from everybody.
  const Result<FileInfo> there = Stat(path);
  if (there.ok() && !there->is_regular) {
    return InvalidArgument(path + (there->is_directory ? " is a folder; name a file in it"
                                                       : " is not a regular file"));
  }
  const std::string temporary = path + "." + RandomUuid4().ToString().substr(0, 13) + ".tmp";
  const auto write = [&]() -> Status {
    LAMINA_ASSIGN(const std::unique_ptr<WritableFile> file, NewWritableFile(temporary));
    LAMINA_TRY(file->Append(data));
    LAMINA_TRY(file->Sync());
    LAMINA_TRY(file->Close());
    return Rename(temporary, path);
  };
  Status status = write();
  if (!status.ok()) {
    // Best effort: the first error is the one to report, and a leftover is only a stray .tmp file.
    (void)Unlink(temporary);
    return std::move(status).error().With("writing " + path);
  }
  return SyncDirectory(ParentPath(path));
}

std::string JoinPath(std::string_view a, std::string_view b) {
  if (a.empty()) return std::string(b);
  if (b.empty()) return std::string(a);
  while (!b.empty() && b.front() == '/') b.remove_prefix(1);
  std::string out;
  out.reserve(a.size() + 1 + b.size());
  out.append(a);
  if (out.back() != '/') out += '/';
  out.append(b);
  return out;
}

namespace {

std::string_view WithoutTrailingSlashes(std::string_view path) {
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  return path;
}

}  // namespace

std::string ParentPath(std::string_view path) {
  path = WithoutTrailingSlashes(path);
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  return std::string(WithoutTrailingSlashes(path.substr(0, slash + 1)));
}

std::string BaseName(std::string_view path) {
  path = WithoutTrailingSlashes(path);
  if (path == "/") return "/";
  const std::size_t slash = path.rfind('/');
  return std::string(slash == std::string_view::npos ? path : path.substr(slash + 1));
}

}  // namespace lamina::io
