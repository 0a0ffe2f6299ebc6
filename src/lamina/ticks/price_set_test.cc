#include "lamina/ticks/price_set.h"

#include <cmath>
#include <random>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lamina/base/matchers.h"

namespace lamina::ticks {
namespace {

TEST(PriceSet, CountsLikeASet) {
  std::mt19937_64 random(3);
  const struct {
    const char* name;
    double step;
    std::size_t bytes_max;  // for each price
  } cases[] = {{"quarters", 0.25, 3}, {"pips", 0.00001, 3}, {"odd", 0.1234567890123, 9}};
  for (const auto& test : cases) {
    std::set<double> expected;
    PriceSet sets[2];
    for (int i = 0; i < 3000; ++i) {
      const double price =
          static_cast<double>(static_cast<std::int64_t>(random() % 2000) - 500) * test.step;
      const double shown = test.step < 0.001 ? std::round(price * 1e5) / 1e5 : price;
      expected.insert(shown == 0 ? 0.0 : shown);
      sets[random() % 2].Add(shown);
    }
    sets[0].Add(std::nan(""));
    sets[0].Add(-0.0);
    expected.insert(0.0);
    sets[0].Merge(sets[1]);
    EXPECT_EQ(sets[0].Sorted(), std::vector<double>(expected.begin(), expected.end()));
    EXPECT_EQ(sets[0].size(), static_cast<std::int64_t>(expected.size()));
    EXPECT_EQ(sets[0].low(), *expected.begin());
    EXPECT_EQ(sets[0].high(), *expected.rbegin());
    std::string bytes;
    sets[0].Encode(bytes);
    EXPECT_LE(bytes.size(), expected.size() * test.bytes_max + 10) << test.name;
    ByteView view = bytes;
    auto back = PriceSet::Decode(view);
    ASSERT_THAT(back, IsOk()) << test.name;
    EXPECT_EQ(back->Sorted(), sets[0].Sorted());
    for (std::size_t cut = 0; cut < bytes.size(); cut += 7) {
      ByteView cut_view(bytes.data(), cut);
      EXPECT_THAT(PriceSet::Decode(cut_view), IsError(ErrorCode::kCorruption));
    }
  }
}

TEST(PriceSet, EmptyAndInfinite) {
  PriceSet set;
  EXPECT_FALSE(set.low().has_value());
  std::string bytes;
  set.Encode(bytes);
  ByteView view = bytes;
  EXPECT_EQ(PriceSet::Decode(view)->size(), 0);
  set.Add(INFINITY);
  set.Add(1e300);
  bytes.clear();
  set.Encode(bytes);
  view = bytes;
  EXPECT_EQ(PriceSet::Decode(view)->Sorted(), (std::vector<double>{1e300, INFINITY}));
}

}  // namespace
}  // namespace lamina::ticks
