#include <algorithm>
#include <set>
#include <utility>

#include "lamina/base/hash.h"
#include "lamina/catalog/catalog_internal.h"
#include "lamina/catalog/head_internal.h"

// The steps and why they are safe at every point: docs/format/commit.md.

namespace lamina::catalog {
namespace {

/// As DuckDB writes partition folders: what is not plain in a URL is percent-encoded.
std::string PartitionPart(std::string_view text) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
                       (byte >= 'a' && byte <= 'z') || c == '_' || c == '-' || c == '~' || c == '.';
    if (plain) {
      out += c;
    } else {
      out += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return out;
}

Result<std::string> PartitionFolder(const LakeTable& table,
                                    const std::vector<std::string>& values) {
  if (values.size() != table.partition_columns.size()) {
    return InvalidArgument("table " + table.schema + "." + table.name + " is partitioned by " +
                           std::to_string(table.partition_columns.size()) +
                           " columns, the file has " + std::to_string(values.size()) + " values");
  }
  std::string folder;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto column = std::find_if(
        table.columns.begin(), table.columns.end(),
        [&](const LakeColumn& each) { return each.column_id == table.partition_columns[i]; });
    if (column == table.columns.end()) return Internal("partition column without a name");
    folder.append(PartitionPart(column->name))
        .append("=")
        .append(PartitionPart(values[i]))
        .append("/");
  }
  return folder;
}

Status WriteSynced(io::Env& env, const std::string& path, ByteView bytes) {
  LAMINA_ASSIGN(const auto file, env.NewWritableFile(path));
  LAMINA_TRY(file->Append(bytes));
  LAMINA_TRY(file->Sync());
  return file->Close();
}

constexpr std::int64_t kReadBytes = std::int64_t{1} << 20;

}  // namespace

Result<std::uint32_t> internal::FileChecksum(io::Env& env, const std::string& path) {
  LAMINA_ASSIGN(const auto file, env.OpenReadable(path));
  std::string buffer;
  std::uint32_t checksum = 0;
  for (std::int64_t offset = 0; offset < file->size(); offset += kReadBytes) {
    buffer.resize(static_cast<std::size_t>(std::min(kReadBytes, file->size() - offset)));
    LAMINA_TRY(file->ReadAt(offset, buffer.size(), buffer.data()));
    checksum = Crc32c(buffer, checksum);
  }
  return checksum;
}

Status internal::CheckFileChecksum(io::Env& env, const std::string& path,
                                   std::optional<std::int64_t> expected) {
  LAMINA_ASSIGN(const std::uint32_t checksum, FileChecksum(env, path));
  if (!expected || checksum == static_cast<std::uint32_t>(*expected)) return Ok();
  return Corruption("the file does not match its checksum");
}

Commit::Commit(std::unique_ptr<State> state) : state_(std::move(state)) {}

Commit::~Commit() { state_->RemoveStaged(); }

std::string Commit::State::NewName() {
  return catalog.names.Next(catalog.env.Now().value / 1'000'000).ToString();
}

void Commit::SetExtraInfo(std::string text) { state_->extra_info = std::move(text); }

Result<std::string> Commit::StageLakeFile() {
  std::string path =
      io::JoinPath(state_->catalog.session->folder(), state_->NewName() + ".parquet");
  state_->staged.insert(path);
  return path;
}

Status Commit::AddLakeFile(const LakeTable& table, const std::string& staged_path,
                           table::WrittenFile written, std::vector<std::string> partition_values) {
  if (!state_->staged.contains(staged_path)) {
    return InvalidArgument(staged_path + " was not made by StageLakeFile of this commit");
  }
  LAMINA_ASSIGN(const std::string folder, PartitionFolder(table, partition_values));
  State::NewFile file;
  file.table_id = table.table_id;
  file.staged = staged_path;
  file.file.path = table.directory + folder + io::BaseName(staged_path);
  file.file.written = std::move(written);
  LAMINA_ASSIGN(file.file.file_crc32c, internal::FileChecksum(state_->catalog.env, staged_path));
  file.file.partition_values = std::move(partition_values);
  state_->files.push_back(std::move(file));
  return Ok();
}

Status Commit::RetireLakeFiles(const LakeTable& table, std::vector<std::int64_t> data_file_ids) {
  std::vector<std::int64_t>& retired = state_->retired[table.table_id];
  retired.insert(retired.end(), data_file_ids.begin(), data_file_ids.end());
  return Ok();
}

