// Any bytes as a group of ticks, binary and text, and as the files beside it: no crash, and nothing
// outside of the bytes is read. The checksum is made right, so that what it guards is reached.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "lamina/base/check.h"
#include "lamina/base/hash.h"
#include "lamina/tick_log/group_draft.h"
#include "lamina/tick_log/group_read.h"
#include "lamina/tick_log/index_file.h"
#include "lamina/tick_log/jsonl_group.h"

namespace {

using namespace lamina::tick_log;

constexpr std::int64_t kOffset = 4096;
constexpr std::uint64_t kSalt = 42;

/// The group's checksums as they should be, where the sizes allow it.
std::string Mended(std::string bytes) {
  if (bytes.size() < 64) return bytes;
  std::uint32_t front = 0, runs = 0;
  std::memcpy(&front, bytes.data() + 12, 4);
  std::memcpy(&runs, bytes.data() + 52, 4);
  for (std::size_t i = 0; i < runs && 64 + 48 * (i + 1) <= bytes.size(); ++i) {
    std::uint32_t place[2];
    std::memcpy(place, bytes.data() + 64 + 48 * i + 28, 8);
    if (place[0] > bytes.size() || place[1] > bytes.size() - place[0]) continue;
    const std::uint32_t crc = lamina::Crc32c(lamina::ByteView(bytes).substr(place[0], place[1]));
    std::memcpy(bytes.data() + 64 + 48 * i + 36, &crc, 4);
  }
  if (front < 64 || front > bytes.size()) return bytes;
  const std::uint32_t crc = FrontCrc(bytes, front, kOffset, kSalt);
  std::memcpy(bytes.data() + 4, &crc, 4);
  return bytes;
}

void TryBinary(const std::string& bytes) {
  Group group;
  const Look look =
      LookAtGroup(bytes, kOffset, {kSalt, lamina::tick_log::LogPayload::kBinary}, true, group);
  if (look.found != Found::kGroup) return;
  LAMINA_CHECK(group.header.length <= bytes.size());
  std::vector<TickCollector::RunBytes> runs;
  for (const Run& run : group.runs) {
    runs.push_back({&run, lamina::ByteView(bytes).substr(run.offset, run.bytes)});
  }
  TickCollector out(1);
  const lamina::ByteView front = lamina::ByteView(bytes).substr(0, group.header.front);
  if (out.AddRuns(group, front, runs, {}).ok()) LAMINA_CHECK(out.rows() <= group.header.rows);
}

/// A file that is only its bytes.
class Bytes final : public lamina::io::ReadableFile {
 public:
  explicit Bytes(std::string bytes) : bytes_(std::move(bytes)) {}
  std::int64_t size() const override { return std::ssize(bytes_); }
  lamina::Status ReadAt(std::int64_t offset, std::size_t length, char* out) const override {
    LAMINA_CHECK(offset >= 0);
    const auto at = static_cast<std::size_t>(offset);
    if (at > bytes_.size() || length > bytes_.size() - at) return lamina::Corruption("it ends");
    std::memcpy(out, bytes_.data() + at, length);
    return lamina::Ok();
  }

 private:
  std::string bytes_;
};

void TryIndex(std::string bytes) {
  const auto index = IndexFile::Read(std::make_unique<Bytes>(std::move(bytes)), {});
  if (!index) return;
  static_cast<void>(index->RunsOf(1));
  static_cast<void>(index->ReadAll());
}

/// The index's head as it should be, where the sizes allow it.
std::string MendedIndex(std::string bytes) {
  if (bytes.size() < 80) return bytes;
  const std::string_view magic = "LAMTIDX\n";
  std::memcpy(bytes.data(), magic.data(), magic.size());
  bytes[8] = 2;
  std::memset(bytes.data() + 9, 0, 3);
  std::memset(bytes.data() + 16, 0, 16);  // salt and number of an empty header
  std::uint64_t groups = 0, contracts = 0;
  std::memcpy(&groups, bytes.data() + 32, 8);
  std::memcpy(&contracts, bytes.data() + 40, 8);
  if (groups > bytes.size() || contracts > bytes.size()) return bytes;
  const std::size_t head = std::min<std::size_t>(bytes.size(), 80 + groups * 40 + contracts * 32);
  const std::uint32_t crc = lamina::Crc32c(lamina::ByteView(bytes).substr(16, head - 16));
  std::memcpy(bytes.data() + 12, &crc, 4);
  return bytes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string input(reinterpret_cast<const char*>(data), size);
  TryBinary(input);
  TryBinary(Mended(input));
  Group group;
  const Seat readable{kSalt, LogPayload::kJsonl};
  static_cast<void>(LookAtGroup(input, kOffset, readable, true, group));
  group.header.front = static_cast<std::uint32_t>(size);
  group.header.rows = 3;
  static_cast<void>(ForEachJsonlTick(group, input, [](const TickRow&) {}));
  static_cast<void>(DecodeSegmentHeader(input));
  static_cast<void>(DecodeStatePage(input, {}, 1));
  TryIndex(input);
  TryIndex(MendedIndex(input));
  return 0;
}
