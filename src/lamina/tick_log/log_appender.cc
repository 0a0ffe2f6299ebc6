#include "lamina/tick_log/log_appender.h"

#include <algorithm>
#include <utility>

#include "lamina/base/time.h"
#include "lamina/tick_log/index_file.h"
#include "lamina/tick_log/log_files.h"

namespace lamina::tick_log {
namespace {

constexpr std::int64_t kFirstSegmentBytes = std::int64_t{4} << 20;
constexpr std::int64_t kFillBytes = std::int64_t{1} << 20;

std::uint64_t RandomSalt() {
  const Uuid random = RandomUuid4();
  std::uint64_t salt;
  std::memcpy(&salt, random.bytes.data() + 8, sizeof(salt));
  return salt;
}

}  // namespace

struct LogAppender::Segment {
  std::string path;
  std::int64_t number = 0, capacity = 0;
  std::unique_ptr<io::PlacedFile> file;
  SegmentHeader header;
  std::int64_t end = 0, synced_end = 0;
  std::int64_t end_seq = 0;
  Nanos begun;
  SegmentIndex index;
  Seat seat() const { return {header.salt, header.payload}; }
};

LogAppender::LogAppender(io::Env& env, std::string folder, const Uuid& store_id,
                         std::int64_t writer, const LogOptions& options)
    : env_(env),
      folder_(std::move(folder)),
      store_id_(store_id),
      writer_(writer),
      options_(options),
      page_(env, folder_, store_id, writer) {}

LogAppender::~LogAppender() = default;

Result<std::unique_ptr<LogAppender>> LogAppender::Open(io::Env& env, const std::string& root,
                                                       const Uuid& store_id, std::int64_t writer,
                                                       const LogOptions& options) {
  const std::string folder = WriterFolder(root, writer);
  LAMINA_TRY(env.CreateDirectories(folder));
  std::unique_ptr<LogAppender> log(new LogAppender(env, folder, store_id, writer, options));
  LAMINA_ASSIGN(log->lock_, TakeLogLock(env, LockPath(folder)));
  LAMINA_ASSIGN(RepairedLog repaired, RepairLog(env, folder, store_id, writer));
  log->recovered_ = std::move(repaired.words);
  log->state_ = repaired.state;
  log->end_seq_ = repaired.state.end_seq;
  log->next_number_ = repaired.last_number + 1;
  LAMINA_TRY(log->FindKept());
  // So that readers know of the log, and a full disk is told before the first tick.
  if (log->state_.counter == 0) LAMINA_TRY(log->page_.Publish(log->state_));
  LAMINA_ASSIGN(log->ready_, TakeLogLock(env, ReadyPath(folder)));
  LAMINA_TRY(log->PrepareSpare());
  return log;
}

/// What earlier openings left.
Status LogAppender::FindKept() {
  LAMINA_ASSIGN(const std::vector<std::int64_t> numbers, ListSegments(env_, folder_));
  std::optional<Kept> last;
  for (const std::int64_t number : numbers) {
    const std::string path = SegmentPath(folder_, number);
    LAMINA_ASSIGN(const auto file, SegmentFile::Open(env_, path, store_id_, writer_, number));
    if (!file) continue;
    if (last) kept_.push_back({file->header().first_seq, last->bytes});
    LAMINA_ASSIGN(const std::int64_t size, file->Size());
    last = Kept{0, size};
  }
  if (last) kept_.push_back({state_.end_seq, last->bytes});
  return Ok();
}

// ---- segments

Result<std::unique_ptr<LogAppender::Segment>> LogAppender::Prepare(std::int64_t bytes) {
  auto segment = std::make_unique<Segment>();
  Status filled = FillAhead(*segment, bytes);
  if (filled.ok()) return segment;
  if (segment->file != nullptr) static_cast<void>(env_.Unlink(segment->path));
  return std::move(filled).error();
}

Status LogAppender::FillAhead(Segment& segment, std::int64_t bytes) {
  {
    const std::lock_guard lock(mutex_);
    segment.number = next_number_++;
  }
  segment.path = SegmentPath(folder_, segment.number);
  segment.capacity = (std::max(bytes, 2 * kSegmentHeaderBytes) + 4095) / 4096 * 4096;
  LAMINA_ASSIGN(segment.file, env_.OpenPlaced(segment.path, io::Env::Place::kNew));
  // Text grows as it is written, so that it can be read with any tool.
  const std::int64_t filled = options_.payload == LogPayload::kBinary ? segment.capacity : 0;
  const std::string zeros(static_cast<std::size_t>(std::min(filled, kFillBytes)), '\0');
  for (std::int64_t at = 0; at < filled; at += kFillBytes) {
    const auto part = static_cast<std::size_t>(std::min(kFillBytes, filled - at));
    LAMINA_TRY(segment.file->WriteAt(at, ByteView(zeros).substr(0, part)));
    // In parts, so that appends beside it do not wait for all of it.
    if (at + kFillBytes < filled) LAMINA_TRY(segment.file->Sync());
  }
  LAMINA_TRY(segment.file->Sync());
  return env_.SyncDirectory(folder_);
}

Status LogAppender::PrepareSpare() {
  const std::lock_guard preparing(preparing_);
  {
    const std::lock_guard lock(mutex_);
    if (spare_ != nullptr) return Ok();
  }
  const std::int64_t bytes =
      first_ ? std::min(kFirstSegmentBytes, options_.segment_bytes) : options_.segment_bytes;
  Result<std::unique_ptr<Segment>> segment = Prepare(bytes);
  if (!segment.ok()) return std::move(segment).error().With("filling the next segment ahead");
  first_ = false;
  const std::lock_guard lock(mutex_);
  spare_ = *std::move(segment);
  return Ok();
}

Status LogAppender::Start(std::int64_t first_seq) {
  LAMINA_TRY(PrepareSpare());
  std::unique_ptr<Segment> segment;
  {
    const std::lock_guard lock(mutex_);
    segment = std::move(spare_);
  }
  segment->header = {store_id_,        writer_,      segment->number, first_seq,
                     env_.Now().value, RandomSalt(), options_.payload};
  segment->begun = env_.Monotonic();
  segment->end = segment->synced_end = kSegmentHeaderBytes;
  segment->end_seq = first_seq;
  LAMINA_TRY(segment->file->WriteAt(0, EncodeSegmentHeader(segment->header)));
  // Before anything stands behind it: then a damaged header with ticks behind it is damage.
  LAMINA_TRY(segment->file->Sync());
  ++syncs_;
  ++segments_;
  state_.segment = segment->number;
  state_.durable_end = kSegmentHeaderBytes;
  state_.sealed = state_.failed = false;
  open_ = std::move(segment);
  open_end_ = kSegmentHeaderBytes;
  return Ok();
}

bool LogAppender::SealIsDue() const {
  if (open_ == nullptr || open_->end == kSegmentHeaderBytes) return false;
  return env_.Monotonic().value - open_->begun.value >= options_.segment_seconds * 1'000'000'000;
}

Status LogAppender::Append(std::span<DraftGroup* const> groups, bool sync) {
  Status written;
  for (int attempt = 0; attempt < 2; ++attempt) {
    written = WriteGroups(groups, sync);
    if (written.ok()) return written;
    GiveUp();
  }
  return written;
}

Status LogAppender::WriteGroups(std::span<DraftGroup* const> groups, bool sync) {
  std::int64_t length = 0;
  for (const DraftGroup* group : groups) length += std::ssize(group->bytes);
  if (open_ != nullptr && open_->end > kSegmentHeaderBytes &&
      (open_->end + length + 2 * kGroupHeaderBytes > open_->capacity || SealIsDue())) {
    LAMINA_TRY(Seal());
  }
  if (open_ == nullptr) LAMINA_TRY(Start(groups.front()->header.first_seq));
  Segment& segment = *open_;
  std::int64_t at = segment.end;
  for (DraftGroup* group : groups) {
    group->header.synced_end = segment.synced_end;
    SeatGroup(*group, at, segment.seat());
    at += std::ssize(group->bytes);
  }
  if (groups.size() == 1) {
    LAMINA_TRY(segment.file->WriteAt(segment.end, groups[0]->bytes));
  } else {
    std::string together;
    together.reserve(static_cast<std::size_t>(at - segment.end));
    for (const DraftGroup* group : groups) together += group->bytes;
    LAMINA_TRY(segment.file->WriteAt(segment.end, together));
  }
  if (sync) {
    LAMINA_TRY(segment.file->Sync());
    ++syncs_;
  }
  LogState next = state_;
  next.durable_end = at;
  for (const DraftGroup* group : groups) {
    next.end_seq = group->header.first_seq + group->header.rows;
    next.recv_ns = std::max(next.recv_ns, group->header.recv_ns);
  }
  LAMINA_TRY(page_.Publish(next));
  state_ = next;
  end_seq_ = next.end_seq;
  bytes_ += at - segment.end;
  std::int64_t offset = segment.end;
  for (const DraftGroup* group : groups) {
    segment.index.Add(group->header, offset, group->runs);
    offset += std::ssize(group->bytes);
  }
  segment.end = open_end_ = at;
  segment.end_seq = next.end_seq;
  if (sync) segment.synced_end = at;
  return Ok();
}

/// After a failure: a later sync that succeeds would prove nothing.
void LogAppender::GiveUp() {
  if (open_ == nullptr) return;
  {
    const std::lock_guard lock(mutex_);
    kept_.push_back({state_.end_seq, open_->end});
  }
  open_.reset();
  open_end_ = 0;
  // What stands behind the published end was not acknowledged: best told, never needed, since the
  // next segment begins with the seq that is next.
  state_.failed = true;
  static_cast<void>(page_.Publish(state_));
}

Status LogAppender::Sync() {
  if (open_ == nullptr || open_->synced_end == open_->end) return Ok();
  Status synced = open_->file->Sync();
  if (!synced.ok()) {
    GiveUp();
    return synced;
  }
  ++syncs_;
  open_->synced_end = open_->end;
  return Ok();
}

Status LogAppender::Seal() {
  if (open_ == nullptr || open_->end == kSegmentHeaderBytes) return Ok();
  Status sealed = SealOpen();
  if (!sealed.ok()) GiveUp();
  return sealed;
}

Status LogAppender::SealOpen() {
  DraftGroup seal = DraftSeal(options_.payload);
  seal.header.first_seq = open_->end_seq;
  seal.header.synced_end = open_->synced_end;
  SeatGroup(seal, open_->end, open_->seat());
  LAMINA_TRY(open_->file->WriteAt(open_->end, seal.bytes));
  LAMINA_TRY(open_->file->Sync());
  ++syncs_;
  LogState next = state_;
  next.sealed = true;
  LAMINA_TRY(page_.Publish(next));
  state_ = next;
  {
    const std::lock_guard lock(mutex_);
    kept_.push_back({open_->end_seq, open_->end + std::ssize(seal.bytes)});
    sealed_.push_back(std::move(open_));
    open_end_ = 0;
  }
  if (!options_.background) FinishSealed();
  return Ok();
}

void LogAppender::FinishSealed() {
  std::vector<std::unique_ptr<Segment>> sealed;
  {
    const std::lock_guard lock(mutex_);
    sealed.swap(sealed_);
  }
  for (const std::unique_ptr<Segment>& segment : sealed) {
    // Both only spare space and time: without them the segment is as good.
    if (segment->header.payload == LogPayload::kBinary) {
      static_cast<void>(segment->file->Truncate(segment->end + kGroupHeaderBytes));
    }
    static_cast<void>(env_.WriteFileAtomically(IndexPath(segment->path),
                                               EncodeIndexFile(segment->index, segment->header)));
  }
}

bool LogAppender::has_housework() const {
  const std::lock_guard lock(mutex_);
  return spare_ == nullptr || !sealed_.empty();
}

std::int64_t LogAppender::UnarchivedBytes(std::int64_t archived_end) const {
  const std::lock_guard lock(mutex_);
  std::int64_t bytes = open_end_;
  for (const Kept& kept : kept_) {
    if (kept.end_seq > archived_end) bytes += kept.bytes;
  }
  return bytes;
}

Status LogAppender::Close() {
  Status sealed = Seal();
  FinishSealed();
  Status synced = page_.Sync();
  const std::lock_guard lock(mutex_);
  if (spare_ != nullptr) {
    static_cast<void>(env_.Unlink(spare_->path));
    spare_.reset();
  }
  ready_.reset();
  lock_.reset();
  return sealed.ok() ? std::move(synced) : std::move(sealed);
}

}  // namespace lamina::tick_log