Status Commit::DeleteLakeRows(const LakeTable& table, const LakeFile& file,
                              std::vector<std::int64_t> positions) {
  if (positions.empty()) return Ok();
  const auto outside = std::find_if(positions.begin(), positions.end(), [&](std::int64_t position) {
    return position < 0 || position >= file.rows;
  });
  if (outside != positions.end()) {
    return InvalidArgument(file.path + " has no row " + std::to_string(*outside));
  }
  auto [place, fresh] = state_->deletions.try_emplace(file.data_file_id);
  State::RowDeletion& deletion = place->second;
  if (fresh) {
    deletion.table = table;
    deletion.file = file;
    LAMINA_ASSIGN(deletion.positions,
                  ReadDeletedPositions(state_->catalog.env, state_->catalog.Path("lake"), file));
  }
  deletion.positions.insert(deletion.positions.end(), positions.begin(), positions.end());
  return Ok();
}

Result<bool> Commit::State::ReuseChunk(const ChunkId& id) {
  if (chunks.contains(id)) return true;
  std::optional<ChunkRow> row;
  LAMINA_TRY(catalog.WithReader([&](Database& database) -> Status {
    LAMINA_ASSIGN(row, FindChunk(database, id));
    return Ok();
  }));
  if (!row || !row->live()) return false;
  if (row->in_file) {
    // A file that is gone or cut off is written again: the content is at hand.
    const Result<io::FileInfo> info = catalog.env.Stat(catalog.Path(ChunkPath(id)));
    if (!info.ok() || info->size != row->stored_bytes) return false;
  } else {
    // So is a small one that is damaged: nothing is built on it.
    const Status sound = catalog.WithObjects([&](Database& objects) -> Status {
      LAMINA_ASSIGN(std::string stored, ReadObject(objects, id));
      LAMINA_TRY(DecodeChunk(id, *row, std::move(stored), "objects.sqlite"));
      return Ok();
    });
    const bool damaged = !sound.ok() && (sound.error().code() == ErrorCode::kCorruption ||
                                         sound.error().code() == ErrorCode::kNotFound);
    if (damaged) return false;
    if (!sound.ok()) return sound.error().Clone();
  }
  Chunk chunk;
  chunk.row = *row;
  chunk.reused = true;
  chunks.emplace(id, std::move(chunk));
  return true;
}

Status Commit::State::StageChunk(PreparedChunk prepared) {
  Chunk chunk;
  chunk.row.content_bytes = prepared.content_bytes;
  chunk.row.stored_bytes = static_cast<std::int64_t>(prepared.stored.size());
  chunk.row.compressed = prepared.compressed;
  chunk.row.in_file = chunk.row.stored_bytes > kObjectBytesMax;
  const ChunkId id = prepared.id;
  if (chunk.row.in_file) {
    chunk.staged = io::JoinPath(catalog.session->folder(), NewName() + ".chunk");
    staged.insert(chunk.staged);
    LAMINA_TRY(WriteSynced(catalog.env, chunk.staged, prepared.stored));
  } else {
    chunk.object = std::move(prepared);
  }
  chunks.emplace(id, std::move(chunk));
  return Ok();
}

Result<ChunkId> Commit::PutChunk(ChunkKind kind, ByteView content) {
  const ChunkId id{kind, Sha256(content)};
  LAMINA_ASSIGN(const bool known, state_->ReuseChunk(id));
  if (known) return id;
  LAMINA_ASSIGN(PreparedChunk chunk, PrepareChunk(id, content));
  LAMINA_TRY(state_->StageChunk(std::move(chunk)));
  return id;
}

Status Commit::PutPreparedChunk(PreparedChunk chunk) {
  LAMINA_ASSIGN(const bool known, state_->ReuseChunk(chunk.id));
  if (known) return Ok();
  return state_->StageChunk(std::move(chunk));
}

