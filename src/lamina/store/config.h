#pragma once

/// \file lamina/store/config.h
/// `lamina.toml`: the store's id, format and policies. A person may edit it; unknown keys are
/// errors.
/// Values; thread-safe.

#include <cstdint>
#include <string>

#include "lamina/base/result.h"
#include "lamina/base/time.h"
#include "lamina/base/uuid.h"
#include "lamina/ticks/tick_config.h"

namespace lamina::store {

inline constexpr std::int64_t kFormatVersion = 1;

struct StoreConfig {
  Uuid store_id;
  std::int64_t format_version = kFormatVersion;
  /// `[lake] keep_snapshots`: gc forgets a snapshot that stopped being the latest this long ago.
  Micros keep_snapshots{7LL * 86'400'000'000};
  /// `[lake] gc_grace`: what was retired is unlinked no sooner than this.
  Micros gc_grace{3'600'000'000};
  /// With less than this free on the disk, work that takes space is refused before it begins.
  std::int64_t min_free_bytes = std::int64_t{64} << 20;
  ticks::TickConfig ticks;  ///< `[ticks]`
};

std::string FormatConfig(const StoreConfig& config);
/// RETURNS kInvalidArgument naming `path`, line and key; kUnsupported for a newer format.
Result<StoreConfig> ParseConfig(std::string_view text, std::string_view path);

}  // namespace lamina::store
