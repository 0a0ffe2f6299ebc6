#include "lamina/catalog/chunk_store.h"

#include <algorithm>
#include <array>
#include <utility>

#include <arrow/util/compression.h>

#include "lamina/table/arrow_status.h"

namespace lamina::catalog {
namespace {

constexpr std::array<std::string_view, 8> kKindNames = {"",        "ohlcv",  "code",   "params",
                                                        "symbols", "schema", "series", "document"};

// Small chunks are read far more often than they are written; large ones would hold up an import.
constexpr std::size_t kSlowLevelBytesMax = std::size_t{1} << 20;
constexpr int kSlowLevel = 9;
constexpr int kFastLevel = 3;
// The one bit of a zstd frame that no decoder looks at (RFC 8878, 3.1.1.1.1.3): byte, mask.
constexpr std::size_t kUnusedBitByte = 4;
constexpr char kUnusedBit = 0x10;

Result<std::unique_ptr<arrow::util::Codec>> MakeCodec(int level) {
  LAMINA_ARROW_ASSIGN(
      auto codec,
      arrow::util::Codec::Create(arrow::Compression::ZSTD, arrow::util::CodecOptions(level)),
      "making a zstd codec");
  return codec;
}

const std::uint8_t* Unsigned(const char* bytes) {
  return reinterpret_cast<const std::uint8_t*>(bytes);
}

}  // namespace

std::string_view ChunkKindName(ChunkKind kind) {
  const auto number = static_cast<std::size_t>(kind);
  return number < kKindNames.size() ? kKindNames[number] : std::string_view();
}

std::optional<ChunkKind> ChunkKindFromName(std::string_view name) {
  const auto place = std::find(kKindNames.begin() + 1, kKindNames.end(), name);
  if (place == kKindNames.end()) return std::nullopt;
  return static_cast<ChunkKind>(place - kKindNames.begin());
}

std::optional<ChunkKind> ChunkKindFromNumber(std::int64_t number) {
  if (number < 1 || number >= static_cast<std::int64_t>(kKindNames.size())) return std::nullopt;
  return static_cast<ChunkKind>(number);
}

std::string ChunkId::ToString() const {
  return std::string(ChunkKindName(kind)) + "/" + sha256.Hex();
}

std::string ChunkPath(const ChunkId& id) {
  const std::string hex = id.sha256.Hex();
  std::string path = "chunks/";
  path.append(ChunkKindName(id.kind)).append("/").append(hex, 0, 2).append("/").append(hex);
  if (id.kind == ChunkKind::kOhlcv) path += ".parquet";
  return path;
}

Result<PreparedChunk> PrepareChunk(ChunkKind kind, ByteView content) {
  return PrepareChunk(ChunkId{kind, Sha256(content)}, content);
}

Result<PreparedChunk> PrepareChunk(const ChunkId& id, ByteView content) {
  if (ChunkKindName(id.kind).empty()) {
    return InvalidArgument("no chunk kind has number " + std::to_string(static_cast<int>(id.kind)));
  }
  if (content.size() > static_cast<std::size_t>(kChunkBytesMax)) {
    return ResourceExhausted("chunk of " + std::to_string(content.size()) +
                             " bytes; the limit is " + std::to_string(kChunkBytesMax));
  }
  PreparedChunk chunk;
  chunk.id = id;
  chunk.content_bytes = static_cast<std::int64_t>(content.size());
  if (id.kind != ChunkKind::kOhlcv && !content.empty()) {
    const int level = content.size() <= kSlowLevelBytesMax ? kSlowLevel : kFastLevel;
    LAMINA_ASSIGN(const auto codec, MakeCodec(level));
    const auto size = static_cast<std::int64_t>(content.size());
    const std::uint8_t* const input = Unsigned(content.data());
    chunk.stored.resize(static_cast<std::size_t>(codec->MaxCompressedLen(size, input)));
    LAMINA_ARROW_ASSIGN(const std::int64_t length,
                        codec->Compress(size, input, static_cast<std::int64_t>(chunk.stored.size()),
                                        reinterpret_cast<std::uint8_t*>(chunk.stored.data())),
                        "compressing a chunk");
    if (length < size) {
      chunk.stored.resize(static_cast<std::size_t>(length));
      chunk.stored.shrink_to_fit();
      chunk.compressed = true;
      return chunk;
    }
  }
  chunk.stored.assign(content);
  return chunk;
}

Result<std::optional<ChunkRow>> FindChunk(Database& catalog, const ChunkId& id) {
  LAMINA_ASSIGN(Statement find,
                catalog.Prepare("SELECT content_bytes, stored_bytes, compressed, in_file, "
                                "end_snapshot FROM chunk WHERE kind = ?1 AND sha256 = ?2"));
  find.Bind(1, static_cast<std::int64_t>(id.kind)).BindBlob(2, id.sha256.View());
  LAMINA_ASSIGN(const bool found, find.Step());
  if (!found) return std::optional<ChunkRow>();
  ChunkRow row;
  row.content_bytes = find.Int(0);
  row.stored_bytes = find.Int(1);
  row.compressed = find.Int(2) != 0;
  row.in_file = find.Int(3) != 0;
  row.end_snapshot = find.OptionalInt(4);
  return std::optional<ChunkRow>(row);
}

Status WriteChunkRow(Database& catalog, const ChunkId& id, const ChunkRow& row,
                     std::int64_t snapshot) {
  // Another process may have stored the chunk meanwhile, perhaps compressed by another zstd: its
  // file was renamed over by ours, so the row says what ours is.
  LAMINA_ASSIGN(
      Statement write,
      catalog.Prepare(
          "INSERT INTO chunk(kind, sha256, content_bytes, stored_bytes, compressed, in_file, "
          "begin_snapshot, end_snapshot) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, NULL) "
          "ON CONFLICT(kind, sha256) DO UPDATE SET content_bytes = excluded.content_bytes, "
          "stored_bytes = excluded.stored_bytes, compressed = excluded.compressed, "
          "in_file = excluded.in_file, end_snapshot = NULL"));
  return write.Bind(1, static_cast<std::int64_t>(id.kind))
      .BindBlob(2, id.sha256.View())
      .Bind(3, row.content_bytes)
      .Bind(4, row.stored_bytes)
      .Bind(5, row.compressed)
      .Bind(6, row.in_file)
      .Bind(7, snapshot)
      .Run();
}

Status WriteObjects(Database& objects, const std::vector<const PreparedChunk*>& chunks) {
  if (chunks.empty()) return Ok();
  return objects.Transact([&]() -> Status {
    // An object without a committed chunk row is not trusted: its bytes are compared with ours.
    LAMINA_ASSIGN(
        Statement write,
        objects.Prepare("INSERT INTO object(kind, sha256, stored) VALUES(?1, ?2, ?3) "
                        "ON CONFLICT(kind, sha256) DO UPDATE SET stored = excluded.stored "
                        "WHERE stored IS NOT excluded.stored"));
    for (const PreparedChunk* chunk : chunks) {
      LAMINA_TRY(write.Bind(1, static_cast<std::int64_t>(chunk->id.kind))
                     .BindBlob(2, chunk->id.sha256.View())
                     .BindBlob(3, chunk->stored)
                     .Run());
    }
    return Ok();
  });
}

Result<bool> HasObject(Database& objects, const ChunkId& id) {
  LAMINA_ASSIGN(Statement find,
                objects.Prepare("SELECT 1 FROM object WHERE kind = ?1 AND sha256 = ?2"));
  return find.Bind(1, static_cast<std::int64_t>(id.kind)).BindBlob(2, id.sha256.View()).Step();
}

Result<std::string> ReadObject(Database& objects, const ChunkId& id) {
  LAMINA_ASSIGN(Statement find,
                objects.Prepare("SELECT stored FROM object WHERE kind = ?1 AND sha256 = ?2"));
  find.Bind(1, static_cast<std::int64_t>(id.kind)).BindBlob(2, id.sha256.View());
  LAMINA_ASSIGN(const bool found, find.Step());
  if (!found) return NotFound("chunk " + id.ToString() + " is not in " + objects.path());
  return std::string(find.Blob(0));
}

Result<std::string> DecodeChunk(const ChunkId& id, const ChunkRow& row, std::string stored,
                                std::string_view place) {
  const auto damaged = [&](std::string_view why) {
    return Corruption("chunk " + id.ToString() + " in " + std::string(place) + ": " +
                      std::string(why));
  };
  if (row.content_bytes < 0 || row.content_bytes > kChunkBytesMax) {
    return damaged("its row claims " + std::to_string(row.content_bytes) + " bytes");
  }
  std::string content;
  if (row.compressed) {
    if (stored.size() > kUnusedBitByte && (stored[kUnusedBitByte] & kUnusedBit) != 0) {
      return damaged("a bit of the frame header is flipped");
    }
    LAMINA_ASSIGN(const auto codec, MakeCodec(kFastLevel));
    content.resize(static_cast<std::size_t>(row.content_bytes));
    const arrow::Result<std::int64_t> length =
        codec->Decompress(static_cast<std::int64_t>(stored.size()), Unsigned(stored.data()),
                          row.content_bytes, reinterpret_cast<std::uint8_t*>(content.data()));
    if (!length.ok()) return damaged(length.status().message());
    if (*length != row.content_bytes) return damaged("decompresses to another length");
  } else {
    content = std::move(stored);
    if (static_cast<std::int64_t>(content.size()) != row.content_bytes) {
      return damaged("has " + std::to_string(content.size()) + " bytes instead of " +
                     std::to_string(row.content_bytes));
    }
  }
  if (Sha256(content) != id.sha256) return damaged("the content does not match its SHA-256");
  return content;
}

}  // namespace lamina::catalog