Status Commit::State::WriteDeleteFiles() {
  for (auto& [data_file_id, deletion] : deletions) {
    std::vector<std::int64_t>& positions = deletion.positions;
    std::sort(positions.begin(), positions.end());
    positions.erase(std::unique(positions.begin(), positions.end()), positions.end());
    if (static_cast<std::int64_t>(positions.size()) == deletion.file.rows) continue;
    NewFile file;
    file.table_id = deletion.table.table_id;
    const std::string name = NewName() + "-delete.parquet";
    file.staged = io::JoinPath(catalog.session->folder(), name);
    staged.insert(file.staged);
    file.file.path = io::JoinPath(io::ParentPath(deletion.file.path), name);
    LAMINA_ASSIGN(file.file.written,
                  WriteDeleteFile(catalog.env, file.staged, deletion.file, positions));
    LAMINA_ASSIGN(file.file.file_crc32c, internal::FileChecksum(catalog.env, file.staged));
    deletion.delete_file = std::move(file);
  }
  return Ok();
}

internal::Intent Commit::State::MakeIntent() const {
  internal::Intent made;
  for (const NewFile& file : files) made.lake_paths.push_back(file.file.path);
  for (const auto& [id, deletion] : deletions) {
    if (deletion.delete_file) made.lake_paths.push_back(deletion.delete_file->file.path);
  }
  for (const auto& [id, chunk] : chunks) {
    if (!chunk.staged.empty()) made.chunk_paths.push_back(ChunkPath(id));
  }
  return made;
}

Status Commit::State::MoveIntoPlace() {
  std::set<std::string> folders;
  const auto move = [&](const std::string& from, const std::string& to) -> Status {
    const std::string folder = io::ParentPath(to);
    if (folders.insert(folder).second) LAMINA_TRY(catalog.env.CreateDirectories(folder));
    LAMINA_TRY(catalog.env.Rename(from, to));
    staged.erase(from);
    return Ok();
  };
  const std::string lake = catalog.Path("lake");
  for (const NewFile& file : files) {
    LAMINA_TRY(move(file.staged, io::JoinPath(lake, file.file.path)));
  }
  for (const auto& [id, deletion] : deletions) {
    if (!deletion.delete_file) continue;
    LAMINA_TRY(
        move(deletion.delete_file->staged, io::JoinPath(lake, deletion.delete_file->file.path)));
  }
  for (const auto& [id, chunk] : chunks) {
    if (!chunk.staged.empty()) LAMINA_TRY(move(chunk.staged, catalog.Path(ChunkPath(id))));
  }
  for (const std::string& folder : folders) LAMINA_TRY(catalog.env.SyncDirectory(folder));
  return Ok();
}

/// Inside the transaction nobody else commits or unlinks: what is there now stays.
Status Commit::State::CheckChunks(Database& database) {
  for (const auto& [id, chunk] : chunks) {
    const auto gone = [&] {
      return Conflict("chunk " + id.ToString() +
                      " was collected by another process meanwhile; try again");
    };
    ChunkRow row = chunk.row;
    if (chunk.reused) {
      LAMINA_ASSIGN(const std::optional<ChunkRow> found, FindChunk(database, id));
      if (!found || !found->live()) return gone();
      row = *found;
    }
    if (row.in_file) {
      const Result<io::FileInfo> info = catalog.env.Stat(catalog.Path(ChunkPath(id)));
      if (!info.ok() && info.error().code() != ErrorCode::kNotFound) return info.error().Clone();
      if (info.ok() && info->size == row.stored_bytes) continue;
      return gone();
    }
    if (chunk.reused) continue;  // its row and its object are older than this transaction
    LAMINA_ASSIGN(Database* const objects, catalog.ObjectsForWriting());
    LAMINA_ASSIGN(const bool present, HasObject(*objects, id));
    if (!present) return gone();
  }
  return Ok();
}

Status Commit::State::Register(Database& database, LakeWriter& lake) {
  std::vector<std::int64_t> tables;
  for (const NewFile& file : files) {
    if (std::find(tables.begin(), tables.end(), file.table_id) == tables.end()) {
      tables.push_back(file.table_id);
    }
  }
  for (const std::int64_t table_id : tables) {
    std::vector<NewLakeFile> added;
    for (const NewFile& file : files) {
      if (file.table_id == table_id) added.push_back(file.file);
    }
    LAMINA_ASSIGN(const auto ids, lake.Append(table_id, added));
    if (ids.size() != added.size()) return Internal("files without ids");
  }
  for (const auto& [table_id, ids] : retired) LAMINA_TRY(lake.Retire(table_id, ids));
  for (const auto& [data_file_id, deletion] : deletions) {
    if (!deletion.delete_file) {
      LAMINA_TRY(lake.Retire(deletion.table.table_id, {data_file_id}));
      continue;
    }
    std::optional<std::int64_t> expected;
    if (deletion.file.deletes) expected = deletion.file.deletes->delete_file_id;
    LAMINA_TRY(lake.DeleteRows(deletion.table.table_id, data_file_id, deletion.delete_file->file,
                               expected));
  }
  for (const auto& [id, chunk] : chunks) {
    if (!chunk.reused) LAMINA_TRY(WriteChunkRow(database, id, chunk.row, lake.snapshot_id()));
  }
  return Ok();
}

