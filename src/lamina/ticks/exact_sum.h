#pragma once

/// \file lamina/ticks/exact_sum.h
/// ExactSum: a sum of doubles without rounding, so that the order of adding does not show.
/// Thread-compatible.

#include <array>
#include <cstdint>
#include <string>

#include "lamina/base/bytes.h"
#include "lamina/base/result.h"

namespace lamina::ticks {

/// A fixed-point number wide enough for every finite double (Kulisch, Computer Arithmetic and
/// Validity, chapter 8). Infinities are counted apart; a NaN is left out.
class ExactSum {
 public:
  void Add(double value);
  void Merge(const ExactSum& other);
  /// Rounded once, half to even. Infinite beyond the range of doubles; NaN for inf - inf.
  double Value() const;

  void Encode(std::string& out) const;
  /// Takes its bytes off the front of `bytes`. RETURNS kCorruption.
  static Result<ExactSum> Decode(ByteView& bytes);

 private:
  // Digit i counts 2^(32 i - 1074). Sums of 2^63 doubles need 65 digits and a bit more.
  static constexpr std::size_t kDigits = 68;
  void Normalize() const;

  mutable std::array<std::int64_t, kDigits> digits_{};
  mutable std::int32_t pending_ = 0;  // adds since the digits were last made small
  std::int64_t plus_infinities_ = 0, minus_infinities_ = 0;
};

}  // namespace lamina::ticks
