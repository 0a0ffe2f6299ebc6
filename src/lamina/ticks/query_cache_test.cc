#include "lamina/ticks/query_cache.h"

#include <arrow/api.h>
#include <gtest/gtest.h>

namespace lamina::ticks {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

std::shared_ptr<arrow::Table> Rows(std::int64_t count) {
  arrow::Int64Builder builder;
  for (std::int64_t i = 0; i < count; ++i) EXPECT_TRUE(builder.Append(i).ok());
  return arrow::Table::Make(arrow::schema({arrow::field("a", arrow::int64())}),
                            {*builder.Finish()});
}

TEST(QueryCacheTest, DropsTheLeastRecentlyUsed) {
  QueryCache cache({.entries = 2});
  cache.Put("a", Rows(1), {});
  cache.Put("b", Rows(2), {});
  EXPECT_NE(cache.Get("a", {}), nullptr);
  cache.Put("c", Rows(3), {});
  EXPECT_EQ(cache.Get("b", {}), nullptr);
  EXPECT_EQ(cache.Get("a", {})->num_rows(), 1);
  EXPECT_EQ(cache.Get("c", {})->num_rows(), 3);
  EXPECT_EQ(cache.counts().hits, 3);
  EXPECT_EQ(cache.counts().misses, 1);
  EXPECT_EQ(cache.counts().entries, 2);
}

TEST(QueryCacheTest, DropsWhatIsTooOld) {
  QueryCache cache({.ttl_seconds = 300});
  cache.Put("a", Rows(1), Nanos{5 * kSecond});
  EXPECT_NE(cache.Get("a", Nanos{304 * kSecond}), nullptr);
  EXPECT_EQ(cache.Get("a", Nanos{305 * kSecond}), nullptr);
  EXPECT_EQ(cache.counts().entries, 0);
  EXPECT_EQ(cache.counts().bytes, 0);
}

TEST(QueryCacheTest, HoldsItsBytes) {
  QueryCache cache({.bytes = 64'000});
  for (int i = 0; i < 20; ++i) cache.Put(std::to_string(i), Rows(1000), {});
  EXPECT_LE(cache.counts().bytes, 64'000);
  EXPECT_NE(cache.Get("19", {}), nullptr);
  EXPECT_EQ(cache.Get("0", {}), nullptr);
  cache.Put("large", Rows(4000), {});
  EXPECT_EQ(cache.Get("large", {}), nullptr);
  cache.Clear();
  EXPECT_EQ(cache.counts().bytes, 0);
}

TEST(QueryCacheTest, ReplacesAnEntryAndKeepsNoneWhenOff) {
  QueryCache cache({});
  cache.Put("a", Rows(1), {});
  cache.Put("a", Rows(2), {});
  EXPECT_EQ(cache.Get("a", {})->num_rows(), 2);
  QueryCache off({.entries = 0});
  off.Put("a", Rows(1), {});
  EXPECT_EQ(off.Get("a", {}), nullptr);
}

}  // namespace
}  // namespace lamina::ticks
