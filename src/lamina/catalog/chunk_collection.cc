#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "lamina/catalog/catalog_internal.h"

namespace lamina::catalog {
namespace {

/// Whether a live row names the chunk.
Result<bool> IsNamed(Database& database, const ChunkId& id) {
  LAMINA_ASSIGN(Statement find,
                database.Prepare("SELECT 1 FROM chunk_ref WHERE kind = ?1 AND sha256 = ?2 AND "
                                 "end_snapshot IS NULL LIMIT 1"));
  return find.Bind(1, static_cast<std::int64_t>(id.kind)).BindBlob(2, id.sha256.View()).Step();
}

Status EndRow(Database& database, const ChunkId& id, std::int64_t snapshot) {
  LAMINA_ASSIGN(Statement end,
                database.Prepare("UPDATE chunk SET end_snapshot = ?3 WHERE kind = ?1 AND sha256 = "
                                 "?2 AND end_snapshot IS NULL"));
  return end.Bind(1, static_cast<std::int64_t>(id.kind))
      .BindBlob(2, id.sha256.View())
      .Bind(3, snapshot)
      .Run();
}

Result<std::vector<std::pair<ChunkId, ChunkRow>>> EndedChunks(Database& database, ChunkKind kind) {
  LAMINA_ASSIGN(Statement select, database.Prepare("SELECT sha256 FROM chunk WHERE kind = ?1 AND "
                                                   "end_snapshot IS NOT NULL ORDER BY sha256"));
  select.Bind(1, static_cast<std::int64_t>(kind));
  std::vector<std::pair<ChunkId, ChunkRow>> ended;
  for (;;) {
    LAMINA_ASSIGN(const bool row, select.Step());
    if (!row) break;
    LAMINA_ASSIGN(const Sha256Digest sha256, Sha256Digest::FromBytes(select.Blob(0)));
    ended.push_back({ChunkId{kind, sha256}, {}});
  }
  for (auto& [id, row] : ended) {
    LAMINA_ASSIGN(const auto found, FindChunk(database, id));
    if (found) row = *found;
  }
  return ended;
}

Status DeleteRow(Database& database, const char* table, const ChunkId& id) {
  LAMINA_ASSIGN(Statement remove, database.Prepare("DELETE FROM " + std::string(table) +
                                                   " WHERE kind = ?1 AND sha256 = ?2"));
  return remove.Bind(1, static_cast<std::int64_t>(id.kind)).BindBlob(2, id.sha256.View()).Run();
}

}  // namespace

Result<std::vector<ChunkId>> Catalog::CollectChunks(ChunkKind kind,
                                                    const std::vector<Sha256Digest>& chunks,
                                                    const std::function<Status(Database&)>& check) {
  LAMINA_ASSIGN(auto commit, BeginCommit("collect " + std::string(ChunkKindName(kind)) +
                                             " chunks that nothing names",
                                         SpaceUse::kFrees));
  if (!chunks.empty()) {
    LAMINA_TRY(commit->Finish([&](Database& database, LakeWriter& writer) -> Status {
      LAMINA_TRY(check(database));
      for (const Sha256Digest& sha256 : chunks) {
        const ChunkId id{kind, sha256};
        LAMINA_ASSIGN(const bool named, IsNamed(database, id));
        if (!named) LAMINA_TRY(EndRow(database, id, writer.snapshot_id()));
      }
      return Ok();
    }));
  }
  // The rows have ended for all to see. Inside the next transaction no writer can make one live
  // again, and one that put the bytes back before it looks once more in its own.
  std::vector<ChunkId> gone, objects;
  std::set<std::string> folders;
  const std::lock_guard<std::mutex> lock(state_->write_mutex);
  LAMINA_TRY(state_->writer->Transact([&]() -> Status {
    LAMINA_ASSIGN(const auto ended, EndedChunks(*state_->writer, kind));
    for (const auto& [id, row] : ended) {
      if (row.in_file) {
        const std::string path = state_->Path(ChunkPath(id));
        Status removed = state_->env.Unlink(path);
        if (!removed.ok() && removed.error().code() != ErrorCode::kNotFound) return removed;
        folders.insert(io::ParentPath(path));
      } else {
        objects.push_back(id);
      }
      gone.push_back(id);
    }
    if (objects.empty()) return Ok();
    LAMINA_ASSIGN(Database* const database, state_->ObjectsForWriting());
    return database->Transact([&]() -> Status {
      for (const ChunkId& id : objects) LAMINA_TRY(DeleteRow(*database, "object", id));
      return Ok();
    });
  }));
  // The rows go last: a file that came back after a power cut would belong to nobody.
  for (const std::string& folder : folders) {
    const Status synced = state_->env.SyncDirectory(folder);
    if (!synced.ok() && synced.error().code() != ErrorCode::kNotFound) {
      return synced.error().Clone();
    }
  }
  LAMINA_TRY(state_->writer->Transact([&]() -> Status {
    for (const ChunkId& id : gone) {
      LAMINA_ASSIGN(const std::optional<ChunkRow> row, FindChunk(*state_->writer, id));
      if (row && !row->live()) LAMINA_TRY(DeleteRow(*state_->writer, "chunk", id));
    }
    return Ok();
  }));
  return gone;
}

}  // namespace lamina::catalog
