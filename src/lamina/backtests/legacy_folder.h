#pragma once

/// \file lamina/backtests/legacy_folder.h
/// Backtests that the framework kept as a folder of JSON files before it had bundles: which folders
/// are such, and the document of the bundle that the framework makes of one. Format:
/// docs/format/legacy_folder.md. Free functions; thread-safe.

#include <cstdint>
#include <string>
#include <vector>

#include "lamina/base/result.h"
#include "lamina/io/env.h"

namespace lamina::backtests {

/// The folders of a legacy backtest that hold its parts, so that no search goes below them.
bool IsLegacyPart(std::string_view folder_name);

/// Whether `path`, whose entries are given, holds runs: a folder with run.json or metrics.json in
/// `runs`, `vector_runs` or `event_runs`. What cannot be listed counts as absent.
bool IsLegacyFolder(io::Env& env, const std::string& path,
                    const std::vector<io::DirectoryEntry>& entries);

struct LegacyBacktest {
  std::uint32_t version = 0;  ///< of the document: 2 for runs of 8.x, 5 for those of 9.0
  std::string document;
  std::vector<std::string> warnings;  ///< what was skipped, and where
};

/// Read the backtest of a folder. Runs and tests that cannot be read are skipped with a warning;
/// links to folders are not followed. RETURNS kCorruption when a file of the backtest itself is no
/// JSON object or no run can be read, kResourceExhausted when the JSON files have more than
/// `max_bytes` together.
Result<LegacyBacktest> ReadLegacyFolder(io::Env& env, const std::string& path,
                                        std::int64_t max_bytes);

}  // namespace lamina::backtests
