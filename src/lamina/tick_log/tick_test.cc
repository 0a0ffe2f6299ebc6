#include "lamina/tick_log/tick.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lamina::tick_log {
namespace {

TEST(Tick, TypesAreKnownByEverySpelling) {
  for (const TickType type :
       {TickType::kLast, TickType::kAllLast, TickType::kBidAsk, TickType::kMidPoint}) {
    const Result<TickType> parsed = ParseTickType(TickTypeName(type));
    ASSERT_TRUE(parsed.ok());
    EXPECT_EQ(*parsed, type);
    EXPECT_EQ(ValueNames(KindOf(type)).size(), ValueCount(KindOf(type)));
  }
  EXPECT_EQ(*ParseTickType("AllLast"), TickType::kAllLast);
  EXPECT_EQ(*ParseTickType("mid_price"), TickType::kMidPoint);
  const Result<TickType> unknown = ParseTickType("bid");
  ASSERT_FALSE(unknown.ok());
  EXPECT_THAT(unknown.error().message(), testing::HasSubstr("bid_ask"));
}

TEST(Tick, TextsAreFoundByTheirCodes) {
  TextColumn texts;
  EXPECT_EQ(texts.at(5), "");
  texts = {{0, 2, 1}, {"a", "b"}};
  EXPECT_EQ(texts.at(0), "");
  EXPECT_EQ(texts.at(1), "b");
  EXPECT_EQ(texts.at(2), "a");
}

}  // namespace
}  // namespace lamina::tick_log
