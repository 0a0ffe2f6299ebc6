#include "lamina/tick_log/log_files.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "lamina/tick_log/jsonl_group.h"

namespace lamina::tick_log {
namespace {

constexpr std::size_t kWindowBytes = std::size_t{64} << 10;
constexpr std::size_t kWholeWindowBytes = std::size_t{1} << 20;
/// Of groups that are longer only the fronts are read, when nothing else is wanted.
constexpr std::size_t kLongGroupBytes = std::size_t{16} << 10;
/// A front that grows a little is still read at once.
constexpr std::size_t kFrontRoomBytes = 512;
constexpr std::size_t kSearchBytes = std::size_t{4} << 20;

std::optional<std::int64_t> ParseNumber(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 0) return {};
  return number;
}

/// Where the next group may begin, at or after `at`; absent: nowhere in `bytes`.
std::optional<std::size_t> NextCandidate(ByteView bytes, std::size_t at, LogPayload payload) {
  if (payload == LogPayload::kJsonl) {
    const std::size_t end = EndOfNextCommit(bytes, at);
    return end == ByteView::npos ? std::nullopt : std::optional(end);
  }
  for (at = (at + 7) & ~std::size_t{7}; at + 4 <= bytes.size(); at += 8) {
    if (bytes.substr(at, 4) == "LGRP") return at;
  }
  return {};
}

/// The first whole group behind `offset` that was written when `offset` was durable.
Result<std::optional<std::int64_t>> FindLaterGroup(SegmentFile& file, std::int64_t offset,
                                                   std::int64_t size) {
  const LogPayload payload = file.header().payload;
  std::size_t window = kSearchBytes;
  std::string buffer;
  for (std::int64_t at = offset + (payload == LogPayload::kBinary ? 8 : 0); at < size;) {
    const auto take = static_cast<std::size_t>(
        std::min<std::int64_t>(size - at, static_cast<std::int64_t>(window)));
    LAMINA_ASSIGN(const ByteView bytes, file.Read(at, take, buffer));
    const std::optional<std::size_t> candidate = NextCandidate(bytes, 0, payload);
    if (!candidate) {
      if (payload == LogPayload::kJsonl && at + std::ssize(bytes) < size &&
          std::cmp_less(window, kGroupBytesMax)) {
        window *= 2;  // a commit line further on
        continue;
      }
      at += std::ssize(bytes);
      continue;
    }
    const std::int64_t place = at + static_cast<std::int64_t>(*candidate);
    Group group;
    ByteView ignored;
    LAMINA_ASSIGN(const Look look, file.LookAt(place, size, true, group, ignored));
    if (look.found == Found::kGroup && group.header.synced_end > offset) return place;
    at = place + (payload == LogPayload::kBinary ? 8 : 0);
    if (payload == LogPayload::kJsonl && look.found == Found::kNothing) break;
  }
  return std::optional<std::int64_t>();
}

}  // namespace

std::string LogFolder(const std::string& root) { return io::JoinPath(root, "log"); }
std::string WriterFolder(const std::string& root, std::int64_t writer) {
  return io::JoinPath(LogFolder(root), std::to_string(writer));
}
std::string SegmentPath(const std::string& folder, std::int64_t number) {
  std::string digits = std::to_string(number);
  if (digits.size() < 8) digits.insert(0, 8 - digits.size(), '0');
  return io::JoinPath(folder, digits + ".seg");
}
std::string IndexPath(const std::string& segment_path) {
  return segment_path.substr(0, segment_path.size() - 4) + ".idx";
}
std::string StatePath(const std::string& folder) { return io::JoinPath(folder, "state"); }
std::string LockPath(const std::string& folder) { return io::JoinPath(folder, "lock"); }
std::string ReadyPath(const std::string& folder) { return io::JoinPath(folder, "ready"); }

Result<std::vector<std::int64_t>> ListLogWriters(io::Env& env, const std::string& root) {
  std::vector<std::int64_t> writers;
  Result<std::vector<io::DirectoryEntry>> entries = env.ListDirectory(LogFolder(root));
  if (!entries.ok()) {
    if (entries.error().code() == ErrorCode::kNotFound) return writers;
    return std::move(entries).error();
  }
  for (const io::DirectoryEntry& entry : *entries) {
    if (!entry.is_directory) continue;
    if (const auto writer = ParseNumber(entry.name)) writers.push_back(*writer);
  }
  std::sort(writers.begin(), writers.end());
  return writers;
}

