#pragma once

/// \file lamina/ticks/tick_config.h
/// `[ticks]` of lamina.toml: how ticks are buffered, archived, kept and cached. What each key does:
/// docs/guide/tick_config.md. Values; thread-safe.

#include <cstdint>
#include <string>

#include "lamina/base/result.h"
#include "lamina/tick_log/tick_writer.h"

namespace lamina::ticks {

struct TickConfig {
  // The buffer: the log and the ticks in memory.
  std::int64_t buffer_duration_minutes = 120;  ///< of ticks in memory
  std::int64_t buffer_rotation_minutes = 15;   ///< a segment of the log seals at this age
  std::string buffer_path = "log";             ///< fixed: below the root
  std::string buffer_format = "binary";        ///< or "jsonl"
  std::string durability = "fsync";            ///< or "os", "memory"
  std::int64_t buffer_max_bytes = std::int64_t{1} << 30;    ///< of ticks in memory
  std::int64_t segment_max_bytes = std::int64_t{64} << 20;  ///< a segment seals at this size
  std::int64_t log_max_bytes = std::int64_t{8} << 30;  ///< unarchived: then appends are refused
  // The archive.
  std::string archive_path = "lake/ticks";   ///< fixed: below the root
  std::string archive_compression = "zstd";  ///< or "zstd:1" … "zstd:19"
  std::int64_t archive_partition_hours = 1;  ///< of the seed's tree; a divisor of 24
  std::int64_t archive_interval_minutes = 15;
  std::int64_t archive_max_bytes = std::int64_t{512} << 20;  ///< unarchived: archiving starts
  std::string index_path = "catalog.sqlite";                 ///< fixed: below the root
  std::int64_t index_update_interval_seconds = 60;  ///< how often the archiver looks for work
  // Retention.
  std::int64_t buffer_retention_hours = 24;   ///< of segments, once archived
  std::int64_t archive_retention_days = 365;  ///< 0: for ever
  // The cache of answers.
  std::int64_t query_cache_size = 1000;  ///< answers
  std::int64_t query_cache_ttl_seconds = 300;
  // Writing.
  std::int64_t max_concurrent_writes = 10;  ///< appends encoded at once in one writer
  std::int64_t batch_size = 1000;           ///< ticks in a batch of `ticks ingest`
  std::int64_t queue_ticks = 100'000;       ///< waiting, for each contract
  std::string full_queue = "block";         ///< or "refuse"

  bool operator==(const TickConfig&) const = default;
};

/// Ranges of single keys, and keys against each other. RETURNS kInvalidArgument that names the keys
/// and says what would do.
Status CheckTickConfig(const TickConfig& config);
/// REQUIRES a checked configuration.
tick_log::LogOptions LogOptionsOf(const TickConfig& config);
/// 1..19.
int ZstdLevelOf(const TickConfig& config);

}  // namespace lamina::ticks
