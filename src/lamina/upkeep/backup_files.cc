#include "lamina/upkeep/backup_files.h"

#include <algorithm>
#include <functional>
#include <set>
#include <utility>

#include "lamina/base/hash.h"
#include "lamina/catalog/lake_files.h"

namespace lamina::upkeep {
namespace {

constexpr std::int64_t kBlockBytes = std::int64_t{1} << 20;

/// Call `take` with each block of the file.
Status ReadBlocks(io::Env& env, const std::string& path,
                  const std::function<Status(ByteView)>& take) {
  LAMINA_ASSIGN(const auto file, env.OpenReadable(path));
  std::string block;
  for (std::int64_t offset = 0; offset < file->size(); offset += kBlockBytes) {
    block.resize(static_cast<std::size_t>(std::min(kBlockBytes, file->size() - offset)));
    LAMINA_TRY(file->ReadAt(offset, block.size(), block.data()));
    LAMINA_TRY(take(block));
  }
  return Ok();
}

/// Into a file of another name beside `to`, synced. RETURNS the CRC32C.
Result<std::uint32_t> CopyAside(io::Env& env, const std::string& from, const std::string& aside) {
  LAMINA_ASSIGN(const auto out, env.NewWritableFile(aside));
  std::uint32_t checksum = 0;
  LAMINA_TRY(ReadBlocks(env, from, [&](ByteView block) -> Status {
    checksum = Crc32c(block, checksum);
    return out->Append(block);
  }));
  LAMINA_TRY(out->Sync());
  LAMINA_TRY(out->Close());
  return checksum;
}

Status CheckChunk(io::Env& env, const StoredFile& file, const std::string& path) {
  LAMINA_ASSIGN(std::string stored, env.ReadFile(path, catalog::kChunkBytesMax));
  const auto content = catalog::DecodeChunk(*file.chunk, file.row, std::move(stored), file.path);
  if (!content.ok()) return content.error().Clone();
  return Ok();
}

Status CopyChecked(io::Env& env, const std::string& from, const std::string& to,
                   const StoredFile& file) {
  const std::string target = io::JoinPath(to, file.path);
  const std::string aside = target + ".part";
  auto checksum = CopyAside(env, io::JoinPath(from, file.path), aside);
  if (!checksum.ok()) {
    if (checksum.error().code() != ErrorCode::kNotFound) return std::move(checksum).error();
    return Corruption(file.path + " is missing from " + from);
  }
  Status good = Ok();
  if (file.chunk) {
    good = CheckChunk(env, file, aside);
  } else if (file.crc32c && *checksum != *file.crc32c) {
    good = Corruption(io::JoinPath(from, file.path) + " does not match its checksum");
  }
  if (good.ok()) return env.Rename(aside, target);
  static_cast<void>(env.Unlink(aside));
  return good;
}

}  // namespace

Result<std::uint32_t> ChecksumOf(io::Env& env, const std::string& path) {
  std::uint32_t checksum = 0;
  LAMINA_TRY(ReadBlocks(env, path, [&](ByteView block) -> Status {
    checksum = Crc32c(block, checksum);
    return Ok();
  }));
  return checksum;
}

Result<std::uint32_t> CopyFile(io::Env& env, const std::string& from, const std::string& to) {
  LAMINA_ASSIGN(const std::uint32_t checksum, CopyAside(env, from, to + ".part"));
  LAMINA_TRY(env.Rename(to + ".part", to));
  LAMINA_TRY(env.SyncDirectory(io::ParentPath(to)));
  return checksum;
}

Result<std::vector<StoredFile>> NamedFiles(catalog::Database& catalog) {
  std::vector<StoredFile> files;
  LAMINA_ASSIGN(const auto lake, catalog::AllLakeFiles(catalog));
  for (const catalog::NamedLakeFile& named : lake) {
    StoredFile& file = files.emplace_back();
    file.path = "lake/" + named.path;
    file.bytes = named.size_bytes;
    if (named.file_crc32c) file.crc32c = static_cast<std::uint32_t>(*named.file_crc32c);
    if (("/" + file.path + "/").find("/../") != std::string::npos) {
      return Corruption("the catalog names the file " + file.path);
    }
  }
  LAMINA_ASSIGN(auto chunks, catalog.Prepare("SELECT kind, sha256, content_bytes, stored_bytes, "
                                             "compressed FROM chunk WHERE in_file AND end_snapshot "
                                             "IS NULL"));
  for (;;) {
    LAMINA_ASSIGN(const bool row, chunks.Step());
    if (!row) break;
    const auto kind = catalog::ChunkKindFromNumber(chunks.Int(0));
    const auto sha256 = Sha256Digest::FromBytes(chunks.Blob(1));
    if (!kind || !sha256.ok()) return Corruption("a row of table chunk is of no known kind");
    StoredFile& file = files.emplace_back();
    file.chunk = catalog::ChunkId{*kind, *sha256};
    file.path = catalog::ChunkPath(*file.chunk);
    file.bytes = chunks.Int(3);
    file.row.content_bytes = chunks.Int(2);
    file.row.stored_bytes = chunks.Int(3);
    file.row.compressed = chunks.Int(4) != 0;
    file.row.in_file = true;
  }
  std::sort(files.begin(), files.end(),
            [](const StoredFile& a, const StoredFile& b) { return a.path < b.path; });
  return files;
}

Result<CopyCount> CopyFiles(io::Env& env, const std::string& from, const std::string& to,
                            const std::vector<StoredFile>& files, const CancelToken* cancel,
                            const catalog::WorkProgressCall& progress) {
  CopyCount copied;
  catalog::WorkProgress work;
  work.files_total = static_cast<std::int64_t>(files.size());
  for (const StoredFile& file : files) work.bytes_total += file.bytes;
  std::set<std::string> folders;
  for (const StoredFile& file : files) {
    if (cancel != nullptr && cancel->cancelled()) {
      return Cancelled("interrupted; what was copied stays, run it again to go on");
    }
    ++work.files_done;
    work.bytes_done += file.bytes;
    if (progress) progress(work);
    const std::string target = io::JoinPath(to, file.path);
    const auto there = env.Stat(target);
    if (there.ok() && there->size == file.bytes) continue;
    const std::string folder = io::ParentPath(target);
    if (folders.insert(folder).second) LAMINA_TRY(env.CreateDirectories(folder));
    LAMINA_TRY(CopyChecked(env, from, to, file));
    ++copied.files;
    copied.bytes += file.bytes;
  }
  for (const std::string& folder : folders) LAMINA_TRY(env.SyncDirectory(folder));
  return copied;
}

}  // namespace lamina::upkeep
