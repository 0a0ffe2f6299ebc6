#include "lamina/upkeep/manifest.h"

#include <charconv>
#include <cstdio>
#include <map>
#include <optional>

#include "lamina/base/hash.h"

namespace lamina::upkeep {
namespace {

constexpr std::string_view kName = "lamina-backup ";
constexpr std::string_view kMagic = "lamina-backup 1\n";

std::string Hex(std::uint32_t value) {
  char text[16];
  std::snprintf(text, sizeof(text), "%08x", value);
  return text;
}

template <class Number>
std::optional<Number> ParseNumber(std::string_view text, int base = 10) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

std::string FormatManifest(const BackupManifest& manifest) {
  std::string text(kMagic);
  const auto line = [&](std::string_view key, std::string_view value) {
    text.append(key).append(" ").append(value).append("\n");
  };
  line("store", manifest.store_id.ToString());
  line("snapshot", std::to_string(manifest.snapshot));
  line("state", manifest.state);
  line("files", std::to_string(manifest.files));
  line("bytes", std::to_string(manifest.bytes));
  line("catalog", Hex(manifest.catalog_crc32c));
  line("objects", Hex(manifest.objects_crc32c));
  line("config", Hex(manifest.config_crc32c));
  line("made", std::to_string(manifest.made_at.value));
  return text + "end " + Hex(Crc32c(text)) + "\n";
}

Result<BackupManifest> ParseManifest(std::string_view text) {
  const auto damaged = [](const char* what) {
    return Corruption(std::string("the manifest of the backup ") + what);
  };
  if (!text.starts_with(kMagic)) {
    if (text.starts_with(kName)) return Unsupported("the backup was made by a newer lamina");
    return damaged("has another beginning");
  }
  const std::size_t end = text.rfind("\nend ");
  if (end == std::string_view::npos) return damaged("is cut off");
  const std::string_view body = text.substr(0, end + 1);
  if (text.substr(end + 1) != "end " + Hex(Crc32c(body)) + "\n") {
    return damaged("fails its checksum");
  }
  std::map<std::string_view, std::string_view> values;
  for (std::size_t place = kMagic.size(); place < body.size();) {
    const std::size_t stop = body.find('\n', place);
    const std::string_view line = body.substr(place, stop - place);
    const std::size_t blank = line.find(' ');
    if (blank == std::string_view::npos) return damaged("has a line without a value");
    values.emplace(line.substr(0, blank), line.substr(blank + 1));
    place = stop + 1;
  }
  BackupManifest manifest;
  const auto id = Uuid::Parse(values["store"]);
  const auto state = Uuid::Parse(values["state"]);
  const auto snapshot = ParseNumber<std::int64_t>(values["snapshot"]);
  const auto files = ParseNumber<std::int64_t>(values["files"]);
  const auto bytes = ParseNumber<std::int64_t>(values["bytes"]);
  const auto made = ParseNumber<std::int64_t>(values["made"]);
  const auto catalog = ParseNumber<std::uint32_t>(values["catalog"], 16);
  const auto objects = ParseNumber<std::uint32_t>(values["objects"], 16);
  const auto config = ParseNumber<std::uint32_t>(values["config"], 16);
  if (!id || !state || !snapshot || !files || !bytes || !made || !catalog || !objects || !config) {
    return damaged("lacks a line");
  }
  manifest.store_id = *id;
  manifest.state = values["state"];
  manifest.snapshot = *snapshot;
  manifest.files = *files;
  manifest.bytes = *bytes;
  manifest.made_at = Micros{*made};
  manifest.catalog_crc32c = *catalog;
  manifest.objects_crc32c = *objects;
  manifest.config_crc32c = *config;
  return manifest;
}

}  // namespace lamina::upkeep
