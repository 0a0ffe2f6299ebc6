#pragma once

/// \file lamina/bundle/bundle_file.h
/// The container: "IAFB", uint32 LE version, one zstd frame holding one MessagePack map.
/// Pure functions over bytes; thread-safe. Format: docs/format/bundle.md.

#include <cstdint>
#include <string>
#include <vector>

#include "lamina/base/bytes.h"
#include "lamina/base/result.h"

namespace lamina::bundle {

struct BundleLimits {
  /// A frame that claims more than this is refused before anything is allocated.
  std::size_t max_document_bytes = std::size_t{1} << 30;
};

struct BundleFile {
  std::uint32_t version = 0;          ///< of the header: 1..5
  std::string document;               ///< the MessagePack bytes
  std::vector<std::string> warnings;  ///< tolerated oddities, e.g. bytes after the frame
  bool has_trailing_bytes = false;
};

/// Undo the container; the document's structure is not looked at.
/// RETURNS kInvalidArgument (not a bundle), kUnsupported (version), kCorruption (frame damaged or
/// truncated, no content size, skippable frame first), kResourceExhausted (claims too much).
Result<BundleFile> ReadBundle(ByteView file, const BundleLimits& limits = {});

/// Header and one zstd frame of `document` at `level` (1..22), by libarrow's codec.
Result<std::string> WriteBundle(std::uint32_t version, ByteView document, int level);

/// Try 3, 7 and 19 (cheapest first; 19 takes seconds for a document of 5 MB), to find one that
/// reproduces `file` from its document. Where several do, any of them may be given.
/// RETURNS the level, or 0 when none does.
Result<int> FindReproducingLevel(ByteView file, std::uint32_t version, ByteView document);

}  // namespace lamina::bundle
