#include <array>
#include <bit>
#include <cstddef>

#include "lamina/base/hash.h"
#include "lamina/base/hash_internal.h"

#if defined(__x86_64__)
#  include <nmmintrin.h>
#  define LAMINA_CRC_TARGET __attribute__((target("sse4.2")))
#elif defined(__aarch64__) && defined(__linux__)
#  include <arm_acle.h>
#  include <asm/hwcap.h>
#  include <sys/auxv.h>
#  define LAMINA_CRC_TARGET __attribute__((target("+crc")))
#endif

namespace lamina {
namespace {

constexpr std::uint32_t kPolynomial = 0x82F63B78;

using SlicingTables = std::array<std::array<std::uint32_t, 256>, 8>;

constexpr SlicingTables MakeSlicingTables() {
  SlicingTables tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? kPolynomial : 0);
    tables[0][byte] = crc;
  }
  for (std::size_t slice = 1; slice < 8; ++slice) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint32_t before = tables[slice - 1][byte];
      tables[slice][byte] = (before >> 8) ^ tables[0][before & 0xff];
    }
  }
  return tables;
}

constexpr SlicingTables kSlicing = MakeSlicingTables();

}  // namespace

namespace internal {

std::uint32_t Crc32cPortable(ByteView data, std::uint32_t seed) {
  std::uint32_t crc = ~seed;
  const char* at = data.data();
  std::size_t left = data.size();
  for (; left >= 8; left -= 8, at += 8) {
    const std::uint32_t low = LoadLittleEndian<std::uint32_t>(at) ^ crc;
    const auto high = LoadLittleEndian<std::uint32_t>(at + 4);
    crc = kSlicing[7][low & 0xff] ^ kSlicing[6][(low >> 8) & 0xff] ^
          kSlicing[5][(low >> 16) & 0xff] ^ kSlicing[4][low >> 24] ^ kSlicing[3][high & 0xff] ^
          kSlicing[2][(high >> 8) & 0xff] ^ kSlicing[1][(high >> 16) & 0xff] ^
          kSlicing[0][high >> 24];
  }
  for (; left > 0; --left, ++at) {
    crc = (crc >> 8) ^ kSlicing[0][(crc ^ static_cast<unsigned char>(*at)) & 0xff];
  }
  return ~crc;
}

}  // namespace internal

#if defined(LAMINA_CRC_TARGET)

