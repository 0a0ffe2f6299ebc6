#pragma once

/// \file lamina/catalog/chunk_store.h
/// Content-addressed chunks: id = SHA-256 of the content before compression. Up to 64 KiB stored
/// they live in objects.sqlite, larger ones as files under chunks/<kind>/<aa>/<sha256>[.parquet];
/// their rows
/// (`chunk`) are in the catalog. Verified on write and on every read. Thread-safe.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lamina/base/hash.h"
#include "lamina/base/result.h"
#include "lamina/catalog/database.h"
#include "lamina/io/env.h"

namespace lamina::catalog {

enum class ChunkKind : std::uint8_t {
  kOhlcv = 1,  ///< published Parquet bytes, kept as they are
  kCode = 2,
  kParams = 3,
  kSymbols = 4,
  kSchema = 5,    ///< document shapes
  kSeries = 6,    ///< bytes of a series or part that no table reproduces
  kDocument = 7,  ///< skeletons, and whole documents as the last resort
};
std::string_view ChunkKindName(ChunkKind kind);  ///< "ohlcv", "code", …
/// Absent when no kind has this name (number).
std::optional<ChunkKind> ChunkKindFromName(std::string_view name);
std::optional<ChunkKind> ChunkKindFromNumber(std::int64_t number);

struct ChunkId {
  ChunkKind kind = ChunkKind::kDocument;
  Sha256Digest sha256;
  auto operator<=>(const ChunkId&) const = default;
  std::string ToString() const;  ///< "code/0123…ef"
};

/// A chunk made ready: compressed and hashed, not yet stored.
struct PreparedChunk {
  ChunkId id;
  std::int64_t content_bytes = 0;
  bool compressed = false;  ///< zstd; kept plain when that is not smaller (ohlcv always plain)
  std::string stored;
};

/// Compress (zstd) and hash; no I/O, callable from any thread.
Result<PreparedChunk> PrepareChunk(ChunkKind kind, ByteView content);
/// The same for content whose SHA-256 is known.
Result<PreparedChunk> PrepareChunk(const ChunkId& id, ByteView content);

/// Stored bytes up to this many are kept in objects.sqlite.
inline constexpr std::int64_t kObjectBytesMax = std::int64_t{64} << 10;
/// A chunk's content is at most this long.
inline constexpr std::int64_t kChunkBytesMax = std::int64_t{2} << 30;

/// The file of a chunk that is kept in a file, relative to the store's root.
std::string ChunkPath(const ChunkId& id);

/// What the catalog knows of a stored chunk.
struct ChunkRow {
  std::int64_t content_bytes = 0, stored_bytes = 0;
  bool compressed = false, in_file = false;
  std::optional<std::int64_t> end_snapshot;
  bool live() const { return !end_snapshot.has_value(); }
};

/// Absent when the catalog has no such chunk.
Result<std::optional<ChunkRow>> FindChunk(Database& catalog, const ChunkId& id);
/// Make the row of a stored chunk, or bring a row that ended (or says other bytes) up to date.
/// REQUIRES a write transaction.
Status WriteChunkRow(Database& catalog, const ChunkId& id, const ChunkRow& row,
                     std::int64_t snapshot);

/// Store chunks in objects.sqlite, in one transaction. Bytes that are there already are compared.
Status WriteObjects(Database& objects, const std::vector<const PreparedChunk*>& chunks);
Result<bool> HasObject(Database& objects, const ChunkId& id);
/// RETURNS kNotFound.
Result<std::string> ReadObject(Database& objects, const ChunkId& id);

/// Content from stored bytes, hash checked. RETURNS kCorruption naming the chunk and `place`.
Result<std::string> DecodeChunk(const ChunkId& id, const ChunkRow& row, std::string stored,
                                std::string_view place);

}  // namespace lamina::catalog

template <>
struct std::hash<lamina::catalog::ChunkId> {
  std::size_t operator()(const lamina::catalog::ChunkId& id) const noexcept {
    return std::hash<lamina::Sha256Digest>()(id.sha256) * 31 + static_cast<std::size_t>(id.kind);
  }
};
