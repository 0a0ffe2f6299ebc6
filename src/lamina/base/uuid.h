#pragma once

/// \file lamina/base/uuid.h
/// 128-bit ids (RFC 9562). Uuid is a value; Uuid7Source is thread-safe.

#include <array>
#include <compare>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "lamina/base/bytes.h"

namespace lamina {

struct Uuid {
  std::array<std::uint8_t, 16> bytes{};

  /// 8-4-4-4-12 lower-case hexadecimal digits.
  std::string ToString() const;
  ByteView View() const { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }
  /// Only the form that ToString writes; absent otherwise.
  static std::optional<Uuid> Parse(std::string_view text);
  auto operator<=>(const Uuid&) const = default;
};

/// Random version 4 id from the system's generator.
Uuid RandomUuid4();

/// Version 7 ids that strictly increase within one source, whatever the clock does.
/// 48 bits of milliseconds, 12 bits of counter, 62 random bits.
class Uuid7Source {
 public:
  /// `unix_ms`: the time of the id, from the caller's clock. A value not above the last one
  /// increments the counter (and runs ahead of the clock when the counter is full).
  Uuid Next(std::int64_t unix_ms);
  /// Ids from here on sort after `floor` (the largest id that is already stored).
  void AdvancePast(const Uuid& floor);

 private:
  std::mutex mutex_;
  std::uint64_t last_ = 0;  ///< (milliseconds << 12) | counter
};

}  // namespace lamina
