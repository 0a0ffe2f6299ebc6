#include "lamina/backtests/python_json.h"

#include <cmath>
#include <functional>
#include <limits>

#include <gtest/gtest.h>

#include "lamina/base/matchers.h"

namespace lamina::backtests {
namespace {

TEST(PythonJsonTest, WritesAsJsonDumps) {
  const struct {
    const char* name;
    std::function<void(bundle::Writer&)> write;
    const char* expected;
  } cases[] = {
      {"nil", [](auto& w) { w.Nil(); }, "null"},
      {"true", [](auto& w) { w.Bool(true); }, "true"},
      {"int", [](auto& w) { w.Int(-7); }, "-7"},
      {"largest", [](auto& w) { w.Uint(18446744073709551615u); }, "18446744073709551615"},
      {"float", [](auto& w) { w.Double(30.0); }, "30.0"},
      {"small", [](auto& w) { w.Double(1e-5); }, "1e-05"},
      {"big", [](auto& w) { w.Double(1e16); }, "1e+16"},
      {"nan", [](auto& w) { w.Double(std::nan("")); }, "NaN"},
      {"inf", [](auto& w) { w.Double(-HUGE_VAL); }, "-Infinity"},
      {"unicode", [](auto& w) { w.String("\u043a\U0001F4C8"); }, R"("\u043a\ud83d\udcc8")"},
      {"binary", [](auto& w) { w.Binary(std::string_view("a'\"\x00\xff\n", 6)); },
       R"x("b'a\\'\"\\x00\\xff\\n'")x"},
      {"binary, other quote", [](auto& w) { w.Binary("it's"); }, R"x("b\"it's\"")x"},
      {"extension", [](auto& w) { w.Extension(5, "x"); }, R"([5, "b'x'"])"},
      {"empty array", [](auto& w) { w.ArrayHeader(0); }, "[]"},
      {"nested",
       [](auto& w) {
         w.MapHeader(2);
         w.String("fast");
         w.Int(10);
         w.String("list");
         w.ArrayHeader(2);
         w.Double(0.5);
         w.MapHeader(0);
       },
       R"({"fast": 10, "list": [0.5, {}]})"},
      {"duplicates",
       [](auto& w) {
         w.MapHeader(3);
         w.String("a");
         w.Int(1);
         w.String("b");
         w.Int(2);
         w.String("a");
         w.Int(3);
       },
       R"({"a": 3, "b": 2})"},
      {"odd keys",
       [](auto& w) {
         w.MapHeader(4);
         w.Int(1);
         w.Int(1);
         w.Nil();
         w.Int(2);
         w.Double(2.5);
         w.Int(3);
         w.Binary("k");
         w.Int(4);
       },
       R"({"1": 1, "null": 2, "2.5": 3, "b'k'": 4})"},
  };
  for (const auto& one : cases) {
    std::string bytes;
    bundle::Writer writer(bytes);
    one.write(writer);
    const auto document = bundle::Document::Parse(bytes);
    ASSERT_THAT(document, IsOk()) << one.name;
    EXPECT_EQ(PythonJson(document->root()), one.expected) << one.name;
  }
}

}  // namespace
}  // namespace lamina::backtests
