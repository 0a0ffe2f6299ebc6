#include <charconv>
#include <cstdio>
#include <string_view>

#include "lamina/base/hash.h"
#include "lamina/catalog/intent_internal.h"

namespace lamina::catalog::internal {
namespace {

constexpr std::string_view kMagic = "lamina-intent 1\n";

std::string Trailer(std::size_t count, ByteView body) {
  char text[64];
  std::snprintf(text, sizeof(text), "end %zu %08x\n", count, Crc32c(body));
  return text;
}

/// Relative, one line, and inside its folder whatever it says.
bool IsPlain(std::string_view path) {
  if (path.empty() || path.front() == '/') return false;
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    const std::string_view part = path.substr(0, slash);
    if (part.empty() || part == "." || part == "..") return false;
    for (const char c : part) {
      if (static_cast<unsigned char>(c) < 0x20) return false;
    }
    if (slash == std::string_view::npos) return true;
    path.remove_prefix(slash + 1);
  }
  return false;  // ends in a slash
}

}  // namespace

Result<std::string> EncodeIntent(const Intent& intent) {
  std::string bytes(kMagic);
  const auto append = [&](std::string_view kind, const std::vector<std::string>& paths) -> Status {
    for (const std::string& path : paths) {
      if (!IsPlain(path)) return InvalidArgument("not a path inside the store: " + path);
      bytes.append(kind).append(path).append("\n");
    }
    return Ok();
  };
  LAMINA_TRY(append("lake ", intent.lake_paths));
  LAMINA_TRY(append("chunk ", intent.chunk_paths));
  return bytes + Trailer(intent.lake_paths.size() + intent.chunk_paths.size(), bytes);
}

Result<Intent> DecodeIntent(ByteView bytes) {
  if (!bytes.starts_with(kMagic)) return Corruption("not an intent");
  Intent intent;
  std::size_t place = kMagic.size();
  for (;;) {
    const std::size_t end = bytes.find('\n', place);
    if (end == ByteView::npos) return Corruption("intent is cut off");
    std::string_view line = bytes.substr(place, end - place);
    if (line.starts_with("end ")) {
      const std::size_t count = intent.lake_paths.size() + intent.chunk_paths.size();
      if (bytes.substr(place) != Trailer(count, bytes.substr(0, place))) {
        return Corruption("intent fails its checksum");
      }
      return intent;
    }
    const bool lake = line.starts_with("lake ");
    if (!lake && !line.starts_with("chunk ")) return Corruption("intent has an unknown line");
    line.remove_prefix(lake ? 5 : 6);
    if (!IsPlain(line)) return Corruption("intent names a path outside the store");
    (lake ? intent.lake_paths : intent.chunk_paths).emplace_back(line);
    place = end + 1;
  }
}

}  // namespace lamina::catalog::internal
