#include "lamina/tick_log/log_recovery.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <thread>
#include <utility>

#include "lamina/tick_log/group_draft.h"
#include "lamina/tick_log/log_files.h"

namespace lamina::tick_log {
namespace {

Status SealAt(io::Env& env, const SegmentFile& file, const SegmentEnd& end) {
  LAMINA_ASSIGN(const auto writable, env.OpenPlaced(file.path(), io::Env::Place::kExisting));
  LAMINA_TRY(writable->Truncate(end.offset));
  DraftGroup seal = DraftSeal(file.header().payload);
  seal.header.first_seq = end.end_seq;
  seal.header.synced_end = end.offset;
  SeatGroup(seal, end.offset, file.seat());
  LAMINA_TRY(writable->WriteAt(end.offset, seal.bytes));
  LAMINA_TRY(writable->Sync());
  return writable->Close();
}

/// Remove segments that were never begun. RETURNS the last of the others.
Result<std::optional<SegmentFile>> RemoveUnused(io::Env& env, const std::string& folder,
                                                const Uuid& store_id, std::int64_t writer,
                                                RepairedLog& repaired) {
  LAMINA_ASSIGN(const std::vector<std::int64_t> numbers, ListSegments(env, folder));
  std::optional<SegmentFile> last;
  for (const std::int64_t number : numbers) {
    const std::string path = SegmentPath(folder, number);
    LAMINA_ASSIGN(std::optional<SegmentFile> file,
                  SegmentFile::Open(env, path, store_id, writer, number));
    if (file) {
      last = std::move(file);
      continue;
    }
    const LogState& state = repaired.state;
    if (state.segment == number && state.durable_end > kSegmentHeaderBytes) {
      return Corruption(path + ": its header at byte 0 is damaged");
    }
    LAMINA_TRY(env.Unlink(path));
  }
  if (!numbers.empty()) repaired.last_number = std::max(repaired.last_number, numbers.back());
  return last;
}

}  // namespace

Result<SegmentEnd> FindLogEnd(SegmentFile& file, const std::optional<LogState>& state) {
  const SegmentHeader& header = file.header();
  const bool published = state && state->segment == header.number;
  SegmentEnd end;
  end.offset = kSegmentHeaderBytes;
  end.end_seq = header.first_seq;
  if (published && state->failed) {
    end.offset = state->durable_end;
    end.end_seq = state->end_seq;
    end.torn =
        file.path() + ": given up at byte " + std::to_string(end.offset) + " after a failed write";
    return end;
  }
  return FindSegmentEnd(file, end, published ? state->durable_end : 0, {});
}

Result<std::unique_ptr<io::FileLock>> TakeLogLock(io::Env& env, const std::string& path) {
  constexpr int kTries = 50;
  for (int i = 1;; ++i) {
    Result<std::unique_ptr<io::FileLock>> lock = env.TryLock(path);
    if (lock.ok() || lock.error().code() != ErrorCode::kConflict || i == kTries) return lock;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

StatePage::StatePage(io::Env& env, std::string folder, const Uuid& store_id, std::int64_t writer)
    : env_(env), folder_(std::move(folder)), store_id_(store_id), writer_(writer) {}

Status StatePage::Open() {
  if (file_ != nullptr) return Ok();
  const std::string path = StatePath(folder_);
  Result<std::unique_ptr<io::PlacedFile>> file = env_.OpenPlaced(path, io::Env::Place::kExisting);
  if (!file.ok() && file.error().code() == ErrorCode::kNotFound) {
    file = env_.OpenPlaced(path, io::Env::Place::kNew);
    if (file.ok()) {
      LAMINA_TRY((*file)->WriteAt(0, std::string(kStatePageBytes, '\0')));
      LAMINA_TRY((*file)->Sync());
      LAMINA_TRY(env_.SyncDirectory(folder_));
    }
  }
  if (!file.ok()) return std::move(file).error();
  file_ = *std::move(file);
  return Ok();
}

Status StatePage::Publish(LogState& state) {
  LAMINA_TRY(Open());
  ++state.counter;
  Status written =
      file_->WriteAt(StateSlotOffset(state.counter), EncodeState(state, store_id_, writer_));
  if (!written.ok()) file_.reset();
  return written;
}

Status StatePage::Sync() {
  LAMINA_TRY(Open());
  Status synced = file_->Sync();
  if (!synced.ok()) file_.reset();
  return synced;
}

Result<RepairedLog> RepairLog(io::Env& env, const std::string& folder, const Uuid& store_id,
                              std::int64_t writer) {
  RepairedLog repaired;
  LAMINA_ASSIGN(const std::optional<LogState> state, ReadLogState(env, folder, store_id, writer));
  if (state) {
    repaired.state = *state;
    repaired.last_number = state->segment;
  }
  LAMINA_ASSIGN(std::optional<SegmentFile> last,
                RemoveUnused(env, folder, store_id, writer, repaired));
  // Of a log without segments, or whose later ones were archived, the page tells all.
  if (!last || (state && state->segment > last->header().number)) return repaired;
  LAMINA_ASSIGN(const SegmentEnd end, FindLogEnd(*last, state));
  if (end.sealed && state && state->sealed && state->end_seq == end.end_seq) return repaired;
  if (!end.sealed) LAMINA_TRY(SealAt(env, *last, end));
  repaired.words = end.torn;
  LogState& after = repaired.state;
  after.segment = last->header().number;
  after.durable_end = end.offset;
  after.end_seq = end.end_seq;
  after.recv_ns = std::max(after.recv_ns, end.recv_ns);
  after.sealed = true;
  after.failed = false;
  StatePage page(env, folder, store_id, writer);
  LAMINA_TRY(page.Publish(after));
  LAMINA_TRY(page.Sync());
  return repaired;
}

Result<std::string> RecoverLog(io::Env& env, const std::string& root, const Uuid& store_id,
                               std::int64_t writer) {
  const std::string folder = WriterFolder(root, writer);
  LAMINA_TRY(env.Stat(folder));
  LAMINA_ASSIGN(const std::unique_ptr<io::FileLock> lock, TakeLogLock(env, LockPath(folder)));
  LAMINA_ASSIGN(const RepairedLog repaired, RepairLog(env, folder, store_id, writer));
  return repaired.words;
}

}  // namespace lamina::tick_log
