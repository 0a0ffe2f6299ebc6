// Any bytes as a group of ticks, binary and text, and as the files beside it: no crash, and nothing
// outside of the bytes is read. The checksum is made right, so that what it guards is reached.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "lamina/base/check.h"
#include "lamina/base/hash.h"
#include "lamina/tick_log/group_draft.h"
#include "lamina/tick_log/group_read.h"
#include "lamina/tick_log/jsonl_group.h"
#include "lamina/tick_log/segment_index.h"

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
  static_cast<void>(SegmentIndex::Decode(input, {}));
  return 0;
}
