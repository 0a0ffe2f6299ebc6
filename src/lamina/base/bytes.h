#pragma once

/// \file lamina/base/bytes.h
/// Bytes and fixed-width integers in them. Owned bytes are `std::string`, borrowed bytes
/// `ByteView`. Loads are unaligned-safe; the caller has checked the length.

#include <bit>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace lamina {

using ByteView = std::string_view;

template <std::integral T>
T ByteSwap(T value) {
  if constexpr (sizeof(T) == 1) return value;
  if constexpr (sizeof(T) == 2) return static_cast<T>(__builtin_bswap16(value));
  if constexpr (sizeof(T) == 4) return static_cast<T>(__builtin_bswap32(value));
  if constexpr (sizeof(T) == 8) return static_cast<T>(__builtin_bswap64(value));
}

template <std::integral T>
T LoadLittleEndian(const char* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof(T));
  return std::endian::native == std::endian::little ? value : ByteSwap(value);
}

template <std::integral T>
T LoadBigEndian(const char* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof(T));
  return std::endian::native == std::endian::big ? value : ByteSwap(value);
}

template <std::integral T>
void AppendLittleEndian(std::string& out, T value) {
  if constexpr (std::endian::native == std::endian::big) value = ByteSwap(value);
  char bytes[sizeof(T)];
  std::memcpy(bytes, &value, sizeof(T));
  out.append(bytes, sizeof(T));
}

template <std::integral T>
void AppendBigEndian(std::string& out, T value) {
  if constexpr (std::endian::native == std::endian::little) value = ByteSwap(value);
  char bytes[sizeof(T)];
  std::memcpy(bytes, &value, sizeof(T));
  out.append(bytes, sizeof(T));
}

/// Lower-case hexadecimal.
std::string ToHex(ByteView bytes);

}  // namespace lamina
