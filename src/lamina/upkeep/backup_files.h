#pragma once

/// \file lamina/upkeep/backup_files.h
/// The immutable files that a copied catalog names, and their copying with a check of every byte.
/// Free functions; thread-safe.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lamina/base/parallel.h"
#include "lamina/base/result.h"
#include "lamina/catalog/chunk_store.h"
#include "lamina/catalog/database.h"
#include "lamina/catalog/verify.h"
#include "lamina/io/env.h"

namespace lamina::upkeep {

struct StoredFile {
  std::string path;  ///< relative to the root of a store or backup
  std::int64_t bytes = 0;
  std::optional<std::uint32_t> crc32c;    ///< of lake files
  std::optional<catalog::ChunkId> chunk;  ///< of chunk files
  catalog::ChunkRow row;                  ///< of chunk files
};

/// Every lake file of every snapshot and every live chunk that is a file, by path.
Result<std::vector<StoredFile>> NamedFiles(catalog::Database& catalog);

struct CopyCount {
  std::int64_t files = 0, bytes = 0;
};

/// Copy those that `to` does not have with the right size. Each appears whole, synced and checked.
/// RETURNS kCorruption naming a file of `from` that is damaged or missing.
Result<CopyCount> CopyFiles(io::Env& env, const std::string& from, const std::string& to,
                            const std::vector<StoredFile>& files, const CancelToken* cancel,
                            const catalog::WorkProgressCall& progress = {});

/// CRC32C of all bytes.
Result<std::uint32_t> ChecksumOf(io::Env& env, const std::string& path);

/// Copy one file as it is, synced under its name when this returns. RETURNS its CRC32C.
Result<std::uint32_t> CopyFile(io::Env& env, const std::string& from, const std::string& to);

}  // namespace lamina::upkeep
