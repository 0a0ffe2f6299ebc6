#include "lamina/backtests/json_text.h"

#include <cmath>
#include <random>

#include <gtest/gtest.h>

namespace lamina::backtests {
namespace {

using namespace std::string_literals;

std::string JsonOf(const std::string& encoded) {
  auto document = bundle::Document::Parse(encoded);
  EXPECT_TRUE(document.ok());
  return ToJson(document->root());
}

TEST(JsonTextTest, Values) {
  const struct {
    std::string encoded, json;
    bool comes_back;
  } kCases[] = {
      {"\xc0"s, "null", true},
      {"\xc3"s, "true", true},
      {"\xc2"s, "false", true},
      {"\x05"s, "5", true},
      {"\xff"s, "-1", true},
      {"\xcd\x00\x05"s, "5", false},  // longer than need be
      {"\xd3\x80\0\0\0\0\0\0\0"s, "-9223372036854775808", true},
      {"\xcf\xff\xff\xff\xff\xff\xff\xff\xff"s, "18446744073709551615", true},
      {"\xcb\x3f\xf0\0\0\0\0\0\0"s, "1.0", true},
      {"\xcb\x80\0\0\0\0\0\0\0"s, "-0.0", true},
      {"\xcb\x3f\xb9\x99\x99\x99\x99\x99\x9a"s, "0.1", true},
      {"\xcb\x7e\x37\xe4\x3c\x88\x00\x75\x9c"s, "1e+300", true},
      {"\xcb\x7f\xf8\0\0\0\0\0\0"s, "\"NaN\"", false},
      {"\xcb\xff\xf0\0\0\0\0\0\0"s, "\"-Infinity\"", false},
      {"\xca\x3f\xc0\0\0"s, "1.5", false},
      {"\xa0"s, "\"\"", true},
      {"\xa5"
       "a\"\\\n\x1f"s,
       R"("a\"\\\u000a\u001f")", true},
      {"\xa5"
       "caf\xc3\xa9"s,
       "\"caf\xc3\xa9\"", true},
      {"\xa2\xff"
       "a"s,
       "\"\xef\xbf\xbd"
       "a\"",
       false},
      {"\xc4\x02\x01\xff"s, "\"01ff\"", false},
      {"\x90"s, "[]", true},
      {"\x80"s, "{}", true},
      {"\x93\x01\xa1x\x91\xc0"s, "[1, \"x\", [null]]", true},
      {"\x82\xa1"
       "b\x01\xa1"
       "a\x81\xa0\x90"s,
       R"({"b": 1, "a": {"": []}})", true},
      {"\x81\x05\x06"s, R"({"5": 6})", false},
  };
  for (const auto& test : kCases) {
    const std::string json = JsonOf(test.encoded);
    EXPECT_EQ(json, test.json);
    std::string again;
    ASSERT_TRUE(AppendMessagePackOfJson(json, again).ok()) << json;
    EXPECT_EQ(again == test.encoded, test.comes_back) << json;
  }
}

TEST(JsonTextTest, OtherTextIsRefused) {
  for (const char* text : {"",          " ",
                           "nul",       "[",
                           "[1",        "[1,2]",
                           "[1, ]",     "{",
                           "{\"a\"",    "{\"a\": }",
                           "{a: 1}",    "\"",
                           "\"\\x\"",   "\"\\u12\"",
                           "1 2",       "1.2.3",
                           "--1",       "1e",
                           "]",         "{\"a\": 1, }",
                           "truefalse", "99999999999999999999999"}) {
    std::string out;
    EXPECT_EQ(AppendMessagePackOfJson(text, out).error().code(), ErrorCode::kCorruption) << text;
  }
  std::string out;
  EXPECT_FALSE(AppendMessagePackOfJson(std::string(100'000, '['), out).ok());
}

TEST(JsonTextTest, RandomTextNeverCrashes) {
  std::mt19937_64 random(3);
  const ByteView kAlphabet = "[]{}\",: \\u0019.e-ntfalsr";
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    for (std::size_t i = random() % 12; i > 0; --i) text += kAlphabet[random() % kAlphabet.size()];
    std::string out;
    if (AppendMessagePackOfJson(text, out).ok()) {
      EXPECT_TRUE(bundle::Document::Parse(out).ok()) << text;
    }
  }
}

TEST(JsonTextTest, DoublesComeBack) {
  std::mt19937_64 random(4);
  for (int round = 0; round < 20'000; ++round) {
    double number;
    const std::uint64_t bits = random();
    std::memcpy(&number, &bits, sizeof(number));
    if (!std::isfinite(number)) continue;
    std::string encoded, again;
    bundle::Writer(encoded).Double(number);
    ASSERT_TRUE(AppendMessagePackOfJson(JsonOf(encoded), again).ok());
    EXPECT_EQ(again, encoded) << number;
  }
}

TEST(JsonTextTest, Utf8) {
  for (const char* good :
       {"", "a", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xed\x9f\xbf"}) {
    EXPECT_TRUE(IsUtf8(good)) << good;
  }
  for (const char* bad : {"\x80", "\xc3", "\xc0\x80", "\xc1\xbf", "\xe0\x80\x80", "\xed\xa0\x80",
                          "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xe2\x82", "a\xff"}) {
    EXPECT_FALSE(IsUtf8(bad)) << bad;
  }
}

}  // namespace
}  // namespace lamina::backtests
