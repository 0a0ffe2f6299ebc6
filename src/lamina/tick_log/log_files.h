#pragma once

/// \file lamina/tick_log/log_files.h
/// The files of logs below <root>/log: their names, the state page, segments being read.
/// Functions are thread-safe; SegmentFile is thread-compatible.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lamina/base/result.h"
#include "lamina/base/uuid.h"
#include "lamina/io/env.h"
#include "lamina/tick_log/segment_format.h"

namespace lamina::tick_log {

std::string LogFolder(const std::string& root);
std::string WriterFolder(const std::string& root, std::int64_t writer);
std::string SegmentPath(const std::string& folder, std::int64_t number);
std::string IndexPath(const std::string& segment_path);
std::string StatePath(const std::string& folder);
/// Held by who writes or repairs the log.
std::string LockPath(const std::string& folder);
/// Held by the writer besides, once the page tells all that its predecessor left.
std::string ReadyPath(const std::string& folder);

/// Writers that have a log, ascending.
Result<std::vector<std::int64_t>> ListLogWriters(io::Env& env, const std::string& root);
/// Numbers of the segments in a writer's folder, ascending; those filled ahead among them. None
/// when there is no folder.
Result<std::vector<std::int64_t>> ListSegments(io::Env& env, const std::string& folder);
/// Absent when the page is missing, was never written or is damaged: it is a hint.
Result<std::optional<LogState>> ReadLogState(io::Env& env, const std::string& folder,
                                             const Uuid& store_id, std::int64_t writer);
/// Whether the log has a writer that keeps its page up to date. Not while it is being taken over:
/// then the log ends where the dead writer's does.
bool LogIsAlive(io::Env& env, const std::string& folder);

/// A begun segment, being read.
class SegmentFile {
 public:
  /// Absent when it was filled ahead and not begun, or cut off in its first write. RETURNS
  /// kNotFound, kCorruption that names it, also when it is of another store or writer.
  static Result<std::optional<SegmentFile>> Open(io::Env& env, const std::string& path,
                                                 const Uuid& store_id, std::int64_t writer,
                                                 std::int64_t number);

  /// The same file, for another thread.
  Result<SegmentFile> Again() const;

  const SegmentHeader& header() const { return header_; }
  const std::string& path() const { return path_; }
  Seat seat() const { return {header_.salt, header_.payload}; }

  /// Look at what begins at `offset`, reading nothing from `limit` on. `bytes` begins there and
  /// lives until the next call: the whole group when `whole`, else at least its front.
  Result<Look> LookAt(std::int64_t offset, std::int64_t limit, bool whole, Group& group,
                      ByteView& bytes);
  /// Bytes at a place, in `buffer`.
  Result<ByteView> Read(std::int64_t offset, std::size_t length, std::string& buffer) const;
  /// The file's length now.
  Result<std::int64_t> Size() const;
  /// "path: group at byte 4096: what"
  Error Damage(std::int64_t offset, std::string_view what) const;

 private:
  SegmentFile() = default;
  Status Fill(std::int64_t offset, std::size_t length);
  std::size_t WindowBytes(bool whole) const;

  io::Env* env_ = nullptr;
  std::string path_;
  SegmentHeader header_;
  std::unique_ptr<io::ReadableFile> file_;
  std::string window_;
  std::int64_t window_begin_ = 0;
  std::size_t last_length_ = 0, last_front_ = 0;  ///< of the group that was looked at last
};

/// The first binary group at or behind byte `offset`, by its front; reading nothing from `limit`
/// on. REQUIRES an offset that is a multiple of 8.
Result<std::optional<Group>> FindGroupBehind(SegmentFile& file, std::int64_t offset,
                                             std::int64_t limit);

/// Where the good groups of a segment end.
struct SegmentEnd {
  std::int64_t offset = 0, end_seq = 0;
  std::int64_t recv_ns = 0;  ///< the last time set by the writer
  bool sealed = false;
  std::string torn;  ///< what stands behind, in words; empty: nothing
};
/// Walk the groups from `from` on, whose next seq is `end_seq`. What is not whole is a torn tail,
/// unless it was durable: when it stands before `durable_end`, or before a group that was written
/// later. RETURNS kCorruption then, with file and place. `each` may be empty.
Result<SegmentEnd> FindSegmentEnd(SegmentFile& file, SegmentEnd from, std::int64_t durable_end,
                                  const std::function<void(const Group&, ByteView)>& each);

}  // namespace lamina::tick_log
