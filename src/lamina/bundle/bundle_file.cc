#include "lamina/bundle/bundle_file.h"

#include <array>
#include <memory>
#include <new>

#include <arrow/util/compression.h>

#include "lamina/bundle/container_internal.h"

namespace lamina::bundle {
namespace {

Result<std::unique_ptr<arrow::util::Codec>> ZstdCodec(int level) {
  auto codec = arrow::util::Codec::Create(arrow::Compression::ZSTD, level);
  if (!codec.ok()) return Internal("zstd codec: " + codec.status().ToString());
  return std::move(codec).ValueUnsafe();
}

std::string FrameWarning(std::size_t bytes, bool another_frame) {
  return std::to_string(bytes) +
         (another_frame ? " bytes after the zstd frame (another frame)"
                        : " bytes after the zstd frame") +
         " were ignored";
}

}  // namespace

Result<Container> ReadContainer(ByteView file, const BundleLimits& limits) {
  if (file.size() < kHeaderBytes) {
    return InvalidArgument("not a bundle: " + std::to_string(file.size()) +
                           " bytes, the header alone has 8");
  }
  if (file.substr(0, kMagic.size()) != kMagic) {
    return InvalidArgument("not a bundle: it does not start with IAFB");
  }
  Container container;
  container.version = LoadLittleEndian<std::uint32_t>(file.data() + kMagic.size());
  if (container.version < kVersionFirst || container.version > kVersionLast) {
    return Unsupported("bundle version " + std::to_string(container.version) +
                       " is not known; versions 1 to 5 are");
  }
  const ByteView body = file.substr(kHeaderBytes);
  LAMINA_ASSIGN(container.frame, ReadZstdFrame(body));
  const ZstdFrame& frame = container.frame;
  if (!frame.content_size.has_value()) {
    return Corruption("zstd frame: it does not state its content size");
  }
  if (frame.dictionary_id != 0) {
    return Unsupported("zstd frame: it needs dictionary " + std::to_string(frame.dictionary_id));
  }
  if (*frame.content_size > limits.max_document_bytes) {
    return ResourceExhausted("zstd frame: it claims " + std::to_string(*frame.content_size) +
                             " bytes, the limit is " + std::to_string(limits.max_document_bytes));
  }
  if (*frame.content_size > frame.content_bytes_max) {
    return Corruption("zstd frame: it claims " + std::to_string(*frame.content_size) +
                      " bytes, its " + std::to_string(frame.block_count) + " blocks hold at most " +
                      std::to_string(frame.content_bytes_max));
  }
  container.frame_view = body.substr(0, frame.frame_bytes);
  const ByteView rest = body.substr(frame.frame_bytes);
  if (!rest.empty()) {
    container.has_trailing_bytes = true;
    const bool another_frame = rest.substr(0, 4) == body.substr(0, 4);
    container.warnings.push_back(FrameWarning(rest.size(), another_frame));
  }
  return container;
}

Status DecompressFrame(const Container& container, char* out) {
  const std::uint64_t size = *container.frame.content_size;
  LAMINA_ASSIGN(const auto codec, ZstdCodec(arrow::util::kUseDefaultCompressionLevel));
  const auto given =
      codec->Decompress(static_cast<std::int64_t>(container.frame_view.size()),
                        reinterpret_cast<const std::uint8_t*>(container.frame_view.data()),
                        static_cast<std::int64_t>(size), reinterpret_cast<std::uint8_t*>(out));
  if (!given.ok()) return Corruption("zstd frame: damaged (" + given.status().message() + ")");
  if (static_cast<std::uint64_t>(*given) != size) {
    return Corruption("zstd frame: it claims " + std::to_string(size) + " bytes and holds " +
                      std::to_string(*given));
  }
  return Ok();
}

Result<BundleFile> ReadBundle(ByteView file, const BundleLimits& limits) {
  LAMINA_ASSIGN(Container container, ReadContainer(file, limits));
  BundleFile bundle;
  bundle.version = container.version;
  try {
    bundle.document.resize(*container.frame.content_size);
  } catch (const std::bad_alloc&) {
    return ResourceExhausted("not enough memory for a document of " +
                             std::to_string(*container.frame.content_size) + " bytes");
  }
  LAMINA_TRY(DecompressFrame(container, bundle.document.data()));
  bundle.warnings = std::move(container.warnings);
  bundle.has_trailing_bytes = container.has_trailing_bytes;
  return bundle;
}

Result<std::string> WriteBundle(std::uint32_t version, ByteView document, int level) {
  if (version < kVersionFirst || version > kVersionLast) {
    return Unsupported("bundle version " + std::to_string(version) +
                       " cannot be written; versions 1 to 5 can");
  }
  if (level < 1 || level > 22) {
    return InvalidArgument("zstd level " + std::to_string(level) + " is not between 1 and 22");
  }
  LAMINA_ASSIGN(const auto codec, ZstdCodec(level));
  const auto* input = reinterpret_cast<const std::uint8_t*>(document.data());
  const auto input_size = static_cast<std::int64_t>(document.size());
  const std::int64_t output_size_max = codec->MaxCompressedLen(input_size, input);
  std::string file;
  file.reserve(kHeaderBytes + static_cast<std::size_t>(output_size_max));
  file.append(kMagic);
  AppendLittleEndian(file, version);
  file.resize(kHeaderBytes + static_cast<std::size_t>(output_size_max));
  const auto written = codec->Compress(input_size, input, output_size_max,
                                       reinterpret_cast<std::uint8_t*>(file.data()) + kHeaderBytes);
  if (!written.ok()) return Internal("compressing a bundle: " + written.status().ToString());
  file.resize(kHeaderBytes + static_cast<std::size_t>(*written));
  return file;
}

Result<int> FindReproducingLevel(ByteView file, std::uint32_t version, ByteView document) {
  // The quick ones first: level 19 takes a hundred times as long as level 3.
  for (const int level : {3, 7, 19}) {
    LAMINA_ASSIGN(const std::string rewritten, WriteBundle(version, document, level));
    if (rewritten == file) return level;
  }
  return 0;
}

}  // namespace lamina::bundle
