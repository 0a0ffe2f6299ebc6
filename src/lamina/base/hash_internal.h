#pragma once

/// \file lamina/base/hash_internal.h
/// The table-driven CRC32C, for machines without the instruction and for tests. Pure functions.

#include <cstdint>

#include "lamina/base/bytes.h"

namespace lamina::internal {

std::uint32_t Crc32cPortable(ByteView data, std::uint32_t seed);

/// Whether Crc32c uses instructions of this machine.
bool HasHardwareCrc32c();

}  // namespace lamina::internal
