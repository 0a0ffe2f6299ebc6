#include <algorithm>

#include "lamina/series/trade_sums_internal.h"
#include "lamina/series/vector_path_internal.h"

namespace lamina::series::internal {
namespace {

void AddOne(TradeSums& sums, double price, double size) {
  const std::size_t lane = static_cast<std::size_t>(sums.rows++) % kLanes;
  sums.negative = sums.negative || size < 0;
  if (price != price) {
    ++sums.unpriced;
    return;
  }
  sums.high[lane] = price > sums.high[lane] ? price : sums.high[lane];
  sums.low[lane] = price < sums.low[lane] ? price : sums.low[lane];
  if (size != size) return;
  sums.volume[lane] += size;
  sums.notional[lane] += price * size;
}

/// Four lanes in registers.
struct Half {
  Doubles high, low, volume, notional;
  Integers unpriced{}, negative{};

  [[gnu::always_inline]] void LoadFrom(const TradeSums& sums, std::size_t lane) {
    Load(high, &sums.high[lane]);
    Load(low, &sums.low[lane]);
    Load(volume, &sums.volume[lane]);
    Load(notional, &sums.notional[lane]);
  }
  [[gnu::always_inline]] void StoreTo(TradeSums& sums, std::size_t lane) const {
    std::memcpy(&sums.high[lane], &high, sizeof high);
    std::memcpy(&sums.low[lane], &low, sizeof low);
    std::memcpy(&sums.volume[lane], &volume, sizeof volume);
    std::memcpy(&sums.notional[lane], &notional, sizeof notional);
    for (int i = 0; i < 4; ++i) {
      sums.unpriced -= unpriced[i];  // a true comparison is -1
      sums.negative = sums.negative || negative[i] != 0;
    }
  }
  /// Adding the 0.0 that a mask leaves changes no lane: lanes begin at +0.0 and are never -0.0.
  template <bool has_size>
  [[gnu::always_inline]] void Add(const double* price, const double* size) {
    Doubles x;
    Load(x, price);
    const Integers priced = x == x;
    unpriced += x != x;
    high = x > high ? x : high;
    low = x < low ? x : low;
    if constexpr (has_size) {
      Doubles y;
      Load(y, size);
      const Integers counted = priced & (y == y);
      negative |= y < Doubles{};
      volume += reinterpret_cast<Doubles>(reinterpret_cast<Integers>(y) & counted);
      notional += reinterpret_cast<Doubles>(reinterpret_cast<Integers>(x * y) & counted);
    }
  }
};

template <bool has_size>
[[gnu::always_inline]] inline void AddAll(TradeSums& sums, const double* price, const double* size,
                                          std::size_t rows) {
  std::size_t row = 0;
  for (; row < rows && sums.rows % static_cast<std::int64_t>(kLanes) != 0; ++row) {
    AddOne(sums, price[row], has_size ? size[row] : 0);
  }
  if (row + kLanes <= rows) {
    Half front, back;
    front.LoadFrom(sums, 0);
    back.LoadFrom(sums, 4);
    const std::size_t begin = row;
    for (; row + kLanes <= rows; row += kLanes) {
      front.Add<has_size>(price + row, size + (has_size ? row : 0));
      back.Add<has_size>(price + row + 4, size + (has_size ? row + 4 : 0));
    }
    front.StoreTo(sums, 0);
    back.StoreTo(sums, 4);
    sums.rows += static_cast<std::int64_t>(row - begin);
  }
  for (; row < rows; ++row) AddOne(sums, price[row], has_size ? size[row] : 0);
}

LAMINA_AVX2 void AddSizedAvx2(TradeSums& sums, const double* price, const double* size,
                              std::size_t rows) {
  AddAll<true>(sums, price, size, rows);
}
LAMINA_AVX2 void AddUnsizedAvx2(TradeSums& sums, const double* price, const double* size,
                                std::size_t rows) {
  AddAll<false>(sums, price, size, rows);
}

}  // namespace

double LaneMax(const Lanes& lanes) { return *std::max_element(lanes.begin(), lanes.end()) + 0.0; }
double LaneMin(const Lanes& lanes) { return *std::min_element(lanes.begin(), lanes.end()) + 0.0; }

void AddTradesPortable(TradeSums& sums, const double* price, const double* size, std::size_t rows) {
  if (size != nullptr) {
    AddAll<true>(sums, price, size, rows);
  } else {
    AddAll<false>(sums, price, size, rows);
  }
}

void AddTrades(TradeSums& sums, const double* price, const double* size, std::size_t rows) {
  static const bool wide = HasAvx2();
  if (!wide) return AddTradesPortable(sums, price, size, rows);
  if (size != nullptr) return AddSizedAvx2(sums, price, size, rows);
  return AddUnsizedAvx2(sums, price, size, rows);
}

}  // namespace lamina::series::internal