namespace {

#  if defined(__x86_64__)
LAMINA_CRC_TARGET inline std::uint64_t Step8(std::uint64_t crc, const char* at) {
  return _mm_crc32_u64(crc, LoadLittleEndian<std::uint64_t>(at));
}
LAMINA_CRC_TARGET inline std::uint32_t Step1(std::uint32_t crc, char byte) {
  return _mm_crc32_u8(crc, static_cast<unsigned char>(byte));
}
bool DetectHardware() { return __builtin_cpu_supports("sse4.2") != 0; }
#  else
LAMINA_CRC_TARGET inline std::uint64_t Step8(std::uint64_t crc, const char* at) {
  return __crc32cd(static_cast<std::uint32_t>(crc), LoadLittleEndian<std::uint64_t>(at));
}
LAMINA_CRC_TARGET inline std::uint32_t Step1(std::uint32_t crc, char byte) {
  return __crc32cb(crc, static_cast<unsigned char>(byte));
}
bool DetectHardware() { return (getauxval(AT_HWCAP) & HWCAP_CRC32) != 0; }
#  endif

/// Advances a CRC register over a fixed number of zero bytes, one table per register byte.
using ZerosTables = std::array<std::array<std::uint32_t, 256>, 4>;

constexpr ZerosTables MakeZerosTables(std::size_t zero_bytes) {
  std::array<std::uint32_t, 32> basis{};
  for (unsigned bit = 0; bit < 32; ++bit) basis[bit] = std::uint32_t{1} << bit;
  const auto apply = [](const std::array<std::uint32_t, 32>& matrix, std::uint32_t vector) {
    std::uint32_t sum = 0;
    for (; vector != 0; vector &= vector - 1) {
      sum ^= matrix[static_cast<unsigned>(std::countr_zero(vector))];
    }
    return sum;
  };
  // `power` is the matrix of 2^k zero bytes; those in the binary form of the length are multiplied.
  std::array<std::uint32_t, 32> power{};
  for (unsigned bit = 0; bit < 32; ++bit) {
    const std::uint32_t vector = basis[bit];
    power[bit] = (vector >> 8) ^ kSlicing[0][vector & 0xff];
  }
  for (std::size_t left = zero_bytes; left > 0; left >>= 1) {
    if ((left & 1) != 0) {
      for (std::uint32_t& column : basis) column = apply(power, column);
    }
    std::array<std::uint32_t, 32> squared{};
    for (unsigned bit = 0; bit < 32; ++bit) squared[bit] = apply(power, power[bit]);
    power = squared;
  }
  ZerosTables tables{};
  for (unsigned slice = 0; slice < 4; ++slice) {
    for (unsigned byte = 1; byte < 256; ++byte) {
      tables[slice][byte] = tables[slice][byte & (byte - 1)] ^
                            basis[8 * slice + static_cast<unsigned>(std::countr_zero(byte))];
    }
  }
  return tables;
}

constexpr std::size_t kLongBlock = 4096;
constexpr std::size_t kShortBlock = 256;
constexpr ZerosTables kLongZeros = MakeZerosTables(kLongBlock);
constexpr ZerosTables kShortZeros = MakeZerosTables(kShortBlock);

inline std::uint64_t SkipZeros(const ZerosTables& tables, std::uint64_t crc) {
  return tables[0][crc & 0xff] ^ tables[1][(crc >> 8) & 0xff] ^ tables[2][(crc >> 16) & 0xff] ^
         tables[3][(crc >> 24) & 0xff];
}

/// Three independent chains hide the latency of the instruction (Mark Adler's crc32c.c).
template <std::size_t kBlock>
LAMINA_CRC_TARGET inline std::uint64_t TripleBlocks(std::uint64_t crc, const ZerosTables& zeros,
                                                    const char*& at, std::size_t& left) {
  while (left >= 3 * kBlock) {
    std::uint64_t second = 0;
    std::uint64_t third = 0;
    for (const char* const end = at + kBlock; at != end; at += 8) {
      crc = Step8(crc, at);
      second = Step8(second, at + kBlock);
      third = Step8(third, at + 2 * kBlock);
    }
    crc = SkipZeros(zeros, crc) ^ second;
    crc = SkipZeros(zeros, crc) ^ third;
    at += 2 * kBlock;
    left -= 3 * kBlock;
  }
  return crc;
}

LAMINA_CRC_TARGET std::uint32_t Crc32cHardware(ByteView data, std::uint32_t seed) {
  const char* at = data.data();
  std::size_t left = data.size();
  std::uint64_t crc = ~seed;
  crc = TripleBlocks<kLongBlock>(crc, kLongZeros, at, left);
  crc = TripleBlocks<kShortBlock>(crc, kShortZeros, at, left);
  for (; left >= 8; left -= 8, at += 8) crc = Step8(crc, at);
  auto narrow = static_cast<std::uint32_t>(crc);
  for (; left > 0; --left, ++at) narrow = Step1(narrow, *at);
  return ~narrow;
}

}  // namespace

bool internal::HasHardwareCrc32c() {
  static const bool has = DetectHardware();
  return has;
}

std::uint32_t Crc32c(ByteView data, std::uint32_t seed) {
  return internal::HasHardwareCrc32c() ? Crc32cHardware(data, seed)
                                       : internal::Crc32cPortable(data, seed);
}

#else

bool internal::HasHardwareCrc32c() { return false; }

std::uint32_t Crc32c(ByteView data, std::uint32_t seed) {
  return internal::Crc32cPortable(data, seed);
}

#endif

}  // namespace lamina
