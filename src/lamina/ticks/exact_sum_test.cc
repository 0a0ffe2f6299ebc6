#include "lamina/ticks/exact_sum.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lamina/base/matchers.h"

namespace lamina::ticks {
namespace {

double SumOf(const std::vector<double>& values) {
  ExactSum sum;
  for (const double value : values) sum.Add(value);
  return sum.Value();
}

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kTiny = 5e-324;

TEST(ExactSum, KnownSums) {
  const struct {
    std::vector<double> values;
    double sum;
  } cases[] = {
      {{}, 0.0},
      {{0.1}, 0.1},
      {{0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1}, 1.0},
      {{1e308, 1, -1e308}, 1.0},
      {{1, 1e100, 1, -1e100}, 2.0},
      {{1e308, 1e308}, kInf},
      {{-1e308, -1e308}, -kInf},
      {{kTiny, kTiny}, 2 * kTiny},
      {{-kTiny, 1, -1}, -kTiny},
      {{0x1p53, 1}, 0x1p53},                       // a tie, to even
      {{0x1p53, 1, kTiny}, 0x1.0000000000001p53},  // just above the tie
      {{0x1p53, 2, 1}, 0x1p53 + 4},
      {{-0.0}, 0.0},
      {{kInf, 1}, kInf},
  };
  for (const auto& test : cases) EXPECT_EQ(SumOf(test.values), test.sum);
  EXPECT_TRUE(std::isnan(SumOf({kInf, -kInf})));
  EXPECT_EQ(SumOf({std::nan(""), 2}), 2);
}

TEST(ExactSum, OrderAndGroupsDoNotShow) {
  std::mt19937_64 random(11);
  for (int round = 0; round < 50; ++round) {
    std::vector<double> values;
    for (int i = 0; i < 100; ++i)
      values.push_back(std::ldexp(static_cast<double>(static_cast<std::int64_t>(random())),
                                  static_cast<int>(random() % 1900) - 1000));
    ExactSum whole;
    for (const double value : values) whole.Add(value);
    std::shuffle(values.begin(), values.end(), random);
    ExactSum parts[2];
    for (const double value : values) parts[random() % 2].Add(value);
    parts[0].Merge(parts[1]);
    EXPECT_EQ(parts[0].Value(), whole.Value());
    std::string a, b;
    parts[0].Encode(a);
    whole.Encode(b);
    EXPECT_EQ(a, b);
    ByteView view = a;
    auto back = ExactSum::Decode(view);
    ASSERT_THAT(back, IsOk());
    EXPECT_TRUE(view.empty());
    EXPECT_EQ(back->Value(), whole.Value());
    // Adding the opposite of everything leaves nothing.
    for (const double value : values) back->Add(-value);
    EXPECT_EQ(back->Value(), 0.0);
    for (std::size_t cut = 0; cut < a.size(); ++cut) {
      ByteView cut_view(a.data(), cut);
      EXPECT_THAT(ExactSum::Decode(cut_view), IsError(ErrorCode::kCorruption));
    }
  }
}

}  // namespace
}  // namespace lamina::ticks
