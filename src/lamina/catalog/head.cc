#include <charconv>
#include <cstdio>
#include <string_view>

#include "lamina/base/hash.h"
#include "lamina/catalog/head_internal.h"

namespace lamina::catalog::internal {
namespace {

constexpr std::string_view kMagic = "lamina-head 1 ";
constexpr std::int64_t kHeadBytesMax = 256;

}  // namespace

std::string EncodeHead(std::int64_t snapshot_id) {
  std::string text(kMagic);
  text += std::to_string(snapshot_id);
  char checksum[16];
  std::snprintf(checksum, sizeof(checksum), " %08x\n", Crc32c(text));
  return text + checksum;
}

Result<std::int64_t> DecodeHead(ByteView bytes) {
  if (!bytes.starts_with(kMagic)) return Corruption("not a head file");
  std::int64_t snapshot_id = 0;
  const char* const first = bytes.data() + kMagic.size();
  const auto parsed = std::from_chars(first, bytes.data() + bytes.size(), snapshot_id);
  if (parsed.ec != std::errc() || bytes != EncodeHead(snapshot_id)) {
    return Corruption("the head file fails its checksum");
  }
  return snapshot_id;
}

std::optional<std::int64_t> ReadHead(io::Env& env, const std::string& root) {
  const Result<std::string> bytes = env.ReadFile(io::JoinPath(root, "head"), kHeadBytesMax);
  if (!bytes.ok()) return std::nullopt;
  const Result<std::int64_t> snapshot_id = DecodeHead(*bytes);
  if (!snapshot_id.ok()) return std::nullopt;
  return *snapshot_id;
}

Status WriteHead(io::Env& env, const std::string& root, const std::string& temporary,
                 std::int64_t snapshot_id) {
  LAMINA_ASSIGN(const auto file, env.NewWritableFile(temporary));
  LAMINA_TRY(file->Append(EncodeHead(snapshot_id)));
  LAMINA_TRY(file->Close());
  return env.Rename(temporary, io::JoinPath(root, "head"));
}

}  // namespace lamina::catalog::internal
