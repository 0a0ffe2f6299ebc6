#include "lamina/base/json.h"

#include <bit>
#include <charconv>
#include <cmath>
#include <limits>
#include <random>

#include <gtest/gtest.h>
#include <simdjson.h>

namespace lamina {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

std::string Everything(JsonStyle style) {
  std::string out;
  JsonWriter json(out, style);
  json.BeginObject();
  json.Key("empty");
  json.BeginArray();
  json.EndArray();
  json.Key("none");
  json.BeginObject();
  json.EndObject();
  json.Key("list");
  json.BeginArray();
  json.Int(-9223372036854775807 - 1);
  json.Uint(18446744073709551615U);
  json.Double(5.0);
  json.Double(kNan);
  json.Double(-kInfinity);
  json.Bool(true);
  json.Null();
  json.BeginObject();
  json.Key("k\"ey");
  json.String("é");
  json.Key("raw");
  json.Raw("[1]");
  json.EndObject();
  json.EndArray();
  json.Key("last");
  json.Bool(false);
  json.EndObject();
  return out;
}

TEST(JsonWriter, CompactStyle) {
  EXPECT_EQ(
      Everything({}),
      R"({"empty":[],"none":{},"list":[-9223372036854775808,18446744073709551615,5,null,null,)"
      R"(true,null,{"k\"ey":"é","raw":[1]}],"last":false})");
}

TEST(JsonWriter, PythonStyle) {
  EXPECT_EQ(
      Everything(JsonStyle::Python()),
      R"({"empty": [], "none": {}, "list": [-9223372036854775808, 18446744073709551615, 5.0, )"
      R"(NaN, -Infinity, true, null, {"k\"ey": "\u00e9", "raw": [1]}], "last": false})");
}

TEST(JsonWriter, ScalarAtTheTop) {
  std::string out;
  JsonWriter(out).Double(kInfinity);
  EXPECT_EQ(out, "null");
}

struct QuoteCase {
  std::string_view text;
  std::string_view plain;
  std::string_view python;
};

TEST(JsonWriter, Strings) {
  using namespace std::string_view_literals;
  const QuoteCase cases[] = {
      {"", R"("")", R"("")"},
      {"plain", R"("plain")", R"("plain")"},
      {"a\"b\\c/", R"("a\"b\\c/")", R"("a\"b\\c/")"},
      {"\n\r\t\b\f", R"("\n\r\t\b\f")", R"("\n\r\t\b\f")"},
      {"\0\x01\x1f"sv, R"("\u0000\u0001\u001f")", R"("\u0000\u0001\u001f")"},
      {"\x7f", "\"\x7f\"", R"("\u007f")"},
      {"é", R"("é")", R"("\u00e9")"},
      {"€", R"("€")", R"("\u20ac")"},
      {"\uffff", "\"\uffff\"", R"("\uffff")"},
      {"😀x", R"("😀x")", R"("\ud83d\ude00x")"},
      {"\U0010FFFF", "\"\U0010FFFF\"", R"("\udbff\udfff")"},
      // Not UTF-8: one replacement for each bad byte.
      {"a\x80z", "\"a\uFFFDz\"", R"("a\ufffdz")"},
      {"\xC0\xAF", "\"\uFFFD\uFFFD\"", R"("\ufffd\ufffd")"},
      {"\xED\xA0\x80", "\"\uFFFD\uFFFD\uFFFD\"", R"("\ufffd\ufffd\ufffd")"},
      {"\xF4\x90\x80\x80", "\"\uFFFD\uFFFD\uFFFD\uFFFD\"", R"("\ufffd\ufffd\ufffd\ufffd")"},
      {"\xE2\x82", "\"\uFFFD\uFFFD\"", R"("\ufffd\ufffd")"},
  };
  for (const QuoteCase& c : cases) {
    SCOPED_TRACE(c.python);
    EXPECT_EQ(JsonQuoted(c.text), c.plain);
    std::string out;
    JsonWriter(out, JsonStyle::Python()).String(c.text);
    EXPECT_EQ(out, c.python);
  }
}

TEST(JsonWriter, RandomBytesGiveReadableJson) {
  std::mt19937 random(7);
  simdjson::dom::parser parser;
  for (int round = 0; round < 2000; ++round) {
    std::string text(random() % 20, '\0');
    for (char& c : text) c = static_cast<char>(random() % 256);
    for (const JsonStyle style : {JsonStyle{}, JsonStyle::Python()}) {
      std::string out;
      JsonWriter(out, style).String(text);
      std::string_view back;
      ASSERT_EQ(parser.parse(out).get(back), simdjson::SUCCESS) << out;
      if (ValidUtf8(text)) {
        EXPECT_EQ(back, text);
      }
    }
  }
}

struct ReprCase {
  double value;
  std::string_view repr;
};

// The right column is what CPython 3.11 prints.
TEST(PythonFloatRepr, KnownValues) {
  const ReprCase cases[] = {
      {0.0, "0.0"},
      {-0.0, "-0.0"},
      {5.0, "5.0"},
      {-1.5, "-1.5"},
      {0.1, "0.1"},
      {0.30000000000000004, "0.30000000000000004"},
      {1.0 / 3, "0.3333333333333333"},
      {100.0, "100.0"},
      {1234.5678, "1234.5678"},
      {0.001, "0.001"},
      {0.0001, "0.0001"},
      {0.00012345, "0.00012345"},
      {0.00001, "1e-05"},
      {0.000012345, "1.2345e-05"},
      {1e15, "1000000000000000.0"},
      {9999999999999998.0, "9999999999999998.0"},
      {1e16, "1e+16"},
      {12345678901234567890.0, "1.2345678901234567e+19"},
      {123456789012345680.0, "1.2345678901234568e+17"},
      {1e22, "1e+22"},
      {1e23, "1e+23"},
      {1e100, "1e+100"},
      {5e-324, "5e-324"},
      {2.2250738585072014e-308, "2.2250738585072014e-308"},
      {1.7976931348623157e308, "1.7976931348623157e+308"},
      {9007199254740993.0, "9007199254740992.0"},
      {kNan, "nan"},
      {kInfinity, "inf"},
      {-kInfinity, "-inf"},
  };
  for (const ReprCase& c : cases) EXPECT_EQ(PythonFloatRepr(c.value), c.repr);
}

TEST(PythonFloatRepr, ReadsBackExactly) {
  std::mt19937_64 random(11);
  for (int round = 0; round < 20000; ++round) {
    const auto value = std::bit_cast<double>(random());
    if (!std::isfinite(value)) continue;
    const std::string text = PythonFloatRepr(value);
    double back = 0;
    const auto result = std::from_chars(text.data(), text.data() + text.size(), back);
    ASSERT_EQ(result.ptr, text.data() + text.size()) << text;
    ASSERT_EQ(std::bit_cast<std::uint64_t>(back), std::bit_cast<std::uint64_t>(value)) << text;
    ASSERT_NE(text.find_first_of(".e"), std::string::npos) << text;
  }
}

TEST(ValidUtf8, Table) {
  EXPECT_TRUE(ValidUtf8(""));
  EXPECT_TRUE(ValidUtf8("plain é € 😀"));
  EXPECT_FALSE(ValidUtf8("\x80"));
  EXPECT_FALSE(ValidUtf8("abc\xC3"));
  EXPECT_FALSE(ValidUtf8("\xED\xA0\x80"));
  EXPECT_FALSE(ValidUtf8("\xF5\x80\x80\x80"));
}

}  // namespace
}  // namespace lamina
