#include "lamina/ticks/tick_config.h"

#include <charconv>
#include <limits>
#include <string_view>

namespace lamina::ticks {
namespace {

struct Range {
  const char* key;
  std::int64_t TickConfig::* value;
  std::int64_t low, high;
};
constexpr std::int64_t kAny = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kMiB = std::int64_t{1} << 20;
constexpr Range kRanges[] = {
    {"buffer_duration_minutes", &TickConfig::buffer_duration_minutes, 1, 7 * 1440},
    {"buffer_rotation_minutes", &TickConfig::buffer_rotation_minutes, 1, 1440},
    {"buffer_max_bytes", &TickConfig::buffer_max_bytes, kMiB, kAny},
    {"segment_max_bytes", &TickConfig::segment_max_bytes, kMiB, 1024 * kMiB},
    {"log_max_bytes", &TickConfig::log_max_bytes, kMiB, kAny},
    {"archive_interval_minutes", &TickConfig::archive_interval_minutes, 1, 1440},
    {"archive_max_bytes", &TickConfig::archive_max_bytes, kMiB, kAny},
    {"index_update_interval_seconds", &TickConfig::index_update_interval_seconds, 1, 86'400},
    {"buffer_retention_hours", &TickConfig::buffer_retention_hours, 0, 100 * 8766},
    {"archive_retention_days", &TickConfig::archive_retention_days, 0, 36'525},
    {"query_cache_size", &TickConfig::query_cache_size, 0, 1'000'000},
    {"query_cache_ttl_seconds", &TickConfig::query_cache_ttl_seconds, 0, 366 * 86'400},
    {"max_concurrent_writes", &TickConfig::max_concurrent_writes, 1, 10'000},
    {"batch_size", &TickConfig::batch_size, 1, 10'000'000},
    {"queue_ticks", &TickConfig::queue_ticks, 1, 100'000'000},
};

Error Bad(const std::string& what) { return InvalidArgument("[ticks] " + what); }

Status CheckChoice(const char* key, const std::string& value,
                   std::initializer_list<const char*> choices) {
  std::string known;
  for (const char* choice : choices) {
    if (value == choice) return Ok();
    known += (known.empty() ? "\"" : ", \"") + std::string(choice) + "\"";
  }
  return Bad(std::string(key) + " = \"" + value + "\": known are " + known);
}

/// The places are the store's own: one folder holds all of it, so that it can be moved.
Status CheckFixed(const char* key, const std::string& value, const char* fixed, const char* seed) {
  if (value == fixed || value == seed) return Ok();
  return Bad(std::string(key) + " = \"" + value + "\": it is \"" + fixed +
             "\" below the store's root and cannot be elsewhere");
}

/// 0 for what is none.
int LevelOf(std::string_view text) {
  if (text == "zstd") return 3;
  if (!text.starts_with("zstd:")) return 0;
  text.remove_prefix(5);
  int level = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), level);
  if (error != std::errc() || end != text.data() + text.size()) return 0;
  return level >= 1 && level <= 19 ? level : 0;
}

Status CheckTogether(const TickConfig& config) {
  if (config.buffer_rotation_minutes > config.buffer_duration_minutes)
    return Bad("buffer_rotation_minutes = " + std::to_string(config.buffer_rotation_minutes) +
               " is more than buffer_duration_minutes = " +
               std::to_string(config.buffer_duration_minutes) +
               ": a segment would outlast the ticks in memory");
  // 0 asks for no time at all, knowing it: what is archived is read from there.
  if (config.buffer_retention_hours != 0 &&
      config.buffer_retention_hours * 60 < config.buffer_duration_minutes)
    return Bad("buffer_retention_hours = " + std::to_string(config.buffer_retention_hours) +
               " is less than buffer_duration_minutes = " +
               std::to_string(config.buffer_duration_minutes) +
               ": the log must outlast the ticks in memory");
  if (config.archive_retention_days != 0 &&
      config.archive_retention_days * 24 < config.buffer_retention_hours)
    return Bad(
        "archive_retention_days = " + std::to_string(config.archive_retention_days) +
        " is less than buffer_retention_hours = " + std::to_string(config.buffer_retention_hours) +
        ": ticks would leave the archive before the log");
  if (config.segment_max_bytes > config.log_max_bytes)
    return Bad("segment_max_bytes is more than log_max_bytes: no segment could be filled");
  if (config.archive_max_bytes > config.log_max_bytes)
    return Bad(
        "archive_max_bytes is more than log_max_bytes: appends would be refused before "
        "archiving starts");
  return Ok();
}

}  // namespace

Status CheckTickConfig(const TickConfig& config) {
  for (const Range& range : kRanges) {
    const std::int64_t value = config.*range.value;
    if (value >= range.low && value <= range.high) continue;
    std::string wanted = std::to_string(range.low) + " or more";
    if (range.high != kAny) wanted += ", at most " + std::to_string(range.high);
    return Bad(std::string(range.key) + " = " + std::to_string(value) + ": must be " + wanted);
  }
  LAMINA_TRY(CheckChoice("buffer_format", config.buffer_format, {"binary", "jsonl"}));
  LAMINA_TRY(CheckChoice("durability", config.durability, {"fsync", "os", "memory"}));
  LAMINA_TRY(CheckChoice("full_queue", config.full_queue, {"block", "refuse"}));
  LAMINA_TRY(CheckFixed("buffer_path", config.buffer_path, "log", "storage/buffer"));
  LAMINA_TRY(CheckFixed("archive_path", config.archive_path, "lake/ticks", "storage/archive"));
  LAMINA_TRY(CheckFixed("index_path", config.index_path, "catalog.sqlite", "storage/index.db"));
  if (LevelOf(config.archive_compression) == 0)
    return Bad("archive_compression = \"" + config.archive_compression +
               "\": the archive is written with zstd; known are \"zstd\" and \"zstd:1\" to "
               "\"zstd:19\"");
  if (config.archive_partition_hours < 1 || 24 % config.archive_partition_hours != 0)
    return Bad("archive_partition_hours = " + std::to_string(config.archive_partition_hours) +
               ": must divide a day: 1, 2, 3, 4, 6, 8, 12 or 24");
  return CheckTogether(config);
}

tick_log::LogOptions LogOptionsOf(const TickConfig& config) {
  tick_log::LogOptions options;
  options.durability = config.durability == "fsync" ? tick_log::Durability::kFsync
                       : config.durability == "os"  ? tick_log::Durability::kOs
                                                    : tick_log::Durability::kMemory;
  options.payload = config.buffer_format == "jsonl" ? tick_log::LogPayload::kJsonl
                                                    : tick_log::LogPayload::kBinary;
  options.full_queue =
      config.full_queue == "refuse" ? tick_log::FullQueue::kRefuse : tick_log::FullQueue::kBlock;
  options.queue_ticks = config.queue_ticks;
  options.concurrent_appends = config.max_concurrent_writes;
  options.segment_bytes = config.segment_max_bytes;
  options.segment_seconds = config.buffer_rotation_minutes * 60;
  options.log_max_bytes = config.log_max_bytes;
  options.buffer_minutes = config.buffer_duration_minutes;
  options.buffer_max_bytes = config.buffer_max_bytes;
  return options;
}

int ZstdLevelOf(const TickConfig& config) { return LevelOf(config.archive_compression); }

}  // namespace lamina::ticks
