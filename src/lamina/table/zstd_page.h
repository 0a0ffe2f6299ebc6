#pragma once

/// \file lamina/table/zstd_page.h
/// How pages are packed, and unpacked no further than is asked. Thread-safe.

#include <cstdint>
#include <memory>
#include <span>

#include "lamina/base/bytes.h"
#include "lamina/base/result.h"

namespace arrow::util {
class CodecOptions;
}  // namespace arrow::util

namespace lamina::table {

/// Of zstd at `level`. `block_bytes` > 0: blocks of at most so many unpacked bytes, instead of
/// 128 KiB. Each has code tables of its own, which follow the values as they change, and is what a
/// reader of the first rows unpacks at a time.
std::shared_ptr<arrow::util::CodecOptions> ZstdOptions(int level, std::int64_t block_bytes);

/// Fill `out` with the first bytes of what the zstd frame holds. RETURNS kCorruption when it is no
/// frame or holds fewer.
Status UnpackFirst(ByteView frame, std::span<std::uint8_t> out);

}  // namespace lamina::table
