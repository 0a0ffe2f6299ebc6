#pragma once

/// \file lamina/catalog/chunk_store.h
/// Content-addressed chunks: id = SHA-256 of the content before compression. Up to 64 KiB stored they
/// live in objects.sqlite, larger ones as files under chunks/<kind>/<aa>/<sha256>[.parquet]; their rows
/// (`chunk`) are in the catalog. Verified on write and on every read. Thread-safe.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lamina/base/hash.h"
#include "lamina/base/result.h"
#include "lamina/catalog/database.h"
#include "lamina/io/env.h"

namespace lamina::catalog {

enum class ChunkKind : std::uint8_t {
  kOhlcv = 1,   ///< published Parquet bytes, kept as they are
  kCode = 2,
  kParams = 3,
  kSymbols = 4,
  kSchema = 5,    ///< document shapes
  kSeries = 6,    ///< bytes of a series or part that no table reproduces
  kDocument = 7,  ///< skeletons, and whole documents as the last resort
};
std::string_view ChunkKindName(ChunkKind kind);  ///< "ohlcv", "code", …

struct ChunkId {
  ChunkKind kind = ChunkKind::kDocument;
  Sha256Digest sha256;
  auto operator<=>(const ChunkId&) const = default;
};

/// A chunk made ready: compressed and hashed, not yet stored.
struct PreparedChunk {
  ChunkId id;
  std::int64_t content_bytes = 0;
  bool compressed = false;  ///< zstd; kept plain when that is not smaller (ohlcv always plain)
  std::string stored;
};

}  // namespace lamina::catalog
