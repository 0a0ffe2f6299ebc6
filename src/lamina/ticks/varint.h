#pragma once

/// \file lamina/ticks/varint.h
/// Small whole numbers in few bytes (LEB128), and signed ones by zigzag. Pure functions;
/// thread-safe.

#include <cstdint>
#include <string>

#include "lamina/base/bytes.h"
#include "lamina/base/result.h"

namespace lamina::ticks {

inline void AppendVarint(std::string& out, std::uint64_t value) {
  while (value >= 0x80) {
    out.push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<char>(value));
}

inline std::uint64_t Zigzag(std::int64_t value) {
  return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}
inline std::int64_t Unzigzag(std::uint64_t value) {
  return static_cast<std::int64_t>((value >> 1) ^ (~(value & 1) + 1));
}

/// Takes its bytes off the front of `bytes`. RETURNS kCorruption.
inline Result<std::uint64_t> TakeVarint(ByteView& bytes) {
  std::uint64_t value = 0;
  for (int shift = 0; shift < 64 && !bytes.empty(); shift += 7) {
    const auto byte = static_cast<std::uint8_t>(bytes.front());
    bytes.remove_prefix(1);
    if (shift == 63 && byte > 1) break;
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  return Corruption("a number of statistics is cut short or too long");
}

}  // namespace lamina::ticks
