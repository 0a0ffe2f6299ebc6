#pragma once

/// \file lamina/base/hash.h
/// SHA-256 (content ids) and CRC32C (detection of damage). Pure functions and value types.

#include <array>
#include <compare>
#include <cstdint>
#include <memory>
#include <string>

#include "lamina/base/bytes.h"
#include "lamina/base/result.h"

namespace lamina {

struct Sha256Digest {
  std::array<std::uint8_t, 32> bytes{};

  /// 64 lower-case hexadecimal digits.
  std::string Hex() const;
  ByteView View() const { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }
  /// RETURNS kInvalidArgument unless `hex` is 64 hexadecimal digits.
  static Result<Sha256Digest> FromHex(std::string_view hex);
  /// RETURNS kInvalidArgument unless `raw` is 32 bytes.
  static Result<Sha256Digest> FromBytes(ByteView raw);
  auto operator<=>(const Sha256Digest&) const = default;
};

Sha256Digest Sha256(ByteView data);

/// SHA-256 of data that comes in pieces. Thread-compatible; Finish at most once.
class Sha256Stream {
 public:
  Sha256Stream();
  ~Sha256Stream();
  Sha256Stream(Sha256Stream&&) noexcept;
  Sha256Stream& operator=(Sha256Stream&&) noexcept;
  void Update(ByteView data);
  Sha256Digest Finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// CRC-32C (Castagnoli, reflected 0x82F63B78), with SSE4.2 / ARM instructions where the machine has
/// them. `Crc32c(b, Crc32c(a)) == Crc32c(a + b)`.
std::uint32_t Crc32c(ByteView data, std::uint32_t seed = 0);

}  // namespace lamina

template <>
struct std::hash<lamina::Sha256Digest> {
  std::size_t operator()(const lamina::Sha256Digest& digest) const noexcept {
    std::size_t value;
    std::memcpy(&value, digest.bytes.data(), sizeof(value));
    return value;
  }
};
