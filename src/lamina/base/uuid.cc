#include "lamina/base/uuid.h"

#include <algorithm>
#include <cerrno>

#include <sys/random.h>

#include "lamina/base/check.h"

namespace lamina {
namespace {

constexpr std::uint64_t kMaxMilliseconds = (std::uint64_t{1} << 48) - 1;
constexpr std::uint64_t kMaxCount =
    (std::uint64_t{1} << 60) - 1;  ///< (milliseconds << 12) | counter

/// No pool of random bytes: a fork would hand the same ones to two processes.
void FillRandom(std::uint8_t* out, std::size_t length) {
  while (length > 0) {
    const ssize_t got = getrandom(out, length, 0);
    if (got < 0) {
      LAMINA_CHECK(errno == EINTR);
      continue;
    }
    out += got;
    length -= static_cast<std::size_t>(got);
  }
}

void SetVersion(Uuid& id, std::uint8_t version) {
  id.bytes[6] = static_cast<std::uint8_t>((id.bytes[6] & 0x0f) | (version << 4));
  id.bytes[8] = static_cast<std::uint8_t>((id.bytes[8] & 0x3f) | 0x80);
}

/// Where the 16 bytes stand in the text.
constexpr std::array<std::uint8_t, 16> kTextPlace = {0,  2,  4,  6,  9,  11, 14, 16,
                                                     19, 21, 24, 26, 28, 30, 32, 34};

/// 0..15, or 255 for what ToString does not write.
constexpr std::array<std::uint8_t, 256> MakeDigitValues() {
  std::array<std::uint8_t, 256> values{};
  for (auto& value : values) value = 255;
  for (unsigned i = 0; i < 10; ++i) values['0' + i] = static_cast<std::uint8_t>(i);
  for (unsigned i = 0; i < 6; ++i) values['a' + i] = static_cast<std::uint8_t>(10 + i);
  return values;
}
constexpr std::array<std::uint8_t, 256> kDigitValues = MakeDigitValues();

}  // namespace

std::string Uuid::ToString() const {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out(36, '-');
  for (std::size_t i = 0; i < 16; ++i) {
    out[kTextPlace[i]] = kDigits[bytes[i] >> 4];
    out[kTextPlace[i] + 1U] = kDigits[bytes[i] & 15];
  }
  return out;
}

std::optional<Uuid> Uuid::Parse(std::string_view text) {
  if (text.size() != 36) return std::nullopt;
  if (text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-') return std::nullopt;
  Uuid id;
  unsigned seen = 0;
  for (std::size_t i = 0; i < 16; ++i) {
    const unsigned high = kDigitValues[static_cast<unsigned char>(text[kTextPlace[i]])];
    const unsigned low = kDigitValues[static_cast<unsigned char>(text[kTextPlace[i] + 1U])];
    seen |= high | low;
    id.bytes[i] = static_cast<std::uint8_t>((high << 4) | low);
  }
  if (seen > 15) return std::nullopt;
  return id;
}

Uuid RandomUuid4() {
  Uuid id;
  FillRandom(id.bytes.data(), id.bytes.size());
  SetVersion(id, 4);
  return id;
}

Uuid Uuid7Source::Next(std::int64_t unix_ms) {
  const std::uint64_t now =
      std::min(static_cast<std::uint64_t>(std::max<std::int64_t>(unix_ms, 0)), kMaxMilliseconds);
  std::uint64_t count;
  {
    const std::lock_guard lock(mutex_);
    last_ = std::min(std::max(last_ + 1, now << 12), kMaxCount);
    count = last_;
  }
  Uuid id;
  for (std::size_t i = 0; i < 6; ++i) {
    id.bytes[i] = static_cast<std::uint8_t>(count >> (52 - 8 * i));
  }
  id.bytes[6] = static_cast<std::uint8_t>((count >> 8) & 0x0f);
  id.bytes[7] = static_cast<std::uint8_t>(count);
  FillRandom(id.bytes.data() + 8, 8);
  SetVersion(id, 7);
  return id;
}

void Uuid7Source::AdvancePast(const Uuid& floor) {
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < 6; ++i) count = (count << 8) | floor.bytes[i];
  const unsigned version = floor.bytes[6] >> 4;
  const unsigned counter = (floor.bytes[6] & 0x0fU) << 8 | floor.bytes[7];
  // The version stands before the counter, so a higher one outranks every counter of ours.
  count = (count << 12) | (version > 7 ? 0xfffU : counter);
  const std::lock_guard lock(mutex_);
  last_ = std::max(last_, count);
}

}  // namespace lamina