Status Commit::State::WriteRows(Database& database,
                                const std::function<Status(Database&, LakeWriter&)>& rows) {
  LAMINA_TRY(CheckChunks(database));
  LAMINA_ASSIGN(LakeWriter lake, LakeWriter::Begin(database));
  LAMINA_TRY(Register(database, lake));
  if (rows) LAMINA_TRY(rows(database, lake));
  LAMINA_TRY(lake.Finish(catalog.Now(), catalog.options.author, message, extra_info));
  snapshot_id = lake.snapshot_id();
  commit_tried = true;
  return Ok();
}

Result<std::int64_t> Commit::State::Run(const std::function<Status(Database&, LakeWriter&)>& rows) {
  LAMINA_TRY(WriteDeleteFiles());
  const std::lock_guard<std::mutex> lock(catalog.write_mutex);
  std::vector<const PreparedChunk*> objects;
  for (const auto& [id, chunk] : chunks) {
    if (!chunk.reused && !chunk.row.in_file) objects.push_back(&chunk.object);
  }
  if (!objects.empty()) {
    LAMINA_ASSIGN(Database* const database, catalog.ObjectsForWriting());
    LAMINA_TRY(WriteObjects(*database, objects));
  }
  intent = MakeIntent();
  Status done = [&]() -> Status {
    if (!intent.empty()) {
      LAMINA_ASSIGN(const std::string bytes, internal::EncodeIntent(intent));
      intent_path = io::JoinPath(catalog.session->folder(), NewName() + ".intent");
      LAMINA_TRY(WriteSynced(catalog.env, intent_path, bytes));
      LAMINA_TRY(catalog.env.SyncDirectory(catalog.session->folder()));
      LAMINA_TRY(MoveIntoPlace());
    }
    return catalog.writer->Transact([&] { return WriteRows(*catalog.writer, rows); });
  }();
  if (!done.ok()) {
    TakeBack();
    return std::move(done).error();
  }
  // Committed and durable: what follows may fail without harm.
  if (!intent_path.empty()) static_cast<void>(catalog.env.Unlink(intent_path));
  static_cast<void>(internal::WriteHead(
      catalog.env, catalog.root, io::JoinPath(catalog.session->folder(), "head.tmp"), snapshot_id));
  return snapshot_id;
}

/// Undo what a failed commit moved into place. What cannot be undone now stays named in the intent,
/// for recovery when this session is over.
void Commit::State::TakeBack() {
  if (intent_path.empty()) return;
  if (!commit_tried) {
    // Nobody else knows the names of our lake files, so this needs no lock.
    std::erase_if(intent.lake_paths, [&](const std::string& path) {
      const std::string file = io::JoinPath(catalog.Path("lake"), path);
      const Status gone = catalog.env.Unlink(file);
      if (gone.ok()) return catalog.env.SyncDirectory(io::ParentPath(file)).ok();
      return gone.error().code() == ErrorCode::kNotFound;
    });
  } else if (!catalog.session->Touch().ok()) {
    return;  // the COMMIT may have reached the write-ahead log, and could not be written over
  }
  if (!internal::DropUncommitted(catalog.env, catalog.root, *catalog.writer, intent).ok()) return;
  static_cast<void>(catalog.env.Unlink(intent_path));
}

void Commit::State::RemoveStaged() {
  if (catalog.session->inherited()) return;
  for (const std::string& path : staged) static_cast<void>(catalog.env.Unlink(path));
  staged.clear();
}

Result<std::int64_t> Commit::Finish(const std::function<Status(Database&, LakeWriter&)>& rows) {
  if (state_->finished) return Internal("a commit is finished once");
  state_->finished = true;
  LAMINA_TRY(state_->catalog.CheckProcess());
  return state_->Run(rows);
}

}  // namespace lamina::catalog
