#include "lamina/ticks/exact_sum.h"

#include <bit>
#include <cmath>
#include <limits>

#include "lamina/ticks/varint.h"

namespace lamina::ticks {
namespace {

__extension__ using Wide = unsigned __int128;

constexpr std::int64_t kDigit = std::int64_t{1} << 32;
// A digit takes less than 2^32 from each add, so this many keep it far from overflow.
constexpr std::int32_t kPendingMax = 1 << 29;

int BitLength(Wide value) {
  const auto high = static_cast<std::uint64_t>(value >> 64);
  if (high != 0) return 64 + std::bit_width(high);
  return std::bit_width(static_cast<std::uint64_t>(value));
}

}  // namespace

void ExactSum::Add(double value) {
  if (std::isnan(value)) return;
  if (std::isinf(value)) {
    ++(value > 0 ? plus_infinities_ : minus_infinities_);
    return;
  }
  const auto bits = std::bit_cast<std::uint64_t>(value);
  const auto exponent = static_cast<std::uint32_t>(bits >> 52) & 0x7ff;
  std::uint64_t mantissa = bits & ((std::uint64_t{1} << 52) - 1);
  if (exponent != 0) mantissa |= std::uint64_t{1} << 52;
  const std::uint32_t place = exponent == 0 ? 0 : exponent - 1;
  const Wide shifted = static_cast<Wide>(mantissa) << (place % 32);
  const std::size_t digit = place / 32;
  const std::int64_t sign = (bits >> 63) != 0 ? -1 : 1;
  digits_[digit] += sign * static_cast<std::int64_t>(shifted & 0xffffffffU);
  digits_[digit + 1] += sign * static_cast<std::int64_t>((shifted >> 32) & 0xffffffffU);
  digits_[digit + 2] += sign * static_cast<std::int64_t>(shifted >> 64);
  if (++pending_ >= kPendingMax) Normalize();
}

void ExactSum::Normalize() const {
  std::int64_t carry = 0;
  for (std::size_t i = 0; i + 1 < kDigits; ++i) {
    const std::int64_t digit = digits_[i] + carry;
    carry = digit >> 32;
    digits_[i] = digit & (kDigit - 1);
  }
  digits_[kDigits - 1] += carry;
  pending_ = 0;
}

void ExactSum::Merge(const ExactSum& other) {
  Normalize();
  other.Normalize();
  for (std::size_t i = 0; i < kDigits; ++i) digits_[i] += other.digits_[i];
  pending_ = 1;
  plus_infinities_ += other.plus_infinities_;
  minus_infinities_ += other.minus_infinities_;
}

double ExactSum::Value() const {
  if (plus_infinities_ > 0 && minus_infinities_ > 0)
    return std::numeric_limits<double>::quiet_NaN();
  if (plus_infinities_ > 0) return std::numeric_limits<double>::infinity();
  if (minus_infinities_ > 0) return -std::numeric_limits<double>::infinity();
  Normalize();
  ExactSum size = *this;
  const bool negative = digits_[kDigits - 1] < 0;
  if (negative) {
    for (std::int64_t& digit : size.digits_) digit = -digit;
    size.Normalize();
  }
  std::size_t top = kDigits;
  while (top > 0 && size.digits_[top - 1] == 0) --top;
  if (top == 0) return 0.0;
  const std::size_t bottom = top < 3 ? 0 : top - 3;
  Wide leading = 0;
  for (std::size_t i = top; i > bottom; --i)
    leading = (leading << 32) | static_cast<std::uint64_t>(size.digits_[i - 1]);
  bool sticky = false;
  for (std::size_t i = 0; i < bottom; ++i) sticky = sticky || size.digits_[i] != 0;
  const int excess = std::max(0, BitLength(leading) - 53);
  auto mantissa = static_cast<std::uint64_t>(leading >> excess);
  if (excess > 0) {
    const Wide rest = leading & ((static_cast<Wide>(1) << excess) - 1);
    const Wide half = static_cast<Wide>(1) << (excess - 1);
    if (rest > half || (rest == half && (sticky || (mantissa & 1) != 0))) ++mantissa;
  }
  const double value =
      std::ldexp(static_cast<double>(mantissa), static_cast<int>(bottom) * 32 - 1074 + excess);
  return negative ? -value : value;
}

void ExactSum::Encode(std::string& out) const {
  Normalize();
  ExactSum size = *this;
  const bool negative = digits_[kDigits - 1] < 0;
  if (negative) {
    for (std::int64_t& digit : size.digits_) digit = -digit;
    size.Normalize();
  }
  std::size_t low = 0, high = kDigits;
  while (high > 0 && size.digits_[high - 1] == 0) --high;
  while (low < high && size.digits_[low] == 0) ++low;
  AppendVarint(out, static_cast<std::uint64_t>(plus_infinities_));
  AppendVarint(out, static_cast<std::uint64_t>(minus_infinities_));
  AppendVarint(out, ((high - low) << 1) | (negative ? 1 : 0));
  AppendVarint(out, low);
  for (std::size_t i = low; i < high; ++i)
    AppendLittleEndian(out, static_cast<std::uint32_t>(size.digits_[i]));
}

Result<ExactSum> ExactSum::Decode(ByteView& bytes) {
  ExactSum sum;
  LAMINA_ASSIGN(const std::uint64_t plus, TakeVarint(bytes));
  LAMINA_ASSIGN(const std::uint64_t minus, TakeVarint(bytes));
  LAMINA_ASSIGN(const std::uint64_t shape, TakeVarint(bytes));
  LAMINA_ASSIGN(const std::uint64_t low, TakeVarint(bytes));
  const std::uint64_t count = shape >> 1;
  constexpr std::uint64_t kCountMax = std::uint64_t{1} << 62;
  if (plus > kCountMax || minus > kCountMax || low > kDigits || count > kDigits - low ||
      bytes.size() < count * 4)
    return Corruption("a sum of statistics is damaged");
  sum.plus_infinities_ = static_cast<std::int64_t>(plus);
  sum.minus_infinities_ = static_cast<std::int64_t>(minus);
  const std::int64_t sign = (shape & 1) != 0 ? -1 : 1;
  for (std::uint64_t i = 0; i < count; ++i)
    sum.digits_[low + i] =
        sign * static_cast<std::int64_t>(LoadLittleEndian<std::uint32_t>(bytes.data() + i * 4));
  bytes.remove_prefix(count * 4);
  sum.Normalize();
  return sum;
}

}  // namespace lamina::ticks
