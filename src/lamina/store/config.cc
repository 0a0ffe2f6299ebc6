#include "lamina/store/config.h"

#define TOML_EXCEPTIONS 0
#include <sstream>

#include <toml++/toml.h>

#include "lamina/base/duration.h"

namespace lamina::store {
namespace {

std::string Place(std::string_view path, const toml::node& node) {
  return std::string(path) + ":" + std::to_string(node.source().begin.line);
}

Error WrongType(std::string_view path, const toml::node& node, std::string_view key,
                std::string_view wanted) {
  return InvalidArgument(Place(path, node) + ": " + std::string(key) + " must be " +
                         std::string(wanted));
}

Status ParseStoreTable(const toml::table& table, std::string_view path, StoreConfig& config) {
  bool has_id = false;
  for (const auto& [key, node] : table) {
    if (key.str() == "id") {
      const auto text = node.value<std::string>();
      const auto id = text ? Uuid::Parse(*text) : std::nullopt;
      if (!id) return WrongType(path, node, "store.id", "a UUID");
      config.store_id = *id;
      has_id = true;
    } else if (key.str() == "format_version") {
      const auto version = node.value_exact<std::int64_t>();
      if (!version || *version < 1)
        return WrongType(path, node, "store.format_version", "1 or more");
      config.format_version = *version;
    } else if (key.str() == "min_free_bytes") {
      const auto bytes = node.value_exact<std::int64_t>();
      if (!bytes || *bytes < 0) {
        return WrongType(path, node, "store.min_free_bytes", "a number of bytes, 0 for no limit");
      }
      config.min_free_bytes = *bytes;
    } else {
      return InvalidArgument(Place(path, node) + ": unknown key store." + std::string(key.str()));
    }
  }
  if (!has_id) return InvalidArgument(std::string(path) + ": store.id is missing");
  if (config.format_version > kFormatVersion) {
    return Unsupported(std::string(path) + ": the store has format " +
                       std::to_string(config.format_version) + ", this program knows up to " +
                       std::to_string(kFormatVersion) + "; use a newer lamina");
  }
  return Ok();
}

Status ParseLakeTable(const toml::table& table, std::string_view path, StoreConfig& config) {
  for (const auto& [key, node] : table) {
    Micros* target = nullptr;
    if (key.str() == "keep_snapshots") target = &config.keep_snapshots;
    if (key.str() == "gc_grace") target = &config.gc_grace;
    if (target == nullptr) {
      return InvalidArgument(Place(path, node) + ": unknown key lake." + std::string(key.str()));
    }
    const auto text = node.value<std::string>();
    const auto span = text ? ParseDuration(*text) : Result<Micros>(InvalidArgument("no text"));
    if (!span.ok()) {
      return WrongType(path, node, "lake." + std::string(key.str()),
                       "a span of time in quotes, such as \"7d\", \"12h\" or \"0s\"");
    }
    *target = *span;
  }
  return Ok();
}

struct TickNumber {
  const char* key;
  std::int64_t ticks::TickConfig::* value;
};
constexpr TickNumber kTickNumbers[] = {
    {"buffer_duration_minutes", &ticks::TickConfig::buffer_duration_minutes},
    {"buffer_rotation_minutes", &ticks::TickConfig::buffer_rotation_minutes},
    {"buffer_max_bytes", &ticks::TickConfig::buffer_max_bytes},
    {"segment_max_bytes", &ticks::TickConfig::segment_max_bytes},
    {"log_max_bytes", &ticks::TickConfig::log_max_bytes},
    {"archive_partition_hours", &ticks::TickConfig::archive_partition_hours},
    {"archive_interval_minutes", &ticks::TickConfig::archive_interval_minutes},
    {"archive_max_bytes", &ticks::TickConfig::archive_max_bytes},
    {"index_update_interval_seconds", &ticks::TickConfig::index_update_interval_seconds},
    {"buffer_retention_hours", &ticks::TickConfig::buffer_retention_hours},
    {"archive_retention_days", &ticks::TickConfig::archive_retention_days},
    {"query_cache_size", &ticks::TickConfig::query_cache_size},
    {"query_cache_ttl_seconds", &ticks::TickConfig::query_cache_ttl_seconds},
    {"max_concurrent_writes", &ticks::TickConfig::max_concurrent_writes},
    {"batch_size", &ticks::TickConfig::batch_size},
    {"queue_ticks", &ticks::TickConfig::queue_ticks},
};

struct TickText {
  const char* key;
  std::string ticks::TickConfig::* value;
};
constexpr TickText kTickTexts[] = {
    {"buffer_path", &ticks::TickConfig::buffer_path},
    {"buffer_format", &ticks::TickConfig::buffer_format},
    {"durability", &ticks::TickConfig::durability},
    {"archive_path", &ticks::TickConfig::archive_path},
    {"archive_compression", &ticks::TickConfig::archive_compression},
    {"index_path", &ticks::TickConfig::index_path},
    {"full_queue", &ticks::TickConfig::full_queue},
};

Status ParseTickKey(std::string_view key, const toml::node& node, std::string_view path,
                    ticks::TickConfig& config) {
  const std::string name = "ticks." + std::string(key);
  for (const TickNumber& number : kTickNumbers) {
    if (key != number.key) continue;
    const auto value = node.value_exact<std::int64_t>();
    if (!value) return WrongType(path, node, name, "a whole number");
    config.*number.value = *value;
    return Ok();
  }
  for (const TickText& text : kTickTexts) {
    if (key != text.key) continue;
    const auto value = node.value_exact<std::string>();
    if (!value) return WrongType(path, node, name, "a text in quotes");
    config.*text.value = *value;
    return Ok();
  }
  return InvalidArgument(Place(path, node) + ": unknown key " + name);
}

Status ParseTicksTable(const toml::table& table, std::string_view path, StoreConfig& config) {
  for (const auto& [key, node] : table)
    LAMINA_TRY(ParseTickKey(key.str(), node, path, config.ticks));
  LAMINA_TRY_WITH(ticks::CheckTickConfig(config.ticks), Place(path, table));
  return Ok();
}

/// Only what a person chose: defaults may change with the program.
std::string FormatTicks(const ticks::TickConfig& config) {
  const ticks::TickConfig defaults;
  std::string lines;
  for (const TickNumber& number : kTickNumbers)
    if (config.*number.value != defaults.*number.value)
      lines += std::string(number.key) + " = " + std::to_string(config.*number.value) + "\n";
  for (const TickText& text : kTickTexts)
    if (config.*text.value != defaults.*text.value)
      lines += std::string(text.key) + " = \"" + config.*text.value + "\"\n";
  return lines.empty() ? "" : "\n[ticks]\n" + lines;
}

}  // namespace

std::string FormatConfig(const StoreConfig& config) {
  return "# A Lamina store. Keys that the program does not know are errors.\n"
         "[store]\n"
         "id = \"" +
         config.store_id.ToString() +
         "\"\n"
         "format_version = " +
         std::to_string(config.format_version) +
         "\n"
         "\n"
         "[lake]\n"
         "# gc forgets a snapshot that stopped being the latest this long ago (pins are spared).\n"
         "keep_snapshots = \"" +
         FormatDuration(config.keep_snapshots) +
         "\"\n"
         "# gc removes what was retired no sooner than this.\n"
         "gc_grace = \"" +
         FormatDuration(config.gc_grace) + "\"\n" + FormatTicks(config.ticks);
}

Result<StoreConfig> ParseConfig(std::string_view text, std::string_view path) {
  const toml::parse_result parsed = toml::parse(text, path);
  if (!parsed) {
    std::ostringstream message;
    message << path << ":" << parsed.error().source().begin.line << ": "
            << parsed.error().description();
    return InvalidArgument(message.str());
  }
  StoreConfig config;
  bool has_store = false;
  for (const auto& [key, node] : parsed.table()) {
    const toml::table* table = node.as_table();
    if (table == nullptr) {
      return InvalidArgument(Place(path, node) + ": unknown key " + std::string(key.str()));
    }
    if (key.str() == "store") {
      LAMINA_TRY(ParseStoreTable(*table, path, config));
      has_store = true;
    } else if (key.str() == "lake") {
      LAMINA_TRY(ParseLakeTable(*table, path, config));
    } else if (key.str() == "ticks") {
      LAMINA_TRY(ParseTicksTable(*table, path, config));
    } else {
      return InvalidArgument(Place(path, node) + ": unknown section [" + std::string(key.str()) +
                             "]");
    }
  }
  if (!has_store) return InvalidArgument(std::string(path) + ": section [store] is missing");
  return config;
}

}  // namespace lamina::store
