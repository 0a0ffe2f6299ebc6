#pragma once

/// \file lamina/demo/random.h
/// Seeded random numbers that are the same on every machine (xoshiro256++, Blackman and Vigna
/// 2019). Thread-compatible.

#include <array>
#include <cmath>
#include <cstdint>

#include "lamina/base/uuid.h"

namespace lamina::demo {

class Random {
 public:
  explicit Random(std::uint64_t seed) {
    for (std::uint64_t& word : state_) {  // splitmix64
      seed += 0x9e3779b97f4a7c15;
      std::uint64_t mixed = seed;
      mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
      mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
      word = mixed ^ (mixed >> 31);
    }
  }

  std::uint64_t Next() {
    const std::uint64_t result = Rotate(state_[0] + state_[3], 23) + state_[0];
    const std::uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = Rotate(state_[3], 45);
    return result;
  }
  /// Uniform in [0, 1).
  double Uniform() { return static_cast<double>(Next() >> 11) * 0x1.0p-53; }
  /// Standard normal, by the sum of twelve uniforms (no library function differs between machines).
  double Normal() {
    double sum = -6;
    for (int i = 0; i < 12; ++i) sum += Uniform();
    return sum;
  }
  Uuid NextUuid4() {
    Uuid id;
    for (std::size_t half = 0; half < 2; ++half) {
      const std::uint64_t word = Next();
      for (std::size_t i = 0; i < 8; ++i) {
        id.bytes[half * 8 + i] = static_cast<std::uint8_t>(word >> (8 * i));
      }
    }
    id.bytes[6] = static_cast<std::uint8_t>((id.bytes[6] & 0x0f) | 0x40);
    id.bytes[8] = static_cast<std::uint8_t>((id.bytes[8] & 0x3f) | 0x80);
    return id;
  }

 private:
  static std::uint64_t Rotate(std::uint64_t value, int bits) {
    return (value << bits) | (value >> (64 - bits));
  }
  std::array<std::uint64_t, 4> state_;
};

}  // namespace lamina::demo
