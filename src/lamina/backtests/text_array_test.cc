#include "lamina/backtests/text_array.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lamina::backtests {
namespace {

using Texts = std::vector<std::string>;

TEST(TextArray, RoundTrip) {
  for (const Texts& texts :
       {Texts{}, Texts{""}, Texts{"a", "b"}, Texts{"quote \" and \\ back", "line\nend\t\x01"},
        Texts{"größe", "データ", "😀"}, Texts{std::string("nul\0inside", 10)}}) {
    EXPECT_EQ(ParseTextArray(FormatTextArray(texts)), texts) << FormatTextArray(texts);
  }
}

TEST(TextArray, WhatIsNotTextIsLeftOut) {
  EXPECT_EQ(ParseTextArray(R"(["a", 1, null, ["b"], {"c": "d"}, "e"])"), (Texts{"a", "e"}));
  for (const char* json : {"", "nonsense", "[\"a\"", "{}", "\"a\"", "null", "[\"a\"] tail"}) {
    EXPECT_TRUE(ParseTextArray(json).empty()) << json;
  }
}

TEST(TextArray, Notes) {
  EXPECT_TRUE(ValidNote(""));
  EXPECT_TRUE(ValidNote("two\nlines, größe"));
  EXPECT_TRUE(ValidNote(std::string(65536, 'x')));
  EXPECT_FALSE(ValidNote(std::string(65537, 'x')));
  EXPECT_FALSE(ValidNote("\xff"));
  EXPECT_FALSE(ValidNote("cut \xe2\x82"));
}

}  // namespace
}  // namespace lamina::backtests