Result<std::vector<std::int64_t>> ListSegments(io::Env& env, const std::string& folder) {
  std::vector<std::int64_t> numbers;
  Result<std::vector<io::DirectoryEntry>> entries = env.ListDirectory(folder);
  if (!entries.ok()) {
    if (entries.error().code() == ErrorCode::kNotFound) return numbers;
    return std::move(entries).error();
  }
  for (const io::DirectoryEntry& entry : *entries) {
    const std::string_view name = entry.name;
    if (!name.ends_with(".seg")) continue;
    if (const auto number = ParseNumber(name.substr(0, name.size() - 4))) {
      numbers.push_back(*number);
    }
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

Result<std::optional<LogState>> ReadLogState(io::Env& env, const std::string& folder,
                                             const Uuid& store_id, std::int64_t writer) {
  Result<std::string> page = env.ReadFile(StatePath(folder), std::int64_t{1} << 20);
  if (!page.ok()) {
    if (page.error().code() == ErrorCode::kNotFound) return std::optional<LogState>();
    return std::move(page).error();
  }
  return DecodeStatePage(*page, store_id, writer);
}

bool LogIsAlive(io::Env& env, const std::string& folder) {
  const std::string path = ReadyPath(folder);
  if (!env.Exists(path)) return false;
  // A lock that cannot be asked for (a folder without leave to write) says nothing: then only what
  // was published counts.
  return !env.TryLock(path).ok();
}

// ---- one segment

Result<std::optional<SegmentFile>> SegmentFile::Open(io::Env& env, const std::string& path,
                                                     const Uuid& store_id, std::int64_t writer,
                                                     std::int64_t number) {
  SegmentFile file;
  file.env_ = &env;
  file.path_ = path;
  LAMINA_ASSIGN(file.file_, env.OpenReadable(path));
  const std::int64_t size = file.file_->size();
  std::string head(static_cast<std::size_t>(std::min(size, kSegmentHeaderBytes)), '\0');
  LAMINA_TRY(file.file_->ReadAt(0, head.size(), head.data()));
  // The header is durable before anything stands behind it.
  std::string next(static_cast<std::size_t>(
                       std::clamp<std::int64_t>(size - kSegmentHeaderBytes, 0, kGroupHeaderBytes)),
                   '\0');
  LAMINA_TRY(file.file_->ReadAt(kSegmentHeaderBytes, next.size(), next.data()));
  Result<SegmentHeader> header = DecodeSegmentHeader(head);
  if (!header.ok()) {
    const bool torn = header.error().code() == ErrorCode::kCorruption;
    if (torn && IsUnused(next)) return std::optional<SegmentFile>();
    return std::move(header).error().With(path);
  }
  file.header_ = *header;
  if (header->store_id != store_id || header->writer != writer || header->number != number) {
    return Corruption(path + " is segment " + std::to_string(header->number) + " of writer " +
                      std::to_string(header->writer) + " of store " + header->store_id.ToString() +
                      ", and does not belong here");
  }
  return std::optional(std::move(file));
}

Result<SegmentFile> SegmentFile::Again() const {
  SegmentFile file;
  file.env_ = env_;
  file.path_ = path_;
  file.header_ = header_;
  LAMINA_ASSIGN(file.file_, env_->OpenReadable(path_));
  return file;
}

Result<ByteView> SegmentFile::Read(std::int64_t offset, std::size_t length,
                                   std::string& buffer) const {
  if (buffer.size() < length) buffer.resize(length);
  LAMINA_TRY(file_->ReadAt(offset, length, buffer.data()));
  return ByteView(buffer).substr(0, length);
}

Status SegmentFile::Fill(std::int64_t offset, std::size_t length) {
  window_.resize(length);
  window_begin_ = offset;
  Status read = file_->ReadAt(offset, length, window_.data());
  if (!read.ok()) window_.clear();
  return read;
}

/// How much is read at once, going by the last group: neighbours are mostly alike.
std::size_t SegmentFile::WindowBytes(bool whole) const {
  if (whole) return std::max(kWholeWindowBytes, last_length_);
  if (last_length_ < kLongGroupBytes || last_length_ < 2 * last_front_) return kWindowBytes;
  return last_front_ + kFrontRoomBytes;
}

Result<Look> SegmentFile::LookAt(std::int64_t offset, std::int64_t limit, bool whole, Group& group,
                                 ByteView& bytes) {
  std::size_t wanted = static_cast<std::size_t>(kGroupHeaderBytes);
  const std::size_t window = WindowBytes(whole);
  while (true) {
    const std::int64_t end = window_begin_ + std::ssize(window_);
    const std::int64_t left = std::max<std::int64_t>(limit - offset, 0);
    const auto least =
        static_cast<std::size_t>(std::min<std::int64_t>(left, static_cast<std::int64_t>(wanted)));
    if (offset < window_begin_ || offset + static_cast<std::int64_t>(least) > end) {
      const std::int64_t take =
          std::min<std::int64_t>(left, static_cast<std::int64_t>(std::max(wanted, window)));
      const Status read = Fill(offset, static_cast<std::size_t>(take));
      if (!read.ok()) {
        // The zeros behind a seal may have been cut off meanwhile.
        LAMINA_ASSIGN(const std::int64_t size, Size());
        if (size >= limit) return read.error().Clone();
        limit = size;
        continue;
      }
    }
    bytes = ByteView(window_).substr(static_cast<std::size_t>(offset - window_begin_));
    bytes = bytes.substr(0, static_cast<std::size_t>(left));
    const Look look = LookAtGroup(bytes, offset, seat(), whole, group);
    if (look.found == Found::kGroup) {
      last_length_ = group.header.length;
      last_front_ = group.header.front;
    }
    if (look.found != Found::kMore) return look;
    if (std::cmp_greater(look.needed, left) && std::cmp_greater_equal(bytes.size(), left)) {
      return Look{Found::kBad, 0, "it ends before it should"};
    }
    wanted = look.needed;
  }
}

Result<std::int64_t> SegmentFile::Size() const {
  LAMINA_ASSIGN(const io::FileInfo info, env_->Stat(path_));
  return info.size;
}

Error SegmentFile::Damage(std::int64_t offset, std::string_view what) const {
  return Corruption(path_ + ": group at byte " + std::to_string(offset) + ": " + std::string(what));
}

Result<std::optional<Group>> FindGroupBehind(SegmentFile& file, std::int64_t offset,
                                             std::int64_t limit) {
  std::string buffer;
  while (offset < limit) {
    const auto take = static_cast<std::size_t>(
        std::min<std::int64_t>(limit - offset, std::int64_t{kWindowBytes}));
    LAMINA_ASSIGN(const ByteView bytes, file.Read(offset, take, buffer));
    const std::optional<std::size_t> candidate = NextCandidate(bytes, 0, LogPayload::kBinary);
    if (!candidate) {
      offset += std::ssize(bytes);
      continue;
    }
    offset += static_cast<std::int64_t>(*candidate);
    Group group;
    ByteView ignored;
    LAMINA_ASSIGN(const Look look, file.LookAt(offset, limit, false, group, ignored));
    group.offset = offset;
    if (look.found == Found::kGroup) return std::optional(std::move(group));
    offset += 8;
  }
  return std::optional<Group>();
}

// ---- where it ends

Result<SegmentEnd> FindSegmentEnd(SegmentFile& file, SegmentEnd from, std::int64_t durable_end,
                                  const std::function<void(const Group&, ByteView)>& each) {
  LAMINA_ASSIGN(const std::int64_t size, file.Size());
  SegmentEnd end = std::move(from);
  Group group;
  ByteView bytes;
  while (true) {
    LAMINA_ASSIGN(Look look, file.LookAt(end.offset, size, true, group, bytes));
    if (look.found == Found::kGroup && group.header.first_seq != end.end_seq) {
      look = {Found::kBad, 0, "its first seq does not follow"};
    }
    if (look.found == Found::kGroup) {
      end.recv_ns = std::max(end.recv_ns, group.header.recv_ns);
      if (each && !group.header.seal) each(group, bytes);
      end.sealed = group.header.seal;
      if (end.sealed) return end;
      end.offset = group.end();
      end.end_seq = group.end_seq();
      continue;
    }
    const char* const reason = look.found == Found::kBad ? look.reason : "nothing is there";
    if (end.offset < durable_end) {
      return file.Damage(end.offset, std::string(reason) + ", and it was durable up to byte " +
                                         std::to_string(durable_end));
    }
    LAMINA_ASSIGN(const auto later, FindLaterGroup(file, end.offset, size));
    if (later) {
      return file.Damage(end.offset, std::string(reason) + ", and the group at byte " +
                                         std::to_string(*later) + " was written after it");
    }
    if (look.found == Found::kBad) {
      end.torn = file.path() + ": torn at byte " + std::to_string(end.offset) + ": " + reason;
    }
    return end;
  }
}

}  // namespace lamina::tick_log
