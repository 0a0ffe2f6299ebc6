#include "lamina/table/zstd_page.h"

#include <mutex>
#include <utility>
#include <vector>

#include <arrow/util/compression.h>

#include "lamina/table/arrow_status.h"

namespace lamina::table {
namespace {

using arrow::util::Decompressor;

/// ZSTD_c_maxBlockSize of zstd 1.5.6 and later; libarrow has its own zstd and shows no header.
constexpr int kMaxBlockSize = 1015;

/// A decompressor allocates 0.4 MB for a page of some 100 KB; those of larger pages are not kept.
constexpr std::size_t kKeptDecompressors = 8;
constexpr std::size_t kKeptFrameBytes = 1 << 20;

/// Idle ones. Only ever tried to be locked: a fork may have copied the lock while it was held.
class Decompressors {
 public:
  Result<std::shared_ptr<Decompressor>> Take() {
    if (const std::unique_lock lock(mutex_, std::try_to_lock); lock && !idle_.empty()) {
      std::shared_ptr<Decompressor> taken = std::move(idle_.back());
      idle_.pop_back();
      return taken;
    }
    LAMINA_ARROW_ASSIGN(auto codec, arrow::util::Codec::Create(arrow::Compression::ZSTD),
                        "making a zstd codec");
    LAMINA_ARROW_ASSIGN(auto made, codec->MakeDecompressor(), "making a zstd decompressor");
    return made;
  }

  void Give(std::shared_ptr<Decompressor> idle) {
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (lock && idle_.size() < kKeptDecompressors) idle_.push_back(std::move(idle));
  }

 private:
  std::mutex mutex_;
  std::vector<std::shared_ptr<Decompressor>> idle_;
};

Decompressors& Kept() {
  static Decompressors kept;
  return kept;
}

}  // namespace

std::shared_ptr<arrow::util::CodecOptions> ZstdOptions(int level, std::int64_t block_bytes) {
  auto options = std::make_shared<arrow::util::ZstdCodecOptions>();
  options->compression_level = level;
  if (block_bytes > 0) {
    options->compression_context_params = {{kMaxBlockSize, static_cast<int>(block_bytes)}};
  }
  return options;
}

Status UnpackFirst(ByteView frame, std::span<std::uint8_t> out) {
  LAMINA_ASSIGN(std::shared_ptr<Decompressor> unpacker, Kept().Take());
  LAMINA_ARROW(unpacker->Reset(), "starting to unpack a page");
  const auto* input = reinterpret_cast<const std::uint8_t*>(frame.data());
  std::size_t read = 0, written = 0;
  while (written < out.size()) {
    const auto made =
        unpacker->Decompress(static_cast<std::int64_t>(frame.size() - read), input + read,
                             static_cast<std::int64_t>(out.size() - written), out.data() + written);
    if (!made.ok()) return Corruption("a page cannot be unpacked: " + made.status().message());
    if (made->bytes_read == 0 && made->bytes_written == 0) {
      return Corruption("a page unpacks to fewer bytes than its header says");
    }
    read += static_cast<std::size_t>(made->bytes_read);
    written += static_cast<std::size_t>(made->bytes_written);
  }
  if (frame.size() <= kKeptFrameBytes && out.size() <= kKeptFrameBytes) {
    Kept().Give(std::move(unpacker));
  }
  return Ok();
}

}  // namespace lamina::table
