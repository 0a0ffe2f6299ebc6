#pragma once

/// \file lamina/upkeep/doctor.h
/// Whether a store stands on good ground: file system, disk, limits, versions, who writes.
/// Thread-safe.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lamina/base/result.h"
#include "lamina/io/env.h"

namespace lamina::upkeep {

enum class Health : std::uint8_t { kOk, kWarn, kBad };
std::string_view HealthName(Health health);  ///< "ok", "warn", "bad"

struct Finding {
  std::string check;  ///< "file system", "fsync", …
  Health health = Health::kOk;
  std::string value;   ///< what was found
  std::string advice;  ///< what to do; empty when all is well
};

/// Look at the store in `root`, which need not open: then that is a finding, too. Writes a file of
/// one block into its staging folder, to see how fast the disk syncs. RETURNS kNotFound when there
/// is no such folder.
Result<std::vector<Finding>> Examine(io::Env& env, const std::string& root);

}  // namespace lamina::upkeep
