#pragma once

/// \file lamina/bundle/msgpack_wire_internal.h
/// The MessagePack header of one value: what it is, how long its header is, how much follows.
/// Shared by the tape parser and the skipping cursor. Pure functions.

#include <array>
#include <cstdint>

#include "lamina/base/bytes.h"
#include "lamina/bundle/msgpack.h"

namespace lamina::bundle::wire {

/// What the first byte says: `header` bytes (lead byte, length field, extension type), of which a
/// big-endian length of `length_bytes` starts at byte 1; `fixed` is the length when there is none.
struct Lead {
  Kind kind;
  std::uint8_t header;        ///< 0: reserved byte
  std::uint8_t length_bytes;  ///< 0, 1, 2 or 4
  std::uint8_t fixed;         ///< payload bytes, elements or pairs when length_bytes is 0
};

constexpr Lead MakeLead(unsigned byte) {
  if (byte <= 0x7f || byte >= 0xe0) return {Kind::kInt, 1, 0, 0};
  if (byte <= 0x8f) return {Kind::kMap, 1, 0, static_cast<std::uint8_t>(byte & 0x0f)};
  if (byte <= 0x9f) return {Kind::kArray, 1, 0, static_cast<std::uint8_t>(byte & 0x0f)};
  if (byte <= 0xbf) return {Kind::kString, 1, 0, static_cast<std::uint8_t>(byte & 0x1f)};
  switch (byte) {
    case 0xc0:
      return {Kind::kNil, 1, 0, 0};
    case 0xc2:
    case 0xc3:
      return {Kind::kBool, 1, 0, 0};
    case 0xc4:
      return {Kind::kBinary, 2, 1, 0};
    case 0xc5:
      return {Kind::kBinary, 3, 2, 0};
    case 0xc6:
      return {Kind::kBinary, 5, 4, 0};
    case 0xc7:
      return {Kind::kExtension, 3, 1, 0};
    case 0xc8:
      return {Kind::kExtension, 4, 2, 0};
    case 0xc9:
      return {Kind::kExtension, 6, 4, 0};
    case 0xca:
      return {Kind::kFloat32, 1, 0, 4};
    case 0xcb:
      return {Kind::kFloat64, 1, 0, 8};
    case 0xcc:
    case 0xd0:
      return {Kind::kInt, 1, 0, 1};
    case 0xcd:
    case 0xd1:
      return {Kind::kInt, 1, 0, 2};
    case 0xce:
    case 0xd2:
      return {Kind::kInt, 1, 0, 4};
    case 0xcf:
    case 0xd3:
      return {Kind::kInt, 1, 0, 8};
    case 0xd4:
    case 0xd5:
    case 0xd6:
    case 0xd7:
    case 0xd8:
      return {Kind::kExtension, 2, 0, static_cast<std::uint8_t>(1U << (byte - 0xd4))};
    case 0xd9:
      return {Kind::kString, 2, 1, 0};
    case 0xda:
      return {Kind::kString, 3, 2, 0};
    case 0xdb:
      return {Kind::kString, 5, 4, 0};
    case 0xdc:
      return {Kind::kArray, 3, 2, 0};
    case 0xdd:
      return {Kind::kArray, 5, 4, 0};
    case 0xde:
      return {Kind::kMap, 3, 2, 0};
    case 0xdf:
      return {Kind::kMap, 5, 4, 0};
    default:
      return {Kind::kNil, 0, 0, 0};
  }
}

constexpr std::array<Lead, 256> MakeLeads() {
  std::array<Lead, 256> leads{};
  for (unsigned byte = 0; byte < 256; ++byte) leads[byte] = MakeLead(byte);
  return leads;
}
inline constexpr std::array<Lead, 256> kLeads = MakeLeads();

/// Values whose extent the first byte tells and whose header is that byte: nil, bools, short
/// strings and all numbers but uint64 (whose kind needs a look at its payload). `bytes` 0: any
/// other.
struct Fixed {
  std::uint8_t bytes;   ///< the whole value
  std::uint8_t length;  ///< of a string
  Kind kind;
};

constexpr std::array<Fixed, 256> MakeFixed() {
  std::array<Fixed, 256> table{};
  for (unsigned byte = 0; byte < 256; ++byte) {
    const Lead lead = MakeLead(byte);
    if (lead.header != 1 || lead.length_bytes != 0 || byte == 0xcf) continue;
    if (lead.kind == Kind::kArray || lead.kind == Kind::kMap) continue;
    table[byte] = {static_cast<std::uint8_t>(1 + lead.fixed),
                   lead.kind == Kind::kString ? lead.fixed : std::uint8_t{0}, lead.kind};
  }
  return table;
}
inline constexpr std::array<Fixed, 256> kFixed = MakeFixed();

/// A uint64 above int64's range, whose header and payload are inside the buffer.
inline bool IsLargeUint(const char* position) {
  return static_cast<unsigned char>(*position) == 0xcf &&
         (static_cast<unsigned char>(position[1]) & 0x80) != 0;
}

/// For messages.
inline const char* Noun(Kind kind) {
  if (kind == Kind::kMap) return "a map";
  return kind == Kind::kArray ? "an array" : "a payload";
}

inline const Lead& LeadAt(const char* position) {
  return kLeads[static_cast<unsigned char>(*position)];
}

/// The length field of a value whose whole header is inside the buffer.
inline std::uint32_t LengthAt(const char* position, const Lead& lead) {
  switch (lead.length_bytes) {
    case 0:
      return lead.fixed;
    case 1:
      return static_cast<unsigned char>(position[1]);
    case 2:
      return LoadBigEndian<std::uint16_t>(position + 1);
    default:
      return LoadBigEndian<std::uint32_t>(position + 1);
  }
}

}  // namespace lamina::bundle::wire
