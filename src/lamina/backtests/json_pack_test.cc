#include "lamina/backtests/json_pack.h"

#include <gmock/gmock.h>

#include "lamina/backtests/python_json.h"
#include "lamina/backtests/store_test_support.h"
#include "lamina/bundle/msgpack.h"

namespace lamina::backtests {
namespace {

TEST(PackJson, IsReadAsPythonReadsIt) {
  struct Case {
    std::string json, again;
  };
  const std::vector<Case> cases = {
      {"null", "null"},
      {" [ ]\n", "[]"},
      {"{}", "{}"},
      {"[true,false]", "[true, false]"},
      {"[NaN, Infinity, -Infinity]", "[NaN, Infinity, -Infinity]"},
      {"[0, -0, 1, -1, 9223372036854775807, 18446744073709551615]",
       "[0, 0, 1, -1, 9223372036854775807, 18446744073709551615]"},
      {"[0.0, -0.0, 1e5, 1E+2, 2.5e-3, 1e400, -1e400, 1e-400]",
       "[0.0, -0.0, 100000.0, 100.0, 0.0025, Infinity, -Infinity, 0.0]"},
      {R"(["\"\\\/\b\f\n\r\t", "\u00e9", "\ud83d\ude00", "é"])",
       R"(["\"\\/\b\f\n\r\t", "\u00e9", "\ud83d\ude00", "\u00e9"])"},
      {"{\"a\" : {\"b\":[1 , [2]]}, \"c\":null}", R"({"a": {"b": [1, [2]]}, "c": null})"},
  };
  for (const Case& c : cases) {
    std::string packed;
    ASSERT_THAT(PackJson(c.json, packed), IsOk()) << c.json;
    const auto document = bundle::Document::Parse(packed);
    ASSERT_THAT(document, IsOk()) << c.json;
    EXPECT_EQ(PythonJson(document->root()), c.again);
  }
}

TEST(PackJson, HeadersAreShortest) {
  for (const std::size_t count : {0U, 15U, 16U, 65535U, 65536U}) {
    std::string json = "[";
    for (std::size_t i = 0; i < count; ++i) json += i == 0 ? "7" : ",7";
    std::string packed, expected;
    ASSERT_THAT(PackJson(json + "]", packed), IsOk());
    bundle::Writer(expected).ArrayHeader(static_cast<std::uint32_t>(count));
    EXPECT_EQ(packed, expected + std::string(count, '\x07'));
  }
}

TEST(PackJson, WhatIsNoJsonIsRefused) {
  for (const std::string text : {"",
                                 " ",
                                 "nul",
                                 "[1,]",
                                 "[1 2]",
                                 "{\"a\"}",
                                 "{a: 1}",
                                 "{\"a\":1,}",
                                 "\"x",
                                 "\"\\x\"",
                                 "\"\\u12\"",
                                 "\"\\ud800\"",
                                 "\"\\udc00\"",
                                 "\"\\ud800\\u0041\"",
                                 "\"\t\"",
                                 "01",
                                 "1.",
                                 ".5",
                                 "1e",
                                 "+1",
                                 "- 1",
                                 "1 2",
                                 "nan",
                                 "18446744073709551616",
                                 "-9223372036854775809",
                                 "\"\xff\"",
                                 "[",
                                 "{",
                                 "\xef\xbb\xbf{}",
                                 "'a'"}) {
    std::string packed;
    EXPECT_THAT(PackJson(text, packed), IsError(ErrorCode::kCorruption)) << text;
  }
}

TEST(PackJson, DepthIsLimited) {
  const std::string open(kJsonDepthMax, '['), close(kJsonDepthMax, ']');
  std::string packed;
  EXPECT_THAT(PackJson(open + "1" + close, packed), IsOk());
  EXPECT_THAT(PackJson("[" + open + "1" + close + "]", packed), IsError(ErrorCode::kCorruption));
  EXPECT_THAT(PackJson(std::string(1 << 20, '{'), packed), IsError(ErrorCode::kCorruption));
}

}  // namespace
}  // namespace lamina::backtests
