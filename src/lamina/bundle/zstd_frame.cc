#include "lamina/bundle/zstd_frame.h"

#include <algorithm>

namespace lamina::bundle {
namespace {

constexpr std::uint32_t kFrameMagic = 0xFD2FB528;
constexpr std::uint32_t kSkippableMagic = 0x184D2A50;  // the low four bits are free
constexpr std::uint64_t kBlockBytesMax = 128 << 10;

enum BlockType : std::uint8_t { kRaw, kRunLength, kCompressed, kReserved };

std::uint64_t LoadSized(const char* bytes, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i) {
    value |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
  }
  return value;
}

/// Magic, descriptor, window, dictionary id, content size. RETURNS the header's length.
Result<std::size_t> ReadHeader(ByteView bytes, ZstdFrame& frame) {
  if (bytes.size() < 5) return Corruption("zstd frame: truncated in its header");
  const auto magic = LoadLittleEndian<std::uint32_t>(bytes.data());
  if ((magic & 0xfffffff0U) == kSkippableMagic) {
    return Corruption("zstd frame: a skippable frame comes first");
  }
  if (magic != kFrameMagic) return Corruption("zstd frame: bad magic");
  const auto descriptor = static_cast<unsigned char>(bytes[4]);
  if ((descriptor & 0x08) != 0) return Corruption("zstd frame: reserved bit set in its header");
  const bool single_segment = (descriptor & 0x20) != 0;
  frame.has_checksum = (descriptor & 0x04) != 0;
  constexpr std::size_t kDictionaryBytes[] = {0, 1, 2, 4};
  constexpr std::size_t kContentSizeBytes[] = {0, 2, 4, 8};
  const std::size_t window_bytes = single_segment ? 0 : 1;
  const std::size_t dictionary_bytes = kDictionaryBytes[descriptor & 3];
  std::size_t size_bytes = kContentSizeBytes[descriptor >> 6];
  if (size_bytes == 0 && single_segment) size_bytes = 1;
  const std::size_t header_bytes = 5 + window_bytes + dictionary_bytes + size_bytes;
  if (bytes.size() < header_bytes) return Corruption("zstd frame: truncated in its header");

  const char* position = bytes.data() + 5;
  if (!single_segment) {
    const auto window = static_cast<unsigned char>(*position++);
    const std::uint64_t base = std::uint64_t{1} << (10 + (window >> 3));
    frame.window_bytes = base + base / 8 * (window & 7);
  }
  frame.dictionary_id = static_cast<std::uint32_t>(LoadSized(position, dictionary_bytes));
  position += dictionary_bytes;
  if (size_bytes != 0) {
    frame.content_size = LoadSized(position, size_bytes) + (size_bytes == 2 ? 256 : 0);
  }
  if (single_segment) frame.window_bytes = *frame.content_size;
  return header_bytes;
}

}  // namespace

Result<ZstdFrame> ReadZstdFrame(ByteView bytes) {
  ZstdFrame frame;
  LAMINA_ASSIGN(std::size_t offset, ReadHeader(bytes, frame));
  const std::uint64_t block_max = std::min(frame.window_bytes, kBlockBytesMax);
  bool last = false;
  while (!last) {
    if (bytes.size() - offset < 3) {
      return Corruption("zstd frame: truncated at byte " + std::to_string(offset) +
                        " (a block header)");
    }
    const auto header = static_cast<std::uint32_t>(LoadSized(bytes.data() + offset, 3));
    last = (header & 1) != 0;
    const auto type = static_cast<BlockType>((header >> 1) & 3);
    const std::uint32_t size = header >> 3;
    if (type == kReserved) {
      return Corruption("zstd frame: reserved block type at byte " + std::to_string(offset));
    }
    const std::uint32_t stored = type == kRunLength ? 1 : size;
    if (bytes.size() - offset - 3 < stored) {
      return Corruption("zstd frame: truncated at byte " + std::to_string(offset) +
                        " (a block of " + std::to_string(stored) + " bytes)");
    }
    frame.content_bytes_max +=
        type == kCompressed ? block_max : std::min<std::uint64_t>(size, block_max);
    ++frame.block_count;
    offset += 3 + stored;
  }
  if (frame.has_checksum) {
    if (bytes.size() - offset < 4) return Corruption("zstd frame: truncated in its checksum");
    offset += 4;
  }
  frame.frame_bytes = offset;
  return frame;
}

}  // namespace lamina::bundle
