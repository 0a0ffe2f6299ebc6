#include "lamina/ticks/price_set.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "lamina/ticks/varint.h"

namespace lamina::ticks {
namespace {

constexpr int kDecimalsMax = 9;
constexpr std::uint64_t kRaw = 255;
constexpr double kPowers[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};
constexpr double kWholeMax = 9e15;  // below 2^53

std::uint64_t Mix(std::uint64_t bits) {
  bits ^= bits >> 32;
  bits *= 0x9e3779b97f4a7c15ULL;
  return bits ^ (bits >> 29);
}

/// Whether `price` is a whole multiple of 10^-decimals, bit by bit.
bool Fits(double price, int decimals) {
  const double scaled = price * kPowers[decimals];
  if (!(std::fabs(scaled) < kWholeMax)) return false;
  return std::nearbyint(scaled) / kPowers[decimals] == price;
}

int DecimalsOf(const std::vector<double>& prices) {
  int decimals = 0;
  for (const double price : prices)
    while (decimals <= kDecimalsMax && !Fits(price, decimals)) ++decimals;
  return decimals;
}

}  // namespace

void PriceSet::Add(double price) {
  if (std::isnan(price)) return;
  if (price == 0) {
    count_ += has_zero_ ? 0 : 1;
    has_zero_ = true;
    return;
  }
  const auto bits = std::bit_cast<std::uint64_t>(price);
  if (bits == last_) return;
  last_ = bits;
  Insert(bits);
}

void PriceSet::Insert(std::uint64_t bits) {
  if (static_cast<std::size_t>(count_ + 1) * 2 > slots_.size()) Grow();
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t at = Mix(bits) & mask;; at = (at + 1) & mask) {
    if (slots_[at] == bits) return;
    if (slots_[at] != 0) continue;
    slots_[at] = bits;
    ++count_;
    return;
  }
}

void PriceSet::Grow() {
  std::vector<std::uint64_t> old(slots_.empty() ? 16 : slots_.size() * 2);
  old.swap(slots_);
  const std::size_t mask = slots_.size() - 1;
  for (const std::uint64_t bits : old) {
    if (bits == 0) continue;
    std::size_t at = Mix(bits) & mask;
    while (slots_[at] != 0) at = (at + 1) & mask;
    slots_[at] = bits;
  }
}

void PriceSet::Merge(const PriceSet& other) {
  if (other.has_zero_) Add(0.0);
  for (const std::uint64_t bits : other.slots_)
    if (bits != 0) Insert(bits);
}

std::vector<double> PriceSet::Sorted() const {
  std::vector<double> prices;
  prices.reserve(static_cast<std::size_t>(count_));
  if (has_zero_) prices.push_back(0.0);
  for (const std::uint64_t bits : slots_)
    if (bits != 0) prices.push_back(std::bit_cast<double>(bits));
  std::sort(prices.begin(), prices.end());
  return prices;
}

std::optional<double> PriceSet::low() const {
  if (count_ == 0) return {};
  std::optional<double> low;
  if (has_zero_) low = 0.0;
  for (const std::uint64_t bits : slots_)
    if (bits != 0 && (!low || std::bit_cast<double>(bits) < *low))
      low = std::bit_cast<double>(bits);
  return low;
}

std::optional<double> PriceSet::high() const {
  if (count_ == 0) return {};
  std::optional<double> high;
  if (has_zero_) high = 0.0;
  for (const std::uint64_t bits : slots_)
    if (bits != 0 && (!high || std::bit_cast<double>(bits) > *high))
      high = std::bit_cast<double>(bits);
  return high;
}

void PriceSet::Encode(std::string& out) const {
  const std::vector<double> prices = Sorted();
  AppendVarint(out, prices.size());
  const int decimals = DecimalsOf(prices);
  if (decimals > kDecimalsMax) {
    AppendVarint(out, kRaw);
    for (const double price : prices) AppendLittleEndian(out, std::bit_cast<std::uint64_t>(price));
    return;
  }
  AppendVarint(out, static_cast<std::uint64_t>(decimals));
  std::int64_t before = 0;
  for (const double price : prices) {
    const auto whole = static_cast<std::int64_t>(std::nearbyint(price * kPowers[decimals]));
    AppendVarint(out, Zigzag(whole - before));
    before = whole;
  }
}

Result<PriceSet> PriceSet::Decode(ByteView& bytes) {
  PriceSet set;
  LAMINA_ASSIGN(const std::uint64_t count, TakeVarint(bytes));
  LAMINA_ASSIGN(const std::uint64_t decimals, TakeVarint(bytes));
  const std::uint64_t least = decimals == kRaw ? 8 : 1;
  if ((decimals != kRaw && decimals > kDecimalsMax) || count > bytes.size() / least)
    return Corruption("the prices of statistics are damaged");
  std::int64_t whole = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    if (decimals == kRaw) {
      set.Add(std::bit_cast<double>(LoadLittleEndian<std::uint64_t>(bytes.data())));
      bytes.remove_prefix(8);
      continue;
    }
    LAMINA_ASSIGN(const std::uint64_t step, TakeVarint(bytes));
    if (__builtin_add_overflow(whole, Unzigzag(step), &whole))
      return Corruption("the prices of statistics are damaged");
    set.Add(static_cast<double>(whole) / kPowers[decimals]);
  }
  if (set.size() != static_cast<std::int64_t>(count))
    return Corruption("the prices of statistics are damaged: a price twice");
  return set;
}

}  // namespace lamina::ticks
