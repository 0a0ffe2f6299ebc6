#pragma once

/// \file lamina/ticks/price_set.h
/// PriceSet: the distinct prices of a day, small in memory and smaller as bytes. Thread-compatible.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lamina/base/bytes.h"
#include "lamina/base/result.h"

namespace lamina::ticks {

class PriceSet {
 public:
  /// A NaN is left out; -0.0 is 0.0.
  void Add(double price);
  void Merge(const PriceSet& other);
  std::int64_t size() const { return count_; }
  std::optional<double> low() const;
  std::optional<double> high() const;
  std::vector<double> Sorted() const;

  /// The same bytes for the same prices: as whole multiples of a power of ten where they all are.
  void Encode(std::string& out) const;
  /// Takes its bytes off the front of `bytes`. RETURNS kCorruption.
  static Result<PriceSet> Decode(ByteView& bytes);

 private:
  void Insert(std::uint64_t bits);
  void Grow();

  std::vector<std::uint64_t> slots_;  // open addressing; 0 bits: free (0.0 is kept apart)
  std::int64_t count_ = 0;
  bool has_zero_ = false;
  std::uint64_t last_ = 0;
};

}  // namespace lamina::ticks
