#pragma once

/// \file lamina/bundle/zstd_frame.h
/// Where the first zstd frame of some bytes ends and what it promises, found by walking its block
/// headers (RFC 8878 section 3.1) without decompressing anything. Pure functions; thread-safe.

#include <cstdint>
#include <optional>

#include "lamina/base/bytes.h"
#include "lamina/base/result.h"

namespace lamina::bundle {

struct ZstdFrame {
  std::size_t frame_bytes = 0;                ///< header, blocks and checksum
  std::optional<std::uint64_t> content_size;  ///< as the frame claims
  std::uint64_t window_bytes = 0;
  std::uint64_t content_bytes_max = 0;  ///< what that many blocks can give at most
  std::uint32_t dictionary_id = 0;      ///< 0: none
  std::uint32_t block_count = 0;
  bool has_checksum = false;
};

/// RETURNS kCorruption when the bytes are no zstd frame, start with a skippable one, or end early.
Result<ZstdFrame> ReadZstdFrame(ByteView bytes);

}  // namespace lamina::bundle
