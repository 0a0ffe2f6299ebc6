#include <gtest/gtest.h>

#include "lamina/dataset/dataset_test_support.h"

namespace lamina::dataset {
namespace {

using test::At;
using test::Bars;
using test::Of;

TEST(Changed, LooksAtRowsOfTheRange) {
  test::TestStore store;
  Datasets& datasets = store.datasets();
  ASSERT_THAT(datasets.Save("ohlcv", *Bars({0, 1, 2, 3}), Of("EUR")), IsOk());
  ASSERT_THAT(datasets.Save("ohlcv", *Bars({0, 1}), Of("GBP")), IsOk());
  const std::int64_t since = *store.catalog().LatestSnapshot();
  const TimeRange first_two{At(0), At(2)};
  const std::vector<KeyFilter> eur = {{"instrument", {"EUR"}}};
  const auto changed = [&](const TimeRange& range) {
    const auto answer = datasets.Changed("ohlcv", range, eur, since);
    EXPECT_THAT(answer, IsOk());
    return answer.ok() && *answer;
  };
  EXPECT_FALSE(changed({}));
  // Another instrument; a later time.
  ASSERT_THAT(datasets.Save("ohlcv", *Bars({2}), Of("GBP")), IsOk());
  ASSERT_THAT(datasets.Save("ohlcv", *Bars({4}), Of("EUR")), IsOk());
  EXPECT_FALSE(changed(first_two));
  EXPECT_TRUE(changed({}));
  // The same rows in other files.
  ASSERT_THAT(store.catalog().Compact({}), IsOk());
  EXPECT_FALSE(changed(first_two));
  // A column that came, without values in it.
  ASSERT_THAT(datasets.AddColumns("ohlcv", {{"spread"}}), IsOk());
  EXPECT_FALSE(changed(first_two));
  ASSERT_THAT(datasets.Save("ohlcv", *Bars({1}, 9.0), Of("EUR")), IsOk());
  EXPECT_TRUE(changed(first_two));
  EXPECT_FALSE(changed({At(2), At(4)}));
  EXPECT_THAT(datasets.Changed("nothing", {}, {}, since), IsError(ErrorCode::kNotFound));
  // A snapshot that is not kept.
  EXPECT_TRUE(*datasets.Changed("ohlcv", {}, eur, 100'000));
}

}  // namespace
}  // namespace lamina::dataset
