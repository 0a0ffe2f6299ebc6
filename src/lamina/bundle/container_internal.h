#pragma once

/// \file lamina/bundle/container_internal.h
/// The container's header and frame, checked but not yet decompressed. Pure functions.

#include <cstdint>
#include <string>
#include <vector>

#include "lamina/bundle/bundle_file.h"
#include "lamina/bundle/zstd_frame.h"

namespace lamina::bundle {

// | byte | 0..3   | 4..7              | 8..                                    |
// |      | "IAFB" | version uint32 LE | one zstd frame of one MessagePack map  |
inline constexpr ByteView kMagic = "IAFB";
inline constexpr std::size_t kHeaderBytes = 8;
inline constexpr std::uint32_t kVersionFirst = 1;
inline constexpr std::uint32_t kVersionLast = 5;
static_assert(kMagic.size() + sizeof(std::uint32_t) == kHeaderBytes);

struct Container {
  std::uint32_t version = 0;
  ZstdFrame frame;  ///< content_size is present and plausible
  ByteView frame_view;
  std::vector<std::string> warnings;
  bool has_trailing_bytes = false;
};

/// Everything that can be refused before memory for the document is taken.
Result<Container> ReadContainer(ByteView file, const BundleLimits& limits);

/// Decompress into `out`, which has room for `*container.frame.content_size` bytes.
Status DecompressFrame(const Container& container, char* out);

}  // namespace lamina::bundle
