#pragma once

/// \file lamina/upkeep/manifest.h
/// The file that makes a backup whole: what it holds, written last. Values; thread-safe.

#include <cstdint>
#include <string>
#include <string_view>

#include "lamina/base/result.h"
#include "lamina/base/time.h"
#include "lamina/base/uuid.h"

namespace lamina::upkeep {

struct BackupManifest {
  Uuid store_id;
  std::int64_t snapshot = 0, files = 0, bytes = 0;
  std::string state;  ///< folder below state/ with the databases and lamina.toml
  std::uint32_t catalog_crc32c = 0, objects_crc32c = 0, config_crc32c = 0;
  Micros made_at;
  bool operator==(const BackupManifest&) const = default;
};

std::string FormatManifest(const BackupManifest& manifest);
/// RETURNS kCorruption for anything but what FormatManifest writes, kUnsupported for a later one.
Result<BackupManifest> ParseManifest(std::string_view text);

}  // namespace lamina::upkeep
