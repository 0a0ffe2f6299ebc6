#include "lamina/backtests/json_member.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lamina::backtests {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::string Shown(const std::optional<JsonScalar>& value) {
  struct Show {
    std::string operator()(JsonNull) const { return "null"; }
    std::string operator()(bool truth) const { return truth ? "true" : "false"; }
    std::string operator()(std::int64_t integer) const { return "int " + std::to_string(integer); }
    std::string operator()(double real) const { return "real " + std::to_string(real); }
    std::string operator()(const std::string& text) const { return "text " + text; }
    std::string operator()(JsonNested nested) const { return "nested " + std::string(nested.text); }
  };
  return value ? std::visit(Show(), *value) : "absent";
}

TEST(JsonMemberTest, Finds) {
  const struct {
    const char* json;
    std::vector<std::string_view> path;
    const char* expected;
  } cases[] = {
      {R"({"a": 1})", {"a"}, "int 1"},
      {R"({"a": 1})", {"b"}, "absent"},
      {R"({"a": 1, "a": 2})", {"a"}, "int 2"},
      {R"({"a": -1.5e3})", {"a"}, "real -1500.000000"},
      {R"({"a": NaN})", {"a"}, "real nan"},
      {R"({"a": Infinity, "b": -Infinity})", {"b"}, "real -inf"},
      {R"({"a": 18446744073709551615})", {"a"}, "real 18446744073709551616.000000"},
      {R"({"a": true, "b": false, "c": null})", {"c"}, "null"},
      {R"({"a": {"b": {"c": "deep"}}})", {"a", "b", "c"}, "text deep"},
      {R"({"a": {"b": [1, {"c": "]}"}]}, "z": 7})", {"z"}, "int 7"},
      {R"({"a": {"b": [1, "x"]}})", {"a"}, R"(nested {"b": [1, "x"]})"},
      {R"({"a": 1})", {"a", "b"}, "absent"},
      {R"({"q\"\\/\b\f\n\r\t": 5})", {"q\"\\/\b\f\n\r\t"}, "int 5"},
      {R"({"\u0441\u0445": "\u043a"})", {"\u0441\u0445"}, "text \u043a"},
      {R"({"e": "\ud83d\udcc8"})", {"e"}, "text \U0001F4C8"},
      {R"({"e": "\ud83d!"})", {"e"}, "text \uFFFD!"},
      {R"({"z\u0000": "\u0000"})", {std::string_view("z\0", 2)}, "text "},
      {R"( { "a" : 1 , "b" : [ ] } )", {"b"}, "nested [ ]"},
      {R"({})", {"a"}, "absent"},
      {R"([1])", {"a"}, "absent"},
      {R"x("MetaData()")x", {"a"}, "absent"},
      {R"({"a": 1)", {"a"}, "absent"},
      {R"({"a": "unclosed)", {"a"}, "absent"},
      {R"({"a": [1, 2})", {"a"}, "absent"},
      {R"({"a": bogus})", {"a"}, "absent"},
      {R"({"a": "\q"})", {"a"}, "absent"},
      {R"({"a": "\u12"})", {"a"}, "absent"},
      {"", {"a"}, "absent"},
      {"", {}, "absent"},
      {"3", {}, "int 3"},
  };
  for (const auto& one : cases) {
    std::string shown = Shown(FindJsonMember(one.json, one.path));
    if (shown.ends_with('\0')) shown.pop_back();
    EXPECT_EQ(shown, one.expected) << one.json;
  }
}

TEST(JsonMemberTest, DeepNestingIsNotRecursion) {
  const std::string deep =
      "{\"a\": " + std::string(1'000'000, '[') + std::string(1'000'000, ']') + ", \"b\": 1}";
  const std::vector<std::string_view> path = {"b"};
  EXPECT_EQ(Shown(FindJsonMember(deep, path)), "int 1");
}

TEST(JsonMemberTest, MembersElementsTexts) {
  const auto members = JsonMembers(R"({"a": 1, "b": [2], "a": {"c": 3}})");
  ASSERT_EQ(members.size(), 2u);
  EXPECT_EQ(members[0].name, "a");
  EXPECT_EQ(members[0].value, R"({"c": 3})");
  EXPECT_THAT(JsonMembers(R"({"a": 1)"), IsEmpty());
  EXPECT_THAT(JsonMembers("{}"), IsEmpty());
  EXPECT_THAT(JsonElements(R"([1, {"a": [2]}, "x,]"])"),
              ElementsAre("1", R"({"a": [2]})", "\"x,]\""));
  EXPECT_THAT(JsonElements("[1, 2"), IsEmpty());
  EXPECT_THAT(JsonElements("[]"), IsEmpty());
  EXPECT_THAT(JsonTexts(R"(["a", 1, "b\u0021", null])"), ElementsAre("a", "b!"));
  EXPECT_THAT(JsonTexts("{}"), IsEmpty());
}

}  // namespace
}  // namespace lamina::backtests
